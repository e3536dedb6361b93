"""The conditions of a DnsAlias, and the status that has them; the clock is handed in."""

from typing import Any

from dnsalias_operator.core.outcome import AliasDecision, Condition, Refusal
from dnsalias_operator.core.reasons import Reason, Why
from dnsalias_operator.model.dnsalias import DnsAlias
from dnsalias_operator.model.meta import Raw, mappings, text
from dnsalias_operator.model.status import (
    ACCEPTED,
    LONGEST_MESSAGE,
    POLICIES_FOLLOWED,
    PROGRAMMED,
    READY,
    RESOLVED_REFS,
)

TYPES = frozenset({ACCEPTED, RESOLVED_REFS, PROGRAMMED, POLICIES_FOLLOWED, READY})
"""The conditions that are ours. Others may keep conditions of their own there: the list is a map by type, and a
server-side apply leaves alone what it does not name."""


_HOLDS = {
    ACCEPTED: Why(Reason.ACCEPTED, "the alias is accepted"),
    RESOLVED_REFS: Why(Reason.RESOLVED_REFS, "the Service and its ports are found"),
}


def holding(message: str, limit: str = "", followed: Condition | None = None) -> tuple[Condition, ...]:
    """The conditions of an alias that is served; ``limit`` is what to add about who may see it.

    ``followed`` is PoliciesFollowed, which has no part in whether the alias is ready.
    """
    accepted = "; ".join(filter(None, (_HOLDS[ACCEPTED].message, limit)))
    return (
        Condition(ACCEPTED, "True", Reason.ACCEPTED, accepted),
        _holds(RESOLVED_REFS),
        Condition(PROGRAMMED, "True", Reason.PROGRAMMED, message),
        *([followed] if followed else []),
        Condition(READY, "True", Reason.READY, message),
    )


def _holds(kind: str) -> Condition:
    return Condition(kind, "True", _HOLDS[kind].reason, _HOLDS[kind].message)


def failing(fault: Refusal, unwritten: str = "no ServiceEntry is written") -> tuple[Condition, ...]:
    """The conditions with that one False; the ones behind it follow, the ones before it hold.

    ``unwritten`` is the message of Programmed where it follows.
    """
    order = (ACCEPTED, RESOLVED_REFS, PROGRAMMED)
    out = []
    for kind in order:
        if kind == fault.condition:
            out.append(Condition(kind, "False", fault.reason, fault.message))
        elif kind == PROGRAMMED:
            out.append(Condition(kind, "False", fault.reason, unwritten))
        elif kind == RESOLVED_REFS and fault.condition == ACCEPTED:
            out.append(Condition(kind, "Unknown", fault.reason, "not checked, because the alias is not accepted"))
        else:
            out.append(_holds(kind))
    return (*out, Condition(READY, "False", fault.reason, fault.message))


def desired_status(decision: AliasDecision, alias: DnsAlias, now: str) -> dict[str, Any] | None:
    """All of the status that is ours, to apply; None where that stands as it should, whatever others have added.

    ``now`` is an RFC 3339 time in seconds; it becomes lastTransitionTime of the conditions whose status flips, the
    others keep theirs (API conventions: metav1.Condition).
    """
    have = {c.get("type"): c for c in mappings(alias.status.get("conditions"))}
    status: dict[str, Any] = {
        "observedGeneration": alias.meta.generation,
        "conditions": [_condition(c, have.get(c.type), alias.meta.generation, now) for c in decision.conditions],
    }
    if decision.host:
        status["host"] = decision.host
    if decision.addresses:
        status["addresses"] = list(decision.addresses)
    if decision.entry:
        status["serviceEntry"] = {"name": decision.entry, "mode": decision.mode}
    return None if own_part(status) == own_part(alias.status) else status


def own_part(status: Raw) -> dict[str, Any]:
    """A status without the conditions of others, to compare: ours are by type, since the order is the API server's."""
    ours = {t: c for c in mappings(status.get("conditions")) if (t := text(c.get("type"))) in TYPES}
    return {**status, "conditions": ours}


def _condition(wanted: Condition, have: Raw | None, generation: int, now: str) -> dict[str, Any]:
    # What the CRD gave by default was observed by nobody: its time is none.
    flipped = have is None or have.get("status") != wanted.status or not have.get("observedGeneration")
    since = now if flipped or have is None else have.get("lastTransitionTime", now)
    return {
        "type": wanted.type,
        "status": wanted.status,
        "reason": wanted.reason.value,
        "message": _fitting(wanted.message),
        "observedGeneration": generation,
        "lastTransitionTime": since,
    }


def _fitting(message: str) -> str:
    """What the CRD lets pass: a message may name thousands of hosts of somebody else's entry."""
    return message if len(message) <= LONGEST_MESSAGE else f"{message[: LONGEST_MESSAGE - 1]}…"
