"""What the API server would refuse by type, and the typed views, which are total, would treat as absent.

The types of the fields stand in model/kinds.py, beside the kind that has them.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from dnsalias_operator.model.kinds import KINDS, Kind
from dnsalias_operator.model.meta import is_ip, text
from dnsalias_operator.model.names import GROUP, KIND
from dnsalias_operator.model.shape import CLUSTER_IP, LABELS, NUMBER, TEXT, TEXT_OR_NUMBER, TEXTS, Shape

MOST = 3
"""Most faults of one object that are reported at once."""

_EXPECTED: Mapping[Shape, str] = {
    TEXT: "text",
    NUMBER: "a number",
    TEXT_OR_NUMBER: "a number or a name",
    CLUSTER_IP: "an IP address or None",
}

_METADATA = {"name": TEXT, "namespace": TEXT, "labels": LABELS}
_ALIAS_SPEC = {"host": TEXT, "serviceRef": {"name": TEXT}, "exportTo": TEXTS, "endpoints": TEXT}
"""`DnsAlias.parse` checks the types of these; here they are only found."""
_MENTIONED = re.compile(rf"\bkind[\"']?\s*:\s*[\"']?(?:{'|'.join(KINDS)}|\w*List)\b")


def mentions_kind(source: str) -> bool:
    """Whether a text that cannot be read may have held an object of a kind that is read, or a list of them."""
    return _MENTIONED.search(source) is not None


def lacks_kind(value: Mapping[str, Any]) -> bool:
    """Whether it has an API group that is read and no kind: it was meant to be an object."""
    group, slash, _ = text(value.get("apiVersion")).partition("/")
    return bool(slash) and not value.get("kind") and any(group == known.group for known in KINDS.values())


def texts(raw: Mapping[str, Any], kind: Kind) -> dict[str, str]:
    """The texts of an object that the core reads as names, hosts and the like, by their paths."""
    shapes: Mapping[str, Shape] = {"metadata": _METADATA, "spec": _ALIAS_SPEC if kind.name == KIND else kind.shape}
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
    """Why this is no kind of that group although it looks like one that is read; empty if it may be one."""
    for name in (known.name for known in KINDS.values() if known.group == group):
        if kind != name and kind.casefold() in (name.casefold(), f"{name}s".casefold()):
            return f"kind: expected {name}, got {kind}"
    return f"kind: {GROUP} has no {kind}, expected {KIND}" if group == GROUP else ""


def faults(raw: Mapping[str, Any], kind: Kind) -> str:
    """The faults of an object of a kind that is read, in one line; empty if there are none."""
    version = str(raw.get("apiVersion")).rpartition("/")[2]
    if version not in kind.versions:
        group = kind.group or "the core group"
        return f"apiVersion: {group} has no {version}; expected {' or '.join(kind.versions)}"
    return "; ".join(islice(_misfits(raw.get("spec"), kind.shape, "spec"), MOST)) if kind.shape else ""


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
                yield f"{path}[{index}]: expected {_words(shape[0])}, got null{'; put ~ in quotes' * (shape == TEXTS)}"
            yield from _misfits(item, shape[0], f"{path}[{index}]")
    elif isinstance(shape, dict | list) or not _fits(value, shape):
        hint = "; put it in quotes" if shape is TEXT and isinstance(value, bool | int | float) else ""
        yield f"{path}: expected {_words(shape)}, got {shown(value)}{hint}"


def _fits(value: object, shape: Shape) -> bool:
    if shape is CLUSTER_IP:
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
