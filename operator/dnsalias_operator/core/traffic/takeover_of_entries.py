"""What a clusterIP would give an entry beside its Service's: the listeners of other entries at that address.

`takeover` is about the Services at an address, and so about their ports; an entry may have ports that they lack.
"""

from collections.abc import Iterable, Iterator

from dnsalias_operator.core.istio.listeners import (
    Client,
    bound,
    clients_that_matter,
    entries_binding,
    listener_at,
    owner_of,
    sees,
)
from dnsalias_operator.core.traffic.backends import by_own_name, leads_to, selects_pods_of
from dnsalias_operator.core.traffic.bare_address import bare_address_rivals
from dnsalias_operator.core.traffic.takeover import Moved, Receivers, receivers
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.serviceentry import EntryPort, ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot


def ousted(before: Snapshot, after: Snapshot, entry: ServiceEntry, mesh: Mesh) -> Moved | None:
    """The first address and port that another entry has in ``before`` and ``entry`` takes in ``after``, or None.

    Only those count that list the address: a catch-all has no right to it. Where both entries lead to the Service that
    has the address nothing is lost.
    """
    for address in sorted({bound(a) for a in entry.addresses}):
        others = [e for e in entries_binding(after, address) if e.key != entry.key]
        for port in entry.ports if others else ():
            rivals = [e for e in others if _differs(after, e, entry, port, address, mesh)]
            for client in clients_that_matter(after, mesh, port.number, address) if rivals else ():
                if found := _ousted(before, after, rivals, (address, port.number), client, mesh):
                    return found
    return None


def displaced(world: Snapshot, entry: ServiceEntry, since: int | None, mesh: Mesh, *, inside: bool) -> Moved | None:
    """The first entry whose callers by name would get ``entry``, since both have the host and it was there first.

    A sidecar gets the services of a hostname from one namespace alone, its own first (docs/istio.md, "Sidecars"), so
    that in the namespace of ``entry`` those of others are gone. ``since`` is when ``entry`` was asked for, None where
    nobody knows. Where both lead to the Service that ``entry`` stands for nothing is lost, if ``inside``: if the
    cluster's DNS may be taken to lead the host to that Service. Callers of other hosts dial what nobody knows.
    """
    for host, other in first_with_host(world, entry, since, mesh):
        elsewhere = (p.number for p in other.ports if not inside or not _both_lead(world, other, p, entry, mesh))
        if port := next(elsewhere, None):
            ends = Receivers(str(other.key), str(other.key)), Receivers(str(entry.key), str(entry.key))
            return Moved(other.key, host, port, f"namespace {entry.meta.namespace}", *ends, mismatch=False)
    return None


def first_with_host(
    world: Snapshot, entry: ServiceEntry, since: int | None, mesh: Mesh
) -> Iterator[tuple[str, ServiceEntry]]:
    """Entries of other namespaces that had a host of ``entry`` first and that its own namespace gets, each with it."""
    own = entry.meta.namespace
    for host in entry.hosts:
        for other in world.entries_for_host(host):
            if other.meta.namespace != own and first(other, since) and sees(other, own, mesh):
                yield host, other


def first(other: ServiceEntry, since: int | None) -> bool:
    """Whether the entry was there before that time; what nobody knows counts as before."""
    return other.meta.created is None or since is None or other.meta.created < since


def _both_lead(world: Snapshot, other: ServiceEntry, port: EntryPort, entry: ServiceEntry, mesh: Mesh) -> bool:
    """Whether bytes for that port end at one and the same Service by either entry."""
    by_name = other.location == "MESH_INTERNAL" and by_own_name(other, port)
    mine = next((p for p in entry.ports if p.number == port.number), None)
    if mine is None or other.resolution == "NONE":
        return False  # with resolution NONE calls go on to whatever address was dialled
    services = [s for s in world.services_in(entry.meta.namespace) if leads_to(world, entry, mine, s, mesh)]
    return any(by_name or leads_to(world, other, port, s, mesh) for s in services)


def _differs(
    world: Snapshot, rival: ServiceEntry, entry: ServiceEntry, port: EntryPort, address: str, mesh: Mesh
) -> bool:
    """Whether the other entry has the port too, and bytes for it end elsewhere than the entry's."""
    theirs = next((p for p in rival.ports if p.number == port.number), None)
    if theirs is None:
        return False
    services = world.services_at(address)
    if any(selects_pods_of(rival, s) and not selects_pods_of(entry, s) for s in services):
        return True  # their mTLS would be lost
    listed = any(p.port == port.number for s in services for p in s.ports)
    if not listed and (theirs.target_port or theirs.number) != (port.target_port or port.number):
        return True  # no port of the Service's: its pods are called at the one that each of the two says
    return not any(
        leads_to(world, rival, theirs, service, mesh) and leads_to(world, entry, port, service, mesh)
        for service in services
    )


def _ousted(
    before: Snapshot,
    after: Snapshot,
    rivals: Iterable[ServiceEntry],
    socket: tuple[str, int],
    client: Client,
    mesh: Mesh,
) -> Moved | None:
    keys = {rival.key for rival in rivals}
    was, now = (receivers(owner_of(world, client, mesh, *socket)) for world in (before, after))
    own = listener_at(before, client, mesh, *socket)
    loser = next((row.owner for row in own.rows if row.owner in keys), None) if own else None
    if loser and was != now:
        return Moved(loser, *socket, str(client), was, now, mismatch=False)
    had, have = (bare_address_rivals(world, *socket, client, mesh) for world in (before, after))
    shared = next((key for key in had if key in keys), None)
    if shared and set(have) - set(had):
        return Moved(shared, *socket, str(client), was, now, mismatch=False, bare=True)
    return None
