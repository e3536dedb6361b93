"""What the store keeps of each object: what decisions, diffs and writes need, and nothing else.

A cluster's Services and ServiceEntries carry kilobytes that nobody here reads (last-applied annotations, foreign
managedFields, load balancer status). What must survive: all of a ServiceEntry's spec, labels and annotations, since
diffs and what-ifs are made from it; the managedFields of our own managers, since they are the record of what we wrote;
and who owns the fields that people fight over.
"""

from collections.abc import Mapping
from typing import Any

from dnsalias_operator.model.meta import Raw, mapping, mappings, text
from dnsalias_operator.model.names import (
    EXPORT_TO_ANNOTATION,
    GROUP,
    KIND,
    OWN_MANAGER,
    REPAIR_MANAGER,
)

_META = (
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "labels",
    "ownerReferences",
    "finalizers",
)
_SPEC: Mapping[str, tuple[str, ...]] = {
    "Service": ("type", "clusterIP", "clusterIPs", "ports", "selector", "externalName"),
    "Sidecar": ("workloadSelector", "egress", "outboundTrafficPolicy"),
}
"""The fields of a spec that are kept, of kinds of which not all is."""
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_OUR_MANAGERS = frozenset({OWN_MANAGER, REPAIR_MANAGER})
_FOUGHT_OVER = ("f:hosts", "f:addresses", "f:endpoints", "f:resolution", "f:ports", "f:location", "f:workloadSelector")


def slim(raw: Raw, kind: str, api_version: str) -> dict[str, Any]:
    """The part of ``raw`` that the store keeps; ``kind`` and ``api_version`` are set, items of a LIST lack them."""
    out: dict[str, Any] = {"apiVersion": api_version, "kind": kind, "metadata": _metadata(raw, kind)}
    if kind in _SPEC:
        spec = mapping(raw.get("spec"))
        out["spec"] = {name: spec[name] for name in _SPEC[kind] if name in spec}
    elif kind == "ServiceEntry":
        out["spec"] = raw.get("spec") or {}
        addresses = mapping(raw.get("status")).get("addresses")
        if addresses:
            out["status"] = {"addresses": addresses}
    elif kind == KIND:
        out["spec"] = raw.get("spec") or {}
        if raw.get("status"):
            out["status"] = raw["status"]
    return out


def _metadata(raw: Raw, kind: str) -> dict[str, Any]:
    meta = mapping(raw.get("metadata"))
    out = {name: meta[name] for name in _META if name in meta}
    annotations = {k: v for k, v in mapping(meta.get("annotations")).items() if _keeps(k, kind)}
    if annotations:
        out["annotations"] = annotations
    if kind == "ServiceEntry":
        managed = [kept for entry in mappings(meta.get("managedFields")) if (kept := _managed(entry))]
        if managed:
            out["managedFields"] = managed
    return out


def _keeps(annotation: str, kind: str) -> bool:
    if kind in ("ServiceEntry", KIND):
        return annotation != _LAST_APPLIED
    return annotation == EXPORT_TO_ANNOTATION or annotation.partition("/")[0] == GROUP


def _managed(entry: Mapping[str, Any]) -> Mapping[str, Any] | None:
    if text(entry.get("manager")) in _OUR_MANAGERS:
        return entry
    owned = mapping(mapping(entry.get("fieldsV1")).get("f:spec"))
    kept: dict[str, Any] = {name: {} for name in _FOUGHT_OVER if name in owned}
    if not kept:
        return None
    return {**{k: v for k, v in entry.items() if k != "fieldsV1"}, "fieldsV1": {"f:spec": kept}}
