"""Decides one DnsAlias: is it served, by which ServiceEntry, what is written."""

from dataclasses import replace
from typing import Any

from dnsalias_operator.core import changes
from dnsalias_operator.core.aliases.case import Case
from dnsalias_operator.core.aliases.conditions import failing, holding
from dnsalias_operator.core.aliases.desired import (
    desired,
    leaves_shared_address,
    limits,
    moves_off_shared_address,
)
from dnsalias_operator.core.aliases.generate import generate
from dnsalias_operator.core.aliases.guard import hindrance
from dnsalias_operator.core.aliases.refusals import refusal
from dnsalias_operator.core.aliases.route import Route, routed
from dnsalias_operator.core.aliases.routechanges import route_removed, route_written
from dnsalias_operator.core.entries.decide import decide_entry
from dnsalias_operator.core.entries.ownership import other_managers
from dnsalias_operator.core.entries.serves_alias import foreign_entries, generated_entry, mismatch
from dnsalias_operator.core.istio.protocols import routed as is_http
from dnsalias_operator.core.istio.topology import served_where
from dnsalias_operator.core.istio.visibility import Scope
from dnsalias_operator.core.outcome import AliasDecision, Change, Refusal, State
from dnsalias_operator.core.reasons import Reason, Why
from dnsalias_operator.core.traffic.backends import leads_to
from dnsalias_operator.core.traffic.takeover import as_youngest, moved
from dnsalias_operator.model.dnsalias import DnsAlias
from dnsalias_operator.model.meta import mapping, strings
from dnsalias_operator.model.names import OWN_MANAGER, RECREATED_FOR_ANNOTATION, SERVICE_UID_ANNOTATION, Key
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot
from dnsalias_operator.model.status import ACCEPTED, GENERATED, PATCHED, PROGRAMMED

OLDER_BY = 2
"""Seconds after the Service's creation second at which our entry is younger for certain: timestamps have 1 s
resolution, and API servers may differ by a second (docs/istio.md, "Shared addresses")."""


def decide_alias(world: Snapshot, key: Key, rules: Rules) -> AliasDecision | None:
    """Decide the DnsAlias ``key``; None where it does not exist or is being deleted (its entry is collected)."""
    return world.remembered(("decision", key, rules), lambda: _decide(world, key, rules))


def _decide(world: Snapshot, key: Key, rules: Rules) -> AliasDecision | None:
    alias = world.alias(key.namespace, key.name)
    if alias is None or alias.meta.deleting:
        return None
    ours = generated_entry(world, alias)
    if alias.spec is None:
        return _refused(world, alias, ours, Refusal(Reason.INVALID, alias.fault, ACCEPTED))
    service = world.service(alias.meta.namespace, alias.spec.service_ref.name)
    case = Case(world, rules, alias, alias.spec, service)
    found = refusal(case)
    if found is not None or service is None:
        return _refused(world, alias, ours, found)
    foreign = foreign_entries(world, alias) if ours is None or alias.spec.host not in ours.hosts else []
    if foreign and ours is not None:
        return _given_up(case, ours, foreign[0])
    if foreign:
        return _corresponding(case, service, foreign)
    return _generated(case, service, ours)


def _generated(case: Case, service: Service, ours: ServiceEntry | None) -> AliasDecision:
    world, rules, alias, spec = case.world, case.rules, case.alias, case.spec
    taken = world.entry(alias.meta.namespace, alias.meta.name)
    if ours is None and taken is not None and taken.meta.deleting:
        return _refused(world, alias, None, _pending(taken))
    if ours is None and taken is not None:
        rename = "" if alias.spec and alias.spec.host in taken.hosts else "rename the DnsAlias or "
        hosts = ", ".join(taken.hosts) or "no host"
        message = f"{taken.key} exists, is not ours and is for {hosts}; {rename}delete that entry"
        return _refused(world, alias, None, Refusal(Reason.NAME_TAKEN, message, ACCEPTED))
    manifest = desired(case, service, ours)
    if isinstance(manifest, Refusal):
        return _refused(world, alias, ours, manifest)
    entry = ServiceEntry.parse(manifest)
    without = world.with_changes({entry.key: None})
    replaced = _replaced(ours, spec.host, service) if ours else None
    route = routed(case, service, entry)
    if fault := hindrance(case, entry, service, route.ports, served=ours is not None):
        return _refused(world, alias, ours, fault)
    wait = _not_before(without, entry, service, rules)
    steps: tuple[Change, ...]
    if ours is None:
        steps = (_create(manifest, entry, service, wait),)
    elif replaced:
        steps = (changes.deleted(ours, replaced), _create(manifest, entry, service, wait))
        if ours.meta.deleting:
            steps, fault = (), _pending(ours)
    else:
        steps, fault = _kept(case, service, ours, manifest, wait)
    served = f"{_works(entry, spec.host)}{served_where(rules.mesh)}"
    return AliasDecision(
        key=alias.key,
        conditions=failing(fault) if fault else holding(served, limits(case), route.condition),
        host=spec.host,
        addresses=service.cluster_ips,
        entry=alias.meta.name,
        mode=GENERATED,
        changes=(*route_written(world, alias, route), *steps, *_unrouted(case, route)),
        routed=route.ports,
    )


def _works(entry: ServiceEntry, host: str) -> str:
    """What the entry does; nothing where it is exported to nobody, which an owner may want for a while."""
    if entry.export_to == ("~",):
        return f"{entry.key} is exported to no namespace (exportTo '~'): nobody can use {host}"
    return f"{entry.key} makes {host} work"


def _unrouted(case: Case, route: Route) -> tuple[Change, ...]:
    """Our VirtualService goes where there is to be none any more."""
    if route.manifest is not None:
        return ()
    message = route.condition.message if route.condition else "nothing is bound to the Service that needs it"
    return route_removed(case.world, case.alias, Why(Reason.UNROUTED, message))


def _create(manifest: dict[str, Any], entry: ServiceEntry, service: Service, wait: int) -> Change:
    message = f"{entry.hosts[0]} for {service.key}"
    return changes.created(entry.key, manifest, message, not_before=wait)


def _replaced(ours: ServiceEntry, host: str, service: Service) -> Why | None:
    """Why our entry must go at once rather than be changed: it is for another host or another Service."""
    if ours.hosts != (host,):
        return _host_changed(ours, host)
    made_for = ours.meta.annotations.get(SERVICE_UID_ANNOTATION, "")
    if made_for and service.meta.uid and made_for != service.meta.uid:
        return Why(Reason.SERVICE_REPLACED, f"it was made for another {service.key} (uid {made_for})")
    return None


def _host_changed(ours: ServiceEntry, host: str) -> Why:
    """Whose doing it is: the alias' where spec.hosts of the entry is as we wrote it, else that of who wrote it."""
    managers = other_managers(ours, "hosts")
    by = ", ".join(manager for manager in managers if manager != OWN_MANAGER)
    alone = " alone" if host in ours.hosts else ""
    changed = f"spec.hosts of the entry is {', '.join(ours.hosts) or 'empty'}, and the alias has {host}{alone}"
    if OWN_MANAGER in managers and not alone:
        changed = f"the alias' host is {host} now"
    elif by:
        changed = f"the entry was changed by {by}: {changed}"
    return Why(Reason.HOST_CHANGED, f"{changed}; a changed entry would keep the old one's place in the order")


def _kept(
    case: Case, service: Service, ours: ServiceEntry, manifest: dict[str, Any], wait: int
) -> tuple[tuple[Change, ...], Refusal | None]:
    """Fix our entry in place, or delete and create it where it came before its Service or has to leave its address."""
    if leaving := leaves_shared_address(case, ours):
        return (
            ((), _pending(ours)) if ours.meta.deleting else ((changes.recreated(ours, manifest, leaving, wait),), None)
        )
    restored = changes.restored(ours, manifest)
    if restored and (moving := moves_off_shared_address(case, ours)):
        restored = replace(restored, reason=moving.reason, message=moving.message)
    steps = (restored,) if restored else ()
    wanted = ServiceEntry.parse({**manifest, "metadata": ours.raw.get("metadata") or {}})
    without = case.world.with_changes({ours.key: None})
    with_it = without.with_changes({ours.key: wanted}) if ours.meta.created else as_youngest(without, wanted)
    shadows = moved(without, with_it, wanted, case.rules.mesh)
    if shadows is None:
        return steps, None
    if not case.scope.everywhere or ours.meta.annotations.get(RECREATED_FOR_ANNOTATION, "") == service.meta.uid:
        why = f"{shadows.describe(ours.key)}: it came first; delete it once, and the operator creates it again, younger"
        return steps, Refusal(Reason.WOULD_SHADOW_SERVICE, why, PROGRAMMED)
    if ours.meta.deleting:
        return steps, _pending(ours)
    again = generate(case.alias, case.spec, service, case.ports, ["*"], case.rules.mesh, service.meta.uid)
    why = f"{shadows.describe(ours.key)}: it came first; created again, it is younger"
    return (changes.recreated(ours, again, Why(Reason.GIVES_WAY_TO_SERVICE, why), wait),), None


def _pending(entry: ServiceEntry) -> Refusal:
    """Ours has to take the place of one that is deleted and stays: its going is news, and has it decided again."""
    why = f"{_going(entry)}; the new one is made as soon as it is gone"
    return Refusal(Reason.PENDING, why, PROGRAMMED)


def _going(entry: ServiceEntry) -> str:
    held = ", ".join(strings(mapping(entry.raw.get("metadata")).get("finalizers")))
    why = f", and finalizers that others put on it hold it: {held}" if held else ""
    return f"{entry.key} is being deleted{why}"


def _not_before(without: Snapshot, entry: ServiceEntry, service: Service, rules: Rules) -> int:
    """The earliest second for the create, 0 where age decides nothing."""
    created = service.meta.created
    if created is None:
        return 0
    if entry.workload_selector is not None:
        # It joins the services of the pods, and the oldest decides their inbound protocol and name in telemetry.
        return created + OLDER_BY
    older = replace(entry, meta=replace(entry.meta, created=created - 1))
    return created + OLDER_BY if moved(without, without.with_changes({entry.key: older}), entry, rules.mesh) else 0


def _given_up(case: Case, ours: ServiceEntry, foreign: ServiceEntry) -> AliasDecision:
    """Ours is for another host than the alias has now, and for that one somebody else's is there: no second is made."""
    message = f"{foreign.key} already has host {case.spec.host}; it is checked as soon as {ours.key} is gone"
    gone = _host_changed(ours, case.spec.host)
    return AliasDecision(
        key=case.alias.key,
        conditions=failing(Refusal(Reason.PENDING, _going(ours) if ours.meta.deleting else message, PROGRAMMED)),
        changes=(
            *(() if ours.meta.deleting else (changes.deleted(ours, gone),)),
            *route_removed(case.world, case.alias, gone),
        ),
    )


def _corresponding(case: Case, service: Service, entries: list[ServiceEntry]) -> AliasDecision:
    """Somebody else's entry has the host in the alias' namespace: it is repaired under its own key, reported here."""
    world, alias, spec = case.world, case.alias, case.spec
    foreign = [e for e in entries if not e.meta.deleting]
    if not foreign:
        return _refused(world, alias, None, _pending(entries[0]))
    edits = {e.key: mismatch(case.world, alias, e, case.rules) for e in foreign}
    entry = min(foreign, key=lambda e: (edits[e.key] != "", e.meta.created or 0, e.meta.name))
    edit = edits[entry.key]
    if edit:
        message = f"{entry.key} already has host {spec.host} but does not fit; {edit}, or delete it"
        return _refused(world, alias, None, Refusal(Reason.ENTRY_MISMATCH, message, ACCEPTED))
    if other := next((e for e in foreign if e.key != entry.key and _leads_astray(e, entry, case, service)), None):
        lead = edits[other.key] or f"lead it to {service.key}"
        message = f"{other.key} has host {spec.host} as well, and requests go there too; {lead}, or delete it"
        return _refused(world, alias, None, Refusal(Reason.ENTRY_MISMATCH, message, ACCEPTED))
    decided = decide_entry(case.world, entry.key, case.rules)
    route = routed(case, service, entry, ours=False)
    served = f"makes {spec.host} work{_limit(entry, case)}{served_where(case.rules.mesh)}"
    conditions = holding(f"{entry.key}, kept right by this operator, {served}", followed=route.condition)
    if decided is None or decided.state is not State.FIXED:
        excluded = Why(Reason.ENTRY_EXCLUDED, "it is in a namespace that is never repaired")
        why = (decided.why if decided else None) or excluded
        conditions = failing(Refusal(why.reason, f"{entry.key}: {why.message}", PROGRAMMED))
    return AliasDecision(
        key=alias.key,
        conditions=conditions,
        host=spec.host,
        addresses=service.cluster_ips,
        entry=entry.meta.name,
        mode=PATCHED,
        changes=_unrouted(case, route),
    )


def _leads_astray(other: ServiceEntry, entry: ServiceEntry, case: Case, service: Service) -> bool:
    """Whether requests for the host end elsewhere because ``other`` has it beside the ``entry`` that serves the alias.

    Source: docs/istio.md, "What a sidecar sends" (of one namespace's entries for a hostname the oldest decides, the
    others add endpoints).
    """
    ports = {p.number: p for p in other.ports}
    for number in (p.port for p in case.ports if is_http(service, p.port, case.rules.mesh)):
        port = ports.get(number)
        if port is None and (other.meta.created or 0) < (entry.meta.created or 0):
            return True
        if port is not None and not leads_to(case.world, other, port, service, case.rules.mesh):
            return True
    return False


def _limit(entry: ServiceEntry, case: Case) -> str:
    """What to add where fewer namespaces see the entry than the alias is to be seen in."""
    theirs = Scope.of_claimant(entry, case.rules.mesh)
    if case.scope.narrowed(theirs) == case.scope:
        return ""
    return f" where its exportTo lets it be seen: {', '.join(theirs.export_to(entry.meta.namespace))}"


def _refused(world: Snapshot, alias: DnsAlias, ours: ServiceEntry | None, why: Refusal | None) -> AliasDecision:
    """Not served; what we generated goes at once, since a freed clusterIP may go to another Service."""
    fault = why or Refusal(Reason.INVALID, "the spec cannot be read", ACCEPTED)
    if ours and ours.meta.deleting:
        # One deletion is enough. It would be answered as if all were well, and look like a fight with ourselves.
        return AliasDecision(
            key=alias.key, conditions=failing(fault, _going(ours)), changes=route_removed(world, alias, fault)
        )
    steps = (*((changes.deleted(ours, fault),) if ours else ()), *route_removed(world, alias, fault))
    return AliasDecision(key=alias.key, conditions=failing(fault), changes=steps)
