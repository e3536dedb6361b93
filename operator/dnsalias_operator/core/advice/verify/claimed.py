"""Whose port it is, and which rule the model followed for each row of it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from dnsalias_operator.core.istio.listeners import Client, Row, sees, sidecar_of
from dnsalias_operator.core.istio.listeners.rows import WILDCARD, WILDCARD6
from dnsalias_operator.core.istio.listeners.services import export_to
from dnsalias_operator.core.istio.protocols import Protocol, entry_protocol, service_protocol
from dnsalias_operator.model.lookups import Claimant
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot

UNSPECIFIED = (WILDCARD, WILDCARD6)


@dataclass(frozen=True, slots=True)
class Claimed:
    """An object that claims a port, as far as listeners depend on it.

    ``protocols`` are those of its ports of that number. ``addresses`` are its clusterIPs or what the entry lists,
    ``auto_addresses`` what istiod allocated to it. ``resolution`` is an entry's, of a Service its type (or "headless").
    ``export_to`` is what counts, with the mesh's default, and ``given`` whether the client is among those. ``created``
    is in seconds since the epoch.
    """

    key: Key
    protocols: tuple[Protocol, ...]
    hosts: tuple[str, ...]
    addresses: tuple[str, ...]
    auto_addresses: tuple[str, ...]
    resolution: str
    selects: bool
    endpoints: int
    export_to: tuple[str, ...]
    created: int | None
    given: bool = True


def claimed_on(
    world: Snapshot, client: Client, mesh: Mesh, port: int, first: Collection[Key | None] = ()
) -> tuple[Claimed, ...]:
    """The objects that claim the port: those of ``first``, then what the client is given, then the others."""
    found = [replace(_claimed(o, port, mesh), given=sees(o, client.namespace, mesh)) for o in world.claimants(port)]
    return tuple(sorted(found, key=lambda one: (one.key not in first, not one.given, one.key)))


def rules_of(world: Snapshot, client: Client, mesh: Mesh, rows: Iterable[Row]) -> tuple[str, ...]:
    """For each row the rule by which it is predicted, and where that is written down."""
    rules = dict.fromkeys(_rule(row, world, mesh) for row in rows)
    sidecar = sidecar_of(world, client, mesh)
    if sidecar is not None:
        rules[f'{sidecar.key} decides what the pod imports (docs/istio.md, "Sidecars")'] = None
    return tuple(rules)


def _rule(row: Row, world: Snapshot, mesh: Mesh) -> str:
    place = f"{row.bind}:{row.port}"
    if row.owner is None:
        policy = mesh.outbound_traffic_policy
        return f'outboundTrafficPolicy {policy}: what no other chain of {place} matches (docs/istio.md, "Catch-alls")'
    if row.bind not in UNSPECIFIED:
        many = " and is the first of those that claim it" if len(_at(row, world)) > 1 else ""
        return f'{row.owner} has the address of {place}{many} (docs/istio.md, "Shared addresses")'
    if row.route is not None:
        return f'HTTP ports share {place}, by Host header: {row.owner} (docs/istio.md, "Catch-alls")'
    if row.sni:
        return f'{row.owner} has TLS without an address: {place} by SNI (docs/istio.md, "Catch-alls")'
    if row.cidr:
        return f'{row.owner} has a prefix, which is a chain of {place} (docs/istio.md, "Shared addresses")'
    return f'{row.owner} has no address, and takes what no other chain of {place} matches (docs/istio.md, "Catch-alls")'


def _at(row: Row, world: Snapshot) -> list[Claimant]:
    return [obj for obj in world.claimants(row.port) if row.bind in _addresses(obj)]


def _addresses(obj: Claimant) -> tuple[str, ...]:
    return obj.cluster_ips if isinstance(obj, Service) else (*obj.addresses, *_allocated(obj))


def _allocated(entry: ServiceEntry) -> tuple[str, ...]:
    """What istiod allocated to any of the entry's hosts, each address once."""
    return tuple(dict.fromkeys(address for one in entry.auto_addresses.values() for address in one))


def _claimed(obj: Claimant, port: int, mesh: Mesh) -> Claimed:
    exported = tuple(sorted(export_to(obj, mesh)))
    if isinstance(obj, Service):
        return Claimed(
            key=obj.key,
            protocols=tuple(service_protocol(p, mesh) for p in obj.ports if p.port == port),
            hosts=(),
            addresses=obj.cluster_ips,
            auto_addresses=(),
            resolution="headless" if obj.headless else obj.type,
            selects=bool(obj.selector),
            endpoints=0,
            export_to=exported,
            created=obj.meta.created,
        )
    return Claimed(
        key=obj.key,
        protocols=tuple(entry_protocol(p) for p in obj.ports if p.number == port),
        hosts=obj.hosts,
        addresses=obj.addresses,
        auto_addresses=_allocated(obj),
        resolution=obj.resolution,
        selects=obj.workload_selector is not None,
        endpoints=len(obj.endpoints),
        export_to=exported,
        created=obj.meta.created,
    )
