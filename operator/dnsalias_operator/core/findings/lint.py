"""Coded faults of a world as it stands, computed from the objects and from `listeners`.

An ordered set of small checks, each named for the fault it finds; the same facts feed repair and conditions.
"""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import replace

from dnsalias_operator.core.aliases.decide import decide_alias
from dnsalias_operator.core.entries.decide import decide_entry
from dnsalias_operator.core.entries.ownership import all_in_range, claims_to_be_ours, is_contained, live_owner
from dnsalias_operator.core.entries.serves_alias import generated_entry
from dnsalias_operator.core.entries.stands_for import explicit, stands_for
from dnsalias_operator.core.findings import catalog, remedies
from dnsalias_operator.core.findings.ambient import AMBIENT_CHECKS, policies_past
from dnsalias_operator.core.findings.annotations import annotations_without_meaning
from dnsalias_operator.core.findings.at_root import at_root
from dnsalias_operator.core.findings.by_release import first_address_only, service_findings
from dnsalias_operator.core.findings.catch_all import catch_all, harm, hazard
from dnsalias_operator.core.findings.clusters import copied, read_in_other_clusters, stops_at_the_gateway
from dnsalias_operator.core.findings.envoy import plaintext_into_strict, refused_by_envoy
from dnsalias_operator.core.findings.names import reserved_host, unknown_endpoint
from dnsalias_operator.core.findings.one_address import shared_by_entries
from dnsalias_operator.core.findings.one_host import claimed_twice, mixed_addresses, sends_nowhere, shared_endpoints
from dnsalias_operator.core.findings.policies import led_elsewhere, policies_left_out
from dnsalias_operator.core.findings.refused import refused_by_istio
from dnsalias_operator.core.findings.service_names import named_as_service
from dnsalias_operator.core.findings.service_ports import port_not_on_service
from dnsalias_operator.core.findings.subject import Look
from dnsalias_operator.core.hosts.names import public_suffix
from dnsalias_operator.core.hosts.rules import asked_scope
from dnsalias_operator.core.istio.ambient import ambient_clients
from dnsalias_operator.core.istio.lacking import lacks_addresses, lacks_endpoints, not_repairable, without_address
from dnsalias_operator.core.istio.listeners import bound, holds, vips_within
from dnsalias_operator.core.istio.listeners.addresses import is_unspecified
from dnsalias_operator.core.istio.validation import Refusal, admitted, refusals, refusals_in
from dnsalias_operator.core.istio.visibility import Scope
from dnsalias_operator.core.outcome import AliasDecision, Finding, Hazard, Severity, State
from dnsalias_operator.core.reasons import Reason
from dnsalias_operator.core.traffic.backends import selects_pods_of
from dnsalias_operator.core.traffic.catch_all import catches_all
from dnsalias_operator.core.traffic.takeover import reach_of, takes_from
from dnsalias_operator.model.mesh import under
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot

_SAID_OTHERWISE = frozenset({Reason.OBSERVE_ONLY, Reason.STALE_ADDRESS, Reason.MATCHED_BY_SNI})
"""Reasons that are no fault of the entry, or have a finding of their own."""


def lint(world: Snapshot, rules: Rules, only: Container[Key] | None = None) -> tuple[Finding, ...]:
    """Every finding, worst first, then by object. The world is judged as it is, not as it would be repaired.

    ``only`` are the objects to judge; None stands for all of them.
    """
    entries = (entry for entry in world.entries() if only is None or entry.key in only)
    aliases = (alias.key for alias in world.aliases() if only is None or alias.key in only)
    services = (service for service in world.services() if only is None or service.key in only)
    there, refused = admitted(world, rules.mesh), refusals_in(world, rules.mesh)
    found = [f for entry in entries for f in entry_findings(there, entry, rules, known=refused)]
    found += [f for key in aliases for f in alias_findings(there, key, rules)]
    found += [f for service in services for f in service_findings(there, service, rules)]
    found += at_root(there, found, rules.mesh)
    return tuple(sorted(found, key=lambda f: f.order))


def entry_findings(
    world: Snapshot,
    entry: ServiceEntry,
    rules: Rules,
    *,
    counted: bool = False,
    known: Mapping[Key, tuple[Refusal, ...]] | None = None,
) -> list[Finding]:
    """The findings of one ServiceEntry.

    ``counted`` is for those who count findings and read no message: whom a catch-all reaches, which takes a look at
    everybody on its port, is left out of that. ``world`` is as Istio lets it be (`admitted`).
    ``known`` is what of each entry is refused, where that has been asked of all of them.
    What only another revision of istiod makes of it is found too.
    """
    found = _entry_findings(world, entry, rules, counted=counted, known=known)
    told = {(f.code, f.port): f for f in found}
    for each in list(rules.of_each_revision())[1:]:
        for finding in _entry_findings(world, entry, each, counted=counted, known=None):
            first = told.get((finding.code, finding.port))
            if first is None or finding.severity.rank < first.severity.rank:
                found = [f for f in found if f is not first]
                told[finding.code, finding.port] = replace(finding, message=under(each.mesh, finding.message))
                found.append(told[finding.code, finding.port])
    return found


def _entry_findings(
    world: Snapshot,
    entry: ServiceEntry,
    rules: Rules,
    *,
    counted: bool,
    known: Mapping[Key, tuple[Refusal, ...]] | None,
) -> list[Finding]:
    refused = refusals(entry, rules.mesh) if known is None else known.get(entry.key, ())
    found = [*refused_by_istio(entry, refused)]
    if found and not entry.meta.uid:
        return found
    decision = decide_entry(world, entry.key, rules)
    in_care = decision is not None and decision.selected
    target = stands_for(world, entry, rules) if in_care else explicit(world, entry, rules)
    look = Look(world, rules, entry, decision, target.service if target else None, counted)
    return found + [f for check in CHECKS for f in check(look)]


def lacks(look: Look) -> Iterator[Finding]:
    """An entry in our care, or one that names a Service, without addresses or endpoints."""
    relevant = look.service is not None or (look.decision is not None and look.decision.selected)
    if not relevant or not_repairable(look.entry) or look.outside or look.rules.mesh.remote:
        return
    service = look.service
    addresses = f" ({', '.join(service.cluster_ips)} of {service.key})" if service and service.cluster_ips else ""
    if lacks_addresses(look.entry) and not (service and service.headless):
        remedy = None if look.counted else remedies.without_address(look)
        message = f"spec.addresses is not set{addresses}"
        yield catalog.LACKS_ADDRESSES.at(look.entry.key, message, remedy=remedy, hazard=hazard(look))
    if lacks_endpoints(look.entry):
        message = f"spec.endpoints is not set: {', '.join(look.entry.hosts)} is what the sidecar resolves"
        remedy = None if look.counted else remedies.without_endpoints(look)
        yield catalog.LACKS_ENDPOINTS.at(look.entry.key, message, remedy=remedy, hazard=Hazard("no endpoints"))


def takes_over(look: Look) -> Iterator[Finding]:
    """An entry that gets the traffic of a Service whose address it lists (docs/istio.md, "Shared addresses")."""
    taken = takes_from(look.world, look.entry, look.rules.mesh)
    if taken is None:
        return
    where = reach_of(look.world, look.entry, taken, look.rules.mesh)
    if taken.bare:
        message = (
            f"shares http://{taken.address}:{taken.port} with {taken.loser}: istiod gives requests for the bare "
            f"address to one of the two by chance, for clients in {where}"
        )
        remedy = "remove the clusterIP from spec.addresses; HTTP ports are matched by Host and need none"
        yield catalog.SHADOWS_SERVICE.at(
            look.entry.key, message, port=taken.port, severity=Severity.WARNING, remedy=remedy
        )
        return
    message = f"takes {taken.address}:{taken.port} from {taken.loser} for clients in {where}"
    if taken.mismatch:
        why = f"{message}: its port has another protocol class than the Service's"
        yield catalog.TAKES_OVER_SERVICE.at(look.entry.key, why, port=taken.port)
        return
    service = look.world.service(taken.loser.namespace, taken.loser.name)
    same_pods = service is not None and selects_pods_of(look.entry, service)
    unseen = "the Service has no listener there (a Sidecar imports the entry alone, or it is a second address)"
    reason = unseen if taken.unseen else "it is older than the Service"
    why = f"{message}: {reason}, or it is exported to namespaces by name"
    # With the Service's own pods behind it the traffic still arrives (docs/istio.md, "Traffic under mTLS").
    severity = Severity.WARNING if same_pods else Severity.CRITICAL
    second = service is not None and taken.address in service.cluster_ips[1:]
    advice = remedies.takes_over(look, unseen=taken.unseen, second=second)
    yield catalog.SHADOWS_SERVICE.at(look.entry.key, why, port=taken.port, severity=severity, remedy=advice)


def stale_address(look: Look) -> Iterator[Finding]:
    """Addresses none of which belongs to the Service that the entry stands for."""
    entry, service = look.entry, look.service
    if service is None or not service.cluster_ips or not entry.addresses or without_address(entry):
        return
    contained = all_in_range if claims_to_be_ours(entry) else is_contained
    if holds(entry.addresses, service.cluster_ips) or contained(entry, look.rules):
        return
    have, want = ", ".join(entry.addresses), ", ".join(service.cluster_ips)
    remedy = None if look.counted else remedies.stale_address(look)
    yield catalog.STALE_ADDRESS.at(entry.key, f"spec.addresses is {have}, and {service.key} has {want}", remedy=remedy)


def covers_services(look: Look) -> Iterator[Finding]:
    """``0.0.0.0``, or a CIDR that holds clusterIPs."""
    for address in look.entry.addresses:
        if is_unspecified(address):
            catching = catches_all(look.entry, look.rules.mesh)
            severity = harm(look.entry, look.rules.mesh) if catching else Severity.WARNING
            to = " to sidecars" if ambient_clients(look.world, look.rules.mesh) else ""
            message = f"spec.addresses {address} acts as no address at all{to}"
            yield catalog.COVERS_SERVICES.at(look.entry.key, message, severity=severity, hazard=hazard(look))
        elif "/" in bound(address) and (inside := dict.fromkeys(s.key for _, s in vips_within(look.world, address))):
            named = ", ".join(map(str, list(inside)[:3])) + (" and others" if len(inside) > 3 else "")  # noqa: PLR2004
            yield catalog.COVERS_SERVICES.at(look.entry.key, f"spec.addresses {address} holds the clusterIP of {named}")


def cannot_repair(look: Look) -> Iterator[Finding]:
    """An entry in our care that is left unfixed, or contained, with the reason."""
    decided = look.decision
    if decided is None or not decided.selected or decided.why is None or decided.why.reason in _SAID_OTHERWISE:
        return
    message = f"{decided.why.reason}: {decided.why.message}"
    if decided.why.reason is Reason.NOT_REPAIRABLE:
        yield catalog.NOT_REPAIRABLE.at(look.entry.key, message)
    elif decided.state is State.CONTAINED and not decided.changes:
        yield catalog.CONTAINED.at(look.entry.key, message)
    else:
        # Entries for which there is no Service all wait for the same; every other reason is about this one.
        shared = Hazard(decided.why.reason) if decided.why.reason is Reason.NO_SERVICE else None
        yield catalog.CANNOT_CURE.at(
            look.entry.key, message, remedy=remedies.of_entry(decided.why.reason), hazard=shared
        )


def orphan(look: Look) -> Iterator[Finding]:
    """An entry with our marks whose DnsAlias does not exist."""
    if claims_to_be_ours(look.entry) and live_owner(look.world, look.entry) is None:
        yield catalog.ORPHAN.at(look.entry.key, "it carries this operator's label, and no living DnsAlias owns it")


CHECKS: tuple[Callable[[Look], Iterable[Finding]], ...] = (
    catch_all,
    lacks,
    takes_over,
    stale_address,
    claimed_twice,
    reserved_host,
    covers_services,
    unknown_endpoint,
    cannot_repair,
    port_not_on_service,
    *AMBIENT_CHECKS,
    read_in_other_clusters,
    copied,
    shared_by_entries,
    named_as_service,
    mixed_addresses,
    shared_endpoints,
    sends_nowhere,
    orphan,
    plaintext_into_strict,
    refused_by_envoy,
    first_address_only,
    lambda look: annotations_without_meaning(look.entry),
)


def alias_findings(world: Snapshot, key: Key, rules: Rules, decided: AliasDecision | None = None) -> Iterator[Finding]:
    """The findings of one DnsAlias: that it is not served, and why; ``decided`` saves a decision that was made."""
    decided = decided or decide_alias(world, key, rules)
    alias = world.alias(key.namespace, key.name)
    if decided is None or alias is None:
        return
    yield from annotations_without_meaning(alias)
    ready = decided.conditions[-1]
    if ready.status != "True":
        # Manifests in git have no clusterIP: that is no fault of theirs.
        severity = Severity.INFO if ready.reason == Reason.ADDRESS_UNKNOWN else None
        remedy = remedies.of_alias(ready.reason, ready.message)
        yield catalog.ALIAS_REFUSED.at(key, f"{ready.reason}: {ready.message}", severity=severity, remedy=remedy)
    if alias.spec and (suffix := public_suffix(alias.spec.host)):
        message = f"host {alias.spec.host} is under the public suffix {suffix}"
        yield catalog.PUBLIC_SUFFIX.at(key, message)
    service = world.service(key.namespace, alias.spec.service_ref.name) if alias.spec else None
    if alias.spec and service is not None and ready.status == "True":
        yield from led_elsewhere(world, alias, alias.spec.host, service, rules.mesh)
        if entry := _entry_of(world, decided):
            yield from policies_left_out(world, alias, entry, service, rules.mesh, decided)
            yield from stops_at_the_gateway(world, alias, entry, service, rules.mesh, decided)
            if world.get(entry.key) is None:
                yield from policies_past(world, entry, key, rules.mesh)
    if alias.spec and generated_entry(world, alias) is None:
        scope = asked_scope(world, rules, alias, alias.spec)
        others = (e for e in world.entries_for_host(alias.spec.host) if e.meta.namespace != key.namespace)
        elsewhere = [e for e in others if scope is None or Scope.of_claimant(e, rules.mesh).overlaps(scope)]
        if elsewhere:
            message = f"host {alias.spec.host} is claimed by {', '.join(str(e.key) for e in elsewhere)} too"
            yield catalog.HOST_CLAIMED_TWICE.at(key, message)


def _entry_of(world: Snapshot, decided: AliasDecision) -> ServiceEntry | None:
    """The entry that serves an alias, as it will be once the decision is written."""
    written = (c.after for c in reversed(decided.changes) if c.after and c.key.kind == "ServiceEntry")
    made = next((ServiceEntry.parse(after) for after in written), None)
    return made or world.entry(decided.key.namespace, decided.entry)
