"""Notices when somebody takes our writes back, slows down, and names them; it never gives up for good, nor loops.

A fight is the same write to the same object, again: what we wanted was there and is not any more. Once is drift and is
healed at once; from then on the pauses double, and from the limit on the object is *contested*. A server-side apply
that conflicts is contested at once: another manager holds the field with another value. Memory of it is per process.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dnsalias_operator.core.outcome import Change
from dnsalias_operator.core.ownership import other_managers
from dnsalias_operator.model.meta import mapping
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.shell.queue import Backoff

_QUIET_SECONDS = 600.0
"""A write that stood this long was accepted: the next time is a new story."""


@dataclass(slots=True)
class _Record:
    wanted: str
    last: float
    writes: int = 1
    refused_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """``pause``: seconds before the write may be made (0: now). ``contested``: who is named, "" if no fight."""

    pause: float = 0
    contested: str = ""


class Fights:
    """Keeps one record an object that was written or refused lately."""

    def __init__(self, limit: int, backoff: Backoff, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._backoff = backoff
        self._clock = clock
        self._records: dict[Key, _Record] = {}

    def judge(self, change: Change, entry: ServiceEntry | None, *, fought: bool = False) -> Verdict:
        """May this change be written now? ``fought``: a condition from before our start says Contested."""
        now = self._clock()
        record = self._records.get(change.key)
        if record is None and fought:
            record = self._records[change.key] = _Record(_wanted(change), now, self._limit)
        if record is None or record.wanted != _wanted(change):
            return Verdict()
        rounds = record.writes - 1 + (self._limit if record.refused_by else 0)
        pause = self._backoff.pause(rounds) if rounds else 0.0
        if now - record.last > _QUIET_SECONDS + 2 * pause and not record.refused_by:
            del self._records[change.key]
            return Verdict()
        named = ""
        if record.refused_by or record.writes >= self._limit:
            named = ", ".join(record.refused_by) or _opponent(change, entry)
        return Verdict(max(0.0, record.last + pause - now), named)

    def wrote(self, change: Change) -> None:
        """The change was written."""
        wanted = _wanted(change)
        record = self._records.get(change.key)
        if record is not None and record.wanted == wanted:
            record.writes += 1
            record.last = self._clock()
            record.refused_by = ()
        else:
            self._records[change.key] = _Record(wanted, self._clock())

    def refused(self, change: Change, managers: tuple[str, ...]) -> None:
        """The change conflicted with what these managers hold."""
        record = self._records.get(change.key)
        if record is None or record.wanted != _wanted(change):
            record = self._records[change.key] = _Record(_wanted(change), self._clock())
        else:
            record.writes += 1
            record.last = self._clock()
        record.refused_by = managers

    def knows(self, change: Change) -> bool:
        """Whether this process wrote the same before: what is missing now was there."""
        record = self._records.get(change.key)
        return record is not None and record.wanted == _wanted(change)

    def forget(self, key: Key) -> None:
        """The object is gone."""
        self._records.pop(key, None)


def _wanted(change: Change) -> str:
    """What the write wants, without the uid and version that differ each time."""
    body: Mapping[str, object] = {k: v for k, v in change.apply.items() if k not in ("metadata", "apiVersion")}
    kept = {k: mapping(change.apply.get("metadata")).get(k) for k in ("labels", "annotations")}
    return json.dumps([change.verb, body, kept], sort_keys=True, default=str)


def _opponent(change: Change, entry: ServiceEntry | None) -> str:
    """The manager that owns the value now, or, where it was removed, probably the one that owns the hosts."""
    if entry is None:
        return "somebody who deletes it"
    fields = [f.removeprefix("spec.") for f in change.fields if f.startswith("spec.")]
    if owners := other_managers(entry, *fields):
        return ", ".join(owners)
    owners = other_managers(entry, "hosts")
    return f"probably {', '.join(owners)}" if owners else "an unknown manager"
