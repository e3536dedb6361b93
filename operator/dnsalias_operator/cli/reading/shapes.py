"""What the API server would refuse by its type, and the typed views, total as they are, would take for absent.

Source: the CRDs of Istio's base chart and the OpenAPI document of Kubernetes, for the fields that the core reads.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from dnsalias_operator.model.meta import is_ip, text
from dnsalias_operator.model.names import GROUP, ISTIO_GROUP, ISTIO_VERSIONS, KIND, SECURITY_GROUP, VERSION

KINDS: Mapping[tuple[str, str], str] = {
    ("", "Service"): "Service",
    ("", "Namespace"): "Namespace",
    (ISTIO_GROUP, "ServiceEntry"): "ServiceEntry",
    (ISTIO_GROUP, "Sidecar"): "Sidecar",
    (ISTIO_GROUP, "VirtualService"): "VirtualService",
    (ISTIO_GROUP, "DestinationRule"): "DestinationRule",
    (SECURITY_GROUP, "PeerAuthentication"): "PeerAuthentication",
    (GROUP, KIND): KIND,
}
"""API group and kind of what the core reads. Another group's Service (Knative's, say) is none of them."""
VERSIONS: Mapping[str, tuple[str, ...]] = {
    ISTIO_GROUP: ISTIO_VERSIONS,
    SECURITY_GROUP: ("v1", "v1beta1"),
    GROUP: (VERSION,),
    "": ("v1",),
}
"""Versions of each API group in which the kinds that are read are served."""
MOST = 3
"""Faults of one object that are told; who mends three sees the rest."""

_TEXT, _NUMBER, _TEXT_OR_NUMBER, _CLUSTER_IP = (str,), (int,), (str, int), "clusterIP"
_EXPECTED = {
    _TEXT: "text",
    _NUMBER: "a number",
    _TEXT_OR_NUMBER: "a number or a name",
    _CLUSTER_IP: "an IP address or None",
}
_TEXTS = [_TEXT]
_LABELS = {"*": _TEXT}
_SELECTOR = {"labels": _LABELS}
Shape = Any
"""Types of a scalar, [the shape of each item], or the shapes of keys ("*": of every key). Keys not named may be any."""

SPECS: Mapping[str, Shape] = {
    "ServiceEntry": {
        "hosts": _TEXTS,
        "addresses": _TEXTS,
        "exportTo": _TEXTS,
        "location": _TEXT,
        "resolution": _TEXT,
        "ports": [{"number": _NUMBER, "name": _TEXT, "protocol": _TEXT, "targetPort": _NUMBER}],
        "endpoints": [{"address": _TEXT, "labels": _LABELS, "ports": {"*": _NUMBER}, "serviceAccount": _TEXT}],
        "workloadSelector": _SELECTOR,
    },
    "Service": {
        "type": _TEXT,
        "clusterIP": _CLUSTER_IP,
        "clusterIPs": [_CLUSTER_IP],
        "externalName": _TEXT,
        "selector": _LABELS,
        "ports": [{"name": _TEXT, "port": _NUMBER, "protocol": _TEXT, "targetPort": _TEXT_OR_NUMBER}],
    },
    "Sidecar": {
        "workloadSelector": _SELECTOR,
        "egress": [{"hosts": _TEXTS, "bind": _TEXT, "captureMode": _TEXT, "port": {"number": _NUMBER}}],
    },
    "VirtualService": {"hosts": _TEXTS, "gateways": _TEXTS, "exportTo": _TEXTS},
    "DestinationRule": {"host": _TEXT, "exportTo": _TEXTS, "trafficPolicy": {}},
    "PeerAuthentication": {"mtls": {"mode": _TEXT}, "selector": {"matchLabels": _LABELS}},
}

_READ: Mapping[str, Shape] = {
    **SPECS,
    KIND: {"host": _TEXT, "serviceRef": {"name": _TEXT}, "exportTo": _TEXTS, "endpoints": _TEXT},
}
_METADATA = {"name": _TEXT, "namespace": _TEXT, "labels": _LABELS}
_NAMES = "|".join(sorted({kind for _, kind in KINDS}))
_MENTIONED = re.compile(rf"\bkind[\"']?\s*:\s*[\"']?(?:{_NAMES}|\w*List)\b")


def mentions_kind(source: str) -> bool:
    """Whether a text that cannot be read may have held an object of a kind that is read, or a list of them."""
    return _MENTIONED.search(source) is not None


def lacks_kind(value: Mapping[str, Any]) -> bool:
    """Whether it has an API group that is read and no kind: somebody meant an object, and it is none."""
    group, slash, _ = text(value.get("apiVersion")).partition("/")
    return bool(slash) and not value.get("kind") and any(group == of for of, _ in KINDS)


def texts(raw: Mapping[str, Any], kind: str) -> dict[str, str]:
    """The texts of an object that the core reads as names, hosts and the like, by their paths."""
    shapes = {"metadata": _METADATA, "spec": _READ.get(kind, {})}
    return {path: value for part, shape in shapes.items() for path, value in _texts(raw.get(part), shape, part)}


def _texts(value: object, shape: Shape, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(shape, dict) and isinstance(value, Mapping):
        for key, item in value.items():
            if (inner := shape.get(key, shape.get("*"))) is not None:
                yield from _texts(item, inner, f"{path}.{key}")
    elif isinstance(shape, list) and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, shape[0], f"{path}[{index}]")


def kind_fault(group: str, kind: str) -> str:
    """Why this is no kind of that group though it looks like one that is read; empty where it may be one."""
    for of, name in KINDS:
        if group == of and kind != name and kind.casefold() in (name.casefold(), f"{name}s".casefold()):
            return f"kind: expected {name}, got {kind}"
    return f"kind: {GROUP} has no {kind}, expected {KIND}" if group == GROUP else ""


def faults(raw: Mapping[str, Any], group: str, kind: str) -> str:
    """What is wrong with an object of a kind that is read, in one line; empty where nothing is."""
    version = str(raw.get("apiVersion")).rpartition("/")[2]
    if version not in VERSIONS[group]:
        return f"apiVersion: {group or 'the core group'} has no {version}; expected {' or '.join(VERSIONS[group])}"
    spec = raw.get("spec")
    return "; ".join(islice(_misfits(spec, SPECS[kind], "spec"), MOST)) if kind in SPECS else ""


def _misfits(value: object, shape: Shape, path: str) -> Iterator[str]:
    if value is None:
        return  # the API server takes null for absent
    if isinstance(shape, dict) and isinstance(value, Mapping):
        for key, item in value.items():
            if (inner := shape.get(key, shape.get("*"))) is not None:
                yield from _misfits(item, inner, f"{path}.{key}")
    elif isinstance(shape, list) and isinstance(value, list):
        for index, item in enumerate(value):
            if item is None:  # not in a list
                yield f"{path}[{index}]: expected {_words(shape[0])}, got null{'; put ~ in quotes' * (shape == _TEXTS)}"
            yield from _misfits(item, shape[0], f"{path}[{index}]")
    elif isinstance(shape, dict | list) or not _fits(value, shape):
        hint = "; put it in quotes" if shape is _TEXT and isinstance(value, bool | int | float) else ""
        yield f"{path}: expected {_words(shape)}, got {shown(value)}{hint}"


def _fits(value: object, shape: Shape) -> bool:
    if shape is _CLUSTER_IP:
        return isinstance(value, str) and (value in ("", "None") or is_ip(value))
    return isinstance(value, shape) and not isinstance(value, bool)


def _words(shape: Shape) -> str:
    if isinstance(shape, dict | list):
        return "a mapping" if isinstance(shape, dict) else "a list"
    return _EXPECTED[shape]


def shown(value: object) -> str:
    """A value in the words of YAML, short."""
    match value:
        case Mapping():
            keys = ", ".join(str(key) for key in list(value)[:3])
            return f"a mapping with {keys}" if keys else "an empty mapping"
        case list():
            return "a list"
        case bool():
            return str(value).lower()
        case str():
            return f"the text {value[:40]!r}"
        case _:
            return "null" if value is None else str(value)
