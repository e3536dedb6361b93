"""The service records that istiod makes of Services and ServiceEntries, of every namespace.

Neither exportTo nor location is read. Source: pilot/pkg/serviceregistry/ambient/services.go; up to 1.29 under
pilot/pkg/serviceregistry/kube/controller/ambient.
"""

from collections.abc import Iterable, Iterator
from types import MappingProxyType

from dnsalias_operator.core.istio.ambient.records import PortRecord, ServiceRecord, as_canonical, without_masked_bits
from dnsalias_operator.core.istio.ambient.waypoints import Waypoints, waypoint_of
from dnsalias_operator.core.istio.listeners.addresses import entries_binding
from dnsalias_operator.core.istio.listeners.families import istiod_allocates
from dnsalias_operator.core.istio.listeners.services import service_key
from dnsalias_operator.core.istio.protocols import Protocol, entry_protocol, service_protocol
from dnsalias_operator.core.istio.service_names import service_host
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.meta import mapping, strings
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import EntryPort, ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot

APP_PROTOCOLS = MappingProxyType(
    {
        Protocol.HTTP: "HTTP11",
        Protocol.HTTP2: "HTTP2",
        Protocol.GRPC: "GRPC",
        Protocol.TLS: "TLS",
        Protocol.HTTPS: "TLS",
        Protocol.TCP: "TCP",
    }
)
"""Source: toAppProtocolFromProtocol in pilot/pkg/serviceregistry/ambient/workloads.go."""
_FAMILIES = MappingProxyType({"IPv4": "IPV4_ONLY", "IPv6": "IPV6_ONLY"})


def service_records(world: Snapshot, mesh: Mesh, waypoints: Waypoints | None = None) -> tuple[ServiceRecord, ...]:
    """The records, sorted by hostname and namespace. ``waypoints`` as in `waypoint_of`."""
    return _made(world, world.services(), world.entries(), mesh, waypoints)


def records_at(world: Snapshot, address: str, mesh: Mesh) -> tuple[ServiceRecord, ...]:
    """The records that have exactly this IP, as `service_records` has them; the rest of the world is not looked at."""
    services, entries = world.services_at(address), [*entries_binding(world, address)]
    entries += (e for e in world.entries_allocated(address) if not e.addresses)
    hosts = {service_host(s, mesh) for s in services} | {host for e in entries for host in e.hosts}
    named = {key for host in hosts if (key := service_key(host, mesh))}
    of_hosts = (s for key in named if (s := world.service(key.namespace, key.name)))
    others = {e.key: e for host in hosts for e in world.entries_for_host(host)}
    made = _made(world, of_hosts, others.values(), mesh, None)
    return tuple(record for record in made if address in record.ips)


def _made(
    world: Snapshot,
    services: Iterable[Service],
    entries: Iterable[ServiceEntry],
    mesh: Mesh,
    waypoints: Waypoints | None,
) -> tuple[ServiceRecord, ...]:
    """The records of these objects, which are all that have the hosts of any of them."""
    made = [_of_service(world, s, mesh, waypoints) for s in services if _seen(s, mesh)]
    made += [r for e in entries if _seen(e, mesh) for r in _of_entry(world, e, mesh, waypoints)]
    hosts: dict[str, list[ServiceRecord]] = {}
    for record in made:
        hosts.setdefault(record.hostname, []).append(record)
    kept = [r for records in hosts.values() for r in _kept(world, records, mesh)]
    return tuple(sorted(kept, key=lambda r: (r.hostname, r.namespace)))


def auto_addresses(entry: ServiceEntry, host: str, mesh: Mesh) -> tuple[str, ...]:
    """The addresses that istiod allocates to a host, where they count: those of the status, else an expected one.

    Source: ShouldV2AutoAllocateIP and GetHostAddressesFromServiceEntry in pilot/pkg/networking/serviceentry.
    """
    wildcard = host.startswith("*") and entry.resolution != "DYNAMIC_DNS"
    return entry.allocated(host) if istiod_allocates(mesh) and not wildcard else ()


def _seen(obj: Service | ServiceEntry, mesh: Mesh) -> bool:
    """Whether istiod makes records of it. Source: discoverySelectors, serviceEntryVisibility (1.31)."""
    if not mesh.discovers(obj.meta.namespace):
        return False
    if isinstance(obj, Service):
        return obj.type != "ExternalName"
    return obj.meta.namespace not in mesh.hidden_entries


def _kept(world: Snapshot, records: list[ServiceRecord], mesh: Mesh) -> Iterable[ServiceRecord]:
    """Of the records of one host one a namespace, one of them canonical: a Service before entries, then the oldest.

    Source: selectWorkloadServices in pilot/pkg/serviceregistry/ambient/services.go.
    """
    ranked = sorted(records, key=lambda r: _rank(world, r))
    best: dict[str, ServiceRecord] = {}
    for record in ranked:
        best.setdefault(record.namespace, record)
    first = next((r for r in ranked if best[r.namespace] is r and r.public), None)
    for record in best.values():
        yield as_canonical(record) if record is first and mesh.since(1, 29) else record


def _rank(world: Snapshot, record: ServiceRecord) -> tuple[bool, int, str, str]:
    obj = world.get(record.owner)
    created = obj.meta.created if obj is not None else None
    age = created if created is not None else 2**62
    return record.owner.kind != "Service", age, record.namespace, record.owner.name


def _of_service(world: Snapshot, service: Service, mesh: Mesh, waypoints: Waypoints | None) -> ServiceRecord:
    """Source: constructService. A targetPort that is a name counts as 0: each pod has its own."""
    families = strings(mapping(service.raw.get("spec")).get("ipFamilies"))
    return ServiceRecord(
        service.key,
        service_host(service, mesh),
        service.cluster_ips,
        tuple(
            PortRecord(
                p.port,
                0 if isinstance(p.target_port, str) else p.target_port or p.port,
                _protocol(service_protocol(p, mesh), mesh),
            )
            for p in service.ports
        ),
        waypoint=waypoint_of(world, service.meta, waypoints, mesh),
        families="DUAL" if len(families) > 1 else "".join(_FAMILIES.get(f, "") for f in families),
    )


def _of_entry(world: Snapshot, entry: ServiceEntry, mesh: Mesh, waypoints: Waypoints | None) -> Iterator[ServiceRecord]:
    """Source: constructServiceEntries. An address that cannot be read, or up to 1.29 a prefix, leaves no record."""
    addresses = tuple(map(without_masked_bits, entry.addresses))
    if not all(addresses) or (not mesh.since(1, 30) and any("/" in a for a in addresses)):
        return
    for host in dict.fromkeys(entry.hosts):
        yield ServiceRecord(
            entry.key,
            host,
            addresses or auto_addresses(entry, host, mesh),
            tuple(PortRecord(p.number, p.target_port or p.number, _entry_protocol(p, mesh)) for p in entry.ports),
            public=entry.meta.namespace not in mesh.private_entries,
            keeps=entry.resolution == "NONE" and mesh.since(1, 28),
            waypoint=waypoint_of(world, entry.meta, waypoints, mesh),
            alt_names=strings(mapping(entry.raw.get("spec")).get("subjectAltNames")),
        )


def _entry_protocol(port: EntryPort, mesh: Mesh) -> str:
    return _protocol(entry_protocol(port), mesh)


def _protocol(protocol: Protocol, mesh: Mesh) -> str:
    return APP_PROTOCOLS.get(protocol, "") if mesh.since(1, 29) else ""
