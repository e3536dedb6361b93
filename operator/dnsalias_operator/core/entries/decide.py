"""Decides one ServiceEntry of somebody else: is it in our care, what does it lack, what is written."""

from dataclasses import replace

from dnsalias_operator.core.changes import repaired
from dnsalias_operator.core.entries.observe import enforce
from dnsalias_operator.core.entries.ownership import (
    as_written,
    claims_to_be_ours,
    excluded,
    opted_out,
    patched_fields,
    selected,
)
from dnsalias_operator.core.entries.repair import Fix, fix, patched
from dnsalias_operator.core.entries.serves_alias import is_alias_entry
from dnsalias_operator.core.outcome import Change, EntryDecision, Severity, State
from dnsalias_operator.core.reasons import Reason, Why
from dnsalias_operator.core.traffic.catch_all import catches, for_its_own
from dnsalias_operator.core.traffic.takeover import takes_away
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot

_LACKS = {
    ("addresses",): Reason.LACKS_ADDRESSES,
    ("endpoints",): Reason.LACKS_ENDPOINTS,
    ("addresses", "endpoints"): Reason.LACKS_ADDRESSES_AND_ENDPOINTS,
}
"""The reason of a write, by the fields that the entry did not have."""


def decide_entry(world: Snapshot, key: Key, rules: Rules) -> EntryDecision | None:
    """Decide the ServiceEntry ``key``; None where it does not exist.

    One that carries our marks is the business of its alias (`decide_alias`), or a finding where that is gone.
    """
    return world.remembered(("decision", key, rules), lambda: _decide(world, key, rules))


def _decide(world: Snapshot, key: Key, rules: Rules) -> EntryDecision | None:
    entry = world.entry(key.namespace, key.name)
    if entry is None:
        return None
    if not in_care(world, entry, rules):
        return _let_go(entry, rules)
    wanted = fix(world, entry, rules)
    inferred = bool(wanted.target and wanted.target.inferred)
    change = repaired(entry, wanted.fields, patched_fields(entry), _why(wanted, entry), inferred=inferred)
    decision = EntryDecision(
        key=key,
        selected=True,
        state=_state(wanted),
        why=wanted.why,
        severity=severity_of(world, entry, wanted, rules),
        service=wanted.target.named if wanted.target else None,
        inferred=inferred,
        changes=(change,) if change else (),
    )
    return enforce(decision, rules, lambda: severity_of(world, entry, None, rules))


def in_care(world: Snapshot, entry: ServiceEntry, rules: Rules) -> bool:
    """Whether the operator looks after the entry: selected, or that of an alias of its namespace."""
    if entry.meta.deleting or opted_out(entry) or excluded(entry, rules) or claims_to_be_ours(entry):
        return False
    return selected(entry, rules) or any(
        is_alias_entry(world, alias, entry, rules) for host in entry.hosts for alias in world.aliases_for_host(host)
    )


def _let_go(entry: ServiceEntry, rules: Rules) -> EntryDecision:
    """An entry that is not (any more) in our care: what we put into it is withdrawn, the rest is not our business."""
    owned = patched_fields(entry)
    change: Change | None = None
    if owned and not entry.meta.deleting:
        message = "nothing puts the entry into the operator's care any more: what was patched in is withdrawn"
        change = repaired(entry, {}, owned, Why(Reason.WITHDRAWN, message))
    return enforce(EntryDecision(entry.key, selected=False, changes=(change,) if change else ()), rules)


def _state(wanted: Fix) -> State | None:
    if wanted.why and wanted.why.reason is Reason.NOT_REPAIRABLE:
        return None  # it lacks nothing that the API would let it have
    if wanted.contained:
        return State.CONTAINED
    return State.UNFIXED if _wrong(wanted) else State.FIXED


def _wrong(wanted: Fix) -> bool:
    """Whether something stays wrong; one that is matched by SNI is right as it is."""
    return wanted.why is not None and wanted.why.reason is not Reason.MATCHED_BY_SNI


def _why(wanted: Fix, entry: ServiceEntry) -> Why:
    """Why the write is made: what is missing now comes before what stays wrong."""
    if wanted.why and wanted.contained:
        return replace(wanted.why, message=f"contained: {wanted.why.message}")
    service = wanted.target.named if wanted.target else None
    how = f"{service} (inferred from its name)" if wanted.target and wanted.target.inferred else str(service)
    if lacking := [f for f in sorted(wanted.fields) if not getattr(entry, f)]:
        return Why(_LACKS[*lacking], f"it has no {' and '.join(lacking)}; it stands for {how}")
    if wanted.why:
        return wanted.why
    if not wanted.fields:
        return Why(Reason.WITHDRAWN, "what was patched in has no reason any more")
    return Why(Reason.STALE_ADDRESS, f"what was patched in is out of date; it stands for {how}")


def severity_of(world: Snapshot, entry: ServiceEntry, wanted: Fix | None, rules: Rules) -> Severity:
    """Critical where the entry takes traffic not meant for it, once the fix (if any) is written; else a warning.

    A catch-all that only its own namespace gets is a warning (docs/findings.md, "DA001: Catch-all listener"). Of
    several revisions of istiod the worst counts.
    """
    severities = (_severity_in(world, entry, wanted, each) for each in rules.of_each_revision())
    return min(severities, key=lambda severity: severity.rank)


def _severity_in(world: Snapshot, entry: ServiceEntry, wanted: Fix | None, rules: Rules) -> Severity:
    after = patched(as_written(entry, rules), wanted) if wanted else entry
    caught = catches(world, after, rules.mesh)
    if caught and not for_its_own(after, rules.mesh):
        return Severity.CRITICAL
    if takes_away(world.with_changes({entry.key: after}), after, rules.mesh):
        return Severity.CRITICAL
    return Severity.WARNING if caught or wanted is None or _wrong(wanted) else Severity.INFO
