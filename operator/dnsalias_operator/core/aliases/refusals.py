"""Why an alias is not served: an ordered chain of small checks, each named for the fault it finds.

Each check gets all that is known (`Case`) and gives a `Refusal` or None; the first one decides.
"""

from collections.abc import Callable

from dnsalias_operator.core.aliases.case import Case
from dnsalias_operator.core.aliases.generate import ambiguous_target_port, endpoints_of
from dnsalias_operator.core.entries.serves_alias import generated_entry
from dnsalias_operator.core.hosts.holders import HOST_CHECKS
from dnsalias_operator.core.istio.ambient import ambient_clients
from dnsalias_operator.core.istio.protocols import PortClass, Protocol, class_of, service_protocol
from dnsalias_operator.core.istio.topology import MAY_BE_ELSEWHERE, NOT_READ
from dnsalias_operator.core.istio.visibility import Scope
from dnsalias_operator.core.outcome import Refusal
from dnsalias_operator.core.reasons import Reason
from dnsalias_operator.model.dnsalias import Endpoints, chosen_ports
from dnsalias_operator.model.service import Service, ServicePort, tcp_ports
from dnsalias_operator.model.similar import did_you_mean
from dnsalias_operator.model.status import ACCEPTED, RESOLVED_REFS


def ambient(case: Case) -> Refusal | None:
    """There are clients in ambient mode, whose calls would be led by the Service's name: in plaintext.

    ztunnel gets every entry, so that the alias' own namespace does not matter. An alias that is served already stays:
    deleting its entry would cut off who calls it.
    """
    service, about = case.service, ambient_clients(case.world, case.rules.mesh)
    if service is None or not service.selector or endpoints_of(case.spec, service) is Endpoints.WORKLOADS:
        return None
    if not about or generated_entry(case.world, case.alias) is not None:
        return None
    message = (
        f"{about}, and calls in that mode by a DNS endpoint are sent in plaintext, past the mTLS of the pods; set "
        "spec.endpoints to Workloads or Auto"
    )
    return Refusal(Reason.PLAINTEXT_IN_AMBIENT, message, ACCEPTED)


def remote_cluster(case: Case) -> Refusal | None:
    """Nobody reads ServiceEntries in this cluster."""
    if not case.rules.mesh.remote:
        return None
    return Refusal(
        Reason.NOT_READ_HERE, f"{NOT_READ}; declare the DnsAlias there instead, and delete it here", ACCEPTED
    )


def not_discovered(case: Case) -> Refusal | None:
    """The namespace is one that istiod does not see: its entries and Services do not exist for any sidecar."""
    namespace = case.alias.meta.namespace
    if case.rules.mesh.discovers(namespace):
        return None
    message = (
        f"istiod does not see namespace {namespace}: no selector in MeshConfig.discoverySelectors matches its labels; "
        "label it as one of them asks"
    )
    return Refusal(Reason.NOT_DISCOVERED, message, ACCEPTED)


def service_missing(case: Case) -> Refusal | None:
    """There is no such Service."""
    if case.service is not None:
        return None
    namespace, name = case.alias.meta.namespace, case.spec.service_ref.name
    meant = did_you_mean(name, (s.meta.name for s in case.world.services_in(namespace)))
    elsewhere = MAY_BE_ELSEWHERE if case.rules.mesh.topology in ("multi-primary", "primary") else ""
    message = f"Service {namespace}/{name} does not exist{meant}; create it or correct spec.serviceRef{elsewhere}"
    return Refusal(Reason.SERVICE_NOT_FOUND, message, RESOLVED_REFS)


def service_external(case: Case) -> Refusal | None:
    """The Service is an ExternalName: it has no address and no pods."""
    if case.service is None or case.service.type != "ExternalName":
        return None
    message = f"{case.service.key} is of type ExternalName and has no clusterIP; alias the Service it names instead"
    return Refusal(Reason.SERVICE_IS_EXTERNAL_NAME, message, RESOLVED_REFS)


def no_matching_port(case: Case) -> Refusal | None:
    """A port that the alias asks for is none of the Service's TCP ports, or there are none."""
    if case.service is None:
        return None
    chosen, missing = chosen_ports(case.spec, case.service)
    if chosen and not missing:
        return None
    asked = ", ".join(_as_written(port, case.service) for port in missing)
    asked = f"spec.ports names {asked}; " if missing else ""
    if not (tcp := tcp_ports(case.service)):
        others = ", ".join(f"{p.port}/{p.protocol}" for p in case.service.ports) or "it has none at all"
        has = f"{case.service.key} has no TCP port ({others}); give it one, or name another Service"
    else:
        have = ", ".join(f"{p.port} ({p.name})" if p.name else str(p.port) for p in tcp)
        has = f"TCP ports of {case.service.key}: {have}; choose from these"
    return Refusal(Reason.NO_MATCHING_PORT, asked + has, RESOLVED_REFS)


def _as_written(port: int | str, service: Service) -> str:
    """What it may be instead: a number in quotes is a name, and looks like the number that is meant."""
    if isinstance(port, str) and port.isdigit():
        return f'"{port}" (a name, for its quotes; take them off)'
    other = next((p for p in service.ports if port in (p.port, p.name)), None)
    if other is not None:
        return f"{port} ({other.port}/{other.protocol}, and an alias serves TCP only)"
    return f"{port}{did_you_mean(port, (p.name for p in tcp_ports(service))) if isinstance(port, str) else ''}"


def http_proxy(case: Case) -> Refusal | None:
    """A port is HTTP_PROXY: it listens on the wildcard address whatever its addresses (docs/istio.md, "Catch-alls")."""
    bad = [p for p in case.ports if class_of(_protocol(p, case)) is PortClass.HTTP_PROXY]
    if case.service is None or not bad:
        return None
    message = (
        f"port {bad[0].port} of {case.service.key} is HTTP_PROXY, and an alias of it would take every connection to "
        f"that port, whatever its addresses are; give the Service's port the appProtocol tcp"
        f"{_or_limit([p for p in case.ports if p not in bad], 'other ports')}"
    )
    return Refusal(Reason.HTTP_PROXY_UNSUPPORTED, message, RESOLVED_REFS)


def headless(case: Case) -> Refusal | None:
    """The Service is headless and a port is matched by address only."""
    if case.service is None or not case.service.headless:
        return None
    bad = [p for p in case.ports if class_of(_protocol(p, case)) is not PortClass.HTTP]
    if not bad:
        return None
    message = (
        f"{case.service.key} is headless (clusterIP None): port {bad[0].port} is {_protocol(bad[0], case)}, and "
        "without an address the alias would take every connection to that port; give the Service a clusterIP"
        f"{_or_limit(_http(case), 'HTTP ports')}"
    )
    return Refusal(Reason.HEADLESS_SERVICE, message, RESOLVED_REFS)


def address_unknown(case: Case) -> Refusal | None:
    """No clusterIP is known (yet)."""
    if case.service is None or case.service.headless or case.service.cluster_ips:
        return None
    message = f"{case.service.key} has no clusterIP; in files, add spec.clusterIPs as the cluster has it"
    return Refusal(Reason.ADDRESS_UNKNOWN, message, RESOLVED_REFS)


def no_selector(case: Case) -> Refusal | None:
    """Workloads are asked for and the Service selects none."""
    if case.service is None or case.spec.endpoints is not Endpoints.WORKLOADS or case.service.selector:
        return None
    message = f"spec.endpoints is Workloads and {case.service.key} has no selector; use endpoints: Service"
    return Refusal(Reason.NO_SELECTOR, message, RESOLVED_REFS)


def ambiguous_port(case: Case) -> Refusal | None:
    """Two ports go to one named targetPort."""
    if case.service is None or endpoints_of(case.spec, case.service) is not Endpoints.WORKLOADS:
        return None
    name = ambiguous_target_port(case.ports)
    if not name:
        return None
    other = "give them different names" if _http(case) else "use endpoints: Service"
    message = (
        f"two ports of {case.service.key} have the targetPort {name!r}, which can name one ServiceEntry port only; "
        f"{other}, or list one of them in spec.ports"
    )
    return Refusal(Reason.AMBIGUOUS_TARGET_PORT, message, RESOLVED_REFS)


def plaintext_endpoints(case: Case) -> Refusal | None:
    """HTTP by a DNS endpoint is sent in plaintext, which the Service's pods may refuse (docs/equivalence.md)."""
    if case.service is None or endpoints_of(case.spec, case.service) is Endpoints.WORKLOADS:
        return None
    bad = _http(case)
    if not bad or not case.service.selector:
        return None
    message = (
        f"spec.endpoints is Service, and sidecars would call port {bad[0].port} ({_protocol(bad[0], case)}) of "
        f"{case.service.key} in plaintext, which fails where mTLS is STRICT; use endpoints: Auto"
        f"{_or_limit([p for p in case.ports if p not in bad], 'ports that are not HTTP')}"
    )
    return Refusal(Reason.PLAINTEXT_ENDPOINTS, message, RESOLVED_REFS)


def _protocol(port: ServicePort, case: Case) -> Protocol:
    return service_protocol(port, case.rules.mesh)


def _or_limit(left: list[ServicePort], to: str) -> str:
    """The other way out, where any port is left to serve."""
    return f", or limit spec.ports to {to}" if left else ""


def _http(case: Case) -> list[ServicePort]:
    return [p for p in case.ports if class_of(_protocol(p, case)) is PortClass.HTTP]


def not_exported(case: Case) -> Refusal | None:
    """Nothing is left of the alias' visibility within the Service's."""
    if case.service is None or case.scope.everywhere or case.scope.namespaces:
        return None
    if case.spec.export_to == ("~",) or (case.spec.export_to is None and "~" in case.rules.default_export_to):
        return None  # nobody is to see it
    limit = case.ceiling
    within = f" within what the settings allow ({limit})" if limit else ""
    message = (
        f"{case.service.key} is exported to no namespace that spec.exportTo names{within}; name one there that sees it"
    )
    return Refusal(Reason.NOT_EXPORTED, message, ACCEPTED)


def private_shadow(case: Case) -> Refusal | None:
    """A private exportTo comes before the Service, whatever its age (docs/istio.md, "Shared addresses")."""
    if case.service is None or case.scope.everywhere or not case.scope.namespaces:
        return None
    if case.scope == Scope.of_claimant(case.service, case.rules.mesh):
        return None
    bad = [p for p in case.ports if class_of(_protocol(p, case)) is not PortClass.HTTP]
    if not bad:
        return None
    limit = case.ceiling
    narrowed = f"limit spec.ports to HTTP ports ({limit}), or " if _http(case) else f"{limit}; "
    remedy = narrowed if limit else "export it to '*', or "
    message = (
        f"an alias with a private exportTo comes before {case.service.key} in those namespaces and would take its port "
        f"{bad[0].port} ({_protocol(bad[0], case)}); {remedy}give the Service the same exportTo"
    )
    return Refusal(Reason.WOULD_SHADOW_SERVICE, message, ACCEPTED)


CHECKS: tuple[Callable[[Case], Refusal | None], ...] = (
    remote_cluster,
    not_discovered,
    ambient,
    *HOST_CHECKS,
    service_missing,
    service_external,
    no_matching_port,
    headless,
    http_proxy,
    address_unknown,
    no_selector,
    ambiguous_port,
    plaintext_endpoints,
    not_exported,
    private_shadow,
)


def refusal(case: Case) -> Refusal | None:
    """The first fault, or None."""
    return next((found for check in CHECKS if (found := check(case)) is not None), None)
