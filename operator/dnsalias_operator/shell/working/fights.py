"""Notices when somebody takes our writes back, slows down, and names them; it never gives up for good, nor loops.

A fight is a write whose predecessor does not stand any more: what we wanted was there and is not. Once is drift and is
reverted at once; from then on the pauses double, and from the limit on the object is *contested*. A write that follows
our own change of mind (the Service got another address) is no fight, unless it goes on for long: a rival who makes us
want something else each time must not get a write for each of his. A server-side apply that conflicts is contested at
once: another manager holds the field with another value. Memory of it is per process.
"""

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dnsalias_operator.core.aliases.conditions import own_part
from dnsalias_operator.core.changes import drift
from dnsalias_operator.core.entries.ownership import other_managers
from dnsalias_operator.core.outcome import Change, Verb
from dnsalias_operator.model.dnsalias import DnsAlias
from dnsalias_operator.model.kinds import Object
from dnsalias_operator.model.meta import Raw, mapping
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.virtualservice import VirtualService
from dnsalias_operator.shell.pace import Backoff

if TYPE_CHECKING:
    from dnsalias_operator.model.names import Key

_QUIET_SECONDS = 600.0
"""A write that stood this long was accepted: the next time is a new story."""
_CHURN = 20
"""Writes to one object, each reverted and each wanting something else, that are made without a pause."""
_WANTS = 8
"""Different wants of one object that are kept apart; who makes us change our mind more often is stopped by `_CHURN`."""


@dataclass(slots=True)
class _Want:
    writes: int = 0
    refused_by: tuple[str, ...] = ()


@dataclass(slots=True)
class _Record:
    last: float
    change: Change | None = None
    lost: int = 0
    wants: OrderedDict[str, _Want] = field(default_factory=OrderedDict)

    def of(self, wanted: str) -> _Want:
        """The count of this want; the one that was wanted longest ago makes room."""
        want = self.wants.setdefault(wanted, _Want())
        self.wants.move_to_end(wanted)
        if len(self.wants) > _WANTS:
            self.wants.popitem(last=False)
        return want


@dataclass(frozen=True, slots=True)
class Verdict:
    """``pause``: seconds before the write may be made (0: now).

    ``contested`` names the rivals in words, "" if there is no fight; ``rivals`` are their field managers, () where they
    are not known.
    """

    pause: float = 0
    contested: str = ""
    rivals: tuple[str, ...] = ()


class Fights:
    """Keeps one record an object that was written or refused lately."""

    def __init__(self, limit: int, backoff: Backoff, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._backoff = backoff
        self._clock = clock
        self._records: dict[Key, _Record] = {}

    def judge(self, change: Change, obj: Object | None, *, fought: bool = False) -> Verdict:
        """May this change be written to ``obj`` now? ``fought``: a condition from before our start says Contested."""
        now = self._clock()
        record = self._records.get(change.key)
        if record is None and fought:
            record = self._records[change.key] = _Record(now)
            record.of(_wanted(change)).writes = self._limit
        if record is None or _stands(record.change, obj):
            return Verdict()
        want = record.wants.get(_wanted(change), _Want())
        rounds = max(want.writes - 1 + (self._limit if want.refused_by else 0), record.lost - _CHURN)
        pause = self._backoff.pause(rounds) if rounds > 0 else 0.0
        if now - record.last > _QUIET_SECONDS + 2 * pause and not want.refused_by:
            del self._records[change.key]
            return Verdict()
        wait = max(0.0, record.last + pause - now)
        if want.refused_by and _let_go(change, obj, want.refused_by):
            # Not at once: the watch may be behind the answer that named them.
            return Verdict(max(0.0, record.last + self._backoff.pause(1) - now))
        if want.refused_by:
            return Verdict(wait, ", ".join(want.refused_by), want.refused_by)
        if max(want.writes, record.lost - _CHURN) < self._limit:
            return Verdict(wait)
        return Verdict(wait, *_opponent(change, obj))

    def wrote(self, change: Change, before: Object | None = None) -> None:
        """The change was written; ``before`` is the object as it was then."""
        record = self._records.get(change.key)
        if record is None or _stands(record.change, before):
            record = self._records[change.key] = _Record(self._clock())
        else:
            record.lost += 1
        want = record.of(_wanted(change))
        want.writes += 1
        want.refused_by = ()
        record.change, record.last = change, self._clock()

    def refused(self, change: Change, managers: tuple[str, ...]) -> None:
        """The change conflicted with what these managers hold."""
        record = self._records.setdefault(change.key, _Record(self._clock()))
        want = record.of(_wanted(change))
        want.writes += 1
        want.refused_by = managers
        record.last = self._clock()

    def knows(self, change: Change) -> bool:
        """Whether this process wrote the same before: what is missing now was there."""
        record = self._records.get(change.key)
        return record is not None and record.change is not None and _wanted(record.change) == _wanted(change)

    def prune(self) -> None:
        """Forget what was written so long ago that nobody can be fighting over it; call it now and then."""
        oldest = self._clock() - _QUIET_SECONDS - 2 * self._backoff.most
        self._records = {key: record for key, record in self._records.items() if record.last >= oldest}


def _wanted(change: Change) -> str:
    """What the write wants, without the uid and version that differ each time."""
    body: Mapping[str, object] = {k: v for k, v in change.apply.items() if k not in ("metadata", "apiVersion")}
    if "status" in body:
        body = {"status": timeless(mapping(body["status"]))}
    kept = {k: mapping(change.apply.get("metadata")).get(k) for k in ("labels", "annotations")}
    return json.dumps([change.verb, body, kept], sort_keys=True, default=str)


def timeless(status: Raw) -> dict[str, Any]:
    """What of a status is ours, without the times of its conditions."""
    part = own_part(status)
    bare = {t: {k: v for k, v in c.items() if k != "lastTransitionTime"} for t, c in part["conditions"].items()}
    return {**part, "conditions": bare}


def _stands(change: Change | None, obj: Object | None) -> bool:
    """Whether what the change wrote is still there."""
    if change is None:
        return False
    if change.verb is Verb.DELETE or obj is None:
        return change.verb is Verb.DELETE and obj is None
    if isinstance(obj, DnsAlias):
        return timeless(obj.status) == timeless(mapping(change.apply.get("status")))
    if change.verb is Verb.REPAIR:
        spec = mapping(obj.raw.get("spec"))
        return all(spec.get(name) == value for name, value in mapping(change.apply.get("spec")).items())
    return not drift(obj.raw, change.apply)


def _spec_fields(change: Change) -> list[str]:
    return [f.removeprefix("spec.") for f in change.fields if f.startswith("spec.")]


def _let_go(change: Change, obj: Object | None, managers: tuple[str, ...]) -> bool:
    """Whether none of the managers that a write conflicted with holds one of its fields any more."""
    fields = _spec_fields(change)
    return (
        bool(fields)
        and isinstance(obj, ServiceEntry | VirtualService)
        and not {*managers} & {*other_managers(obj, *fields)}
    )


def _opponent(change: Change, obj: Object | None) -> tuple[str, tuple[str, ...]]:
    """The manager that owns the value now, or, where it was removed, probably the one that owns the hosts."""
    if obj is None:
        return "somebody who deletes it", ()
    if isinstance(obj, ServiceEntry | VirtualService):
        if owners := other_managers(obj, *_spec_fields(change)):
            return ", ".join(owners), owners
        if owners := other_managers(obj, "hosts"):
            return f"probably {', '.join(owners)}", owners
    return "an unknown manager", ()
