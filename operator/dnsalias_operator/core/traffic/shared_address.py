"""Entries that list one address with one port: whose calls end at another one's server.

Sidecars bind an address and port once. HTTP is matched by Host and TLS without an address by SNI; whatever shares
anything else loses to the one that comes first (docs/istio.md, "Shared addresses").
"""

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from dnsalias_operator.core.istio.clusters import cluster_of
from dnsalias_operator.core.istio.listeners import Client, Pods, Reach, Row, bound, owner_of, pod_classes, reach, sees
from dnsalias_operator.core.istio.listeners.addresses import address_forms, is_unspecified
from dnsalias_operator.core.istio.listeners.services import PUBLIC, export_to
from dnsalias_operator.core.istio.listeners.visible import named_namespaces
from dnsalias_operator.core.istio.protocols import class_of, entry_protocol
from dnsalias_operator.core.traffic.backends import ends_alike
from dnsalias_operator.core.traffic.ends import FORMS, Call, Form, end_by
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.serviceentry import EntryPort, ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Lost:
    """Calls to an address and port that an entry lists, which end at the server of ``winner``.

    ``forms`` are what clients send that ends there, ``where`` the namespaces of these clients.
    """

    winner: ServiceEntry
    address: str
    port: EntryPort
    forms: frozenset[Form]
    where: Reach

    @property
    def whole(self) -> bool:
        """Whether nothing that is sent to the port reaches the entry."""
        return self.forms == frozenset(FORMS[class_of(entry_protocol(self.port))])


def lost_to_entries(world: Snapshot, entry: ServiceEntry, mesh: Mesh) -> Iterator[Lost]:
    """For each address and port of the entry, the first other entry that gets its calls there.

    Not where a Service has the address and port: whoever takes them takes them from the Service (`takeover`).
    """
    for address in dict.fromkeys(map(bound, entry.addresses)):
        if not address or is_unspecified(address):
            continue
        on_port = _by_port(world, address)
        of_services = {p.port for service in world.services_at(address) for p in service.ports}
        for port in entry.ports:
            sharing = on_port.get(port.number, ()) if port.number not in of_services else ()
            if class_of(entry_protocol(port)) in FORMS and _met(world, entry, address, port.number, sharing, mesh):
                rivals = {e.key: e for e in sharing if e.key != entry.key}
                if found := _lost(world, entry, address, port, rivals, mesh):
                    yield found


def _by_port(world: Snapshot, address: str) -> dict[int, tuple[ServiceEntry, ...]]:
    """The entries that list the address, by their ports."""

    def look() -> dict[int, tuple[ServiceEntry, ...]]:
        forms = _same_networks(world, address) if "/" in address else address_forms(address)
        listing = {e.key: e for form in forms for e in world.entries_at(form)}
        found: dict[int, list[ServiceEntry]] = {}
        for key in sorted(listing):
            for number in dict.fromkeys(p.number for p in listing[key].ports):
                found.setdefault(number, []).append(listing[key])
        return {number: tuple(entries) for number, entries in found.items()}

    return world.remembered(("entries by port", address), look)


def _same_networks(world: Snapshot, cidr: str) -> tuple[str, ...]:
    """Every way in which entries write the network."""

    def look() -> dict[str, tuple[str, ...]]:
        found: dict[str, set[str]] = {}
        for written in (a for e in world.entries_with_cidr() for a in e.addresses if "/" in bound(a)):
            found.setdefault(str(ipaddress.ip_network(written, strict=False)), set()).add(written)
        return {network: tuple(sorted(forms)) for network, forms in found.items()}

    return world.remembered("networks", look).get(str(ipaddress.ip_network(cidr, strict=False)), ())


def _met(
    world: Snapshot, entry: ServiceEntry, address: str, number: int, sharing: Sequence[ServiceEntry], mesh: Mesh
) -> bool:
    """Whether a client may get the entry and another one that shares the address and port."""
    if len(sharing) < 2:  # noqa: PLR2004 (it and another)
        return False

    def look() -> tuple[int, dict[str, int]]:
        everywhere, named = 0, dict[str, int]()
        for other in sharing:
            if PUBLIC in export_to(other, mesh):
                everywhere += 1
            else:
                for namespace in named_namespaces(other, mesh):
                    named[namespace] = named.get(namespace, 0) + 1
        return everywhere, named

    everywhere, named = world.remembered(("exported", mesh, address, number), look)
    if PUBLIC in export_to(entry, mesh):
        return everywhere > 1 or bool(named)
    return everywhere > 0 or any(named[namespace] > 1 for namespace in named_namespaces(entry, mesh))


def _lost(
    world: Snapshot, entry: ServiceEntry, address: str, port: EntryPort, rivals: dict[Key, ServiceEntry], mesh: Mesh
) -> Lost | None:
    first: Lost | None = None
    hit: list[Pods] = []
    listening = _listening(world, mesh, address, port.number)
    for pods, rows in ((p, r) for p, r in listening if sees(entry, p.client.namespace, mesh)):
        ends = _ends(world, entry, address, port, pods.client, rows, mesh)
        taken = {form: rivals[owner] for form, owner in ends.items() if owner in rivals}
        taken = {form: to for form, to in taken.items() if not _alike(world, entry, port, to, address, mesh)}
        if not taken:
            continue
        hit.append(pods)
        winner = next(iter(taken.values()))
        forms = frozenset(form for form, to in taken.items() if to.key == winner.key)
        first = first or Lost(winner, address, port, forms, Reach(everywhere=False, namespaces=()))
    return replace(first, where=reach(world, (pods for pods, _ in listening), hit)) if first else None


def _listening(world: Snapshot, mesh: Mesh, address: str, number: int) -> tuple[tuple[Pods, tuple[Row, ...]], ...]:
    """The classes of clients that can differ there, each with what decides its connections."""

    def look() -> tuple[tuple[Pods, tuple[Row, ...]], ...]:
        dialled = address.partition("/")[0]
        every = pod_classes(world, mesh, number, address)
        return tuple((pods, owner_of(world, pods.client, mesh, dialled, number)) for pods in every)

    return world.remembered(("listening", mesh, address, number), look)


def _ends(
    world: Snapshot,
    entry: ServiceEntry,
    address: str,
    port: EntryPort,
    client: Client,
    rows: tuple[Row, ...],
    mesh: Mesh,
) -> dict[Form, Key | None]:
    """Whose cluster gets the calls of a client that has the entry, by what it sends."""
    found: dict[Form, Key | None] = {}
    for host in entry.hosts:
        own = cluster_of(world, client, mesh, host, port.number)
        if own is None or own.namespace != entry.meta.namespace:
            continue
        for form in FORMS[class_of(entry_protocol(port))]:
            call = Call(host, address.partition("/")[0], port.number, form)
            end = end_by(world, client, mesh, call, rows)
            if end.cluster is not None and end.cluster.hostname not in entry.hosts:
                found.setdefault(form, end.owner)
    return found


def _alike(
    world: Snapshot, entry: ServiceEntry, port: EntryPort, other: ServiceEntry, address: str, mesh: Mesh
) -> bool:
    """Whether it does not matter which of the two gets the calls."""
    theirs = next(p for p in other.ports if p.number == port.number)
    return ends_alike(world, (entry, port), (other, theirs), world.services_at(address), mesh)
