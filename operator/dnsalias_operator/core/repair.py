"""What a ServiceEntry of somebody else lacks, and the smallest patch that gives it that.

Every decision starts from the entry as its owners wrote it (our own fields taken off), so that a reason that is gone
takes its patch along. Source: facts/istio.md part 2 and 3; SSA's atomic lists: part 4.
"""

from dataclasses import dataclass, replace
from typing import Any

from dnsalias_operator.core.ambient import in_ambient_mode
from dnsalias_operator.core.backends import selects_pods_of
from dnsalias_operator.core.bareaddress import needs_address, routed
from dnsalias_operator.core.containment import containment_address, is_contained
from dnsalias_operator.core.destination import lost_requests
from dnsalias_operator.core.guard import Moved, as_oldest_if_unknown, catches_all, moved
from dnsalias_operator.core.hosts import addresses_to_share, service_host
from dnsalias_operator.core.ownership import patched_fields
from dnsalias_operator.core.protocols import PortClass, class_of, entry_protocol
from dnsalias_operator.core.stands_for import StandsFor, stands_for
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import Endpoint, ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot

DNS = frozenset({"DNS", "DNS_ROUND_ROBIN"})


@dataclass(frozen=True, slots=True)
class Cure:
    """What our manager should own in the entry, None for a field it should not, and what is left wrong.

    ``reason`` is "" where nothing is; ``contained`` where the addresses are a containment address.
    """

    addresses: tuple[str, ...] | None
    endpoints: tuple[str, ...] | None
    reason: str = ""
    message: str = ""
    contained: bool = False
    target: StandsFor | None = None

    @property
    def fields(self) -> dict[str, Any]:
        """The part of ``spec`` that our manager applies."""
        out: dict[str, Any] = {}
        if self.addresses is not None:
            out["addresses"] = list(self.addresses)
        if self.endpoints is not None:
            out["endpoints"] = [{"address": a} for a in self.endpoints]
        return out


def as_written(entry: ServiceEntry, rules: Rules) -> ServiceEntry:
    """The entry without what we put into it: the fields our manager owns, and an address of the containment range."""
    ours = patched_fields(entry)
    return replace(
        entry,
        addresses=() if "addresses" in ours or is_contained(entry, rules) else entry.addresses,
        endpoints=() if "endpoints" in ours else entry.endpoints,
    )


def without_address(entry: ServiceEntry) -> bool:
    """Whether it has no address of its own; ``0.0.0.0`` and its prefixes are none (facts/istio.md part 1)."""
    return entry.resolution != "DYNAMIC_DNS" and all(is_unspecified(a) for a in entry.addresses)


def lacks_addresses(entry: ServiceEntry) -> bool:
    """Whether it has no address of its own and needs one."""
    return without_address(entry) and needs_address(entry.ports)


def is_unspecified(address: str) -> bool:
    """Whether Istio takes the address for no address at all."""
    base = address.partition("/")[0]
    return base in ("0.0.0.0", "::")  # noqa: S104 (an address to compare with)


def lacks_endpoints(entry: ServiceEntry) -> bool:
    """Whether its resolution asks for endpoints and it has none."""
    return entry.resolution in DNS and not entry.endpoints and entry.workload_selector is None


def not_repairable(entry: ServiceEntry) -> str:
    """Why the API forbids the cure, or ""."""
    if entry.resolution == "DYNAMIC_DNS":
        return "resolution DYNAMIC_DNS forbids addresses and endpoints"
    if not entry.ports:
        return "it has no ports, so that it opens no listener"
    return ""


def cure(world: Snapshot, entry: ServiceEntry, rules: Rules) -> Cure:
    """What to own in the entry. ``world`` holds the entry as it is now; the entry itself may be patched already."""
    base = as_written(entry, rules)
    rest = world.with_changes({entry.key: base})
    target = stands_for(rest, base, rules)
    if done := _left_alone(rest, base, target, rules):
        return done
    service = target.service
    if service is None:
        return _contain(rest, entry, base, rules, target, target.reason, target.message)
    if fault := _no_address(rest, base, service, rules):
        return _contain(rest, entry, base, rules, target, *fault)
    wanted = Cure(
        addresses=addresses_to_share(service, rules.mesh) if lacks_addresses(base) else None,
        endpoints=(service_host(service, rules.mesh),) if lacks_endpoints(base) else None,
        target=target,
    )
    lost = lost_requests(rest, patched(base, wanted), service, rules.mesh)
    if lost:
        # The host itself may resolve to what has that port: an endpoint of ours would take that away.
        wanted = replace(wanted, endpoints=None)
    after = patched(base, wanted)
    blocked = moved(rest.with_changes({entry.key: None}), as_oldest_if_unknown(rest, after), after, rules.mesh)
    if blocked is None:
        # Missing endpoints are added beside a stale address of the owner's, which keeps the entry unfixed.
        reason, message = _stale(base, target)
        if not reason and lost:
            reason, message = lost
        if not reason and wanted.endpoints:
            reason, message = _plaintext(base, service)
        if not reason:
            reason, message = _first_at_pods(base, service)
        return replace(wanted, reason=reason, message=message)
    return _contain(rest, entry, base, rules, target, *_why(base, service, blocked))


def _no_address(world: Snapshot, entry: ServiceEntry, service: Service, rules: Rules) -> tuple[str, str] | None:
    """Why the Service has no address to give to the entry."""
    if rules.mesh.multi_cluster:
        return "MultiClusterUnsupported", f"the clusterIP of {service.key} belongs to one of several clusters"
    ambient = next((n for n in (entry.meta.namespace, service.meta.namespace) if in_ambient_mode(world, n)), "")
    if ambient:
        return "AmbientUnsupported", (
            f"namespace {ambient} is in ambient mode, where two entries on one address replace each other, and the "
            f"clusterIP is {service.key}'s; call the Service by its own name, or use sidecars there"
        )
    if service.cluster_ips:
        return None
    if service.type == "ExternalName" or service.headless:
        return "ServiceHasNoAddress", f"{service.key} is {'headless' if service.headless else 'an ExternalName'}"
    return "AddressUnknown", f"{service.key} has no clusterIP yet; in files, add spec.clusterIPs as the cluster has it"


def patched(base: ServiceEntry, wanted: Cure) -> ServiceEntry:
    """The entry as it will be."""
    return replace(
        base,
        addresses=base.addresses if wanted.addresses is None else wanted.addresses,
        endpoints=base.endpoints if wanted.endpoints is None else tuple(Endpoint(address=a) for a in wanted.endpoints),
    )


def _left_alone(world: Snapshot, base: ServiceEntry, target: StandsFor, rules: Rules) -> Cure | None:
    """The verdict on an entry that gets no patch: it lacks nothing, or what it lacks is not ours to give."""
    if forbidden := not_repairable(base):
        return Cure(None, None, "NotRepairable", forbidden, target=target)
    if any(is_unspecified(a) for a in base.addresses):
        message = f"spec.addresses {list(base.addresses)} is set by its owner and acts as no address; remove it there"
        return Cure(None, None, "AddressSetByOwner", message, target=target)
    if lacks_addresses(base) or lacks_endpoints(base):
        return None
    reason, message = _stale(base, target)
    if not reason and target.service is not None:
        lost = lost_requests(world, base, target.service, rules.mesh)
        reason, message = lost or _first_at_pods(base, target.service)
    return Cure(None, None, reason, message, target=target)


def _stale(base: ServiceEntry, target: StandsFor) -> tuple[str, str]:
    """Why the addresses that the owner wrote are not the Service's, or nothing; a guessed Service is no reason."""
    service = target.service
    if service is None or target.inferred or without_address(base) or not service.cluster_ips:
        return "", ""
    if set(base.addresses) & set(service.cluster_ips):
        return "", ""
    message = (
        f"spec.addresses {list(base.addresses)} is set by its owner and none of it belongs to {service.key} "
        f"({', '.join(service.cluster_ips)}); remove the field there, and the operator fills it in"
    )
    return "StaleAddress", message


def _plaintext(base: ServiceEntry, service: Service) -> tuple[str, str]:
    """Why HTTP by a DNS endpoint may fail, or nothing.

    A port that is not HTTP, here or in the Service, is called at the Service's address, where its own listener takes
    the call; and a Service without selector has no pods that could ask for mTLS (docs/equivalence.md).
    """
    shared = (p for p in base.ports if routed(service, p.number))
    port = next((p for p in shared if class_of(entry_protocol(p)) is PortClass.HTTP), None)
    if port is None or not service.selector:
        return "", ""
    message = (
        f"sidecars call the endpoint on port {port.number} in plaintext, which pods of "
        f"{service.key} refuse where mTLS is STRICT; set resolution STATIC and workloadSelector as the Service's "
        "selector, or delete the ServiceEntry and declare a DnsAlias instead"
    )
    return "PlaintextEndpoints", message


def _first_at_pods(base: ServiceEntry, service: Service) -> tuple[str, str]:
    """Why an entry that selects the Service's pods is in its way there, or nothing.

    Of all services that a pod's port belongs to the oldest decides its protocol and names it in telemetry (measured;
    source: pilot/pkg/networking/core/listener_inbound.go).
    """
    if not selects_pods_of(base, service) or not {p.number for p in base.ports} & {p.port for p in service.ports}:
        return "", ""
    born, elder = base.meta.created, service.meta.created
    if born is None or elder is None or born > elder:
        return "", ""
    message = (
        f"it selects the pods of {service.key} and is older, so that they take its protocols and report as "
        f"{', '.join(base.hosts)}; delete and recreate the ServiceEntry (it must be younger), or declare a DnsAlias"
    )
    return "WouldShadowService", message


def _why(base: ServiceEntry, service: Service, blocked: Moved) -> tuple[str, str]:
    taken = blocked.describe(base.key)
    if blocked.bare:
        message = f"with the clusterIP, {taken}; take the HTTP ports to an entry of their own, which needs no address"
        return "WouldShadowService", message
    if blocked.mismatch:
        message = (
            f"with the clusterIP, {taken}: its port {blocked.port} has another protocol class than the Service's; "
            "give the port in the ServiceEntry the Service port's protocol"
        )
        return "ProtocolMismatch", message
    if blocked.service != service.key:
        return "WouldShadowService", f"with the clusterIP, {taken}; two Services have the address: wait or mend one"
    if blocked.unseen:
        message = (
            f"with the clusterIP, {taken}: pods there get the entry and not the Service; import or export both, or "
            "lead the entry to the Service (endpoints: its name)"
        )
        return "WouldShadowService", message
    message = (
        f"with the clusterIP, {taken}: it is older than the Service or exported privately; delete and recreate the "
        "ServiceEntry (it must be younger), or declare a DnsAlias instead"
    )
    return "WouldShadowService", message


def _contain(
    world: Snapshot,
    entry: ServiceEntry,
    base: ServiceEntry,
    rules: Rules,
    target: StandsFor,
    reason: str,
    message: str,
) -> Cure:
    """Give a catch-all an address of its own; anything else stays as its owner wrote it."""
    unfixed = Cure(None, None, reason, message, target=target)
    if not lacks_addresses(base) or not catches_all(base, rules.mesh):
        return unfixed
    if not rules.containment:
        return _keep(world, entry, unfixed)
    address = containment_address(world, entry, rules)
    if not address:
        return replace(unfixed, message=f"{message}; and no address is free in {rules.containment_range}")
    service = target.service
    reachable = service is not None and not service.headless and service.type != "ExternalName"
    return Cure(
        addresses=(address,),
        endpoints=(service_host(service, rules.mesh),) if service and reachable and lacks_endpoints(base) else None,
        reason=reason,
        message=message,
        contained=True,
        target=target,
    )


def _keep(world: Snapshot, entry: ServiceEntry, unfixed: Cure) -> Cure:
    """Without containment, an address that we patched in stays while no Service has it: better stale than catch-all."""
    ours = patched_fields(entry)
    if "addresses" not in ours or any(world.services_at(a) for a in entry.addresses):
        return unfixed
    endpoints = tuple(e.address for e in entry.endpoints) if "endpoints" in ours else None
    message = f"{unfixed.message}; it keeps {', '.join(entry.addresses)} so that it takes no other traffic"
    return replace(unfixed, addresses=entry.addresses, endpoints=endpoints, reason="StaleAddress", message=message)
