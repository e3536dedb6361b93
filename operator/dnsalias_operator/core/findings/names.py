"""Hosts that belong to the cluster, and endpoints that name no Service. Checks of `lint`."""

from collections.abc import Iterator

from dnsalias_operator.core.entries.ownership import claims_to_be_ours
from dnsalias_operator.core.findings import catalog, remedies
from dnsalias_operator.core.findings.service_names import hit_by
from dnsalias_operator.core.findings.subject import Look
from dnsalias_operator.core.hosts.names import LOCALHOST, meant_by, own_names, shadowed_service, under_suffix
from dnsalias_operator.core.istio.service_names import service_host, service_named, services_called
from dnsalias_operator.core.outcome import Finding, Severity
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.snapshot import Snapshot


def reserved_host(look: Look) -> Iterator[Finding]:
    """A host that belongs to a Service or to the cluster, and takes no call from a Service (`named_as_service`)."""
    for host in look.entry.hosts:
        if hit_by(look, host):
            continue
        service = shadowed_service(look.world, host)
        if service is not None:
            yield catalog.RESERVED_HOST.at(look.entry.key, f"host {host} is the short name of {service.key}")
        elif (why := meant_by(host, own_names(look.rules.mesh))) and not claims_to_be_ours(look.entry):
            yield _of_cluster(look, host, why)


def unknown_endpoint(look: Look) -> Iterator[Finding]:
    """An endpoint whose name has the form of a Service's, where no such Service exists."""
    for endpoint in look.entry.endpoints:
        named = service_named(look.world, endpoint.address, look.entry.meta.namespace, look.rules.mesh)
        if named and look.world.service(*named) is None:
            missing = _missing(look.world)
            message = f"endpoint {endpoint.address} names Service {named[0]}/{named[1]}, which {missing}"
            remedy = None if look.world.namespaces_known else remedies.BEYOND_INPUT
            yield catalog.UNKNOWN_ENDPOINT.at(look.entry.key, message, remedy=remedy)


def _of_cluster(look: Look, host: str, why: str) -> Finding:
    """An info where the name would be a Service's and no such Service is known: it takes nothing from anybody."""
    mesh = look.rules.mesh
    if under_suffix(host.removesuffix("."), LOCALHOST) or _names_service(look.world, host, mesh):
        return catalog.RESERVED_HOST.at(look.entry.key, f"host {host}: {why}")
    message = f"host {host}: {why}, and a Service of that name {_missing(look.world)}"
    return catalog.RESERVED_HOST.at(look.entry.key, message, severity=Severity.INFO)


def _names_service(world: Snapshot, host: str, mesh: Mesh) -> bool:
    if host.startswith("*"):
        return any(service_host(service, mesh).endswith(host[1:]) for service in world.services())
    return bool(services_called(world, host, mesh))


def _missing(world: Snapshot) -> str:
    """What can be said of an object that was not found: in files, and in one namespace, others may exist."""
    return "does not exist" if world.namespaces_known else "is not in the input"
