"""Which documents belong together: a world is what one cluster may get. docs/ci.md, What makes a world.

Each kustomization that no other one builds on is a world, so is each `--overlay`, and so are all other files together.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dnsalias_operator.cli.reading.inputs import Inputs, Item
from dnsalias_operator.cli.reading.kustomize import Kustomization
from dnsalias_operator.model.names import KIND, Key
from dnsalias_operator.model.snapshot import Snapshot

JUDGED = ("ServiceEntry", KIND, "Service")
"""Every kind that a finding can be about."""


@dataclass(frozen=True, slots=True)
class World:
    """Documents that one cluster may get. ``name`` is the folder or `--overlay` that makes it, "" for all other files.

    ``edited``: a kustomization changes the documents before they are applied. ``beyond`` are the paths that it builds
    on and that `-f` does not include.
    """

    name: str
    items: tuple[Item, ...]
    edited: bool = False
    beyond: tuple[str, ...] = ()

    @property
    def judged(self) -> bool:
        """Whether anything in it can have findings."""
        return any(item.key and item.key.kind in JUDGED for item in self.items)


@dataclass(frozen=True, slots=True)
class Reading:
    """A world in which every object has one document, and the documents that are judged in it."""

    snapshot: Snapshot
    judged: Mapping[Key, Item]


def parts(inputs: Inputs) -> tuple[Item, ...]:
    """Documents that a kustomization uses as patches or values: they are not objects."""
    named = _union(each.resources for each in inputs.kustomizations)
    used = _union(each.used for each in inputs.kustomizations) - named
    return tuple(item for item in inputs.items if item.real in used)


def worlds(inputs: Inputs) -> tuple[World, ...]:
    """The worlds of an input: the one without a name first, then by name; at least one."""
    used = {item.real for item in parts(inputs)}
    items = [item for item in inputs.items if item.real not in used]
    if inputs.overlays:
        return tuple(_over(path, items, inputs) for path in inputs.overlays)
    units = {each.folder: each for each in inputs.kustomizations}
    owner = {real: _nearest_unit(real, units) for real in dict.fromkeys(item.real for item in items)}
    found = []
    for root in _roots(units):
        closure = _closure(root, units)
        files = _union(units[folder].resources for folder in closure)
        mine = tuple(item for item in items if owner[item.real] in closure or item.real in files)
        beyond = tuple(sorted(path for path in files if not _within(path, inputs.roots) and Path(path).exists()))
        found.append(World(units[root].name, mine, any(units[folder].edits for folder in closure), beyond))
    claimed = _union(each.resources for each in inputs.kustomizations)
    rest = tuple(item for item in items if owner[item.real] is None and item.real not in claimed)
    kept = [world for world in found if any(item.typed for item in world.items)]
    return (World("", rest), *kept) if any(item.typed for item in rest) or not kept else tuple(kept)


def _over(path: str, items: Iterable[Item], inputs: Inputs) -> World:
    """What is in no overlay, and the overlay's documents, which replace those of the same object."""
    others = _union(inputs.overlays.values())
    mine = [item for item in items if item.real in inputs.overlays[path]]
    replaced = {item.key for item in mine if item.key}
    below = (item for item in items if item.real not in others and item.key not in replaced)
    return World(path, (*below, *mine))


def _within(path: str, roots: Iterable[str]) -> bool:
    return any(Path(path).is_relative_to(root) for root in roots)


def _union(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset[str]().union(*sets)


def _nearest_unit(real: str, units: Mapping[str, Kustomization]) -> str | None:
    return next((str(folder) for folder in Path(real).parents if str(folder) in units), None)


def _roots(units: Mapping[str, Kustomization]) -> Iterator[str]:
    """Kustomizations that no other one names, by name; of those that name each other in a circle, the first."""
    named = {path for folder, each in units.items() for path in each.resources if path != folder}
    in_order = sorted(units, key=lambda folder: (folder in named, units[folder].name))
    covered: set[str] = set()
    for folder in in_order:
        if folder not in named or folder not in covered:
            covered |= _closure(folder, units)
            yield folder


def _closure(root: str, units: Mapping[str, Kustomization]) -> set[str]:
    """The folders of a kustomization and of all that it builds on."""
    found: set[str] = set()
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        if folder not in found:
            found.add(folder)
            waiting += (path for path in units[folder].resources if path in units)
    return found


def readings(world: World, *, namespaces_known: bool = False) -> Iterator[Reading]:
    """The world once for each choice of one document for every object, with the documents that are judged in it.

    A document is judged together with the nearest document of each other object (`_nearness`): what is in envs/prod
    together with the rest of envs/prod, and with what all environments share.
    """
    documents: dict[Key, list[Item]] = defaultdict(list)
    for item in world.items:
        if item.key:
            documents[item.key].append(item)
    base = Snapshot((some[0].typed for some in documents.values() if some[0].typed), namespaces_known=namespaces_known)
    several = {key: some for key, some in documents.items() if len(some) > 1}
    for chosen, judged in _ways(documents, several):
        changes = {key: several[key][index].typed for key, index in zip(several, chosen, strict=True) if index}
        yield Reading(base.with_changes(changes) if changes else base, judged)


def _ways(
    documents: Mapping[Key, Sequence[Item]], several: Mapping[Key, Sequence[Item]]
) -> Iterator[tuple[tuple[int, ...], dict[Key, Item]]]:
    """For each document that is judged, the index of the document of each object in ``several``, grouped."""
    column = {key: index for index, key in enumerate(several)}

    @cache
    def beside(real: str) -> tuple[int, ...]:
        return tuple(_nearest(real, some) for some in several.values())

    ways: dict[tuple[int, ...], dict[Key, Item]] = defaultdict(dict)
    for key, some in documents.items():
        for index, item in enumerate(some if key.kind in JUDGED else ()):
            chosen = [*beside(item.real)]
            if key in column:
                chosen[column[key]] = index
            ways[tuple(chosen)][key] = item
    yield from ways.items()


def _nearest(real: str, some: Sequence[Item]) -> int:
    return max(range(len(some)), key=lambda index: (*_nearness(real, some[index].real), -index))


def _nearness(one: str, other: str) -> tuple[int, int]:
    """How near two files are: the number of folders that they share from the top, then of names in any position."""
    mine, theirs = one.split("/"), other.split("/")
    shared = next((n for n, (a, b) in enumerate(zip(mine, theirs, strict=False)) if a != b), len(mine))
    return shared, len({*mine} & {*theirs})
