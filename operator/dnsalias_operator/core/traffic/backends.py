"""Where the connections that an entry gets end: at the Service that it stands for, or elsewhere."""

from collections.abc import Iterable

from dnsalias_operator.core.istio.lacking import DNS
from dnsalias_operator.core.istio.service_names import service_named
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import EntryPort, ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot


def selects_pods_of(entry: ServiceEntry, service: Service) -> bool:
    """Whether the entry has the Service's own pods for endpoints (docs/istio.md, "Traffic under mTLS")."""
    if entry.workload_selector is None or entry.meta.namespace != service.meta.namespace:
        return False
    return dict(entry.workload_selector) == dict(service.selector)


def leads_to(world: Snapshot, entry: ServiceEntry, port: EntryPort, service: Service, mesh: Mesh) -> bool:
    """Whether bytes that the entry gets on that port at the Service's address end at the Service.

    They do at its pods, at its address, and by its name, which leads there.
    """
    if selects_pods_of(entry, service):
        return _same_target(port, service)
    if port.target_port not in (0, port.number):
        return False
    if entry.resolution == "NONE":
        return not entry.endpoints and entry.workload_selector is None  # on to the address that was called
    there, own = (service.meta.namespace, service.meta.name), entry.meta.namespace
    return bool(entry.endpoints) and all(
        e.ports.get(port.name) in (None, port.number)
        and (e.address in service.cluster_ips or service_named(world, e.address, own, mesh) == there)
        for e in entry.endpoints
    )


def by_own_name(entry: ServiceEntry, port: EntryPort) -> bool:
    """Whether bytes on that port go to whatever the entry's own host resolves to: DNS without endpoints.

    The cluster's DNS leads the name of an entry that stands for a Service there (docs/istio.md, "Names and DNS").
    """
    return entry.resolution in DNS and not entry.endpoints and port.target_port in (0, port.number)


def ends_alike(
    world: Snapshot,
    one: tuple[ServiceEntry, EntryPort],
    other: tuple[ServiceEntry, EntryPort],
    services: Iterable[Service],
    mesh: Mesh,
) -> bool:
    """Whether the calls that two entries get on one port and address end at the same servers, as far as objects say.

    ``services`` are those that both may lead to.
    """
    (first, port), (second, theirs) = one, other
    if any(leads_to(world, first, port, s, mesh) and leads_to(world, second, theirs, s, mesh) for s in services):
        return True
    if first.resolution == second.resolution == "NONE":
        return (port.target_port or port.number) == (theirs.target_port or theirs.number)
    if by_own_name(first, port) and by_own_name(second, theirs):
        return first.hosts == second.hosts
    if first.workload_selector is not None or second.workload_selector is not None:
        same = first.workload_selector == second.workload_selector and first.meta.namespace == second.meta.namespace
        return same and (port.name, port.target_port) == (theirs.name, theirs.target_port)
    there = _addresses(first, port)
    return bool(there) and there == _addresses(second, theirs)


def _addresses(entry: ServiceEntry, port: EntryPort) -> set[tuple[str, int]]:
    """The endpoints that it lists, with the port at which each is called."""
    return {(e.address, e.ports.get(port.name) or port.target_port or port.number) for e in entry.endpoints}


def _same_target(port: EntryPort, service: Service) -> bool:
    """Whether an entry that selects the Service's pods calls the port there that the Service calls, if it has it.

    A port of theirs is found by name before it is by number (docs/istio.md, "Workload selectors").
    """
    own = next((p for p in service.ports if p.port == port.number and p.protocol == "TCP"), None)
    if own is None:
        return True
    if isinstance(own.target_port, str):
        return port.name == own.target_port
    return (port.target_port or port.number) == (own.target_port or own.port)
