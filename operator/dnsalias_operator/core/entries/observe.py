"""Policies are filters over what was decided: what may be written, and what is only shown."""

from collections.abc import Callable
from dataclasses import replace

from dnsalias_operator.core.outcome import EntryDecision, Severity, State
from dnsalias_operator.core.reasons import Reason, Why
from dnsalias_operator.model.rules import Rules


def enforce(
    decision: EntryDecision, rules: Rules, severity_as_is: Callable[[], Severity] = lambda: Severity.INFO
) -> EntryDecision:
    """Withhold writes to foreign entries where the settings say so.

    ``severity_as_is`` says how bad the entry is while nothing is written.
    """
    if rules.repairs or (not decision.changes and decision.state in (None, State.FIXED)):
        return decision
    if not decision.selected:
        return replace(decision, changes=(), withheld=decision.changes)
    if rules.namespace:
        policy = f"repair needs to read the whole cluster, and this operator reads namespace {rules.namespace} only"
    else:
        policy = "the setting foreign_entries is observe"
    would = "it would be repaired" if decision.changes else f"it could not be repaired ({decision.reason})"
    what = decision.changes[0].message if decision.changes else decision.message
    return replace(
        decision,
        state=State.UNFIXED,
        why=Why(Reason.OBSERVE_ONLY, f"{policy}; {would}: {what}"),
        severity=severity_as_is(),
        changes=(),
        withheld=decision.changes,
    )
