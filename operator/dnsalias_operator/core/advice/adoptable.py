"""What of somebody else's ServiceEntry a DnsAlias can say: what stands in the way, and what would change."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dnsalias_operator.core.entries.destination import other_endpoint, selects_others
from dnsalias_operator.core.entries.ownership import in_range
from dnsalias_operator.core.entries.stands_for import StandsFor
from dnsalias_operator.core.istio.listeners.addresses import is_unspecified
from dnsalias_operator.core.istio.protocols import Protocol, class_of, entry_protocol, service_protocol
from dnsalias_operator.core.istio.visibility import Scope
from dnsalias_operator.core.reasons import Reason, Why
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.meta import mapping
from dnsalias_operator.model.names import SERVICE_ANNOTATION
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.service import Service, tcp_ports
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Adoption:
    """One entry as its owner wrote it, and what it stands for."""

    world: Snapshot
    rules: Rules
    entry: ServiceEntry
    target: StandsFor

    @property
    def numbers(self) -> frozenset[int]:
        """Ports of the entry that are TCP ports of the Service."""
        theirs = {p.port for p in tcp_ports(self.target.service)} if self.target.service else set[int]()
        return frozenset(p.number for p in self.entry.ports if p.number in theirs)


def obstacle(adoption: Adoption) -> Why | None:
    """The first thing that no DnsAlias of the Service can say, or None (also where no Service is known)."""
    if adoption.target.service is None:
        return None
    return next((found for check in CHECKS if (found := check(adoption, adoption.target.service)) is not None), None)


def other_endpoints(adoption: Adoption, service: Service) -> Why | None:
    """It leads somewhere else, too."""
    address = other_endpoint(adoption.world, adoption.entry, service.key, adoption.rules.mesh)
    if not address:
        return None
    return Why(
        Reason.OTHER_ENDPOINTS,
        f"endpoint {address} is not {service.key}, and a DnsAlias leads to its Service alone; take the "
        "endpoint out, or keep the ServiceEntry",
    )


def other_workloads(adoption: Adoption, service: Service) -> Why | None:
    """It selects other pods than the Service does."""
    if not selects_others(adoption.entry, service):
        return None
    return Why(
        Reason.OTHER_WORKLOADS,
        f"spec.workloadSelector is not the selector of {service.key}, and a DnsAlias leads to its Service's pods; make "
        f"a Service with that selector and name it in the annotation {SERVICE_ANNOTATION}, or keep the ServiceEntry",
    )


def ports_elsewhere(adoption: Adoption, service: Service) -> Why | None:
    """A port leads to another port of the Service."""
    theirs = {p.port: p for p in tcp_ports(service)}
    for port in adoption.entry.ports:
        to = port.target_port or next((e.ports[port.name] for e in adoption.entry.endpoints if port.name in e.ports), 0)
        own = theirs.get(port.number)
        # Behind a selector the target is a port of the pods, as in the Service.
        same = own.target_port if own and adoption.entry.workload_selector is not None else port.number
        if to and to != same:
            return Why(
                Reason.PORT_ELSEWHERE,
                f"port {port.number} leads to port {to}, and a DnsAlias has the ports of {service.key}; give the "
                f"Service a port {port.number} with targetPort {to}, and take targetPort out of the ServiceEntry",
            )
    return None


def no_matching_port(adoption: Adoption, service: Service) -> Why | None:
    """None of its ports is the Service's."""
    if adoption.numbers:
        return None
    mine = ", ".join(str(p.number) for p in adoption.entry.ports) or "none"
    theirs = ", ".join(str(p.port) for p in tcp_ports(service)) or "none"
    return Why(
        Reason.NO_MATCHING_PORT, f"none of its ports ({mine}) is a TCP port of {service.key} ({theirs}); add it there"
    )


CHECKS: tuple[Callable[[Adoption, Service], Why | None], ...] = (
    other_endpoints,
    other_workloads,
    ports_elsewhere,
    no_matching_port,
)


def notes(adoption: Adoption) -> Iterator[str]:
    """What is different once the alias takes the entry's place."""
    entry, service, rules = adoption.entry, adoption.target.service, adoption.rules
    if service is None:
        return
    if adoption.target.inferred:
        yield f"that it stands for {service.key} is inferred from its name; check it"
    if entry.meta.namespace != service.meta.namespace:
        yield f"it lives with {service.key}; the entry is in namespace {entry.meta.namespace}"
    yield from _of_ports(adoption, service, rules.mesh)
    others = [a for a in entry.addresses if a not in service.cluster_ips and not is_unspecified(a)]
    if others := [a for a in others if not in_range(a, rules)]:
        yield f"{', '.join(others)} is no address of it any more: see that nobody's DNS answers with that"
    if entry.location != "MESH_INTERNAL":
        yield "it is inside the mesh (MESH_INTERNAL); the entry says MESH_EXTERNAL"
    if mapping(entry.raw.get("spec")).get("subjectAltNames"):
        yield "spec.subjectAltNames is not carried over: identities come from the pods"
    mine, theirs = Scope.of_claimant(entry, rules.mesh), Scope.of_claimant(service, rules.mesh)
    if mine.narrowed(theirs) != mine:
        seen = ", ".join(mine.narrowed(theirs).export_to(service.meta.namespace))
        yield f"it is exported to {seen} only, since {service.key} is"


def _of_ports(adoption: Adoption, service: Service, mesh: Mesh) -> Iterator[str]:
    lost = [str(p.number) for p in adoption.entry.ports if p.number not in adoption.numbers]
    if lost:
        yield f"port {', '.join(lost)} is no TCP port of {service.key}, leads nowhere, and is left out"
    for port in adoption.entry.ports:
        own = next((p for p in tcp_ports(service) if p.port == port.number), None)
        if own is not None and class_of(service_protocol(own, mesh)) is not class_of(entry_protocol(port)):
            before, after = (_told(p) for p in (entry_protocol(port), service_protocol(own, mesh)))
            yield f"port {port.number} is {after} as in the Service; the entry has {before}"


def _told(protocol: Protocol) -> str:
    return "without protocol" if protocol is Protocol.UNSET else protocol.value
