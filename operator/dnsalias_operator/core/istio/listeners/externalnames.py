"""The names that ExternalName Services give to another service: they join the SNI match of its TLS chains.

Source: resolveServiceAliases in pilot/pkg/model/push_context.go, matchingAliasService in pilot/pkg/model/sidecar.go,
buildSidecarOutboundTLSFilterChainOpts in pilot/pkg/networking/core/tls.go, GenerateAltVirtualHosts in
pilot/pkg/networking/core/httproute.go.
"""

from dnsalias_operator.core.istio.listeners.scope import Egress
from dnsalias_operator.core.istio.listeners.services import Upstream, service_key
from dnsalias_operator.core.istio.service_names import service_host
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.snapshot import Snapshot


def other_names(upstream: Upstream, snapshot: Snapshot, egress: Egress, mesh: Mesh) -> tuple[str, ...]:
    """Every name by which a client in the egress listener's namespace may call the service beside its hostname.

    An alias counts where the hosts that import the service match its name too; its own exportTo does not matter. Before
    1.21 an ExternalName Service is no alias (ENABLE_EXTERNAL_NAME_ALIAS in pilot/pkg/features/pilot.go).
    """
    hosts = egress.hosts_of(upstream) if mesh.since(1, 21) else None
    aliases = _pointing_to(upstream.hostname, snapshot, mesh) if hosts else ()
    return tuple(
        name
        for alias in aliases
        if hosts and hosts.matches(service_host(alias, mesh))
        for name in _forms(alias, egress.namespace, mesh)
    )


def _pointing_to(hostname: str, snapshot: Snapshot, mesh: Mesh) -> list[Service]:
    """ExternalName Services that end at this name, over others of their kind too, by namespace and name.

    A name that is an ExternalName Service's own is the end of nothing.
    """
    first = snapshot.aliases_to(hostname)
    key = service_key(hostname, mesh)
    named = snapshot.service(key.namespace, key.name) if first and key else None
    if named and named.type == "ExternalName" and named.external_name:
        return []
    found = {service.key: service for service in first}
    todo = list(first)
    while todo:
        further = [s for s in snapshot.aliases_to(service_host(todo.pop(), mesh)) if s.key not in found]
        found.update((s.key, s) for s in further)
        todo += further
    seen = (service for service in found.values() if mesh.discovers(service.meta.namespace))
    return sorted(seen, key=lambda s: (s.meta.namespace, s.meta.name))


def _forms(alias: Service, namespace: str, mesh: Mesh) -> tuple[str, ...]:
    """An alias's name in full, since 1.27 with the final dot, and as short as a client of that namespace may say."""
    full, short = service_host(alias, mesh), f"{alias.meta.name}.{alias.meta.namespace}"
    own = (alias.meta.name,) if alias.meta.namespace == namespace else ()
    absolute = (f"{full}.",) if mesh.since(1, 27) else ()
    return (full, *absolute, *own, short, f"{short}.svc")
