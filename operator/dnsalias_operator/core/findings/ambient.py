"""Faults of an entry that only clients in ambient mode meet: checks of `lint`, computed from `istio.ambient`.

None of them is one where there are no such clients. Source: docs/ambient.md, "What a client gets".
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from dnsalias_operator.core.entries.ownership import live_owner
from dnsalias_operator.core.findings import ambient_faults, catalog
from dnsalias_operator.core.findings.subject import Look
from dnsalias_operator.core.istio.ambient import (
    ServiceRecord,
    ambient_clients,
    asked_waypoint,
    chosen,
    in_ambient_mode,
    may_be_ambient,
    records_at,
)
from dnsalias_operator.core.istio.ambient.records import without_masked_bits
from dnsalias_operator.core.istio.ambient.workloads import takes_hbone
from dnsalias_operator.core.istio.clusters import of_pods
from dnsalias_operator.core.istio.lacking import DNS
from dnsalias_operator.core.istio.listeners.services import service_key
from dnsalias_operator.core.outcome import Finding, Severity
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import ISTIO_GROUP, WAYPOINT_LABELS, Key
from dnsalias_operator.model.peerauthentication import MtlsMode
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot

NOBODY = ""
"""As a namespace: one that has no record at the address."""


def shared_with_ambient(look: Look) -> Iterator[Finding]:
    """An entry that has an address of a Service, or of another entry, where clients in ambient mode are about."""
    about = ambient_clients(look.world, look.rules.mesh) if look.entry.addresses else ""
    for address in filter(None, map(without_masked_bits, look.entry.addresses)) if about else ():
        there = records_at(look.world, address, look.rules.mesh) if "/" not in address else ()
        own = next((r for r in there if r.owner == look.entry.key), None)
        service = next((r for r in there if r.owner.kind == "Service"), None)
        if service is not None:
            message = (
                f"{about}, and spec.addresses has the clusterIP of {service.owner}: {_who(there, look.rules.mesh)}; "
                "ports that the one lacks are reset, and calls by DNS endpoints are in plaintext"
            )
            yield catalog.SHARED_WITH_AMBIENT.at(look.entry.key, message)
            return
        others = [r for r in there if r.owner != look.entry.key and own and not _alike(look.world, own, r)]
        if own and others:
            message = (
                f"{about}, and {others[0].owner} has {address} too: {_who(there, look.rules.mesh)}; ports that the one "
                "lacks are reset"
            )
            yield ambient_faults.SHARED_BY_AMBIENT_ENTRIES.at(look.entry.key, message)
            return


def cuts_off_by_prefix(look: Look) -> Iterator[Finding]:
    """A prefix whose every address is reset for clients in ambient mode."""
    entry, mesh = look.entry, look.rules.mesh
    about = ambient_clients(look.world, mesh) if mesh.since(1, 30) and entry.resolution != "NONE" else ""
    prefixes = [a for a in map(without_masked_bits, entry.addresses) if "/" in a] if about else []
    if prefixes:
        message = (
            f"{about}: calls there to any address in {', '.join(prefixes)} that no other record has exactly are reset, "
            "on every port, and those to pods in it are in plaintext"
        )
        yield ambient_faults.CUTS_OFF_BY_PREFIX.at(entry.key, message)


def leads_a_service_name(look: Look) -> Iterator[Finding]:
    """A Service's full name for a host, in another namespace, whose ambient clients are led to the entry by it."""
    entry, mesh = look.entry, look.rules.mesh
    if not may_be_ambient(look.world, entry.meta.namespace, mesh):
        return
    for host in entry.hosts:
        key = service_key(host, mesh)
        service = look.world.service(key.namespace, key.name) if key else None
        if service is not None and service.type != "ExternalName" and key and key.namespace != entry.meta.namespace:
            message = (
                f"host {host} is the name of {service.key}: pods in ambient mode in namespace {entry.meta.namespace} "
                "that call it are led to this entry"
            )
            yield ambient_faults.LEADS_A_SERVICE_NAME.at(entry.key, message)


def plaintext_in_ambient(look: Look) -> Iterator[Finding]:
    """An endpoint that is a Service of pods in ambient mode: ztunnel calls its clusterIP without a tunnel."""
    entry, mesh = look.entry, look.rules.mesh
    if not ambient_clients(look.world, mesh) or asked_waypoint(look.world, entry.meta) is not None:
        return
    if live_owner(look.world, entry) is not None:
        return  # the conditions of its alias say it
    for service in _led_to(look.world, entry, mesh):
        if not service.selector or not in_ambient_mode(look.world, service.meta.namespace):
            continue
        strict = any(
            demand.mode is MtlsMode.STRICT
            for demand in of_pods(look.world, service.meta.namespace, service.selector, None, mesh)
        )
        tunnel, _ = takes_hbone(entry.meta)
        past = "mTLS and its waypoint" if asked_waypoint(look.world, service.meta) is not None else "mTLS"
        how = f"in plaintext, past {past}"
        if tunnel:
            how = "its annotation makes them dial port 15008 of the clusterIP, where nobody listens"
        closed = ", which its pods refuse (STRICT)" if strict and not tunnel else ""
        message = f"calls by pods in ambient mode go to {service.key} by an endpoint: {how}{closed}"
        same = service.meta.namespace == entry.meta.namespace
        yield ambient_faults.PLAINTEXT_IN_AMBIENT.at(
            entry.key,
            message,
            severity=Severity.CRITICAL if strict or tunnel else None,
            remedy=None if same else "delete it and declare a DnsAlias instead",
        )
        return


def selects_elsewhere(look: Look) -> Iterator[Finding]:
    """A selector of a Service's pods in another namespace: entries select pods of their own alone."""
    entry, selector = look.entry, look.entry.workload_selector
    if not selector or entry.endpoints or not ambient_clients(look.world, look.rules.mesh):
        return
    if any(_may_share_pods(s.selector, selector) for s in look.world.services_in(entry.meta.namespace)):
        return
    meant = _by_selector(look.world).get(frozenset(selector.items()))
    if meant is not None:
        message = (
            f"its workloadSelector is that of {meant.key}, and selects pods of namespace {entry.meta.namespace} "
            "alone, where no Service has such pods: calls are reset"
        )
        remedy = f"move the entry to namespace {meant.meta.namespace}, or delete it and declare a DnsAlias there"
        yield ambient_faults.SELECTS_ELSEWHERE.at(entry.key, message, remedy=remedy)


def past_the_waypoint(look: Look) -> Iterator[Finding]:
    """An entry that selects a Service's pods, and does not have the Service's waypoint."""
    entry, selector = look.entry, look.entry.workload_selector
    if not selector or not ambient_clients(look.world, look.rules.mesh):
        return
    own = asked_waypoint(look.world, entry.meta)
    for service in look.world.services_in(entry.meta.namespace):
        asked = asked_waypoint(look.world, service.meta) if service.selector == selector else None
        if asked is not None and asked != own:
            labels = {WAYPOINT_LABELS[0]: asked[1]}
            if asked[0] != entry.meta.namespace:
                labels[WAYPOINT_LABELS[1]] = asked[0]
            listed = ", ".join(f"{name}: {value}" for name, value in labels.items())
            message = (
                f"calls by pods in ambient mode go to the pods of {service.key} past its waypoint {asked[0]}/{asked[1]}"
                f"{f', by waypoint {own[0]}/{own[1]}' if own else ''}: its routes and policies do not apply"
            )
            yield ambient_faults.PAST_THE_WAYPOINT.at(entry.key, message, remedy=f"label it {listed}")
            return


def policies_not_at_entry(look: Look) -> Iterator[Finding]:
    """An entry of a Service's pods that a policy attached to the Service is not attached to."""
    return policies_past(look.world, look.entry, look.entry.key, look.rules.mesh)


def policies_past(world: Snapshot, entry: ServiceEntry, key: Key, mesh: Mesh) -> Iterator[Finding]:
    """The policies of a Service that do not apply to calls by an entry of its pods; the findings are in ``key``.

    A waypoint applies such a policy to calls by the named object alone, so that it lets the entry's calls through.
    Source: pilot/pkg/model/policyattachment.go.
    """
    selector = entry.workload_selector
    policies = world.authorization_policies_in(entry.meta.namespace) if selector else []
    if not policies or not ambient_clients(world, mesh):
        return
    for service in world.services_in(entry.meta.namespace):
        if service.selector != selector:
            continue
        for policy in policies:
            if policy.covers_service(service.meta.name) and not policy.covers_entry(entry.meta.name):
                message = (
                    f"{policy.key} is attached to {service.key} and not to {entry.key}, which leads to the same pods: "
                    f"calls to {', '.join(entry.hosts)} by pods in ambient mode go without it"
                )
                ref = f"{{group: {ISTIO_GROUP}, kind: ServiceEntry, name: {entry.meta.name}}}"
                remedy = f"add {ref} to spec.targetRefs of {policy.key}"
                yield ambient_faults.POLICY_NOT_AT_ENTRY.at(key, message, remedy=remedy)


def _who(there: tuple[ServiceRecord, ...], mesh: Mesh) -> str:
    """Who answers for whom at an address of these records."""
    told = [
        f"those of namespace {namespace} reach {_one_of(chosen(there, namespace, mesh))}"
        for namespace in sorted({r.namespace for r in there})
    ]
    return f"clients of other namespaces reach {_one_of(chosen(there, NOBODY, mesh))}, {', '.join(told)}"


def _one_of(records: tuple[ServiceRecord, ...]) -> str:
    named = list(dict.fromkeys(str(r.owner) for r in records))
    return named[0] if len(named) == 1 else f"by chance {' or '.join(named)}" if named else "nobody"


def _alike(world: Snapshot, one: ServiceRecord, other: ServiceRecord) -> bool:
    """Whether it makes no difference which of two entries' records gets a call."""
    first, second = world.get(one.owner), world.get(other.owner)
    if not isinstance(first, ServiceEntry) or not isinstance(second, ServiceEntry):
        return False
    if first.workload_selector is not None and one.namespace != other.namespace:
        return False

    def leads(record: ServiceRecord, entry: ServiceEntry) -> tuple[object, ...]:
        ports = frozenset((p.port, p.target) for p in record.ports)
        return ports, record.waypoint, entry.resolution, entry.endpoints, entry.workload_selector

    return leads(one, first) == leads(other, second)


def _led_to(world: Snapshot, entry: ServiceEntry, mesh: Mesh) -> Iterator[Service]:
    """The Services that its endpoints are, by full name or clusterIP; without endpoints ztunnel asks for its hosts."""
    names = [e.address for e in entry.endpoints]
    if not names and entry.workload_selector is None and entry.resolution in DNS:
        names = list(entry.hosts)
    for name in dict.fromkeys(names):
        yield from world.services_at(name)
        key = service_key(name.removesuffix("."), mesh)
        service = world.service(key.namespace, key.name) if key else None
        if service is not None:
            yield service


def _by_selector(world: Snapshot) -> Mapping[frozenset[tuple[str, str]], Service]:
    """The first Service of each selector."""

    def look() -> dict[frozenset[tuple[str, str]], Service]:
        return {frozenset(s.selector.items()): s for s in reversed(world.services()) if s.selector}

    return world.remembered("services by selector", look)


def _may_share_pods(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether one pod may have the labels that both ask for."""
    return bool(one) and all(one[label] == other[label] for label in one.keys() & other.keys())


AMBIENT_CHECKS: tuple[Callable[[Look], Iterable[Finding]], ...] = (
    shared_with_ambient,
    cuts_off_by_prefix,
    leads_a_service_name,
    plaintext_in_ambient,
    selects_elsewhere,
    past_the_waypoint,
    policies_not_at_entry,
)
