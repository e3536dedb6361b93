"""Which entries take any connection on a port: by themselves, or by what a Sidecar makes of their ports.

A Sidecar's egress listener with a port takes all its services for the protocol of that port, whatever they declare
(core/istio/listeners/claims.py). Where that is TCP, say, an entry of HTTP or TLS ports without an address listens on
the wildcard address there, and takes connections or ends the HTTP of others.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from dnsalias_operator.core.istio.lacking import without_address
from dnsalias_operator.core.istio.listeners import Client, Listener, Pods, Reach, listener_at, pod_classes, reach, sees
from dnsalias_operator.core.istio.listeners.rows import BLACKHOLE, PASSTHROUGH, WILDCARD, Row
from dnsalias_operator.core.istio.listeners.scope import scope_of
from dnsalias_operator.core.istio.listeners.visible import named_namespaces
from dnsalias_operator.core.istio.protocols import PortClass, class_of, entry_protocol
from dnsalias_operator.core.istio.visibility import Scope
from dnsalias_operator.core.traffic.policies import policy_of
from dnsalias_operator.core.traffic.shape_alone import shape_alone
from dnsalias_operator.model.lookups import Claimant
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot

Places = frozenset[tuple[str, int]]
"""Namespaces with ports."""
_SOME = "240.0.0.1"
"""Any address: judged alone, an entry shares it with nobody."""


def streams_on_wildcard(world: Snapshot, entry: ServiceEntry, mesh: Mesh) -> Places:
    """Where clients have a chain of bytes for one of the entry's HTTP ports on the wildcard address."""
    http = {p.number for p in entry.ports if class_of(entry_protocol(p)) is PortClass.HTTP}
    return frozenset((name, port) for port in http for name, row in _rows(world, entry, mesh, port) if row.cluster)


def caught_by_sidecars(world: Snapshot, entry: ServiceEntry, mesh: Mesh) -> Places:
    """Where, for clients of a Sidecar, any connection to one of the entry's ports is the entry's."""
    found = ((name, p.number, row) for p in entry.ports for name, row in _rows(world, entry, mesh, p.number))
    return frozenset((name, port) for name, port, row in found if row.match_all and row.cluster)


def matched_by_address(world: Snapshot, entry: ServiceEntry, mesh: Mesh) -> Places:
    """Where a Sidecar gives an entry without an address any connection, and would not if it had one.

    Not where the Sidecar binds the wildcard address itself.
    """
    caught = caught_by_sidecars(world, entry, mesh) if without_address(entry) else frozenset[tuple[str, int]]()
    return caught - caught_by_sidecars(world, replace(entry, addresses=(_SOME,)), mesh) if caught else caught


def alone_with_sidecars(world: Snapshot, *objects: Claimant) -> Snapshot:
    """The world without everything but its Sidecars and these: what they are to each client by themselves."""
    sidecars = world.remembered("sidecars alone", lambda: Snapshot(world.sidecars()))
    return sidecars.with_changes({obj.key: obj for obj in objects})


def _rows(world: Snapshot, entry: ServiceEntry, mesh: Mesh, number: int) -> Iterator[tuple[str, Row]]:
    """The entry's chains on the wildcard address where Sidecars have egress listeners of that port, by namespace.

    Judged without other entries and Services on purpose, as `catches_all`.
    """
    if not world.sidecars_with_port(number):
        return
    alone = alone_with_sidecars(world, entry)
    for pods in pod_classes(alone, mesh, number):
        listener = listener_at(alone, pods.client, mesh, WILDCARD, number)
        yield from ((pods.client.namespace, row) for row in listener.rows if row.owner) if listener else ()


def catches(world: Snapshot, entry: ServiceEntry, mesh: Mesh) -> tuple[int, ...]:
    """Ports on which the entry takes any connection: by itself, or where a Sidecar takes them for bytes.

    Of an entry as it is in the world it is asked often, so computed once.
    """

    def look() -> tuple[int, ...]:
        by_sidecars = caught_by_sidecars(world, entry, mesh) if without_address(entry) else frozenset[tuple[str, int]]()
        return tuple(sorted({*_catches_alone(world, entry, mesh), *(port for _, port in by_sidecars)}))

    return world.remembered(("catches", entry.key, mesh), look) if world.get(entry.key) == entry else look()


def _catches_alone(world: Snapshot, entry: ServiceEntry, mesh: Mesh) -> tuple[int, ...]:
    """`catches_all`, asked once for all entries of one shape."""
    shape = shape_alone(entry, mesh)
    if shape is None:
        return catches_all(entry, mesh)
    return world.remembered(("catches alone", shape, mesh), lambda: catches_all(entry, mesh))


def catches_all(obj: Claimant, mesh: Mesh) -> tuple[int, ...]:
    """Ports on which an entry or a Service, were it alone, opens a wildcard listener that takes any connection.

    Judged without the others on purpose: an entry that waits behind another catch-all becomes one when that is fixed.
    Source: docs/istio.md, "Catch-alls".
    """
    alone = Snapshot((obj,))
    clients = [Client(name) for name in sorted(named_namespaces(obj, mesh))]
    numbers = {p.port for p in obj.ports} if isinstance(obj, Service) else {p.number for p in obj.ports}
    return tuple(n for n in sorted(numbers) if any(obj.key in _takers(alone, c, mesh, n) for c in clients))


def for_its_own(obj: Claimant, mesh: Mesh) -> bool:
    """Whether only pods of the object's own namespace get it: whoever wrote it is who it harms."""
    own = frozenset({obj.meta.namespace})
    return Scope.of_claimant(obj, mesh) == Scope(everywhere=False, namespaces=own)


def catches_despite_address(entry: ServiceEntry, mesh: Mesh) -> tuple[int, ...]:
    """Those of `catches_all` that no address of the entry helps: an HTTP_PROXY port listens on the wildcard address."""
    proxies = [p.number for p in entry.ports if class_of(entry_protocol(p)) is PortClass.HTTP_PROXY]
    caught = catches_all(entry, mesh) if proxies else ()
    return tuple(number for number in proxies if number in caught)


def catches_now(world: Snapshot, obj: Claimant, mesh: Mesh, port: int) -> Reach:
    """The namespaces whose sidecars send any connection on the port to the object right now."""
    caught = _catchers(world, mesh, port).get(obj.key)
    return reach(world, pod_classes(world, mesh, port), caught) if caught else Reach(everywhere=False, namespaces=())


def uncovered(before: Snapshot, after: Snapshot, entry: ServiceEntry, mesh: Mesh) -> tuple[int, Key] | None:
    """A port on which a change of the entry lets somebody else take the HTTP of others, and who; None where none does.

    ``before`` holds the entry as it is, ``after`` as it will be. A catch-all without a protocol has a chain for HTTP,
    which sends on what is for other hosts; with TCP alone behind it, that HTTP is taken once the chain is gone.
    Others without a protocol are left out: were one of several to stay for the chain, it would be chance which one.
    """
    for port in _unset_ports(entry):
        others = _others(after, entry, port)
        alike = [o for o in others if port in _unset_ports(o)]
        if len(alike) == len(others):
            continue
        for client, has in _losing_chain(before, after, alike, port, mesh):
            if takers := _takers(has, client, mesh, port):
                return port, takers[0]
    return None


def unserved(
    before: Snapshot, after: Snapshot, entry: ServiceEntry, ours: Callable[[ServiceEntry], bool], mesh: Mesh
) -> tuple[int, Key] | None:
    """A port on which another entry is found by its Host in the chain of this one, which goes; and that other entry.

    Both have no protocol. The other one's owner lists addresses, and its callers dial others as well. Without the chain
    these are blocked where what is unknown is, and else pass by what is bound to the host. ``ours`` is whether an
    entry's addresses are ours.
    """
    for port in _unset_ports(entry):
        alike = [o for o in _others(after, entry, port) if port in _unset_ports(o)]
        listed = [o for o in alike if o.addresses and not ours(o)]
        if not listed:
            continue
        rest = [o for o in alike if o not in listed]
        for client, has in _losing_chain(before, after, rest, port, mesh):
            if listener_at(has, client, mesh, WILDCARD, port) is not None:
                continue
            blocked = scope_of(has, client, mesh).fall_through == BLACKHOLE
            for other in (o for o in listed if sees(o, client.namespace, mesh)):
                bound_to = (policy_of(before, client, h, other.meta.namespace, mesh) for h in other.hosts)
                if blocked or any(bound_to):
                    return port, other.key
    return None


def let_in(before: Snapshot, after: Snapshot, namespace: str, port: int, mesh: Mesh) -> Key | None:
    """Who takes any connection on the port from pods of the namespace in ``after``, and did not in ``before``.

    Or did not take its HTTP, for which there was a chain.
    """
    classes = (pods.client for pods in pod_classes(after, mesh, port) if pods.client.namespace == namespace)
    for client in (Client(namespace), *classes):
        was, now = (listener_at(world, client, mesh, WILDCARD, port) for world in (before, after))
        had = [] if _routes_http(was) and not _routes_http(now) else _takers(before, client, mesh, port)
        if found := next((key for key in _takers(after, client, mesh, port) if key not in had), None):
            return found
    return None


def silenced(before: Snapshot, after: Snapshot, entry: ServiceEntry, mesh: Mesh) -> Iterator[tuple[ServiceEntry, int]]:
    """Catch-alls that lose their listener to a port of HTTP that ``entry`` has in ``after`` alone, each with that port.

    Not for clients that may call what they do not see, and lose nothing that is bound to its hosts: they call on to
    where the catch-all led them.
    """
    for port in (p.number for p in entry.ports if class_of(entry_protocol(p)) is PortClass.HTTP):
        rivals = {o.key: o for o in _others(before, entry, port) if without_address(o)}
        for pods in pod_classes(after, mesh, port) if rivals else ():
            had, have = (_takers(world, pods.client, mesh, port) for world in (before, after))
            blocked = scope_of(after, pods.client, mesh).fall_through == BLACKHOLE
            for other in (rivals[key] for key in had if key in rivals and key not in have):
                bound_to = (policy_of(before, pods.client, h, other.meta.namespace, mesh) for h in other.hosts)
                if blocked or any(bound_to):
                    yield other, port


def _losing_chain(
    before: Snapshot, after: Snapshot, without: list[ServiceEntry], port: int, mesh: Mesh
) -> Iterator[tuple[Client, Snapshot]]:
    """The clients whose chain for HTTP on the wildcard address goes, each with ``after``; ``without`` some entries."""
    had, has = (world.with_changes({o.key: None for o in without}) for world in (before, after))
    for pods in pod_classes(has, mesh, port):
        was = listener_at(had, pods.client, mesh, WILDCARD, port)
        if _routes_http(was) and not _routes_http(listener_at(has, pods.client, mesh, WILDCARD, port)):
            yield pods.client, has


def _others(world: Snapshot, entry: ServiceEntry, port: int) -> list[ServiceEntry]:
    return [o for o in world.claimants(port) if isinstance(o, ServiceEntry) and o.key != entry.key]


def _unset_ports(entry: ServiceEntry) -> list[int]:
    """The ports of an entry that have no protocol."""
    return [p.number for p in entry.ports if class_of(entry_protocol(p)) is PortClass.UNSET]


def _routes_http(listener: Listener | None) -> bool:
    return listener is not None and any(row.http for row in listener.rows)


def _takers(world: Snapshot, client: Client, mesh: Mesh, port: int) -> list[Key]:
    """Who takes any connection on the port from that client."""
    listener = listener_at(world, client, mesh, WILDCARD, port)
    rows = listener.rows if listener else ()
    return [row.owner for row in rows if row.owner and row.match_all and row.cluster != PASSTHROUGH]


def _catchers(world: Snapshot, mesh: Mesh, port: int) -> Mapping[Key, tuple[Pods, ...]]:
    """Who takes any connection on the port, and from which pods; asked for every entry, so computed once a world."""

    def look() -> dict[Key, tuple[Pods, ...]]:
        found: dict[Key, tuple[Pods, ...]] = {}
        for pods in pod_classes(world, mesh, port):
            for owner in _takers(world, pods.client, mesh, port):
                found[owner] = (*found.get(owner, ()), pods)
        return found

    return world.remembered(("catchers", mesh, port), look)
