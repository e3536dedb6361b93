"""What was found about the mesh, each value with where it came from."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

Each = TypeVar("Each", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Fact:
    """One value. ``name`` is a field of `Mesh`, or one of `BESIDE`; ``where`` names the object and the field in it.

    ``sure`` is whether it contradicts a setting that says otherwise; one that only follows from a hint does not.
    """

    name: str
    value: Hashable
    where: str
    sure: bool = True

    def __str__(self) -> str:
        return shown(self.value)


DISCOVERY, VISIBILITY = "discovery_selectors", "service_entry_visibility"
SHARED_CONFIG = "shared_mesh_config"
REMOTE_PILOT, SERVES_OTHERS = "remote_istiod", "external_istiod"
BESIDE = (DISCOVERY, VISIBILITY, SHARED_CONFIG, "cluster", "network", REMOTE_PILOT, SERVES_OTHERS, "revision")
"""Facts that are no field of `Mesh`: the first two decide by namespace, the third names a second MeshConfig
(`shared.with_shared`), the others only say which mesh it is."""


@dataclass(frozen=True, slots=True)
class Found:
    """Everything that was found.

    ``faults`` are values that cannot be used: the default is assumed. ``unfollowed`` is what is there, changes
    listeners, and is not in the model. ``read`` names the objects that were read, ``unread`` says of others why not.
    ``config`` is whether a MeshConfig without faults is among it: fields without a fact have their defaults then.
    ``others`` is what was found of other revisions of istiod, by name (`revisions`). ``captures`` is what
    workloads say of their own DNS capture, and where.
    """

    facts: tuple[Fact, ...] = ()
    faults: tuple[str, ...] = ()
    unfollowed: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    config: bool = False
    others: tuple[tuple[str, "Found"], ...] = ()
    captures: tuple[tuple[bool, str], ...] = ()

    def get(self, name: str) -> Fact | None:
        """The fact of that name, or None."""
        return next((fact for fact in self.facts if fact.name == name), None)

    def __bool__(self) -> bool:
        return bool(self.read or self.faults or self.others)


NOTHING = Found()
DENIED = "no permission to read "
"""What `Found.unread` begins with where an object may be there."""
LONGEST = 60
"""Characters of a value that a fault shows."""


def joined(several: Iterable[Found]) -> Found:
    """All of them as one; of several values of one name the first counts, and a fault says so."""
    every = tuple(several)
    facts: dict[str, Fact] = {}
    conflicts = []
    for fact in (fact for found in every for fact in found.facts):
        first = facts.setdefault(fact.name, fact)
        if first.value != fact.value:
            conflicts.append(f"{first.where} says {first}, and {fact.where} {fact}; the former counts")
    return Found(
        facts=tuple(facts.values()),
        faults=_once((*(text for found in every for text in found.faults), *conflicts)),
        unfollowed=_once(text for found in every for text in found.unfollowed),
        read=_once(text for found in every for text in found.read),
        unread=_once(text for found in every for text in found.unread),
        config=any(found.config for found in every),
        others=_once(other for found in every for other in found.others),
        captures=_once(capture for found in every for capture in found.captures),
    )


def shown(value: object) -> str:
    """A value in the words of settings and MeshConfig."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        between = "," if all(isinstance(each, str) for each in value) else " or "
        return between.join(map(shown, value)) or "none"
    return str(value)


def got(value: object) -> str:
    """A value that cannot be used, in few words: what is in a list or a mapping may be without end."""
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    told = repr(value)
    return told if len(told) <= LONGEST else f"{told[:LONGEST]}…"


def _once(each: Iterable[Each]) -> tuple[Each, ...]:
    return tuple(dict.fromkeys(each))
