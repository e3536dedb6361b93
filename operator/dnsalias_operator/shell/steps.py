"""Writes the changes of one decision, in order, as far as they go, and says why it stopped where it did.

While a write is in flight, others decide in the world as it will be after it (`world`), so that two repairs which are
harmless alone are never made together when together they do harm.
"""

import logging
from collections.abc import Callable
from typing import Protocol

from dnsalias_operator.core.outcome import Change, Verb
from dnsalias_operator.core.triggers import affected, rests_on
from dnsalias_operator.model.meta import mapping
from dnsalias_operator.model.names import KIND, Key
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.snapshot import PARSERS, Object, Snapshot
from dnsalias_operator.shell import verdicts
from dnsalias_operator.shell.apply import Writer, is_refusal
from dnsalias_operator.shell.errors import ApiError, ClusterError
from dnsalias_operator.shell.events import Recorder
from dnsalias_operator.shell.fights import Fights
from dnsalias_operator.shell.metrics import Metrics
from dnsalias_operator.shell.store import Store
from dnsalias_operator.shell.verdicts import Stop

log = logging.getLogger(__name__)


class Clock(Protocol):
    """The API server's clock: seconds since the epoch, never ahead of it."""

    def now(self) -> float:
        """The time."""


class Steps:
    """Carries decisions out. ``enqueue`` asks for a key to be decided again."""

    def __init__(
        self,
        *,
        store: Store,
        writer: Writer,
        recorder: Recorder,
        fights: Fights,
        metrics: Metrics,
        rules: Rules,
        clock: Clock,
        enqueue: Callable[[Key], None],
    ) -> None:
        self._store, self._writer, self._recorder, self._fights = store, writer, recorder, fights
        self._metrics, self._rules, self._clock, self._enqueue = metrics, rules, clock, enqueue
        self._pending: dict[Key, Object | None] = {}

    def world(self) -> Snapshot:
        """The world with every write in flight done."""
        return self._store.world.with_changes(self._pending) if self._pending else self._store.world

    async def take(
        self, key: Key, changes: tuple[Change, ...], on_written: Callable[[], None], *, fought: bool
    ) -> Stop | None:
        """Write what was decided about ``key``, in order; None where everything was written.

        ``fought`` says that the object was contested before this process began, so that it starts slowly.
        """
        for change in changes:
            stop = self._not_yet(change, fought=fought) or await self._attempt(key, change)
            if stop is not None:
                return stop
            on_written()
        return None

    def _not_yet(self, change: Change, *, fought: bool) -> Stop | None:
        there = self._store.world.get(change.key)
        if change.verb is Verb.CREATE and there is not None and there.meta.deleting:
            return Stop()  # what was deleted before stays for a while: to be decided anew
        wait = change.not_before - self._clock.now() if change.not_before else 0
        if wait > 0:
            message = f"{change.key} is made as soon as it is sure to be younger than its Service"
            return Stop(verdicts.WAITING, message, retry=wait)
        verdict = self._fights.judge(change, there, fought=fought)
        return verdicts.held_up(change, verdict) if verdict.pause > 0 else None

    async def _attempt(self, key: Key, change: Change) -> Stop | None:
        drifted = change.verb in (Verb.UPDATE, Verb.REPLACE) or self._fights.knows(change)
        before = self._store.world.get(change.key)
        after = PARSERS[change.key.kind](change.after) if change.after is not None else None
        # Before anything is awaited: whoever decides from now on counts on this write.
        self._pending[change.key] = after
        stop: Stop | None = None
        try:
            if await self._writer.confirm.outdated(self._made_from(key, change)):
                stop = Stop()
            else:
                await self._writer.write(change)
        except ClusterError as error:
            stop = self._failed(change, error)
        finally:
            # An alias and the entry of its name can both have a write of that entry in flight.
            if self._pending.get(change.key) is after:
                self._pending.pop(change.key, None)
        if stop is not None:
            # Others may have decided in a world where this write succeeded.
            for neighbour in sorted(affected(self._store.world, after, before, self._rules)):
                self._enqueue(neighbour)
            return stop
        self._fights.wrote(change, before)
        if drifted and change.verb not in (Verb.DELETE, Verb.RECREATE):
            for name in change.fields or ("object",):
                self._metrics.drift.labels(change.key.kind, name.partition("[")[0]).inc()
        self._tell(change, self._store.world.get(change.key) or before)
        return None

    def _made_from(self, key: Key, change: Change) -> list[Key]:
        """What is looked at once more before a write: not what is written, where the write itself has preconditions."""
        keys = (*rests_on(self._store.world, key, self._rules), *([key] if key.kind == KIND else ()))
        return [one for one in keys if one != change.key]

    def _failed(self, change: Change, error: ClusterError) -> Stop:
        if isinstance(error, ApiError) and error.managers:
            self._fights.refused(change, error.managers)
            message = verdicts.contested(", ".join(error.managers))
            return Stop(verdicts.CONTESTED, message, error=error, object=change.key, rivals=error.managers)
        if is_refusal(error):
            return Stop(verdicts.WRITE_REFUSED, str(error), error=error)
        return Stop(error=error)

    def _tell(self, change: Change, about: Object | None) -> None:
        fields = {
            "object": str(change.key),
            "reason": change.reason,
            "written": change.verb.value,
            "changed": list(change.fields),
            "inferred": change.inferred,
        }
        log.info(change.message, extra={"fields": {k: v for k, v in fields.items() if v}})
        if change.verb is Verb.REPAIR and about is not None:
            self._recorder.emit(about, "Normal", change.reason, "Repair", f"{_done(change)}; {change.message}")


def _done(change: Change) -> str:
    """What a repair wrote, for somebody who looks at the entry alone."""
    spec = mapping(mapping(change.after).get("spec"))
    parts = []
    for path in change.fields:
        values = spec.get(path.removeprefix("spec."))
        listed = ", ".join(str(mapping(v).get("address", v)) for v in values or ())
        parts.append(f"set {path} to {listed}" if values else f"withdrew {path}")
    return " and ".join(parts)
