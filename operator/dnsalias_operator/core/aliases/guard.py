"""What keeps the entry of an alias from being written: whose calls it would take or lose."""

from dataclasses import replace

from dnsalias_operator.core.aliases.case import Case
from dnsalias_operator.core.entries.stands_for import stands_for
from dnsalias_operator.core.hosts.names import public_suffix
from dnsalias_operator.core.istio.listeners import sees
from dnsalias_operator.core.istio.listeners.addresses import exact_addresses
from dnsalias_operator.core.istio.listeners.imports import imports_of
from dnsalias_operator.core.outcome import Refusal
from dnsalias_operator.core.reasons import Reason
from dnsalias_operator.core.traffic.callers import cut_off
from dnsalias_operator.core.traffic.catch_all import let_in, matched_by_address, silenced
from dnsalias_operator.core.traffic.policies import tls_left_out
from dnsalias_operator.core.traffic.takeover import Moved, as_youngest, moved
from dnsalias_operator.core.traffic.takeover_of_entries import displaced, first, first_with_host
from dnsalias_operator.model.mesh import Mesh, under
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.sidecar import Sidecar
from dnsalias_operator.model.snapshot import Snapshot
from dnsalias_operator.model.status import ACCEPTED


def hindrance(
    case: Case, entry: ServiceEntry, service: Service, routed: tuple[int, ...], *, served: bool
) -> Refusal | None:
    """Why the entry may not be written for the alias under some revision of istiod, None where it may.

    ``routed`` are the ports whose calls take the Service's cluster. ``served`` is whether the alias has its entry: then
    neither what its own callers lack nor what others have done without is a reason to delete it, which would cut its
    callers off.
    """
    for rules in case.rules.of_each_revision():
        if fault := _hindrance(replace(case, rules=rules), entry, service, routed, served=served):
            beside = rules.mesh is not case.rules.mesh
            return replace(fault, message=under(rules.mesh, fault.message)) if beside else fault
    return None


def _hindrance(
    case: Case, entry: ServiceEntry, service: Service, routed: tuple[int, ...], *, served: bool
) -> Refusal | None:
    without, mesh = case.world.with_changes({entry.key: None}), case.rules.mesh
    if blocked := _takes(case, without, entry):
        return _would_take(blocked, entry)
    if caught := matched_by_address(case.world, entry, mesh):
        return _would_catch(*min(caught), entry, case.rules)
    if served:
        return None
    beside = without.with_changes({entry.key: entry})
    if lost := _takes_host(case, without, beside, entry, service) or _silenced(case, without, beside, entry):
        return lost
    if unheard := _unheard(case.world, entry, mesh):
        return _would_not_listen(*unheard, entry.hosts[0])
    own = not set(entry.addresses) <= set(service.cluster_ips)
    rule = tls_left_out(beside, entry, service, mesh, routed) if own else None
    return _would_pass_by(rule, service, entry) if rule else None


def _takes(case: Case, without: Snapshot, entry: ServiceEntry) -> Moved | None:
    """Whose traffic the entry would take: a Service's, or that of an entry which had the host before the alias."""
    mesh = case.rules.mesh
    taken = moved(without, as_youngest(without, entry), entry, mesh)
    inside = not any(map(public_suffix, entry.hosts))
    return taken or displaced(without, entry, case.alias.meta.created, mesh, inside=inside)


def _takes_host(
    case: Case, without: Snapshot, beside: Snapshot, entry: ServiceEntry, service: Service
) -> Refusal | None:
    """Why the entry may not take the host in its own namespace from one that was there first; None where it may."""
    mesh = case.rules.mesh
    for _, other in first_with_host(without, entry, case.alias.meta.created, mesh):
        if cut := cut_off(without, beside, other, other, service, mesh, known=exact_addresses(other)):
            message = f"{cut.describe(other.key)}, since {entry.key} would have its host; choose another host"
            return Refusal(Reason.WOULD_SHADOW_ENTRY, message, ACCEPTED)
        for port in (p.number for p in other.ports):
            if taker := let_in(without, beside, entry.meta.namespace, port, mesh):
                message = (
                    f"in namespace {entry.meta.namespace} {other.key} keeps {taker} from being a catch-all on port "
                    f"{port}, and {entry.key} would have its host there; fix {taker} first, or choose another host"
                )
                return Refusal(Reason.WOULD_SHADOW_ENTRY, message, ACCEPTED)
    return None


def _silenced(case: Case, without: Snapshot, beside: Snapshot, entry: ServiceEntry) -> Refusal | None:
    """Why the entry may not take the wildcard address from a catch-all that was there first; None where it may.

    Where a Service is what that one stands for, its callers may have another way there.
    """
    since, mesh = case.alias.meta.created, case.rules.mesh
    for other, port in silenced(without, beside, entry, mesh):
        if not first(other, since):
            continue
        service, public = stands_for(case.world, other, case.rules).service, any(map(public_suffix, other.hosts))
        if service is None or cut_off(without, beside, other, other, service, mesh, public=public):
            message = (
                f"on port {port} {entry.key} would take the wildcard address from {other.key}, by which alone its "
                "callers reach what they dial (outboundTrafficPolicy is REGISTRY_ONLY, or a DestinationRule or "
                "VirtualService is bound to its host); fix that entry first, or "
                "limit spec.ports to other ports"
            )
            return Refusal(Reason.WOULD_SHADOW_ENTRY, message, ACCEPTED)
    return None


def _would_take(blocked: Moved, entry: ServiceEntry) -> Refusal:
    if blocked.loser.kind == "ServiceEntry":
        ports = " or other ports" if len(entry.ports) > 1 else ""
        message = f"{blocked.describe(entry.key)}, which was there first; choose another host{ports}"
        return Refusal(Reason.WOULD_SHADOW_ENTRY, message, ACCEPTED)
    message = f"{blocked.describe(entry.key)}; limit spec.ports to other ports, or fix what else claims that address"
    return Refusal(Reason.WOULD_SHADOW_SERVICE, message, ACCEPTED)


def _would_catch(namespace: str, port: int, entry: ServiceEntry, rules: Rules) -> Refusal:
    why = f"no address is free in {rules.containment_range}" if rules.containment else "containment is switched off"
    limit = ", or limit spec.ports to other ports" if len(entry.ports) > 1 else ""
    message = (
        f"{entry.key} would take every connection to port {port} of pods in namespace {namespace}, where a Sidecar "
        f"takes that port for bytes, and {why}; give its egress port the protocol HTTP{limit}"
    )
    return Refusal(Reason.WOULD_CATCH_ALL, message, ACCEPTED)


def _would_pass_by(rule: Key, service: Service, entry: ServiceEntry) -> Refusal:
    message = (
        f"{rule} adds TLS to calls of {service.key}; the alias needs an address of its own, and calls by it would go "
        f"without that TLS; create a DestinationRule with the same trafficPolicy for host {entry.hosts[0]} as well"
    )
    return Refusal(Reason.WOULD_CUT_OFF_CALLERS, message, ACCEPTED)


def _unheard(world: Snapshot, entry: ServiceEntry, mesh: Mesh) -> tuple[Sidecar, int] | None:
    """A Sidecar whose pods resolve the host to an address that istiod allocates and have no listener for a port there.

    They capture DNS and import the entry on some port, but the egress listener for that very port leaves it out.
    """
    if not mesh.dns_capture or entry.addresses:
        return None
    own, host = entry.meta.namespace, entry.hosts[0]
    for sidecar in (s for s in world.sidecars() if s.egress and sees(entry, s.meta.namespace, mesh)):
        namespace = sidecar.meta.namespace
        imported = [(e.port, imports_of(e.hosts, namespace, mesh).meant_by(own, host)) for e in sidecar.egress]
        if not any(found for _, found in imported):
            continue
        for port in (p.number for p in entry.ports):
            listener = port if any(number == port for number, _ in imported) else None
            if not any(found for number, found in imported if number == listener):
                return sidecar, port
    return None


def _would_not_listen(sidecar: Sidecar, port: int, host: str) -> Refusal:
    message = (
        f"pods of {sidecar.key} would resolve {host} to an address that istiod allocates, and its egress listener for "
        f"port {port} does not import it, so that nobody answers there; add {host} to the hosts of that listener"
    )
    return Refusal(Reason.WOULD_CUT_OFF_CALLERS, message, ACCEPTED)
