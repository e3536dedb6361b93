"""Everything there is to say about one DnsAlias, ServiceEntry or Service, for a person who looks at it alone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dnsalias_operator.core.advice.ambient import NOTHING, AmbientView, seen_in_ambient_mode
from dnsalias_operator.core.advice.answers import ELSEWHERE, Answer, not_followed, who_answers
from dnsalias_operator.core.advice.bound import Bound, bound_to
from dnsalias_operator.core.advice.naming import Naming, naming
from dnsalias_operator.core.aliases.decide import decide_alias
from dnsalias_operator.core.entries.decide import decide_entry
from dnsalias_operator.core.entries.ownership import claims_to_be_ours, excluded, live_owner, opted_out
from dnsalias_operator.core.entries.stands_for import stands_for
from dnsalias_operator.core.findings.by_release import service_findings
from dnsalias_operator.core.findings.lint import alias_findings, entry_findings
from dnsalias_operator.core.istio.validation import admitted, cannot_exist
from dnsalias_operator.core.outcome import AliasDecision, Change, Condition, EntryDecision, Finding, State
from dnsalias_operator.model.dnsalias import DnsAlias, chosen_ports
from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.meta import mappings
from dnsalias_operator.model.names import REPAIR_ANNOTATION, Key
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.service import Service, tcp_ports
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot
from dnsalias_operator.model.status import PATCHED, POLICIES_FOLLOWED, READY


@dataclass(frozen=True, slots=True)
class Story:
    """One object, what belongs to it, and what to do.

    ``named`` is the Service it is for, whether that exists (``service``) or not; ``inferred`` where only names say so.
    ``entry`` is the ServiceEntry as it stands, None where it is still to be made. ``mode`` is Generated or Patched, ""
    for an entry that serves no alias. ``state`` is the entry's, None where the operator does not look after it.
    ``answers`` are for sidecars, ``ambient`` is for pods in ambient mode. ``not_followed`` says what ``answers`` leave
    out. ``bound`` is what is bound to the Service and to the alias' host, of an alias and of a Service.
    ``conditions`` are the alias' as decided now. ``changes`` are due, ``withheld`` kept back by a policy. ``lasting``
    are the findings that the changes do not fix. ``steps`` says what to do, in order; empty where all is well.
    """

    key: Key
    hosts: tuple[str, ...]
    named: Key | None = None
    service: Service | None = None
    inferred: bool = False
    entry: ServiceEntry | None = None
    mode: str = ""
    state: State | None = None
    summary: str = ""
    conditions: tuple[Condition, ...] = ()
    changes: tuple[Change, ...] = ()
    withheld: tuple[Change, ...] = ()
    answers: tuple[Answer, ...] = ()
    ambient: AmbientView = NOTHING
    not_followed: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    lasting: tuple[Finding, ...] = ()
    names: tuple[Naming, ...] = ()
    bound: tuple[Bound, ...] = ()
    steps: tuple[str, ...] = ()

    def fixes(self, finding: Finding) -> bool:
        """Whether the changes fix it: one that is contained has another code afterwards, and the same words."""
        return all((f.key, f.port, f.message) != (finding.key, finding.port, finding.message) for f in self.lasting)


def story(world: Snapshot, key: Key, rules: Rules) -> Story | None:
    """The story of a DnsAlias, ServiceEntry or Service; None where there is none of that key.

    An entry that was made for an alias has the alias' story.
    """
    alias = world.alias(key.namespace, key.name) if key.kind == "DnsAlias" else None
    entry = world.entry(key.namespace, key.name) if key.kind == "ServiceEntry" else None
    if entry is not None and cannot_exist(entry, rules.mesh):
        return _of_refused(world, entry, rules)
    world = admitted(world, rules.mesh)
    if entry is not None and (owner := live_owner(world, entry)):
        alias = owner
    if alias is not None:
        return _of_alias(world, alias, rules)
    if key.kind == "Service" and (service := world.service(key.namespace, key.name)):
        return _of_service(world, service, rules)
    return _of_entry(world, entry, rules) if entry is not None else None


def _of_refused(world: Snapshot, entry: ServiceEntry, rules: Rules) -> Story:
    found = tuple(entry_findings(world, entry, rules))
    told = Story(
        entry.key,
        entry.hosts,
        entry=entry,
        summary="is refused by Istio: no cluster can have it, so it has no listener",
        findings=found,
        lasting=found,
    )
    return replace(told, steps=tuple(_common_steps(told)))


def _of_alias(world: Snapshot, alias: DnsAlias, rules: Rules) -> Story:
    decided = decide_alias(world, alias.key, rules)
    if decided is None:
        return Story(alias.key, (), summary="is being deleted; its ServiceEntry goes with it")
    entry = world.entry(alias.meta.namespace, decided.entry or alias.meta.name)
    if entry is not None and not decided.entry and live_owner(world, entry) is None:
        entry = None  # has the alias' name and is somebody else's
    cared = decide_entry(world, entry.key, rules) if entry is not None and decided.mode == PATCHED else None
    named, service, ports = None, None, []
    if alias.spec is not None:
        named = Key("Service", alias.meta.namespace, alias.spec.service_ref.name)
        service = world.service(named.namespace, named.name)
        ports = [p.port for p in chosen_ports(alias.spec, service)[0]] if service else []
    story = Story(
        key=alias.key,
        hosts=(alias.spec.host,) if alias.spec else (),
        named=named,
        service=service,
        entry=entry,
        mode=decided.mode,
        state=cared.state if cared else None,
        summary=_served(decided, cared),
        conditions=decided.conditions,
        changes=decided.changes + (cared.changes if cared else ()),
        withheld=cared.withheld if cared else (),
    )
    story = _with_traffic(world, story, ports, rules)
    if service is not None:
        story = replace(story, bound=bound_to(world, service, story.hosts, story.findings, rules.mesh))
    return replace(story, steps=(*_alias_steps(alias, story), *_common_steps(story)))


def _of_service(world: Snapshot, service: Service, rules: Rules) -> Story:
    key = service.key
    aliases = world.aliases_of(key.namespace, key.name)
    hosts = [alias.spec.host for alias in aliases if alias.spec]
    listed = ", ".join(f"{alias.key} ({alias.spec.host})" for alias in aliases if alias.spec)
    entries = [str(e.key) for e in world.entries() if stands_for(world, e, rules).named == key]
    other = [e for e in entries if not any(e == f"ServiceEntry {a.meta.namespace}/{a.meta.name}" for a in aliases)]
    told = [f"has the alias{'es' * (len(hosts) > 1)} {listed}" if hosts else "has no alias"]
    told += [f"is meant by {', '.join(other)}"] if other else []
    story = Story(key, (), named=key, service=service, summary=" and ".join(told))
    story = _with_traffic(world, story, [p.port for p in tcp_ports(service)], rules)
    found = [finding for alias in aliases for finding in alias_findings(world, alias.key, rules)]
    story = replace(story, bound=bound_to(world, service, hosts, found, rules.mesh))
    return replace(story, steps=tuple(_common_steps(story)))


def _served(decided: AliasDecision, cared: EntryDecision | None) -> str:
    ready = decided.conditions[-1]
    if ready.status != "True":
        return f"is not served: {ready.reason}"
    return "will be served" if decided.changes or (cared and cared.changes) else "is served"


def _of_entry(world: Snapshot, entry: ServiceEntry, rules: Rules) -> Story:
    decided = decide_entry(world, entry.key, rules) or EntryDecision(entry.key, selected=False)
    target = stands_for(world, entry, rules)
    story = Story(
        key=entry.key,
        hosts=entry.hosts,
        named=target.named,
        service=target.service,
        inferred=target.inferred,
        entry=entry,
        state=decided.state,
        summary=_care(entry, decided, rules),
        changes=decided.changes,
        withheld=decided.withheld,
    )
    story = _with_traffic(world, story, [p.number for p in entry.ports], rules)
    steps: list[str] = []
    if decided.selected and decided.reason:
        steps.append(f"{decided.reason}: {decided.message}")
    elif story.findings and not decided.selected and not claims_to_be_ours(entry) and not excluded(entry, rules):
        steps.append(f'to have the operator repair it: annotate it {REPAIR_ANNOTATION}: "true"')
    return replace(story, steps=(*steps, *_common_steps(story)))


def _care(entry: ServiceEntry, decided: EntryDecision, rules: Rules) -> str:
    if decided.selected:
        state = f"{'will be' if decided.changes else 'is'} {decided.state}" if decided.state else "cannot be repaired"
        return f"is in the operator's care and {state}{f': {decided.reason}' if decided.reason else ''}"
    if claims_to_be_ours(entry):
        return "carries this operator's marks, and no living DnsAlias owns it"
    if opted_out(entry):
        return f"has opted out of repair ({REPAIR_ANNOTATION}: false)"
    if excluded(entry, rules):
        return f"is in namespace {entry.meta.namespace}, where nothing is repaired"
    return "is not in the operator's care: it is only reported on"


def _with_traffic(world: Snapshot, story: Story, ports: list[int], rules: Rules) -> Story:
    service, entry = story.service, story.entry
    addresses = [*(service.cluster_ips if service else ()), *(entry.addresses if entry else ())]
    asked = [a for a in addresses if "/" not in a and (rules.mesh.dual_stack or ":" not in a)]
    after = world.with_changes({c.key: KINDS[c.key.kind].parse(c.after) if c.after else None for c in story.changes})
    names = (naming(world, host, entry, service, rules.mesh) for host in story.hosts)
    return replace(
        story,
        answers=who_answers(world, [*asked, ELSEWHERE], ports, story.hosts, rules.mesh),
        ambient=seen_in_ambient_mode(world, asked, ports, story.hosts, rules.mesh),
        not_followed=not_followed(world, ports, rules.mesh),
        findings=tuple(_findings(world, story, rules)),
        lasting=tuple(_findings(after, story, rules)),
        names=tuple(names),
    )


def _findings(world: Snapshot, story: Story, rules: Rules) -> Iterator[Finding]:
    if story.key.kind == "DnsAlias":
        yield from alias_findings(world, story.key, rules)
    if story.key.kind == "Service" and story.service is not None:
        yield from service_findings(world, story.service, rules)
    made = next((c.key for c in story.changes if c.key.kind == "ServiceEntry"), None)
    key = story.entry.key if story.entry else made  # not there yet, and then there
    entry = world.entry(key.namespace, key.name) if key else None
    if entry is not None:
        yield from sorted(entry_findings(world, entry, rules), key=lambda f: f.order)


def _alias_steps(alias: DnsAlias, story: Story) -> Iterator[str]:
    ready = story.conditions[-1]
    if ready.status != "True":
        yield f"{ready.reason}: {ready.message}"
    yield from (
        f"{c.reason}: {c.message}" for c in story.conditions if c.type == POLICIES_FOLLOWED and c.status == "False"
    )
    said = next((c for c in mappings(alias.status.get("conditions")) if c.get("type") == READY), None)
    unseen = said is None or not said.get("observedGeneration")  # the CRD's default (`model.status.waiting`)
    if unseen and alias.meta.uid:
        yield "the operator has not processed it yet: is it running? kubectl -n dnsalias-system get pods"
    elif said is not None and not unseen and story.changes and ready.status == "True" and _refused_lately(alias, said):
        yield f"its status says Ready={said.get('status')} ({said.get('reason')}): {said.get('message')}"
    elif (
        said is not None
        and not unseen
        and not story.changes
        and (said.get("status"), said.get("reason"))
        != (
            ready.status,
            ready.reason,
        )
    ):
        yield (
            f"its status says Ready={said.get('status')} ({said.get('reason')}), and decided again it is "
            f"{ready.status} ({ready.reason}): is the operator running, and with these settings?"
        )


def _refused_lately(alias: DnsAlias, ready: Mapping[str, Any]) -> bool:
    """Whether the operator says of this very spec that what it has to write could not be written."""
    return ready.get("status") == "False" and ready.get("observedGeneration") == alias.meta.generation


def _common_steps(story: Story) -> Iterator[str]:
    for change in story.changes:
        yield f"the operator has to {change.verb} {change.key}, and does so when it runs ({change.reason})"
    said = {"DA014", "DA015", "DA016"}  # the reason is said already
    yield from dict.fromkeys(f"{f.code} {f.key}: {f.remedy}" for f in story.lasting if f.code not in said)
