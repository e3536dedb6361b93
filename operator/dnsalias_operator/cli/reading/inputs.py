"""What was read: objects in their order, each with its position, and what could not be read."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Any, NamedTuple

from dnsalias_operator.cli.reading.problems import Place, Problem
from dnsalias_operator.cli.reading.shapes import faults, kind_fault, shown
from dnsalias_operator.model.dnsalias import DnsAlias
from dnsalias_operator.model.kinds import Object, kind_of
from dnsalias_operator.model.meta import Raw, mapping, text
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.snapshot import Snapshot


class Identity(NamedTuple):
    """What no two objects share: API group, kind, namespace ("" where none is given), name."""

    group: str
    kind: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Item:
    """One object of the input. ``typed`` is None for kinds that the core does not read; they are kept as they are."""

    raw: Raw
    typed: Object | None
    place: Place | None

    @property
    def key(self) -> Key | None:
        """Identity to the core."""
        return self.typed.key if self.typed else None


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that was read, and what could not be. Places are None for objects that come from a cluster."""

    items: tuple[Item, ...]
    problems: tuple[Problem, ...] = ()
    namespaces_known: bool = False

    def snapshot(self) -> Snapshot:
        """The objects as the core sees them."""
        return Snapshot((item.typed for item in self.items if item.typed), namespaces_known=self.namespaces_known)

    def places(self) -> dict[Key, Place]:
        """The position of each object that came from a file."""
        return {item.key: item.place for item in self.items if item.key and item.place}


@dataclass(slots=True)
class Collector:
    """Takes the values of documents one by one, checks their identity and rejects what is no Kubernetes object."""

    namespace: str
    items: list[Item] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    _seen: dict[Identity, Place] = field(default_factory=dict)

    def add(self, value: object, place: Place, item_lines: Iterable[int] = ()) -> None:
        """Add an object, or every element of a List; faults become problems."""
        if value is None:
            return
        if isinstance(value, Mapping) and isinstance(value.get("items"), list) and _kind(value).endswith("List"):
            # The line of an element of a List within a List is not recorded: it gets the position of the inner List.
            lines = chain(item_lines, repeat(place.line))
            for element, line in zip(_elements(value), lines, strict=False):
                self.add(element, Place(place.file, line))
            return
        if isinstance(value, Mapping) and _kind(value) == "List" and value.get("items") is not None:
            self._problem(place, f"List: items: expected a list, got {shown(value['items'])}")
            return
        raw, typed, fault = self._read(value)
        if fault:
            self._problem(place, fault)
        if raw is None:
            return
        identity = _identity(raw)
        first = self._seen.setdefault(identity, place) if identity.name else place
        if first is not place:
            self._problem(place, f"{Key(*identity[1:])} is given twice, first at {first}; this one is left out")
            return
        self.items.append(Item(raw, typed, place))

    def _problem(self, place: Place, message: str) -> None:
        self.problems.append(Problem(place.file, place.line, 0, message))

    def _read(self, value: object) -> tuple[Raw | None, Object | None, str]:
        if not isinstance(value, Mapping) or not _kind(value) or not text(value.get("apiVersion")):
            return None, None, f"expected a Kubernetes object with apiVersion and kind, got {shown(value)}"
        group, named = _identity(value)[:2]
        kind = kind_of(group, named)
        if kind is None:
            return value, None, kind_fault(group, named)
        fault = _metadata_fault(value.get("metadata"))
        if fault:
            return None, None, f"{named}: {fault}"
        raw = self._placed(value) if kind.namespaced and not value["metadata"].get("namespace") else value
        typed = kind.parse(raw)
        fault = faults(raw, kind) or (typed.fault if isinstance(typed, DnsAlias) else "")
        return raw, typed, f"{typed.key}: {fault}" if fault else ""

    def _placed(self, value: Mapping[str, Any]) -> Raw:
        # Set explicitly, so that the output is what was decided on, in whatever context it is applied.
        return {**value, "metadata": {**value["metadata"], "namespace": self.namespace}}


def _got(value: object) -> str:
    # YAML does not read y, no, 123 and 1e3 as text.
    quotes = "; put it in quotes" if isinstance(value, bool | int | float) else ""
    return f", got {shown(value)}{quotes}" if value not in (None, "") else ""


def _elements(value: Mapping[str, Any]) -> Iterator[object]:
    # The API server leaves apiVersion and kind out of the elements of its typed lists.
    inherited = {} if value["kind"] == "List" else {"kind": _kind(value).removesuffix("List")}
    for element in value["items"]:
        if isinstance(element, dict) and inherited and not ({"apiVersion", "kind"} & element.keys()):
            yield {"apiVersion": value.get("apiVersion"), **inherited, **element}
        else:
            yield element


def _kind(value: Mapping[str, Any]) -> str:
    return text(value.get("kind"))


def _identity(raw: Raw) -> Identity:
    meta = mapping(raw.get("metadata"))
    group, slash, _ = text(raw.get("apiVersion")).partition("/")
    return Identity(group if slash else "", _kind(raw), text(meta.get("namespace")), text(meta.get("name")))


def _metadata_fault(meta: object) -> str:
    """What the API server would refuse in metadata, and the typed views would silently treat as absent."""
    if not isinstance(meta, Mapping):
        return "metadata: required, and not given"
    if not text(meta.get("name")):
        return "metadata.name: expected a name" + _got(meta.get("name"))
    if not isinstance(meta.get("namespace"), str | None):
        return "metadata.namespace: expected a name" + _got(meta["namespace"])
    for name in ("labels", "annotations"):
        entries = meta.get(name)
        if entries is not None and not isinstance(entries, Mapping):
            return f"metadata.{name}: expected a mapping, got {shown(entries)}"
        for key, entry in mapping(entries).items():
            if not isinstance(entry, str):
                return f"metadata.{name}.{key}: expected text, got {shown(entry)}; put it in quotes"
    return ""
