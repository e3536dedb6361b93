"""Which calls there are in a world, and which of them a change has taken from who answered."""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

from dnsalias_operator.core.istio.ambient import in_ambient_mode
from dnsalias_operator.core.istio.listeners import Client
from dnsalias_operator.core.istio.protocols import PortClass, class_of, entry_protocol, service_protocol
from dnsalias_operator.model.dnsalias import DnsAlias, chosen_ports
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.meta import is_ip
from dnsalias_operator.model.names import KIND, Key
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot
from tests.core.calls.allocation import allocated, allocated_to
from tests.core.calls.call import Call, End
from tests.core.calls.ground import NOBODY, Added, Bytes, Ground, Server, Truth, balancer_addresses, service_addresses
from tests.core.calls.sidecar import SidecarPaths
from tests.core.calls.ztunnel import ZtunnelPaths

Paths = SidecarPaths | ZtunnelPaths
Ends = frozenset[End]
ELSEWHERE = "public.example"
"""A host that no object names: who calls it has nothing to do with the mesh."""


class Verdict(StrEnum):
    """What is wrong with a call after a change."""

    LOST = "who answered does not"
    TAKEN = "nobody answered, and an entry that was changed leads it to somebody whom it is not meant for"
    MISLED = "an entry that it is not meant for had it, still has it, and leads it elsewhere"


@dataclass(frozen=True, slots=True)
class Broken:
    """A call that a change has broken."""

    verdict: Verdict
    client: str
    call: Call
    before: Ends
    after: Ends

    def __str__(self) -> str:
        return f"{self.call}, by {self.client}: {_told(self.before)}; then {_told(self.after)} ({self.verdict})"


class Reached:
    """A world as istiod makes it, and the paths of its clients."""

    def __init__(self, world: Snapshot, truth: Truth, mesh: Mesh, clients: tuple[Client, ...]) -> None:
        """The clients are the same in all worlds that are compared."""
        self.world, self.truth, self.mesh = allocated(world), truth, mesh
        self.ground = Ground(self.world, truth, mesh)
        self.paths: list[Paths] = [
            ZtunnelPaths(self.ground, c.namespace)
            if in_ambient_mode(world, c.namespace)
            else SidecarPaths(self.ground, c)
            for c in clients
        ]


def clients_of(world: Snapshot, namespaces: tuple[str, ...]) -> tuple[Client, ...]:
    """A pod without labels in each namespace, and one for every selector of a Sidecar there."""
    plain = [Client(name) for name in namespaces]
    chosen = [
        Client(s.meta.namespace, s.workload_selector)
        for s in world.sidecars()
        if s.workload_selector and not in_ambient_mode(world, s.meta.namespace)
    ]
    return (*plain, *chosen)


def calls(world: Snapshot, truth: Truth, mesh: Mesh) -> Iterator[Call]:
    """Every call that is worth making: each name and each address that somebody may know, on each port.

    Not by addresses that istiod allocated itself, which only its DNS tells.
    """
    ground = Ground(world, truth, mesh)
    names = {*truth.names, *(host for e in world.entries() for host in e.hosts), *ground.services}
    addresses = {ip for listed in truth.names.values() for ip in listed}
    addresses |= {ip for s in world.services() for ip in service_addresses(s, truth)}
    addresses |= {a for e in world.entries() for a in e.addresses if is_ip(a)}
    addresses |= {w.address for e in world.entries() for w in e.endpoints if is_ip(w.address)}
    dialled = [(name, "") for name in sorted(names)] + [("", ip) for ip in sorted(addresses)]
    dialled += [(host, ip) for host in sorted(truth.stands_for) for ip in _known(ground, host)]
    for (name, address), port, sends in product(dialled, world.ports(), Bytes):
        yield Call(name, address, port, sends)


def _known(ground: Ground, host: str) -> list[str]:
    """Other addresses of the Service that a host means: some resolvers answer those."""
    service = ground.world.service(*ground.truth.stands_for[host])
    listed = (*service.cluster_ips, *balancer_addresses(service)) if service else ()
    return [ip for ip in listed if ip not in ground.resolve(host)]


def broken(before: Reached, after: Reached, listed: tuple[Call, ...]) -> Iterator[Broken]:
    """The calls that the change from one world to the other has broken."""
    for old, new in zip(before.paths, after.paths, strict=True):
        for call in listed:
            was, now = old.ends(call), new.ends(call)
            if was != now and (verdict := _verdict(before, after, old, call, was, now)):
                yield Broken(verdict, str(old), call, was, now)


def _verdict(before: Reached, after: Reached, path: Paths, call: Call, was: Ends, now: Ends) -> Verdict | None:
    had, have = _servers(was), _servers(now)
    if have <= had or _asked_for(before, path, call, have):
        return None
    meant = _meant(before, call)
    if had - {NOBODY} <= have and NOBODY in had and {server.who for server in have - had} <= meant:
        return None  # by chance nobody answered, and now it is who should
    astray = {end.taker for end in now if end.server.who not in {NOBODY.who, *meant}}
    if takers := {end.taker for end in was if _hazard(before, path, call, end)}:
        return Verdict.MISLED if takers & astray else None
    if had != {NOBODY}:
        return Verdict.LOST
    taken = (key for key in astray if key and before.world.get(key) != after.world.get(key))
    return Verdict.TAKEN if any(not _routed(before, key) for key in taken) else None


def _routed(place: Reached, key: Key) -> bool:
    """Whether a VirtualService is bound to a host of the entry: whoever answers then, its owner has chosen."""
    entry = place.world.get(key)
    hosts = entry.hosts if isinstance(entry, ServiceEntry) else ()
    return any(set(hosts) & set(rule.hosts) for rule in place.world.virtual_services())


def _asked_for(place: Reached, path: Paths, call: Call, have: set[Server]) -> bool:
    """Whether an alias declares just that, for a name that the client's mesh knew nothing of.

    It leads to the alias' Service, and to nobody on a port that the alias leaves out, or with bytes other than HTTP on
    a port of HTTP: those have no listener, and go on to an address at which nobody is.
    """
    aliases = [a for a in place.world.aliases_for_host(call.name) if a.spec]
    # Of several aliases of one host the one that has it is served; others promise nothing for now.
    aliases = [a for a in aliases if place.world.get(Key("ServiceEntry", a.meta.namespace, a.meta.name))] or aliases
    if aliases and have == {NOBODY} and not any(_declares(place, alias, call.port) for alias in aliases):
        return True  # an alias promises its ports, and no other ones of its Service
    # ztunnel gets entries that are exported to nobody there: they are no claim to the name.
    if not aliases or (path.knows(call.name) and not isinstance(path, ZtunnelPaths)):
        return False
    declared: set[Server] = set()
    for alias in aliases:
        service = place.world.service(alias.meta.namespace, alias.spec.service_ref.name) if alias.spec else None
        chosen = chosen_ports(alias.spec, service)[0] if alias.spec and service else ()
        number = next((p for p in service.ports if p.port == call.port), None) if service else None
        if service is None or number is None or number not in chosen:
            declared.add(NOBODY)
        if service and number:
            # A port that the alias leaves out is the Service's own, at the address that it shares.
            served = {a: place.ground.served(service, call.port, call.wire(a)) for a in Added}
            as_sent = {served[Added.NOTHING], served[Added.MTLS]}
            # Where the Service answers some of it, nobody is not what the alias is for.
            declared |= (as_sent - {NOBODY} or as_sent) | ({served[Added.TLS]} - {NOBODY})
            if call.sends is not Bytes.HTTP and class_of(service_protocol(number, place.mesh)) is PortClass.HTTP:
                declared.add(NOBODY)
    return have <= declared


def _declares(place: Reached, alias: DnsAlias, port: int) -> bool:
    """Whether an alias says that the port is reached by its host."""
    service = place.world.service(alias.meta.namespace, alias.spec.service_ref.name) if alias.spec else None
    chosen = chosen_ports(alias.spec, service)[0] if alias.spec and service else ()
    return any(p.port == port for p in chosen)


def _hazard(place: Reached, path: Paths, call: Call, end: End) -> bool:
    """Whether an entry has taken a call that was not meant for it.

    Meant for it are those by its hosts, and those at an address that these resolve to, of its own, or its Service's.
    """
    entry = place.world.get(end.taker) if end.taker else None
    if not isinstance(entry, ServiceEntry):
        return False
    if call.name in entry.hosts:
        return _usurped(place, entry, call.name) or _by_another_chain(place, entry, call.port, end.address)
    resolved = {ip for host in entry.hosts for ip in (*path.resolve(host), *place.ground.resolve(host))}
    own = (*entry.addresses, *allocated_to(entry), *resolved, *_of_services(place, entry))
    return not any(_holds(address, end.address) for address in own)


def _usurped(place: Reached, entry: ServiceEntry, host: str) -> bool:
    """Whether the entry of an alias has a host that somebody else's had before there was the alias."""
    alias = place.world.alias(entry.meta.namespace, entry.meta.name)
    if alias is None or not any(owner.kind == KIND for owner in entry.meta.owners):
        return False
    others = (e for e in place.world.entries_for_host(host) if e.key != entry.key)
    return any((e.meta.created or 0) < (alias.meta.created or 0) for e in others)


def _by_another_chain(place: Reached, entry: ServiceEntry, port: int, address: str) -> bool:
    """Whether the entry of an alias has a call at an address before its Service by the chain of a catch-all.

    An alias promises the Service's clusterIP. On ports other than HTTP it listens nowhere else: what a catch-all on the
    wildcard address sends on to it by Host comes with that one, and goes with it.
    """
    ours = any(owner.kind == KIND for owner in entry.meta.owners)
    declared = next((p for p in entry.ports if p.number == port), None)
    if not ours or declared is None or class_of(entry_protocol(declared)) is PortClass.HTTP:
        return False
    return address in place.truth.fronts or any(address in balancer_addresses(s) for s in place.world.services())


def _of_services(place: Reached, entry: ServiceEntry) -> Iterator[str]:
    for host in entry.hosts:
        key = place.truth.stands_for.get(host)
        service = place.world.service(*key) if key else None
        if isinstance(service, Service):
            # What stands before a Service is named by no object: it is the entry's only where its own hosts lead there.
            yield from (*service.cluster_ips, *balancer_addresses(service))


def _holds(address: str, ip: str) -> bool:
    return address == ip or ("/" in address and ipaddress.ip_address(ip) in ipaddress.ip_network(address, strict=False))


def _meant(place: Reached, call: Call) -> set[str]:
    """Who should answer: whoever the name, or else the address, leads to with no mesh between."""
    listed = place.ground.resolve(call.name) if call.name else (call.address,)
    return {place.ground.reach(ip, call.port, call.wire(added)).who for ip in listed for added in Added}


def _servers(ends: Ends) -> set[Server]:
    return {end.server for end in ends}


def _told(ends: Ends) -> str:
    told = {f"{e.server} at {e.address or 'no address'}" + (f" by {e.taker}" if e.taker else "") for e in ends}
    return " or ".join(sorted(told))
