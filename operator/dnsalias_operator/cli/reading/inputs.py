"""What was read: objects in their order, each with its position, and what could not be read or was skipped."""

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from dnsalias_operator.cli.reading.kustomize import Kustomization
from dnsalias_operator.cli.reading.problems import Place, Problem, Skipped
from dnsalias_operator.core.istio.meshconfig import NOTHING, Found
from dnsalias_operator.model.kinds import Object
from dnsalias_operator.model.meta import Raw, mapping
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Item:
    """One object of the input. ``typed`` is None for kinds that the core does not read; they are kept as they are.

    ``real`` is the path of its file without links. ``port_lines`` has the line of each element of ``spec.ports``, or
    nothing if they are not known. ``named`` is as in `Problem`.
    """

    raw: Raw
    typed: Object | None
    place: Place | None
    real: str = ""
    port_lines: tuple[int, ...] = ()
    named: bool = True

    @property
    def key(self) -> Key | None:
        """Identity to the core."""
        return self.typed.key if self.typed else None

    def place_of(self, port: int | None) -> Place | None:
        """The position of its port of that number, or of the object if that is None or not known."""
        ports = mapping(self.raw.get("spec")).get("ports")
        if port is None or self.place is None or not isinstance(ports, list):
            return self.place
        numbered = zip(ports, self.port_lines, strict=False)
        lines = (line for each, line in numbered if mapping(each).get("number") == port)
        return replace(self.place, line=next(lines, self.place.line))


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that was read, and what could not be. Places are None for objects that come from a cluster.

    ``skipped`` has a reason for each thing that was skipped. ``unprinted`` is what could not be read of kinds that the
    core does not read; it is missing only if all of the input is printed. ``roots`` are the paths that were given,
    without links. ``overlays`` has the files of each `--overlay`. ``mesh`` is what a cluster, or a file that was named
    for it, says of the mesh.
    """

    items: tuple[Item, ...]
    problems: tuple[Problem, ...] = ()
    namespaces_known: bool = False
    skipped: tuple[Skipped, ...] = ()
    unprinted: tuple[Problem, ...] = ()
    kustomizations: tuple[Kustomization, ...] = ()
    roots: tuple[str, ...] = ()
    overlays: Mapping[str, frozenset[str]] = field(default_factory=dict)
    mesh: Found = NOTHING

    def snapshot(self) -> Snapshot:
        """The objects as the core sees them, all in one world."""
        return Snapshot((item.typed for item in self.items if item.typed), namespaces_known=self.namespaces_known)

    def places(self) -> dict[Key, Place]:
        """The position of each object that came from a file."""
        return {item.key: item.place for item in self.items if item.key and item.place}

    def as_one_world(self) -> "Inputs":
        """For answers about one world: of several documents of one object the first is used, others are problems."""
        again = dict(self._again(lambda item: item.key))
        problems = tuple(
            _problem(item, f"{item.key} is given twice, first at {first}; this one is left out")
            for item, first in ((self.items[index], first) for index, first in again.items())
        )
        items = tuple(item for index, item in enumerate(self.items) if index not in again)
        return replace(self, items=items, problems=self.problems + problems)

    def as_worlds(self) -> "Inputs":
        """For answers about each world: several documents of one object are a problem only within one file."""
        problems = tuple(
            _problem(self.items[index], f"{self.items[index].key} is given twice in this file, first at {first}")
            for index, first in self._again(lambda item: (item.key, item.real))
        )
        return replace(self, problems=self.problems + problems)

    def _again(self, identity: Callable[[Item], Hashable]) -> Iterator[tuple[int, Place]]:
        """Each document that comes after another one of that identity: its index, and the position of the first."""
        seen: dict[Hashable, Place] = {}
        for index, item in enumerate(self.items):
            if item.key and item.place:
                first = seen.setdefault(identity(item), item.place)
                if first is not item.place:
                    yield index, first


def _problem(item: Item, message: str) -> Problem:
    place = item.place or Place("", 0)
    return Problem(place.file, place.line, 0, message, item.named)
