"""DnsAlias + Service -> the ServiceEntry that makes the alias work, as the API takes it. Shape only; no policy.

An alias of HTTP ports alone has no addresses: it needs none, and with them it may take requests from its Service (see
``bare_address``). Source: docs/istio.md, "Shared addresses" (the port must have the Service port's class), "Traffic
under mTLS" (what each shape does), and "Workload selectors" (which container port is called).
"""

from collections.abc import Iterable
from typing import Any

from dnsalias_operator.core.entries.ownership import alias_label, owner_reference
from dnsalias_operator.core.istio.protocols import Protocol, needs_address, service_protocol
from dnsalias_operator.core.istio.service_names import addresses_to_share, service_host
from dnsalias_operator.model.dnsalias import DnsAlias, DnsAliasSpec, Endpoints
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import (
    ALIAS_LABEL,
    ISTIO_API_VERSION,
    MANAGED_BY_LABEL,
    OWN_MANAGER,
    RECREATED_FOR_ANNOTATION,
    SERVICE_UID_ANNOTATION,
)
from dnsalias_operator.model.service import Service, ServicePort


def endpoints_of(spec: DnsAliasSpec, service: Service) -> Endpoints:
    """Auto resolved: the Service's own pods where it selects some, else its DNS name."""
    if spec.endpoints is not Endpoints.AUTO:
        return spec.endpoints
    return Endpoints.WORKLOADS if service.selector else Endpoints.SERVICE


def ambiguous_target_port(ports: Iterable[ServicePort]) -> str:
    """The named targetPort that two ports share, or "": its name can be the name of one ServiceEntry port only."""
    seen: set[str] = set()
    for port in ports:
        if isinstance(port.target_port, str):
            if port.target_port in seen:
                return port.target_port
            seen.add(port.target_port)
    return ""


def generate(
    alias: DnsAlias,
    spec: DnsAliasSpec,
    service: Service,
    ports: tuple[ServicePort, ...],
    export_to: list[str],
    mesh: Mesh,
    recreated_for: str = "",
    *,
    address: str = "",
) -> dict[str, Any]:
    """The manifest of the ServiceEntry; with an ``address`` it has that one, and not the Service's.

    The caller has made sure that the Service exists and the ports are its own. ``recreated_for`` is the uid of the
    Service for which the entry gave up its place in the age order, "" where it never did.
    """
    workloads = endpoints_of(spec, service) is Endpoints.WORKLOADS
    entry: dict[str, Any] = {"hosts": [spec.host]}
    if address:
        entry["addresses"] = [address]
    elif service.cluster_ips and needs_address(ports, mesh):
        entry["addresses"] = list(addresses_to_share(service, mesh))
    entry["location"] = "MESH_INTERNAL"
    taken = _container_ports(service) if workloads else frozenset[str]()
    entry["ports"] = [_port(p, taken, mesh, workloads=workloads) for p in ports]
    if workloads:
        entry["resolution"] = "STATIC"
        entry["workloadSelector"] = {"labels": dict(sorted(service.selector.items()))}
    else:
        entry["resolution"] = "DNS"
        entry["endpoints"] = [{"address": service_host(service, mesh)}]
    entry["exportTo"] = export_to
    return {
        "apiVersion": ISTIO_API_VERSION,
        "kind": "ServiceEntry",
        "metadata": _metadata(alias, service, recreated_for),
        "spec": entry,
    }


def _metadata(alias: DnsAlias, service: Service, recreated_for: str) -> dict[str, Any]:
    meta: dict[str, Any] = {
        "name": alias.meta.name,
        "namespace": alias.meta.namespace,
        "labels": {MANAGED_BY_LABEL: OWN_MANAGER, ALIAS_LABEL: alias_label(alias.meta.name)},
    }
    annotations = {SERVICE_UID_ANNOTATION: service.meta.uid, RECREATED_FOR_ANNOTATION: recreated_for}
    if any(annotations.values()):
        meta["annotations"] = {k: v for k, v in annotations.items() if v}
    if alias.meta.uid:
        # In files no uid is known, and a reference without one would be refused by the API server.
        meta["ownerReferences"] = [owner_reference(alias)]
    return meta


def _container_ports(service: Service) -> frozenset[str]:
    """Names that ports of the Service's pods have for certain: a port of the entry with such a name leads there."""
    return frozenset(p.target_port for p in service.ports if isinstance(p.target_port, str))


def _port(port: ServicePort, taken: frozenset[str], mesh: Mesh, *, workloads: bool) -> dict[str, Any]:
    names = (f"p-{port.port}", *(f"p-{port.port}-{n}" for n in range(len(taken))))
    out: dict[str, Any] = {"number": port.port, "name": next(n for n in names if n not in taken)}
    protocol = service_protocol(port, mesh)
    if protocol is not Protocol.UNSET:
        out["protocol"] = protocol.value.upper()
    if workloads and isinstance(port.target_port, str):
        out["name"] = port.target_port
    elif workloads and isinstance(port.target_port, int) and port.target_port not in (0, port.port):
        out["targetPort"] = port.target_port
    return out
