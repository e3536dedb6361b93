"""The values that decisions are made of: findings, changes, conditions, and what became of each object."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from dnsalias_operator.core.reasons import Reason, Why
from dnsalias_operator.model.meta import Raw
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.status import POLICIES_FOLLOWED


class Severity(StrEnum):
    """How bad: critical takes traffic not meant for it, warning breaks or may break something, info does no harm."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the worst, so that findings sort by it."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Hazard:
    """What a finding of one object is part of: other objects with the same ``name`` make the same hazard.

    ``acts`` is whether it is this object by which the hazard does harm today.
    """

    name: str
    acts: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault in one object. ``code`` is stable (docs/findings.md); ``port`` is None for one of the whole object.

    ``hazard`` is None where the fault is the object's own. ``about`` is the other object that the finding is about,
    where there is just one.
    """

    code: str
    severity: Severity
    key: Key
    port: int | None
    message: str
    remedy: str
    hazard: Hazard | None = None
    about: Key | None = None

    @property
    def order(self) -> tuple[Any, ...]:
        """Sort key: worst first, then by object, code and port."""
        return (self.severity.rank, self.key, self.code, self.port or 0, self.message)


class Verb(StrEnum):
    """How a change is written.

    CREATE: POST of a generated ServiceEntry. UPDATE: server-side apply with force on one proven ours by uid. RECREATE:
    dry-run create, delete, create: it gives our place in the age order back to the Service. DELETE: of one proven ours.
    REPAIR: server-side apply by the repair manager, no force; a field left out of ``apply`` is withdrawn. REPLACE: PUT
    of one of ours to which others added fields in ``spec`` (server-side apply cannot remove what another manager owns).
    All but CREATE have uid and resourceVersion of the object as preconditions: what has changed meanwhile is refused.
    """

    CREATE = "create"
    UPDATE = "update"
    RECREATE = "recreate"
    DELETE = "delete"
    REPAIR = "repair"
    REPLACE = "replace"


@dataclass(frozen=True, slots=True)
class Change:
    """One write.

    ``before`` and ``after`` are the whole object as it is and as it will be (None: absent), for diffs and what-ifs;
    ``apply`` is the body that is sent; ``uid`` the precondition ("" where the object does not exist yet).
    ``message`` is the sentence for people. ``not_before`` (seconds since the epoch by the API server's clock, 0: any
    time) delays the write until the Service is certain to be older.
    ``fields`` names what the write corrects.
    """

    verb: Verb
    key: Key
    before: Raw | None
    after: Raw | None
    apply: Raw
    reason: Reason
    message: str
    uid: str = ""
    not_before: int = 0
    fields: tuple[str, ...] = ()
    inferred: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition in Gateway API's words; ``status`` is "True", "False" or "Unknown"."""

    type: str
    status: str
    reason: Reason
    message: str


class State(StrEnum):
    """What became of a ServiceEntry that the operator looks after.

    FIXED: has what it needs. CONTAINED: still wrong, but takes no traffic of others. UNFIXED: wrong.
    """

    FIXED = "fixed"
    CONTAINED = "contained"
    UNFIXED = "unfixed"


@dataclass(frozen=True, slots=True)
class AliasDecision:
    """Everything decided about one DnsAlias.

    ``entry`` names its ServiceEntry ("" where there is none), ``mode`` is Generated or Patched. ``changes`` are written
    in their order; the conditions hold once they are. ``routed`` are the ports whose calls the alias' VirtualService
    leads to the Service's cluster.
    """

    key: Key
    conditions: tuple[Condition, ...]
    host: str = ""
    addresses: tuple[str, ...] = ()
    entry: str = ""
    mode: str = ""
    changes: tuple[Change, ...] = ()
    findings: tuple[Finding, ...] = ()
    routed: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class EntryDecision:
    """Everything decided about one ServiceEntry of somebody else.

    ``selected`` says whether the operator looks after it; ``state`` is None where it does not. ``why`` says what is
    wrong with it.
    ``severity`` is that of the entry once ``changes`` are made. ``service`` is the Service it stands for. ``withheld``
    are changes that a policy (observe) keeps from being written.
    """

    key: Key
    selected: bool
    state: State | None = None
    why: Why | None = None
    severity: Severity = Severity.INFO
    service: Key | None = None
    inferred: bool = False
    changes: tuple[Change, ...] = ()
    withheld: tuple[Change, ...] = ()

    @property
    def reason(self) -> str:
        """The reason as a listing or a metric has it, "" where nothing is wrong."""
        return self.why.reason if self.why else ""

    @property
    def message(self) -> str:
        """What was found and what to do, "" where nothing is wrong."""
        return self.why.message if self.why else ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the operator would do in a world: sorted, the same world gives the same bytes.

    ``after`` is the snapshot with every change applied; kept out of equality.
    """

    changes: tuple[Change, ...]
    aliases: tuple[AliasDecision, ...]
    entries: tuple[EntryDecision, ...]
    after: Any = field(compare=False, repr=False, default=None)


@dataclass(frozen=True, slots=True)
class Refusal(Why):
    """Why an alias is not served, with the condition that turns False."""

    condition: str


def unfixed(entries: Iterable[EntryDecision]) -> list[EntryDecision]:
    """Entries in the operator's care that stay wrong, the contained among them: somebody still has an edit to make."""
    return [entry for entry in entries if entry.state in (State.UNFIXED, State.CONTAINED)]


def left_alone(entries: Iterable[EntryDecision]) -> list[EntryDecision]:
    """Entries in the operator's care that get nothing though they have no address, since they are right without one."""
    return [entry for entry in entries if entry.state is State.FIXED and entry.why and not entry.changes]


def refused(decided: Plan) -> list[tuple[AliasDecision, Condition]]:
    """Aliases that will not work, each with the first condition that says why."""
    wrong = (
        (alias, [c for c in alias.conditions if c.status == "False" and c.type != POLICIES_FOLLOWED])
        for alias in decided.aliases
    )
    return [(alias, conditions[0]) for alias, conditions in wrong if conditions]


def not_served(decided: Plan) -> Iterator[tuple[AliasDecision, Condition]]:
    """The `refused` aliases of which no `unfixed` entry says it already."""
    reported = {entry.key for entry in unfixed(decided.entries)}
    for alias, condition in refused(decided):
        if Key("ServiceEntry", alias.key.namespace, alias.entry) not in reported:
            yield alias, condition


def withheld(decided: Plan) -> list[Change]:
    """What a policy keeps from being written: shown, and no reason for another exit code."""
    return [change for entry in decided.entries for change in entry.withheld]
