"""What a ServiceEntry is written with: its fields, and what of them cannot be read.

`istioctl validate` and istiod read it as protobuf's JSON: an unknown field, an unknown word where the API has a list of
words, and a value of another type end the reading, and nothing else is looked at. The API server is narrower in some:
it knows no names of fields in protobuf's own form (``export_to``) and no numbers in quotes.
"""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from dnsalias_operator.core.istio.validation.refusal import By, Refusal
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.meta import Raw, integer, mapping, mappings, strings, text, texts

Found = Iterator[Refusal]
Reader = Callable[[object, str], Found]

_TOP = ("apiVersion", "kind", "metadata", "spec", "status")
LOCATIONS = ("MESH_EXTERNAL", "MESH_INTERNAL")
_RESOLUTIONS = ("NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN")
_MAX_NUMBER = 2**32


@dataclass(frozen=True, slots=True)
class Port:
    """One of ``spec.ports`` as it is written; numbers are 0 where they are not set."""

    path: str
    number: int
    name: str
    protocol: str
    target: int


@dataclass(frozen=True, slots=True)
class Address:
    """One of ``spec.endpoints`` as it is written. ``raw`` has what the API server looks at and istiod does not."""

    path: str
    address: str
    network: str
    ports: Mapping[str, int]
    labels: Mapping[str, str]
    raw: Raw = field(repr=False)


@dataclass(frozen=True, slots=True)
class Written:
    """A ServiceEntry that can be read. ``selector`` is None where no workloadSelector is set."""

    namespace: str
    meta_labels: Mapping[str, str]
    mesh: Mesh
    hosts: tuple[str, ...]
    addresses: tuple[str, ...]
    ports: tuple[Port, ...]
    resolution: str
    location: str
    endpoints: tuple[Address, ...]
    selector: Mapping[str, str] | None
    export_to: tuple[str, ...]
    spec: Raw = field(repr=False)


def resolutions(mesh: Mesh) -> tuple[str, ...]:
    """The words that ``spec.resolution`` may have, in the API of the mesh's release.

    Source: ServiceEntry_Resolution in networking/v1alpha3/service_entry.proto of istio.io/api; DYNAMIC_DNS: 1.28.
    """
    new = ("DYNAMIC_DNS",) if mesh.since(1, 28) else ()
    return ((*_RESOLUTIONS, *new)) if mesh.since(1, 20) else _RESOLUTIONS[:3]


def unreadable(raw: Raw, mesh: Mesh) -> Found:
    """What cannot be read.

    Source: ApplyJSONStrict in pkg/config/model.go, checkFields in pkg/webhooks/validation/server/server.go at 1.31.
    """
    for name in raw:
        if name not in _TOP:
            yield Refusal(str(name), f"no such field{_meant(str(name), _TOP)}", By.FORM)
    if raw.get("spec") is not None:
        yield from _spec(resolutions(mesh))(raw["spec"], "spec")


@lru_cache(maxsize=8)
def _spec(words: tuple[str, ...]) -> Reader:
    """What reads a spec, where those are the words of ``resolution``; made once, since every entry is read by it."""
    port = {"number": _number, "name": _text, "protocol": _text, "targetPort": _number}
    endpoint = {
        "address": _text,
        "ports": _map(_number),
        "labels": _map(_text),
        "network": _text,
        "locality": _text,
        "weight": _number,
        "serviceAccount": _text,
    }
    return _message(
        {
            "hosts": _list(_text),
            "addresses": _list(_text),
            "ports": _list(_message(port)),
            "location": _word(LOCATIONS),
            "resolution": _word(words),
            "endpoints": _list(_message(endpoint)),
            "workloadSelector": _message({"labels": _map(_text)}),
            "exportTo": _list(_text),
            "subjectAltNames": _list(_text),
        }
    )


def _message(fields: Mapping[str, Reader]) -> Reader:
    in_proto = {re.sub(r"[A-Z]", lambda upper: f"_{upper[0].lower()}", name): name for name in fields}

    def read(value: object, path: str) -> Found:
        if not isinstance(value, Mapping):
            yield Refusal(path, f"expected a mapping, got {_shown(value)}", By.FORM)
            return
        for name, inner in value.items():
            at = f"{path}.{name}"
            known = name if name in fields else in_proto.get(str(name), "")
            if not known:
                yield Refusal(at, f"no such field{_meant(str(name), fields)}", By.FORM)
                continue
            if known != name:
                yield Refusal(at, f"the API server knows it as {known}", By.API_SERVER)
            if inner is not None:
                yield from fields[known](inner, at)

    return read


def _list(element: Reader) -> Reader:
    def read(value: object, path: str) -> Found:
        if not isinstance(value, list):
            yield Refusal(path, f"expected a list, got {_shown(value)}", By.FORM)
            return
        for index, inner in enumerate(value):
            if inner is None:
                yield Refusal(f"{path}[{index}]", "null in a list", By.API_SERVER)
            else:
                yield from element(inner, f"{path}[{index}]")

    return read


def _map(value_of: Reader) -> Reader:
    def read(value: object, path: str) -> Found:
        if not isinstance(value, Mapping):
            yield Refusal(path, f"expected a mapping, got {_shown(value)}", By.FORM)
            return
        for key, inner in value.items():
            yield from value_of(inner, f"{path}.{key}")

    return read


def _text(value: object, path: str) -> Found:
    if not isinstance(value, str):
        quotes = "; put it in quotes" if isinstance(value, bool | int | float) else ""
        yield Refusal(path, f"expected text, got {_shown(value)}{quotes}", By.FORM)


def _number(value: object, path: str) -> Found:
    number = as_number(value)
    if number is None:
        yield Refusal(path, f"expected a whole number, got {_shown(value)}", By.FORM)
    elif isinstance(value, str):
        yield Refusal(path, f"expected a number, got the text {value!r}; take the quotes away", By.API_SERVER)


def _word(words: tuple[str, ...]) -> Reader:
    def read(value: object, path: str) -> Found:
        if isinstance(value, int) and not isinstance(value, bool):
            yield Refusal(path, f"expected one of {', '.join(words)}, got the number {value}", By.API_SERVER)
        elif not isinstance(value, str) or value not in words:
            hint = _meant(value, words) if isinstance(value, str) else ""
            yield Refusal(path, f"{_shown(value)} is none of {', '.join(words)}{hint}", By.FORM)

    return read


def as_number(value: object) -> int | None:
    """A number of 32 bits without sign as protobuf's JSON has it: also in quotes, and with a fraction of zero."""
    if isinstance(value, str):
        value = int(value) if re.fullmatch(r"0|[1-9][0-9]{0,9}", value) else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    number = integer(value)
    return number if number is not None and 0 <= number < _MAX_NUMBER else None


def _meant(name: str, known: Iterable[str]) -> str:
    """The name that may be meant, by its letters alone or by what is nearest."""
    by_letters = {re.sub(r"[^a-z]", "", one.lower()): one for one in known}
    letters = re.sub(r"[^a-z]", "", name.lower())
    near = [letters] if letters in by_letters else difflib.get_close_matches(letters, by_letters, 1, 0.75)
    return f" (did you mean {by_letters[near[0]]}?)" if near else ""


def _shown(value: object) -> str:
    match value:
        case Mapping():
            return "a mapping"
        case list():
            return "a list"
        case bool():
            return str(value).lower()
        case str():
            return repr(value[:40])
        case _:
            return "null" if value is None else str(value)


def read(raw: Raw, mesh: Mesh) -> Written:
    """The fields of an entry that is readable; total over any other mapping too."""
    meta, spec = mapping(raw.get("metadata")), _by_api_names(mapping(raw.get("spec")))
    selector = spec.get("workloadSelector")
    return Written(
        namespace=text(meta.get("namespace")) or "default",
        meta_labels=texts(meta.get("labels")),
        mesh=mesh,
        hosts=_texts_of(spec.get("hosts")),
        addresses=_texts_of(spec.get("addresses")),
        ports=tuple(_port(p, f"spec.ports[{i}]") for i, p in enumerate(_mappings_of(spec.get("ports")))),
        resolution=_worded(spec.get("resolution"), ("NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN", "DYNAMIC_DNS")),
        location=_worded(spec.get("location"), LOCATIONS),
        endpoints=tuple(
            _endpoint(e, f"spec.endpoints[{i}]") for i, e in enumerate(_mappings_of(spec.get("endpoints")))
        ),
        selector=texts(selector.get("labels")) if isinstance(selector, Mapping) else None,
        export_to=_texts_of(spec.get("exportTo")),
        spec=spec,
    )


def _by_api_names(value: Raw) -> Raw:
    if not any("_" in name for name in map(str, value)):
        return value

    def camel(name: str) -> str:
        return re.sub(r"_([a-z])", lambda letter: letter[1].upper(), name)

    return {camel(str(name)): inner for name, inner in value.items()}


def _texts_of(value: object) -> tuple[str, ...]:
    return strings(["" if one is None else one for one in value]) if isinstance(value, list) else ()


def _mappings_of(value: object) -> tuple[Raw, ...]:
    return mappings([one or {} for one in value]) if isinstance(value, list) else ()


def _worded(value: object, words: tuple[str, ...]) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return words[value] if 0 <= value < len(words) else str(value)
    return text(value) or words[0]


def _port(raw: Raw, path: str) -> Port:
    raw = _by_api_names(raw)
    number, target = as_number(raw.get("number")) or 0, as_number(raw.get("targetPort")) or 0
    return Port(path, number, text(raw.get("name")), text(raw.get("protocol")), target)


def _endpoint(raw: Raw, path: str) -> Address:
    ports = {str(name): as_number(value) or 0 for name, value in mapping(raw.get("ports")).items()}
    return Address(path, text(raw.get("address")), text(raw.get("network")), ports, texts(raw.get("labels")), raw)
