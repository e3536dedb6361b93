"""Where the connections that an entry gets end: at the Service that it stands for, or elsewhere."""

from dnsalias_operator.core.hosts import service_named
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import EntryPort, ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot


def selects_pods_of(entry: ServiceEntry, service: Service) -> bool:
    """Whether the entry has the Service's own pods for endpoints (facts/istio.md part 3)."""
    if entry.workload_selector is None or entry.meta.namespace != service.meta.namespace:
        return False
    return dict(entry.workload_selector) == dict(service.selector)


def leads_to(world: Snapshot, entry: ServiceEntry, port: EntryPort, service: Service, mesh: Mesh) -> bool:
    """Whether bytes for that port of the entry end at the Service: at its pods, or by its name at its address."""
    if selects_pods_of(entry, service):
        return True
    there = (service.meta.namespace, service.meta.name)
    return (
        entry.resolution in ("DNS", "DNS_ROUND_ROBIN")
        and bool(entry.endpoints)
        and port.target_port in (0, port.number)
        and all(
            not e.ports and service_named(world, e.address, entry.meta.namespace, mesh) == there
            for e in entry.endpoints
        )
    )
