"""Why a ServiceEntry of somebody else is not cured; None where nothing is to be said."""

from dnsalias_operator.core.entries.stands_for import StandsFor
from dnsalias_operator.core.istio.ambient import in_ambient_mode
from dnsalias_operator.core.istio.lacking import without_address
from dnsalias_operator.core.istio.listeners import holds
from dnsalias_operator.core.istio.protocols import PortClass, class_of, entry_protocol, routed
from dnsalias_operator.core.reasons import Reason, Why
from dnsalias_operator.core.traffic.backends import selects_pods_of
from dnsalias_operator.core.traffic.catch_all import catches_despite_address
from dnsalias_operator.core.traffic.takeover import Moved
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot


def no_address(world: Snapshot, entry: ServiceEntry, service: Service, rules: Rules) -> Why | None:
    """Why the Service has no address to give to the entry."""
    if rules.mesh.multi_cluster:
        return Why(
            Reason.MULTI_CLUSTER_UNSUPPORTED, f"the clusterIP of {service.key} belongs to one of several clusters"
        )
    ambient = next((n for n in (entry.meta.namespace, service.meta.namespace) if in_ambient_mode(world, n)), "")
    if ambient:
        return Why(
            Reason.AMBIENT_UNSUPPORTED,
            f"namespace {ambient} is in ambient mode, where two entries on one address replace each other, and the "
            f"clusterIP is {service.key}'s; call the Service by its own name, or use sidecars there",
        )
    if service.cluster_ips:
        return None
    if service.type == "ExternalName" or service.headless:
        return Why(
            Reason.SERVICE_HAS_NO_ADDRESS, f"{service.key} is {'headless' if service.headless else 'an ExternalName'}"
        )
    return Why(
        Reason.ADDRESS_UNKNOWN,
        f"{service.key} has no clusterIP yet; in files, add spec.clusterIPs as the cluster has it",
    )


def takes_anyway(after: ServiceEntry, mesh: Mesh) -> Why | None:
    """Why the entry takes any connection to a port whatever its addresses, or None (docs/istio.md, "Catch-alls")."""
    port = next(iter(catches_despite_address(after, mesh)), None)
    if port is None:
        return None
    message = (
        f"port {port} is HTTP_PROXY: sidecars open 0.0.0.0:{port} for it whatever its addresses are; give the port in "
        "the ServiceEntry the protocol TCP, or take it out"
    )
    return Why(Reason.HTTP_PROXY_UNSUPPORTED, message)


def stale(base: ServiceEntry, target: StandsFor) -> Why | None:
    """Why the addresses that the owner wrote are not the Service's, or None; a guessed Service is no reason."""
    service = target.service
    if service is None or target.inferred or without_address(base) or not service.cluster_ips:
        return None
    if holds(base.addresses, service.cluster_ips):
        return None
    message = (
        f"spec.addresses {list(base.addresses)} is set by its owner and none of it belongs to {service.key} "
        f"({', '.join(service.cluster_ips)}); remove the field there, and the operator fills it in"
    )
    return Why(Reason.STALE_ADDRESS, message)


def plaintext_endpoints(base: ServiceEntry, service: Service, mesh: Mesh) -> Why | None:
    """Why HTTP by a DNS endpoint may fail, or None.

    A port that is not HTTP, here or in the Service, is called at the Service's address, where its own listener takes
    the call; and a Service without selector has no pods that could ask for mTLS (docs/equivalence.md).
    """
    shared = (p for p in base.ports if routed(service, p.number, mesh))
    port = next((p for p in shared if class_of(entry_protocol(p)) is PortClass.HTTP), None)
    if port is None or not service.selector:
        return None
    message = (
        f"sidecars call the endpoint on port {port.number} in plaintext, which pods of "
        f"{service.key} refuse where mTLS is STRICT; set resolution STATIC and workloadSelector as the Service's "
        "selector, or delete the ServiceEntry and declare a DnsAlias instead"
    )
    return Why(Reason.PLAINTEXT_ENDPOINTS, message)


def first_at_pods(base: ServiceEntry, service: Service) -> Why | None:
    """Why an entry that selects the Service's pods is in its way there, or None.

    Of all services that a pod's port belongs to the oldest decides its protocol and names it in telemetry (measured;
    source: pilot/pkg/networking/core/listener_inbound.go).
    """
    if not selects_pods_of(base, service) or not {p.number for p in base.ports} & {p.port for p in service.ports}:
        return None
    born, elder = base.meta.created, service.meta.created
    if born is None or elder is None or born > elder:
        return None
    message = (
        f"it selects the pods of {service.key} and is older, so that they take its protocols and report as "
        f"{', '.join(base.hosts)}; delete and recreate the ServiceEntry (it must be younger), or declare a DnsAlias"
    )
    return Why(Reason.WOULD_SHADOW_SERVICE, message)


def takes(base: ServiceEntry, service: Service | None, harm: Moved, *, already: bool = False) -> Why:
    """What the entry would take with the clusterIP, or takes ``already`` by what its owner wrote, and what to do."""
    how = f"by spec.addresses {list(base.addresses)}, which its owner set" if already else "with the clusterIP"
    taken = f"{how}, {harm.describe(base.key, now=already)}"
    entry = harm.loser.kind == "ServiceEntry"
    if harm.bare:
        message = f"{taken}; take the HTTP ports to an entry of their own, which needs no address"
        return Why(Reason.WOULD_SHADOW_ENTRY if entry else Reason.WOULD_SHADOW_SERVICE, message)
    if entry:
        message = (
            f"{taken}, which lists that address; take port {harm.port} out of one of the two, "
            "or lead both to the Service (endpoints: its name)"
        )
        return Why(Reason.WOULD_SHADOW_ENTRY, message)
    if harm.mismatch:
        message = (
            f"{taken}: its port {harm.port} has another protocol class than the Service's; "
            "give the port in the ServiceEntry the Service port's protocol"
        )
        return Why(Reason.PROTOCOL_MISMATCH, message)
    if service is None or harm.loser != service.key:
        remedy = "; take that address out" if already else "; two Services have the address: wait or mend one"
        return Why(Reason.WOULD_SHADOW_SERVICE, taken + remedy)
    if harm.unseen:
        message = (
            f"{taken}: pods there have no listener of the Service's at that address, since they "
            "get the entry alone or it is not the Service's first one; import or export both, or lead the entry to the "
            "Service (endpoints: its name)"
        )
        return Why(Reason.WOULD_SHADOW_SERVICE, message)
    message = (
        f"{taken}: it is older than the Service or exported privately; delete and recreate the "
        "ServiceEntry (it must be younger), or declare a DnsAlias instead"
    )
    return Why(Reason.WOULD_SHADOW_SERVICE, message)
