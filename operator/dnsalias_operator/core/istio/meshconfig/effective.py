"""From what was found and what is set by hand to the mesh that predictions assume."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dnsalias_operator.core.istio.meshconfig.found import DISCOVERY, VISIBILITY, Found, shown
from dnsalias_operator.core.istio.meshconfig.selectors import (
    NAMESPACE,
    NONE,
    EntryVisibility,
    NamespaceSelector,
    selected,
)
from dnsalias_operator.core.istio.meshconfig.topology import located
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.snapshot import Snapshot

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A setting that is given by hand, and counts, and is not what was read."""

    name: str
    given: str
    found: str
    where: str

    def __str__(self) -> str:
        return f"{self.name} is set to {self.given}, and counts; {self.where} says {self.found}"


def effective(given: Mesh, found: Found, world: Snapshot) -> Mesh:
    """The mesh that predictions assume: what is set by hand (``model_fields_set``), else what was found, else defaults.

    Selectors of namespaces are resolved by the Namespaces of ``world``. Of namespaces that it only knows by the objects
    in them the labels are not known: istiod is taken to see them.
    """
    found = located(found, given, world)
    values: dict[str, Any] = {
        fact.name: fact.value
        for fact in found.facts
        if fact.name in Mesh.model_fields and fact.name not in given.model_fields_set
    }
    values |= {name: getattr(given, name) for name in given.model_fields_set}
    values["read_from"] = found.read
    values["limits_entries"] = False if found.config else None
    discovery, visibility = found.get(DISCOVERY), found.get(VISIBILITY)
    if discovery is not None or visibility is not None:
        labels = _labels(world)
        if discovery is not None and isinstance(discovery.value, tuple):
            selectors = tuple(s for s in discovery.value if isinstance(s, NamespaceSelector))
            values["undiscovered"] = frozenset(n for n, each in labels.items() if not selected(selectors, each, n))
        policy = visibility.value if visibility is not None else None
        # Earlier releases do not know the field, and ignore it.
        if isinstance(policy, EntryVisibility) and policy.sidecars and Mesh(**values).since(1, 31):
            values["limits_entries"] = True
            told = {name: policy.of(each, name) for name, each in labels.items()}
            values["private_entries"] = frozenset(name for name, scope in told.items() if scope == NAMESPACE)
            values["hidden_entries"] = frozenset(name for name, scope in told.items() if scope == NONE)
    return Mesh(**values)


def contradictions(given: Mesh, found: Found, world: Snapshot) -> tuple[Contradiction, ...]:
    """The settings that are given by hand and are not what was found, by name."""
    found, out = located(found, given, world), []
    for name in sorted(given.model_fields_set):
        fact = found.get(name)
        if fact is not None and fact.sure and _differ(name, getattr(given, name), fact.value):
            out.append(Contradiction(name, shown(getattr(given, name)), shown(fact.value), fact.where))
    return tuple(out)


def _differ(name: str, given: object, found: object) -> bool:
    if name == "default_service_export_to" and isinstance(given, tuple) and isinstance(found, tuple):
        return set(given) != set(found)
    if name == "istio_version":
        # A release that is given without its patch says nothing against one with it.
        return not (str(found) == str(given) or str(found).startswith((f"{given}.", f"{given}-")))
    return given != found


def _labels(world: Snapshot) -> dict[str, Labels | None]:
    """By the name of every namespace that there is, or that has objects: its labels, None where they are not known."""
    found: dict[str, Labels | None] = {}
    if not world.namespaces_known:
        found |= dict.fromkeys(world.namespaces_with_objects())
    found |= {n.meta.name: n.meta.labels for n in world.namespaces()}
    return found
