"""What a decision becomes when the write behind it is made, put off, refused or contested: pure functions over it.

The core decides as if every write succeeded; what really came of it is known only here.
"""

from dataclasses import dataclass, replace
from http import HTTPStatus

from dnsalias_operator.core.outcome import (
    AliasDecision,
    Change,
    Condition,
    EntryDecision,
    Severity,
    State,
    Verb,
)
from dnsalias_operator.core.reasons import Reason, Why
from dnsalias_operator.model.meta import mapping
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.status import POLICIES_FOLLOWED, PROGRAMMED, READY
from dnsalias_operator.shell.api.errors import ApiError, ClusterError
from dnsalias_operator.shell.working.fights import Verdict

OURS = frozenset(
    {Reason.CONTESTED, Reason.WRITE_REFUSED, Reason.WRITE_FAILED, Reason.WAITING_FOR_AGE, Reason.TAKEN_BACK}
)
"""Reasons that only the running operator gives."""
_UNMET = frozenset({PROGRAMMED, READY})
_NOT_DONE = {
    Verb.CREATE: "made",
    Verb.UPDATE: "corrected",
    Verb.REPLACE: "corrected",
    Verb.RECREATE: "recreated",
    Verb.DELETE: "deleted",
    Verb.REPAIR: "repaired",
}


@dataclass(frozen=True, slots=True)
class Stop:
    """Why the changes were not all written.

    ``why`` is for a condition, None where it is only a matter of trying again; ``retry`` asks to be worked on again
    after that many seconds; ``error`` asks for the key's backoff. Where the reason is Contested, ``object`` is what is
    fought over and ``rivals`` are the field managers on the other side, as far as they are known. ``untold`` says that
    the API server must not be bothered with a status now. ``aside``: what was not written is the alias' VirtualService
    alone, and the entry is as it should be.
    """

    why: Why | None = None
    retry: float = 0
    error: ClusterError | None = None
    object: Key | None = None
    rivals: tuple[str, ...] = ()
    untold: bool = False
    aside: bool = False


def unrouted(decision: AliasDecision, why: Why) -> AliasDecision:
    """The same decision with PoliciesFollowed False: the alias has a cluster of its own, or an old route."""
    kept = [c for c in decision.conditions if c.type != POLICIES_FOLLOWED]
    said = Condition(POLICIES_FOLLOWED, "False", why.reason, why.message)
    return replace(decision, conditions=(*kept[:-1], said, kept[-1]), routed=())


def refused(change: Change, error: ClusterError) -> Why:
    """Why a write that the API server refuses was not made."""
    routes = change.key.kind == "VirtualService"
    if routes and isinstance(error, ApiError) and error.status == HTTPStatus.FORBIDDEN:
        message = f"{change.key} could not be {_NOT_DONE[change.verb]}, and calls are routed as before: {error}"
        return Why(Reason.FORBIDDEN, message)
    return Why(Reason.WRITE_REFUSED, str(error))


def unprogrammed(decision: AliasDecision, why: Why) -> AliasDecision:
    """The same decision with Programmed and Ready False; what the core already refused keeps its own reason."""

    def said(condition: Condition) -> Condition:
        if condition.type not in _UNMET:
            return condition
        if condition.status == "True":
            return Condition(condition.type, "False", why.reason, why.message)
        # Of a refused alias nothing is written but the deletion of its entry, which still stands then.
        left_over = condition.type == PROGRAMMED and not decision.entry
        return replace(condition, message=why.message) if left_over else condition

    return replace(decision, conditions=tuple(map(said, decision.conditions)))


def unrepaired(decision: EntryDecision, why: Why, severity: Severity) -> EntryDecision:
    """The same entry as unfixed; ``severity`` is that of the entry as it stands now."""
    if not decision.selected:
        return decision
    return replace(decision, state=State.UNFIXED, why=why, severity=severity)


def event_of(change: Change, decision: EntryDecision) -> Reason:
    """The reason of the Event of a repair: what became of the entry, and not what it lacked."""
    if decision.state is State.CONTAINED:
        return Reason.CONTAINED
    return Reason.REPAIRED if change.apply.get("spec") else Reason.WITHDRAWN


def written(change: Change) -> str:
    """What a repair wrote, for somebody who looks at the entry alone."""
    spec = mapping(mapping(change.after).get("spec"))
    parts = []
    for path in change.fields:
        values = spec.get(path.removeprefix("spec."))
        listed = ", ".join(str(mapping(v).get("address", v)) for v in values or ())
        parts.append(f"set {path} to {listed}" if values else f"withdrew {path}")
    return " and ".join(parts)


def contested(by: str) -> str:
    """The message for a field that somebody keeps taking back."""
    return f"what was written is reverted again and again by {by}; make that manager leave the field, or opt out"


def held_up(change: Change, verdict: Verdict) -> Stop:
    """Why a change that was reverted before is not made yet."""
    if verdict.contested:
        message = contested(verdict.contested)
        return Stop(Why(Reason.CONTESTED, message), retry=verdict.pause, object=change.key, rivals=verdict.rivals)
    message = f"{change.key} was changed by somebody else again; it is corrected soon"
    return Stop(Why(Reason.TAKEN_BACK, message), retry=verdict.pause)


def failed(change: Change, error: ClusterError, *, untold: bool) -> Stop:
    """A write that the API server did not refuse and that was not made all the same, as far as is known."""
    message = (
        f"{change.key} could not be {_NOT_DONE[change.verb]}: {error}; it is tried again within a minute; if that does "
        "not help, fix what the error names, such as an admission webhook that does not answer, or the API server"
    )
    return Stop(Why(Reason.WRITE_FAILED, message), error=error, untold=untold)
