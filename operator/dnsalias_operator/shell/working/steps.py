"""Writes the changes of one decision, in order, as far as they go, and says why it stopped where it did.

While a write is in flight, others decide in the world as it will be after it (`world`), so that two repairs which are
harmless alone are never made together when together they do harm.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from dnsalias_operator.core.outcome import Change, Verb
from dnsalias_operator.core.reasons import Reason, Why
from dnsalias_operator.core.triggers import affected, rests_on
from dnsalias_operator.model.kinds import KINDS, Object
from dnsalias_operator.model.names import KIND, Key
from dnsalias_operator.model.snapshot import Snapshot
from dnsalias_operator.shell.api.errors import ApiError, ClusterError, FencedError
from dnsalias_operator.shell.current import Current
from dnsalias_operator.shell.pace import Clock
from dnsalias_operator.shell.reporting.logs import about
from dnsalias_operator.shell.reporting.metrics import Metrics
from dnsalias_operator.shell.watching.store import Store
from dnsalias_operator.shell.working import verdicts
from dnsalias_operator.shell.working.apply import Writer, asks_for_time, is_refusal
from dnsalias_operator.shell.working.confirm import Known
from dnsalias_operator.shell.working.fights import Fights
from dnsalias_operator.shell.working.verdicts import Stop

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Flight:
    """A write in flight: the object as it will be, who was decided in a world that has it, and who waits to know."""

    after: Object | None
    counted_on_by: set[Key] = field(default_factory=set)
    awaited_by: set[Key] = field(default_factory=set)


class Steps:
    """Carries decisions out.

    ``now`` is the API server's clock: seconds since the epoch, never ahead of it. ``enqueue`` asks for a key to be
    decided again.
    """

    def __init__(
        self,
        *,
        store: Store,
        writer: Writer,
        fights: Fights,
        metrics: Metrics,
        current: Current,
        now: Clock,
        enqueue: Callable[[Key], None],
    ) -> None:
        self._store, self._writer, self._fights = store, writer, fights
        self._metrics, self._current, self._now, self._enqueue = metrics, current, now, enqueue
        self._pending: dict[Key, _Flight] = {}

    def world(self, key: Key) -> Snapshot:
        """The world with every write in flight done, to decide ``key`` in."""
        if not self._pending:
            return self._store.world
        for flight in self._pending.values():
            flight.counted_on_by.add(key)
        return self._store.world.with_changes({at: flight.after for at, flight in self._pending.items()})

    def awaits(self, key: Key, entry: Key) -> bool:
        """Whether a write of ``entry`` is under way, and nobody knows yet what comes of it; ``key`` is queued then."""
        flight = self._pending.get(entry)
        if flight is not None:
            flight.awaited_by.add(key)
        return flight is not None

    async def carry_out(
        self, key: Key, changes: tuple[Change, ...], on_written: Callable[[], None], *, fought: bool
    ) -> Stop | None:
        """Write what was decided about ``key``, in order; None where everything was written.

        Without its VirtualService an alias is served all the same: one that is refused or contested keeps nothing else
        from being written, and is what is returned then. ``fought`` says that the object was contested before this
        process began, so that it starts slowly.
        """
        # Before anything is awaited: the objects as they were decided on, for every step.
        known = self._writer.confirm.known(self._made_from(key))
        aside: Stop | None = None
        for change in changes:
            stop = self._not_yet(change, fought=fought) or await self._attempt(key, change, known)
            if stop is not None and stop.why is not None and change.key.kind == "VirtualService":
                aside = replace(stop, aside=True)
            elif stop is not None:
                return stop
            else:
                known = {**known, **self._writer.confirm.known([change.key])}
                on_written()
        return aside

    def _not_yet(self, change: Change, *, fought: bool) -> Stop | None:
        there = self._store.world.get(change.key)
        if change.verb is Verb.CREATE and there is not None and there.meta.deleting:
            return Stop()  # what was deleted before stays for a while: to be decided again
        wait = change.not_before - self._now() if change.not_before else 0
        if wait > 0:
            message = f"{change.key} is made as soon as it is sure to be younger than its Service"
            return Stop(Why(Reason.WAITING_FOR_AGE, message), retry=wait)
        verdict = self._fights.judge(change, there, fought=fought)
        return verdicts.held_up(change, verdict) if verdict.pause > 0 else None

    async def _attempt(self, key: Key, change: Change, known: Known) -> Stop | None:
        drifted = change.verb in (Verb.UPDATE, Verb.REPLACE) or self._fights.knows(change)
        before = self._store.world.get(change.key)
        after = KINDS[change.key.kind].parse(change.after) if change.after is not None else None
        # Before anything is awaited: whoever decides from now on counts on this write.
        flight = self._pending[change.key] = _Flight(after)
        stop: Stop | None = None
        sent = False
        try:
            await self._writer.turn()
            # What has come into it since is nothing that was decided on. Not what is written: that has preconditions.
            made_from = {**dict.fromkeys(self._made_from(key)), **known}
            made_from.pop(change.key, None)
            if await self._writer.outdated(change.key, change.verb.value, made_from):
                stop = Stop()
            else:
                sent = True
                if not await self._writer.write(change, made_from):
                    _log(change, "deleted; its new form is decided again, since what it is made from has changed")
                    stop = Stop()
        except ClusterError as error:
            stop = self._failed(change, error, sent=sent)
        finally:
            # An alias and the entry of its name can both have a write of that entry in flight.
            if self._pending.get(change.key) is flight:
                self._pending.pop(change.key, None)
        for other in sorted(flight.awaited_by):
            self._enqueue(other)
        if stop is not None:
            # They were decided in a world where this write succeeded. No others: keys that fail side by side would ask
            # for each other at once, and none of them would wait for its backoff.
            for other in sorted(flight.counted_on_by & affected(self._store.world, after, before, self._current.rules)):
                self._enqueue(other)
            return stop
        self._fights.wrote(change, before)
        if drifted and change.verb not in (Verb.DELETE, Verb.RECREATE):
            for name in change.fields or ("object",):
                self._metrics.drift.labels(change.key.kind, name.partition("[")[0]).inc()
        _log(change)
        return None

    def _made_from(self, key: Key) -> tuple[Key, ...]:
        """What is read once more before a write."""
        return (*rests_on(self._store.world, key, self._current.rules), *([key] if key.kind == KIND else ()))

    def _failed(self, change: Change, error: ClusterError, *, sent: bool) -> Stop:
        if isinstance(error, ApiError) and error.managers:
            self._fights.refused(change, error.managers)
            message = verdicts.contested(", ".join(error.managers))
            return Stop(Why(Reason.CONTESTED, message), error=error, object=change.key, rivals=error.managers)
        if is_refusal(error):
            return Stop(verdicts.refused(change, error), error=error)
        if isinstance(error, FencedError):
            return Stop(error=error)  # not the write failed: this process may not write, and so has nothing to say
        # One that fails at reads, or asks for time, does not need a status on top.
        return verdicts.failed(change, error, untold=not sent or asks_for_time(error))


_DONE = {
    Verb.CREATE: "created",
    Verb.UPDATE: "updated",
    Verb.RECREATE: "created again",
    Verb.DELETE: "deleted",
    Verb.REPAIR: "repaired",
    Verb.REPLACE: "replaced",
}


def _log(change: Change, instead: str = "") -> None:
    """Say what was written; ``instead`` is for a change of which only the delete was."""
    verb = Verb.DELETE if instead else change.verb
    fields = {
        **about(change.key),
        "reason": change.reason,
        "written": verb.value,
        "changed": list(change.fields),
        "inferred": change.inferred,
    }
    log.info("%s: %s", _DONE[verb], instead or change.message, extra={"fields": {k: v for k, v in fields.items() if v}})
