"""Whether two ways to install put the same objects into a cluster: what is compared, and how labels may differ."""

from collections.abc import Iterable
from typing import Any

STAMPED = ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "annotations", "labels")
"""Of the metadata: what the API server or an installer adds, and labels, which are compared by `labels_of`."""
OURS = frozenset({"helm.sh/chart", "app.kubernetes.io/managed-by"}) | {
    f"app.kubernetes.io/{name}" for name in ("name", "instance", "version", "part-of")
}
"""The labels of a chart."""
Identity = tuple[str, str, str]


def identity_of(obj: dict[str, Any]) -> Identity:
    """Kind, namespace and name."""
    meta = obj["metadata"]
    return obj["kind"], meta.get("namespace", ""), meta["name"]


def by_identity(objects: Iterable[dict[str, Any]]) -> dict[Identity, dict[str, Any]]:
    """The objects, each under its identity."""
    return {identity_of(obj): obj for obj in objects}


def labels_of(obj: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Every map of labels in an object, selectors too, by where it is."""
    spec = obj.get("spec", {})
    selector = spec.get("selector", {})
    found = {
        "metadata": obj["metadata"].get("labels", {}),
        "selector": selector.get("matchLabels", selector),
        "template": spec.get("template", {}).get("metadata", {}).get("labels", {}),
    }
    return {where: labels for where, labels in found.items() if labels}


def content_of(obj: dict[str, Any]) -> dict[str, Any]:
    """An object without labels, selectors of labels, status, and what no installer chooses."""
    content = {k: v for k, v in obj.items() if k not in ("status", "metadata")}
    content["metadata"] = {k: v for k, v in obj["metadata"].items() if k not in STAMPED}
    if "spec" in content:
        content["spec"] = {k: v for k, v in obj["spec"].items() if k not in ("selector", "clusterIP", "clusterIPs")}
        if "template" in content["spec"]:
            template = dict(content["spec"]["template"])
            template["metadata"] = {k: v for k, v in template["metadata"].items() if k != "labels"}
            content["spec"]["template"] = template
    return content
