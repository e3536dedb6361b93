"""Where the endpoints of somebody else's entry lead, compared with the Service that it should lead to."""

from dnsalias_operator.core.istio.protocols import PortClass, class_of, entry_protocol, routed
from dnsalias_operator.core.istio.service_names import service_named
from dnsalias_operator.core.reasons import Reason, Why
from dnsalias_operator.core.traffic.backends import selects_pods_of
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.meta import is_ip
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.service import Service, tcp_ports
from dnsalias_operator.model.serviceentry import Endpoint, EntryPort, ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot


def other_endpoint(world: Snapshot, entry: ServiceEntry, key: Key, mesh: Mesh) -> str:
    """The first endpoint that is not the Service ``key``, by name or clusterIP; "" where there is none.

    While the Service does not exist, nobody knows whose an IP is: it counts as the Service's.
    """
    service = world.service(key.namespace, key.name)
    for endpoint in entry.endpoints:
        named = service_named(world, endpoint.address, entry.meta.namespace, mesh)
        if named == (key.namespace, key.name) or (service and endpoint.address in service.cluster_ips):
            continue
        if service or named or not is_ip(endpoint.address):
            return endpoint.address
    return ""


def selects_others(entry: ServiceEntry, service: Service) -> bool:
    """Whether it selects pods, and not those of the Service."""
    return entry.workload_selector is not None and not selects_pods_of(entry, service)


def lost_requests(world: Snapshot, entry: ServiceEntry, service: Service, mesh: Mesh) -> Why | None:
    """Why requests that the entry sends to its Service arrive at no port there: or None.

    Asked of ports that are HTTP on both sides: connections to any other are taken by the Service's own listener, where
    the entry has its address. Endpoints that are not the Service are their owner's business.
    """
    if selects_pods_of(entry, service):
        return _lost_at_pods(entry, service, mesh)
    if not entry.endpoints or other_endpoint(world, entry, service.key, mesh):
        return None
    theirs = {p.port for p in tcp_ports(service)}
    ports = (
        p for p in entry.ports if class_of(entry_protocol(p)) is PortClass.HTTP and routed(service, p.number, mesh)
    )
    reached = ((p, _reached(p, endpoint)) for p in ports for endpoint in entry.endpoints)
    port, to = next(((p, to) for p, to in reached if to not in theirs), (None, 0))
    if port is None:
        return None
    return Why(
        Reason.TARGET_PORT_NOT_ON_SERVICE,
        f"port {port.number} leads to port {to} of {service.key}, which it does not have; take targetPort out, "
        f"or give the Service a port {to}",
    )


def _lost_at_pods(entry: ServiceEntry, service: Service, mesh: Mesh) -> Why | None:
    """The same of an entry that selects the Service's pods and says which port of theirs it calls.

    Where it does not say, its port's name may be that of the right one, which nobody knows here. Source:
    docs/istio.md, "Workload selectors".
    """
    for port in entry.ports:
        if class_of(entry_protocol(port)) is not PortClass.HTTP or not routed(service, port.number, mesh):
            continue
        own = next(p for p in service.ports if p.port == port.number and p.protocol == "TCP")
        theirs = own.target_port or own.port
        if isinstance(theirs, int) and port.target_port not in (0, theirs):
            return Why(
                Reason.TARGET_PORT_NOT_ON_SERVICE,
                f"port {port.number} leads to port {port.target_port} of the pods of {service.key}, and the Service's "
                f"to {theirs}; set its targetPort to {theirs}",
            )
    return None


def _reached(port: EntryPort, endpoint: Endpoint) -> int:
    """The port that is called at the endpoint.

    Source: pilot/pkg/serviceregistry/serviceentry/conversion.go (we.ports > se.port.targetPort > se.port.number).
    """
    return endpoint.ports.get(port.name) or port.target_port or port.number
