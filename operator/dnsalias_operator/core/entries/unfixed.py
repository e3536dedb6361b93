"""Why a ServiceEntry of somebody else is not fixed; None where there is nothing to say."""

from dnsalias_operator.core.entries.ownership import patched_fields
from dnsalias_operator.core.entries.stands_for import StandsFor
from dnsalias_operator.core.istio.ambient import ambient_clients
from dnsalias_operator.core.istio.clusters import leads_to_gateways
from dnsalias_operator.core.istio.lacking import lacks_addresses, narrowed_by_address, without_address
from dnsalias_operator.core.istio.listeners import holds
from dnsalias_operator.core.istio.protocols import PortClass, class_of, entry_protocol, routed
from dnsalias_operator.core.istio.sharing import forbidden
from dnsalias_operator.core.istio.topology import NOT_READ
from dnsalias_operator.core.reasons import Reason, Why
from dnsalias_operator.core.traffic.backends import selects_pods_of
from dnsalias_operator.core.traffic.catch_all import catches_despite_address, matched_by_address
from dnsalias_operator.core.traffic.shared_name import Misled
from dnsalias_operator.core.traffic.takeover import Moved
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import SERVICE_ANNOTATION, Key
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot

_SELECT_PODS = (
    "set location MESH_INTERNAL, resolution STATIC and the Service's selector as workloadSelector, or delete the "
    "ServiceEntry and declare a DnsAlias instead"
)
"""For all ports at once: entries of one host that differ in resolution do not get along (docs/istio.md, "One host")."""


def no_address(world: Snapshot, base: ServiceEntry, service: Service, rules: Rules) -> Why | None:
    """Why the Service has no address to give to the entry."""
    if lacks_addresses(base) and (none_shared := forbidden(world, rules.mesh)):
        return Why(
            none_shared.reason,
            f"{none_shared.about}, and {none_shared.harm} of {service.key}; "
            "declare a DnsAlias instead, which gets an address of its own",
        )
    if service.cluster_ips:
        return None
    if service.type == "ExternalName" or service.headless:
        kind = "headless" if service.headless else "an ExternalName"
        message = (
            f"{service.key} is {kind}; annotate the entry {SERVICE_ANNOTATION}: <name> of a Service with a clusterIP"
        )
        return Why(Reason.SERVICE_HAS_NO_ADDRESS, message)
    return Why(
        Reason.ADDRESS_UNKNOWN,
        f"{service.key} has no clusterIP yet; in files, add spec.clusterIPs as the cluster has it",
    )


def not_read(mesh: Mesh) -> Why | None:
    """Why nothing is written into any entry: nobody reads those of this cluster."""
    if not mesh.remote:
        return None
    return Why(Reason.NOT_READ_HERE, f"{NOT_READ}; declare it there instead, and delete it here")


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


def given_before(world: Snapshot, entry: ServiceEntry, rules: Rules) -> Why | None:
    """Why a clusterIP that we gave to the entry stays, though it may be shared no longer; None where it has none.

    Measured: where an entry that shares an address is patched to another one, or the address is taken out, the Service
    is closed to clients in ambient mode until one of its pods changes. Delete and create does not do that.
    """
    about = ambient_clients(world, rules.mesh) if "addresses" in patched_fields(entry) else ""
    shared = next((s for a in entry.addresses for s in world.services_at(a)), None) if about else None
    if shared is None:
        return None
    return Why(
        Reason.AMBIENT_CLIENTS,
        f"{about}, and the entry shares the clusterIP of {shared.key}, which was given to it when there were none; "
        "delete the ServiceEntry and create it again without spec.addresses (a change in place would close the Service "
        "to ambient clients), or declare a DnsAlias instead",
    )


def caught(world: Snapshot, after: ServiceEntry, mesh: Mesh) -> Why | None:
    """Why the entry takes any connection for some clients though it has what it needs: a Sidecar makes it do so."""
    place = min(matched_by_address(world, after, mesh), default=None)
    if place is None:
        return None
    namespace, port = place
    return Why(
        Reason.WOULD_CATCH_ALL,
        f"a Sidecar of namespace {namespace} takes port {port} for bytes, so that the entry takes every connection to "
        "it there; give that egress port the protocol HTTP",
    )


def matched_by_sni(base: ServiceEntry, service: Service | None) -> Why | None:
    """Why an entry that stands for a Service is right without the Service's address; None where that is no question."""
    port = narrowed_by_address(base) if service is not None and service.cluster_ips else None
    if service is None or port is None:
        return None
    return Why(
        Reason.MATCHED_BY_SNI,
        f"port {port} is matched by SNI on every address that clients dial; it needs no address, and the clusterIP "
        f"of {service.key} would narrow it to that one",
    )


def uncovers(port: int, other: Key) -> Why:
    """Why an entry stays where it is for now: what is behind it is worse for others."""
    return Why(
        Reason.UNCOVERS_CATCH_ALL,
        f"{other} is a catch-all behind it on port {port}, and would take HTTP of others there, which this entry lets "
        f"pass; fix {other} first",
    )


def unserves(port: int, other: Key) -> Why:
    """Why an entry stays where it is for now: another one is found in its chain."""
    return Why(
        Reason.WOULD_CUT_OFF_CALLERS,
        f"HTTP to {other} on port {port} is found by its Host in this entry's listener where it is sent to an address "
        f"that {other} does not list; with this entry gone from there it would be blocked, or pass by what is bound to "
        f"that host; give port {port} of {other} the protocol HTTP",
    )


def misleads(led: Misled) -> Why:
    """Why an entry gets no clusterIP beside another one of its host."""
    return Why(
        Reason.WOULD_CUT_OFF_CALLERS,
        f"with DNS capture {led.host} resolves to the addresses of {led.other} too, and with the clusterIP calls to "
        f"its port {led.port} would reach {led.service}; merge the two entries into one",
    )


def narrowed(base: ServiceEntry) -> Why | None:
    """Why the entry may get no address at all: it would be served at that one alone, and callers dial others."""
    port = narrowed_by_address(base) if lacks_addresses(base) else None
    if port is None:
        return None
    return Why(
        Reason.WOULD_CUT_OFF_CALLERS,
        f"port {port} is matched by SNI on every address that clients dial, and an address would narrow it to that "
        f"one; give port {port} an entry of its own",
    )


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
    the call; and a Service without selector has no pods that could ask for mTLS (docs/equivalence.md). Gateways ask for
    none: no PeerAuthentication applies to them, and a Service shows by itself here that it leads to some.
    """
    shared = (p for p in base.ports if routed(service, p.number, mesh))
    port = next((p for p in shared if class_of(entry_protocol(p)) is PortClass.HTTP), None)
    if port is None or not service.selector or leads_to_gateways(service.selector, {p.port for p in service.ports}):
        return None
    message = (
        f"sidecars call the endpoint on port {port.number} in plaintext, which pods of "
        f"{service.key} refuse where mTLS is STRICT; {_SELECT_PODS}"
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
        pods = service is not None and service.selector and harm.loser == service.key
        remedy = _SELECT_PODS if pods else "take the HTTP ports to an entry of their own, which needs no address"
        message = f"{taken}; {remedy}"
        return Why(Reason.WOULD_SHADOW_ENTRY if entry else Reason.WOULD_SHADOW_SERVICE, message)
    if entry:
        message = f"{taken}, which lists that address; take port {harm.port} out of one of the two"
        return Why(Reason.WOULD_SHADOW_ENTRY, message)
    if harm.mismatch:
        message = (
            f"{taken}: its port {harm.port} has another protocol class than the Service's; "
            "give the port in the ServiceEntry the Service port's protocol"
        )
        return Why(Reason.PROTOCOL_MISMATCH, message)
    if service is None or harm.loser != service.key:
        remedy = (
            "; list an address that no Service has instead"
            if already
            else "; two Services have the address: wait or fix one"
        )
        return Why(Reason.WOULD_SHADOW_SERVICE, taken + remedy)
    if harm.unseen:
        message = (
            f"{taken}: pods there have no listener of the Service's at that address, since they "
            "get the entry alone or it is not the Service's first one; import or export both, or lead the entry to the "
            "Service (endpoints: its name, and no targetPort)"
        )
        return Why(Reason.WOULD_SHADOW_SERVICE, message)
    # Without an address, what only some namespaces get would be a catch-all for all of them until it is repaired.
    wider = not already and "*" not in (base.export_to or ("*",))
    beside = f" with spec.addresses {[harm.address]}" if wider else ""
    message = (
        f"{taken}: it is older than the Service or exported privately; delete and recreate the "
        f"ServiceEntry (it must be younger) exported to '*'{beside}, or declare a DnsAlias instead"
    )
    return Why(Reason.WOULD_SHADOW_SERVICE, message)
