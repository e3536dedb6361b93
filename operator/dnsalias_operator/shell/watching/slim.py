"""What the store keeps of each object: what decisions, diffs and writes need, and nothing else.

A cluster's Services and ServiceEntries carry kilobytes that nobody here reads (last-applied annotations, foreign
managedFields, load balancer status). What must survive: all of a ServiceEntry's spec, labels and annotations, since
diffs and what-ifs are made from it; the managedFields of our own managers, since they are the record of what we wrote;
and who owns the fields that people fight over.
"""

import sys
from collections.abc import Mapping
from typing import Any

from dnsalias_operator.model.kinds import ALL, Kept, Kind
from dnsalias_operator.model.meta import Raw, mapping, mappings, text
from dnsalias_operator.model.names import (
    CONTROL_PLANES_ANNOTATION,
    EXPORT_TO_ANNOTATION,
    GROUP,
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
_SHORT = 16
"""Longest text that many objects are likely to have: names of fields, protocols, namespaces; no uid, no time."""
_DEPTH = 8
"""Levels of an object that are looked through; hostile ones have more."""
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_OUR_MANAGERS = frozenset({OWN_MANAGER, REPAIR_MANAGER})
_FOUGHT_OVER = (
    "f:hosts",
    "f:addresses",
    "f:endpoints",
    "f:resolution",
    "f:ports",
    "f:location",
    "f:workloadSelector",
    "f:http",
    "f:tcp",
)


def slim(raw: Raw, kind: Kind) -> dict[str, Any]:
    """The part of ``raw`` that the store keeps; apiVersion and kind are set, items of a LIST lack them."""
    api_version = text(raw.get("apiVersion")) or kind.api_version
    out: dict[str, Any] = {"apiVersion": api_version, "kind": kind.name, "metadata": _metadata(raw, kind.kept)}
    if kind.kept.spec:
        out["spec"] = _fields(raw.get("spec"), kind.kept.spec)
    status = _fields(raw.get("status"), kind.kept.status)
    if status:
        out["status"] = status
    shared: dict[str, Any] = _shared(out, _DEPTH)
    return shared


def _shared(value: Any, depth: int) -> Any:  # noqa: ANN401 (any JSON)
    """The same value, in which equal short texts are one object with those of all other objects that are kept."""
    if type(value) is str:
        return sys.intern(value) if len(value) <= _SHORT else value
    if not depth:
        return value
    if type(value) is dict:
        return {sys.intern(k) if type(k) is str else k: _shared(v, depth - 1) for k, v in value.items()}
    return [_shared(v, depth - 1) for v in value] if type(value) is list else value


def _fields(value: object, names: tuple[str, ...]) -> object:
    if names == ALL:
        return value or {}
    part = mapping(value)
    return {name: part[name] for name in names if name in part}


def _metadata(raw: Raw, kept: Kept) -> dict[str, Any]:
    meta = mapping(raw.get("metadata"))
    out = {name: meta[name] for name in _META if name in meta}
    annotations = {k: v for k, v in mapping(meta.get("annotations")).items() if _keeps(k, kept)}
    if annotations:
        out["annotations"] = annotations
    if kept.managers:
        managed = [slimmer for entry in mappings(meta.get("managedFields")) if (slimmer := _managed(entry))]
        if managed:
            out["managedFields"] = managed
    return out


def _keeps(annotation: str, kept: Kept) -> bool:
    if kept.annotations:
        return annotation != _LAST_APPLIED
    return annotation in (EXPORT_TO_ANNOTATION, CONTROL_PLANES_ANNOTATION) or annotation.partition("/")[0] == GROUP


def _managed(entry: Mapping[str, Any]) -> Mapping[str, Any] | None:
    if text(entry.get("manager")) in _OUR_MANAGERS:
        return entry
    owned = mapping(mapping(entry.get("fieldsV1")).get("f:spec"))
    kept: dict[str, Any] = {name: {} for name in _FOUGHT_OVER if name in owned}
    if not kept:
        return None
    return {**{k: v for k, v in entry.items() if k != "fieldsV1"}, "fieldsV1": {"f:spec": kept}}
