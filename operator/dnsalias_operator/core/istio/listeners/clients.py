"""Which clients can differ in the listeners of a port: one for every class of pods."""

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from dnsalias_operator.core.istio.listeners.claimants import claimants_of, rivals
from dnsalias_operator.core.istio.listeners.imports import ALL
from dnsalias_operator.core.istio.listeners.rows import Client
from dnsalias_operator.core.istio.listeners.scope import shape, sidecar_of
from dnsalias_operator.core.istio.listeners.services import PUBLIC, export_to, hostnames
from dnsalias_operator.core.istio.listeners.visible import named_namespaces, unused_namespace
from dnsalias_operator.model.lookups import Claimant
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.sidecar import Sidecar
from dnsalias_operator.model.snapshot import Snapshot

Same = TypeVar("Same", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Pods:
    """A class of pods: one client that stands for it, and the namespaces that have such pods.

    ``namespaces`` is empty for the class of all namespaces that are named nowhere.
    """

    client: Client
    namespaces: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reach:
    """A set of namespaces: exactly ``namespaces``, or where ``everywhere`` all but these; sorted.

    A namespace is in it where some of its pods are meant.
    """

    everywhere: bool
    namespaces: tuple[str, ...]

    def __bool__(self) -> bool:
        return self.everywhere or bool(self.namespaces)

    def __str__(self) -> str:
        named = ", ".join(self.namespaces[:MOST_NAMED])
        if len(self.namespaces) > MOST_NAMED:
            named += f" and {len(self.namespaces) - MOST_NAMED} more"
        if self.everywhere:
            return f"every namespace but {named}" if named else "every namespace"
        return f"{'namespace' if len(self.namespaces) == 1 else 'namespaces'} {named}" if named else "no namespace"


MOST_NAMED = 10
"""Namespaces that a sentence about a `Reach` names at most."""


def clients_that_matter(snapshot: Snapshot, mesh: Mesh, port: int, address: str | None = None) -> tuple[Client, ...]:
    """One client for every class of pods whose listeners on that port can differ, sorted by namespace and labels.

    Namespaces differ by what is exported to some of them only, by what they own where a hostname is contested between
    namespaces, and by their Sidecars; a public object with a hostname of its own looks the same wherever there is none.
    One unused name stands for all the others. Where a namespace's Sidecars choose pods, each has a client with just the
    labels that it asks for. With an ``address``, only the objects that claim it there are asked.

    A pod that none of these clients stands for has a Sidecar that imports none of the objects asked: it has no
    listener for them.
    """
    return tuple(pods.client for pods in pod_classes(snapshot, mesh, port, address))


def pod_classes(snapshot: Snapshot, mesh: Mesh, port: int, address: str | None = None) -> tuple[Pods, ...]:
    """The classes that `clients_that_matter` tells apart, with all their namespaces.

    Those of a whole port are asked for by many, so they are computed once a world.
    """
    if address is None:
        return snapshot.remembered(("pod_classes", mesh, port), lambda: _pod_classes(snapshot, mesh, port, None))
    return _pod_classes(snapshot, mesh, port, address)


def alike(every: Iterable[Pods], answer: Callable[[Pods], Same]) -> dict[Same, list[Pods]]:
    """Those of the classes that get the same answer, together, by the answer; in the order in which they were given."""
    found: dict[Same, list[Pods]] = {}
    for pods in every:
        found.setdefault(answer(pods), []).append(pods)
    return found


def _pod_classes(snapshot: Snapshot, mesh: Mesh, port: int, address: str | None) -> tuple[Pods, ...]:
    claimants = snapshot.claimants(port) if address is None else claimants_of(snapshot, mesh, address, port)
    names = _distinct(claimants, snapshot, mesh)
    rest = unused_namespace(snapshot, names)
    found = [Pods(Client(rest, stands_for_others=True), ())]
    found += (Pods(client, (name,)) for name in names for client in _pods_in(name, snapshot, mesh))
    same_shape: dict[object, list[Client]] = {}
    for sidecar in _importing(claimants, port, snapshot):
        client = Client(sidecar.meta.namespace, sidecar.workload_selector or {})
        if client.namespace not in names and sidecar_of(snapshot, client, mesh) == sidecar:
            same_shape.setdefault(shape(sidecar), []).append(client)
    found += (Pods(same[0], tuple(dict.fromkeys(c.namespace for c in same))) for same in same_shape.values())
    return tuple(sorted(found, key=lambda pods: (pods.client.namespace, sorted(pods.client.labels.items()))))


def reach(snapshot: Snapshot, every: Iterable[Pods], getting: Iterable[Pods]) -> Reach:
    """The namespaces of those of the classes (`pod_classes` made them) that get something."""
    told = {namespace for pods in every for namespace in pods.namespaces}
    chosen = tuple(getting)
    named = {namespace for pods in chosen for namespace in pods.namespaces}
    if not any(pods.client.stands_for_others for pods in chosen):
        return Reach(everywhere=False, namespaces=tuple(sorted(named)))
    # A namespace with a default of its own that is in no class imports none of it.
    blind = {s.meta.namespace for s in snapshot.sidecars() if not s.workload_selector} - told
    return Reach(everywhere=True, namespaces=tuple(sorted((told - named) | blind)))


def _distinct(claimants: Iterable[Claimant], snapshot: Snapshot, mesh: Mesh) -> set[str]:
    """Namespaces that may see other things than one of which no object knows and that has no Sidecar."""
    root = any(s.workload_selector is None for s in snapshot.sidecars_in(mesh.root_namespace))
    names: set[str] = set()
    for obj in claimants:
        contenders = [r for name in hostnames(obj, mesh) for r in rivals(name, snapshot, mesh)]
        contested = any(r.meta.namespace != obj.meta.namespace for r in contenders)
        for one in (obj, *contenders):
            if contested or PUBLIC not in export_to(one, mesh):
                names |= named_namespaces(one, mesh)
        # Sidecars tell their own namespace from others, the root namespace's does so in every one.
        if root or snapshot.sidecars_in(obj.meta.namespace):
            names.add(obj.meta.namespace)
    return names


def _pods_in(namespace: str, snapshot: Snapshot, mesh: Mesh) -> Iterator[Client]:
    """A pod without labels, and one for every Sidecar that chooses pods by labels and gets to apply to some."""
    yield Client(namespace)
    for sidecar in snapshot.sidecars_in(namespace):
        client = Client(namespace, sidecar.workload_selector or {})
        if client.labels and sidecar_of(snapshot, client, mesh) == sidecar:
            yield client


def _importing(claimants: Iterable[Claimant], port: int, snapshot: Snapshot) -> Iterable[Sidecar]:
    """Sidecars that may import one of the objects, or have an egress listener of that port; sorted by key."""
    sources = (ALL, *{obj.meta.namespace for obj in claimants})
    found = {s.key: s for name in sources for s in snapshot.sidecars_importing(name)}
    found.update((s.key, s) for s in snapshot.sidecars_with_port(port))
    return (found[key] for key in sorted(found))
