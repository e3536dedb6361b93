"""Ports that the Service behind an entry does not have: a check of `findings`."""

from collections.abc import Iterator

from dnsalias_operator.core.findings import catalog, remedies
from dnsalias_operator.core.findings.subject import Look
from dnsalias_operator.core.istio.listeners import entries_binding
from dnsalias_operator.core.istio.protocols import PortClass, class_of, entry_protocol
from dnsalias_operator.core.istio.service_names import names_of, service_named
from dnsalias_operator.core.outcome import Finding, Severity
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import Endpoint, EntryPort

_TAKE_OUT = "remove the port from the ServiceEntry"


def port_not_on_service(look: Look) -> Iterator[Finding]:
    """A port whose calls go to a port that a Service lacks: by an endpoint, or for an entry that stands for it."""
    for port in look.entry.ports:
        if class_of(entry_protocol(port)) is PortClass.UDP:
            continue
        found = _by_endpoint(look, port) or _by_number(look, port)
        if found is not None:
            yield found


def _by_endpoint(look: Look, port: EntryPort) -> Finding | None:
    """An endpoint that leads to a port at the Service's address where nothing listens; critical if all of them do."""
    lost = [(s, n) for e in look.entry.endpoints if (s := _behind(look, e)) and (n := _called(e, port)) not in _tcp(s)]
    if not lost:
        return None
    service, number = lost[0]
    leads = f"port {port.number} leads to port {number} of {service.key}, which it does not have"
    message = f"{leads if number != port.number else f'port {number} is not on {service.key}'} ({_listed(service)})"
    # One that is the entry's own number is merely one more than the Service has, as in `_by_number`.
    whole = number != port.number and len(lost) == len(look.entry.endpoints)
    severity = Severity.CRITICAL if whole else Severity.WARNING
    remedy: str | None = _TAKE_OUT if _taken(look, service, number) else None
    if number != port.number and (port.number in _tcp(service) or _by_number(look, port) is None):
        taken = _taken(look, service, number)
        remedy = remedies.dead_target(service.key, port.number, number, _tcp(service), taken=taken)
    elif number != port.number:
        remedy = _TAKE_OUT
    return catalog.PORT_NOT_ON_SERVICE.at(look.entry.key, message, port=port.number, severity=severity, remedy=remedy)


def _by_number(look: Look, port: EntryPort) -> Finding | None:
    """A port of an entry in our care that its Service has none of that number for."""
    service = look.service
    if service is None or not service.ports or look.decision is None or not look.decision.selected:
        return None
    if port.number in _tcp(service):
        return None
    message = f"port {port.number} is not on {service.key} ({_listed(service)})"
    remedy = _TAKE_OUT if _taken(look, service, port.number) else None
    return catalog.PORT_NOT_ON_SERVICE.at(look.entry.key, message, port=port.number, remedy=remedy)


def _behind(look: Look, endpoint: Endpoint) -> Service | None:
    """The Service that an endpoint leads to by its name or clusterIP; None where it leads to pods, or to none."""
    world, namespace = look.world, look.entry.meta.namespace
    named = service_named(world, endpoint.address, namespace, look.rules.mesh)
    service = world.service(*named) if named else next(iter(world.services_at(endpoint.address)), None)
    if service is None or service.headless or service.type == "ExternalName" or not service.ports:
        return None
    return service


def _called(endpoint: Endpoint, port: EntryPort) -> int:
    return endpoint.ports.get(port.name) or port.target_port or port.number


def _tcp(service: Service) -> list[int]:
    return sorted({p.port for p in service.ports if p.protocol == "TCP"})


def _listed(service: Service) -> str:
    return f"TCP ports: {', '.join(map(str, _tcp(service))) or 'none'}"


def _taken(look: Look, service: Service, number: int) -> bool:
    """Whether another entry has the port at the Service's address or leads there: the Service would change that one."""
    beside = [e for address in service.cluster_ips for e in entries_binding(look.world, address)]
    beside += [e for host in names_of(service, look.rules.mesh) for e in look.world.entries_to(host)]
    return any(e.key != look.entry.key and number in {p.number for p in e.ports} for e in beside)
