"""What a decision becomes when the write behind it is put off, refused or contested: pure functions over decisions.

The core decides as if every write succeeded; what really came of it is known only here.
"""

from dataclasses import replace

from dnsalias_operator.core.outcome import AliasDecision, Condition, EntryDecision, Severity, State

CONTESTED = "Contested"
WRITE_REFUSED = "WriteRefused"
WAITING = "WaitingForAge"
TAKEN_BACK = "TakenBack"
OURS = frozenset({CONTESTED, WRITE_REFUSED, WAITING, TAKEN_BACK})
"""Reasons that only the running operator gives."""
_UNMET = frozenset({"Programmed", "Ready"})


def unprogrammed(decision: AliasDecision, reason: str, message: str) -> AliasDecision:
    """The same decision with Programmed and Ready False; what the core already refused keeps its own reason."""
    conditions = tuple(
        Condition(c.type, "False", reason, message) if c.type in _UNMET and c.status == "True" else c
        for c in decision.conditions
    )
    return replace(decision, conditions=conditions)


def unrepaired(decision: EntryDecision, reason: str, message: str, severity: Severity) -> EntryDecision:
    """The same entry as unfixed; ``severity`` is that of the entry as it stands now."""
    if not decision.selected:
        return decision
    return replace(decision, state=State.UNFIXED, reason=reason, message=message, severity=severity)


def contested(by: str) -> str:
    """The message for a field that somebody keeps taking back."""
    return f"what was written is taken back again and again by {by}; make that manager leave the field, or opt out"
