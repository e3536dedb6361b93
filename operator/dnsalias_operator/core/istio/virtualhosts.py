"""Virtual hosts of an HTTP port: which service a request is routed to by its Host header.

Source: generateVirtualHostDomains, GenerateAltVirtualHosts and dedupeDomains in pilot/pkg/networking/core/httproute.go
at 1.31. VirtualServices are not followed.
"""

from dnsalias_operator.core.istio.clusters import cluster_of
from dnsalias_operator.core.istio.listeners import Client
from dnsalias_operator.core.istio.protocols import PortClass, class_of
from dnsalias_operator.core.istio.service_names import service_host, services_called
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.snapshot import Snapshot

ROUTED = frozenset({PortClass.HTTP, PortClass.HTTP_PROXY, PortClass.UNSET})
"""The classes whose ports have a virtual host."""


def domains(service: Service, namespace: str, mesh: Mesh) -> tuple[str, ...]:
    """The Host headers by which clients in ``namespace`` reach a Service's virtual host, without its addresses.

    The full name comes first; only in the Service's own namespace is its name alone one. Since 1.27 the full name may
    end with a dot. The pods of a headless Service have names under each.
    """
    full, own = service_host(service, mesh), f"{service.meta.name}.{service.meta.namespace}"
    found = [full, f"{own}.svc", own]
    if mesh.since(1, 27):
        found.append(f"{full}.")
    if namespace == service.meta.namespace:
        found.append(service.meta.name)
    if service.headless:
        found += [f"*.{name}" for name in found]
    return tuple(found)


def routed_to(world: Snapshot, client: Client, mesh: Mesh, host: str, port: int) -> str | None:
    """The hostname of the service that gets a client's request for ``host`` on that port; None: no virtual host has it.

    Whoever has the name for a hostname comes before a Service for which it is a shorter form.
    """
    if _has_virtual_host(world, client, mesh, host, port):
        return host
    for service in services_called(world, host, mesh):
        parent = host.partition(".")[2]
        known = domains(service, client.namespace, mesh)
        full = service_host(service, mesh)
        if (host in known or f"*.{parent}" in known) and _has_virtual_host(world, client, mesh, full, port):
            return full
    return None


def _has_virtual_host(world: Snapshot, client: Client, mesh: Mesh, hostname: str, port: int) -> bool:
    cluster = cluster_of(world, client, mesh, hostname, port)
    return cluster is not None and class_of(cluster.protocol) in ROUTED
