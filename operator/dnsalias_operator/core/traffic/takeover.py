"""Questions asked of `listeners`: who answers at a Service's address, and would a change move that?

Source: docs/istio.md, "Shared addresses" (an entry with a Service's address may win it) and "Traffic under mTLS" (what
that does).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from dnsalias_operator.core.istio.listeners import (
    Client,
    Reach,
    Row,
    bound,
    deciding,
    listeners_on,
    owner_of,
    pod_classes,
    reach,
    vips_within,
    wildcard_of,
)
from dnsalias_operator.core.istio.listeners.addresses import is_unspecified
from dnsalias_operator.core.istio.listeners.rows import BLACKHOLE, PASSTHROUGH, WILDCARD
from dnsalias_operator.core.istio.protocols import (
    ADDRESS_BOUND,
    PortClass,
    class_of,
    entry_protocol,
    routed,
    same_class,
)
from dnsalias_operator.core.istio.service_names import service_host
from dnsalias_operator.core.traffic.backends import leads_to, selects_pods_of
from dnsalias_operator.core.traffic.bare_address import bare_address_rivals
from dnsalias_operator.core.traffic.policies import clients_at, policy_of
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import EntryPort, ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot

OLDEST, YOUNGEST = 0, 2**62
DIRECT = "direct"
"""Where bytes go that no listener takes: on to the address they were sent to."""


@dataclass(frozen=True, slots=True)
class Receivers:
    """Who gets plaintext HTTP and who any other bytes sent to one address and port: cluster, route or `DIRECT`."""

    http: str
    other: str


@dataclass(frozen=True, slots=True)
class Moved:
    """An address and port whose traffic a change would take from who has it, for the clients it names.

    ``loser`` is the Service whose address it is, or the ServiceEntry that listens there (`ousted`).
    """

    loser: Key
    address: str
    port: int
    client: str
    before: Receivers
    after: Receivers
    mismatch: bool
    bare: bool = False
    """Whether only HTTP requests for the bare address move, and those by chance (`bare_address`)."""
    unseen: bool = False
    """Whether the client had no listener of the Service's there: it gets the entry and not the Service."""
    cidr: str = ""
    """The CIDR by which the entry takes the address, "" where it lists the address itself."""

    def describe(self, entry: Key, *, now: bool = False) -> str:
        """One sentence for people; ``now`` where it is so, and not what a change would bring."""
        if self.bare:
            return (
                f"{entry} {'shares' if now else 'would share'} http://{self.address}:{self.port} with {self.loser}, "
                f"and istiod gives requests for the bare address to one of them by chance (seen from {self.client})"
            )
        takes = "takes" if now else "would take"
        return f"{entry} {takes} {self.address}:{self.port} from {self.loser} (seen from {self.client})"


def receivers(rows: Iterable[Row]) -> Receivers:
    """Reduce the rows that decide a connection (`owner_of`) to who gets it."""
    listed = tuple(rows)
    plain = [r for r in listed if not r.http and not r.sni]
    narrow = [r for r in plain if r.cidr]
    # A chain with a CIDR that holds the address is more specific than any chain without (Envoy: FilterChainMatch).
    other = _destination((narrow or plain)[0]) if plain else DIRECT
    http = next((_destination(r) for r in listed if r.http), other)
    return Receivers(http=http, other=other)


def _destination(row: Row) -> str:
    if row.route is not None:
        return f"route {row.route}" if row.bind == WILDCARD else f"route {row.route} at {row.bind}"
    return DIRECT if row.cluster in (PASSTHROUGH, None) else str(row.cluster)


def moved(before: Snapshot, after: Snapshot, entry: ServiceEntry, mesh: Mesh) -> Moved | None:
    """The first Service address whose traffic ``entry`` (as it is in ``after``) takes away, or None.

    ``before`` is the world to compare with: without the entry, or with it as it is now. Only ports that the entry and
    the Service share can move; every namespace that could see a difference is asked.
    """
    for address in sorted({bound(a) for a in entry.addresses if not is_unspecified(a)}):
        if "/" in address:
            found = next(_moved_within(before, after, entry, address, mesh), None)
        else:
            services = (s for s in after.services_at(address) if _reached_at(s, address, mesh))
            each = (_moved_at(before, after, entry, s, address, p, mesh) for s in services for p in entry.ports)
            found = next((move for move in each if move), None)
        if found is not None:
            return found
    return None


def _reached_at(service: Service, address: str, mesh: Mesh) -> bool:
    """Whether the clients that the model knows reach the Service at this address of its own.

    Dual-stack pods reach every one. Else they are IPv4 pods wherever the Service has an IPv4 address: a connection to
    its IPv6 address begins in none of them.
    """
    return mesh.dual_stack or ":" not in address or all(":" in ip for ip in service.cluster_ips)


def as_youngest(world: Snapshot, entry: ServiceEntry) -> Snapshot:
    """The world with ``entry`` in it, younger than every Service at its addresses (one that we are about to create)."""
    elders = {
        s.key: replace(s, meta=replace(s.meta, created=OLDEST))
        for address in entry.addresses
        for s in world.services_at(address)
        if s.meta.created is None
    }
    return world.with_changes({**elders, entry.key: replace(entry, meta=replace(entry.meta, created=YOUNGEST))})


def as_oldest_if_unknown(world: Snapshot, entry: ServiceEntry) -> Snapshot:
    """The world with ``entry`` in it; where its age is unknown, the worst is assumed: that it is the oldest."""
    if entry.meta.created is not None:
        return world.with_changes({entry.key: entry})
    return world.with_changes({entry.key: replace(entry, meta=replace(entry.meta, created=OLDEST))})


def _moved_at(
    before: Snapshot,
    after: Snapshot,
    entry: ServiceEntry,
    service: Service,
    address: str,
    port: EntryPort,
    mesh: Mesh,
) -> Moved | None:
    ports = [p for p in service.ports if p.port == port.number and p.protocol == "TCP"]
    if not ports:
        return None
    shared = class_of(entry_protocol(port)) is PortClass.HTTP and not after.sidecars_with_port(port.number)
    if shared and not routed(service, port.number, mesh):
        return None  # binds the wildcard address only: a Service that does not share it loses nothing
    mismatch = not same_class(ports[0], port, mesh)
    for client in clients_at(after, entry, port.number, address, mesh):
        if move := _moved_for(before, after, service, (address, port.number), client, mesh):
            if move.unseen and not mismatch and _passes_on(after, entry, port, service, client, mesh):
                continue  # what went to the Service without a listener of its own goes there by the entry's
            return Moved(service.key, address, port.number, str(client), *move[:2], mismatch, move.bare, move.unseen)
    return None


def _moved_within(before: Snapshot, after: Snapshot, entry: ServiceEntry, cidr: str, mesh: Mesh) -> Iterator[Moved]:
    """The clusterIPs in one of the entry's CIDRs whose traffic it takes.

    A CIDR is a chain of the wildcard listener, so that a Service with a listener of its own loses nothing; HTTP ports
    have no such chain. Costs, for each client, what all listeners of the port cost, and nothing where no Service with
    the port lies within.
    """
    for port in (p for p in entry.ports if class_of(entry_protocol(p)) in ADDRESS_BOUND):
        met = [(ip, s) for ip, s in vips_within(after, cidr, port.number) if _reached_at(s, ip, mesh)]
        for client in clients_at(after, entry, port.number, cidr, mesh) if met else ():
            there = {bind: one for one in listeners_on(after, client, mesh, port.number) for bind in one.binds}
            for ip, service in met:
                shared = None if ip in there else there.get(wildcard_of(ip, mesh))
                if not shared or all(row.owner != entry.key for row in deciding(shared, ip)):
                    continue
                mismatch = any(not same_class(p, port, mesh) for p in service.ports if p.port == port.number)
                move = _moved_for(before, after, service, (ip, port.number), client, mesh)
                if move and (mismatch or not move.unseen or not _passes_on(after, entry, port, service, client, mesh)):
                    yield Moved(service.key, ip, port.number, str(client), *move[:2], mismatch, *move[2:], cidr)


def _passes_on(
    world: Snapshot, entry: ServiceEntry, port: EntryPort, service: Service, client: Client, mesh: Mesh
) -> bool:
    """Whether what went to the Service without a listener of its own goes there by the entry's, as it came.

    Entries of one host and namespace share a cluster, so all of them have to lead there.
    """
    bound_to_host = (policy_of(world, client, host, entry.meta.namespace, mesh) for host in entry.hosts)
    sharing = {e.key: e for host in entry.hosts for e in world.entries_for_host(host)}
    others = (e for e in sharing.values() if e.key != entry.key and e.meta.namespace == entry.meta.namespace)
    shared = ((e, p) for e in others for p in e.ports if p.number == port.number)
    lead = all(leads_to(world, e, p, service, mesh) for e, p in ((entry, port), *shared))
    return lead and not any(bound_to_host)


class _Move(NamedTuple):
    """Who answered before and who after; ``bare`` and ``unseen`` as in `Moved`."""

    before: Receivers
    after: Receivers
    bare: bool = False
    unseen: bool = False


def _moved_for(
    before: Snapshot, after: Snapshot, service: Service, socket: tuple[str, int], client: Client, mesh: Mesh
) -> _Move | None:
    """What a client gets at the Service's address before and after, where that is worse; else None."""
    if routed(service, socket[1], mesh):
        had, have = (bare_address_rivals(world, *socket, client, mesh) for world in (before, after))
        if new := next((key for key in have if key not in had), None):
            shared = Receivers(f"{service.key} or {new}", DIRECT)
            return _Move(Receivers(str(service.key), DIRECT), shared, bare=True)
    now = receivers(owner_of(after, client, mesh, *socket))
    if all(_harmless(a, service, mesh) for a in (now.http, now.other)):
        return None
    was = receivers(owner_of(before, client, mesh, *socket))
    worse = _worse(was.http, now.http, service, mesh) or _worse(was.other, now.other, service, mesh)
    # The route of a port is the Service's too where its own port is HTTP; else it is that of others.
    by_route = routed(service, socket[1], mesh)
    seen = any(_reaches(a, service, mesh) or (by_route and _shared(a)) for a in (was.http, was.other))
    return _Move(was, now, unseen=not seen) if worse else None


def _reaches(there: str, service: Service, mesh: Mesh) -> bool:
    """Whether it is a cluster or route of the Service's own."""
    host = service_host(service, mesh)
    return there.endswith(f"||{host}") or there.startswith(f"route {host}:")


def _shared(there: str) -> bool:
    """Whether it is the HTTP route of a port, which matches the Services that share it by the Host header."""
    return there.startswith("route ") and " at " not in there


def _harmless(now: str, service: Service, mesh: Mesh) -> bool:
    """Whether bytes that go there reach the Service, or nobody else."""
    return now in (DIRECT, BLACKHOLE) or _reaches(now, service, mesh)


def _worse(was: str, now: str, service: Service, mesh: Mesh) -> bool:
    """Whether bytes that reached the Service (by its cluster, a shared route, or directly) now end elsewhere."""
    if was == now or _harmless(now, service, mesh):
        return False
    return was.endswith(f"||{service_host(service, mesh)}") if _shared(now) else True


def takes_from(world: Snapshot, entry: ServiceEntry, mesh: Mesh) -> Moved | None:
    """The first Service address whose traffic the entry takes as things stand, or None."""
    return moved(world.with_changes({entry.key: None}), world, entry, mesh)


def reach_of(world: Snapshot, entry: ServiceEntry, taken: Moved, mesh: Mesh) -> Reach:
    """The namespaces for whose pods the entry takes that traffic (`takes_from` found it for one)."""
    before, service = world.with_changes({entry.key: None}), world.service(taken.loser.namespace, taken.loser.name)
    every = pod_classes(world, mesh, taken.port, taken.cidr or taken.address)
    socket = (taken.address, taken.port)
    hit = (p for p in every if service and _moved_for(before, world, service, socket, p.client, mesh))
    return reach(world, every, hit)


def takes_away(world: Snapshot, entry: ServiceEntry, mesh: Mesh) -> Moved | None:
    """The first Service address whose traffic the entry takes, and which then ends elsewhere; or None.

    Not what ends at the Service's own pods and port all the same, with their mTLS, nor what is shared by chance.
    """
    left = entry
    for _ in entry.ports:
        taken = takes_from(world.with_changes({entry.key: left}), left, mesh)
        if taken is None or not (taken.bare or _arrives(world, entry, taken, mesh)):
            return taken
        left = replace(left, ports=tuple(p for p in left.ports if p.number != taken.port))
    return None


def _arrives(world: Snapshot, entry: ServiceEntry, taken: Moved, mesh: Mesh) -> bool:
    service = world.service(taken.loser.namespace, taken.loser.name)
    if taken.mismatch or service is None or not selects_pods_of(entry, service):
        return False
    return all(leads_to(world, entry, p, service, mesh) for p in entry.ports if p.number == taken.port)
