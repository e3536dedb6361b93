"""Whether two ways to install put the same objects into a cluster: what is compared, and how labels may differ."""

from collections.abc import Iterable
from typing import Any

STAMPED = ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "annotations")
"""Of the metadata: what the API server or an installer adds."""
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
    return _parted(obj)[1]


def content_of(obj: dict[str, Any]) -> Any:  # noqa: ANN401 (any JSON)
    """An object without labels, selectors of labels, status, and what no installer chooses."""
    spec = {k: v for k, v in obj.get("spec", {}).items() if k not in ("clusterIP", "clusterIPs")}
    meta = {k: v for k, v in obj["metadata"].items() if k not in STAMPED}
    return _parted({**{k: v for k, v in obj.items() if k != "status"}, "metadata": meta, "spec": spec})[0]


def _parted(obj: dict[str, Any]) -> tuple[Any, dict[str, dict[str, str]]]:
    """The object without its maps of labels, and these by their paths."""
    labels: dict[str, dict[str, str]] = {}

    def walk(node: Any, path: str) -> Any:  # noqa: ANN401 (any JSON)
        if isinstance(node, list):
            return [walk(item, f"{path}[{number}]") for number, item in enumerate(node)]
        if not isinstance(node, dict):
            return node
        kept = {}
        for key, value in node.items():
            where = f"{path}.{key}"
            if key in ("labels", "matchLabels") or (where == ".spec.selector" and obj["kind"] == "Service"):
                labels[where] = value
            else:
                kept[key] = walk(value, where)
        return kept

    return walk(obj, ""), labels
