"""One key at a time: decide, write what is due, tell what came of it.

Decisions of different keys overlap in time: while a write is in flight, others decide in the world as it will be after
it (`Pending`), so that two repairs which are harmless alone are never made together when together they do harm.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Protocol

from dnsalias_operator.core.conditions import desired_status
from dnsalias_operator.core.outcome import AliasDecision, Change, EntryDecision, Severity, Verb
from dnsalias_operator.core.plan import decide_alias, decide_entry
from dnsalias_operator.core.triggers import affected
from dnsalias_operator.model.dnsalias import DnsAlias
from dnsalias_operator.model.names import KIND, Key
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.snapshot import PARSERS, Object, Snapshot
from dnsalias_operator.shell import verdicts
from dnsalias_operator.shell.apply import Writer, is_refusal
from dnsalias_operator.shell.errors import ApiError, ClusterError
from dnsalias_operator.shell.events import Recorder
from dnsalias_operator.shell.fights import Fights
from dnsalias_operator.shell.metrics import Metrics
from dnsalias_operator.shell.queue import WorkQueue
from dnsalias_operator.shell.store import Store

log = logging.getLogger(__name__)


class Clock(Protocol):
    """The API server's clock: seconds since the epoch, never ahead of it."""

    def now(self) -> float:
        """The time."""


class Reconciler:
    """Works on keys of DnsAliases and ServiceEntries; `work` is what a worker calls."""

    def __init__(
        self,
        *,
        store: Store,
        queue: WorkQueue[Key],
        writer: Writer,
        recorder: Recorder,
        fights: Fights,
        metrics: Metrics,
        rules: Rules,
        clock: Clock,
    ) -> None:
        self._store, self._queue, self._writer, self._recorder = store, queue, writer, recorder
        self._fights, self._metrics, self._rules, self._clock = fights, metrics, rules, clock
        self._pending: dict[Key, Object | None] = {}

    async def work(self, key: Key, on_written: Callable[[], None] = lambda: None) -> None:
        """Bring one object to what it should be; ``on_written`` is called after each write.

        Raises:
            ClusterError: something could not be written; the key is to be worked on again.
        """
        if key.kind == KIND:
            await self._alias(key, on_written)
        else:
            await self._entry(key, on_written)

    async def _alias(self, key: Key, on_written: Callable[[], None]) -> None:
        decision = decide_alias(self._world(), key, self._rules)
        if decision is None:
            self._metrics.decisions.aliases.pop(key, None)
            self._fights.forget(Key("ServiceEntry", key.namespace, key.name))
            return
        alias = self._store.world.alias(key.namespace, key.name)
        held, failure = decision, None
        if decision.changes and alias is not None:
            reason, message, failure = await self._write_all(key, decision.changes, _was_contested(alias), on_written)
            if not reason and failure is None:
                # The answers are in the store: the conditions are told after one more look at the world.
                self._keep_alias(decision)
                self._queue.add(key)
                return
            if reason:
                held = verdicts.unprogrammed(decision, reason, message)
        self._keep_alias(held)
        if alias is not None and (failure is None or held is not decision):
            await self._status(alias, held)
        if failure is not None:
            raise failure

    async def _entry(self, key: Key, on_written: Callable[[], None]) -> None:
        world = self._world()
        decision = decide_entry(world, key, self._rules)
        if decision is None:
            self._metrics.decisions.entries.pop(key, None)
            return
        held, failure = decision, None
        if decision.changes:
            before = self._metrics.decisions.entries.get(key)
            was_contested = before is not None and before.reason == verdicts.CONTESTED
            reason, message, failure = await self._write_all(key, decision.changes, was_contested, on_written)
            if reason:
                severity = _severity_as_is(world, key, self._rules)
                held = verdicts.unrepaired(decision, reason, message, severity)
                self._warn(key, held, before)
        self._metrics.decisions.entries[key] = held
        if failure is not None:
            raise failure

    async def _write_all(
        self, key: Key, changes: tuple[Change, ...], was_contested: bool, on_written: Callable[[], None]
    ) -> tuple[str, str, ClusterError | None]:
        """Write in order as far as it goes: why it stopped (reason and message, "" where it did not), and the error."""
        for change in changes:
            wait = change.not_before - self._clock.now()
            if change.not_before and wait > 0:
                self._queue.add(key, wait)
                return (
                    verdicts.WAITING,
                    f"{change.key} is made in {wait:.0f} s, when it is younger than its Service",
                    None,
                )
            entry = self._store.world.entry(change.key.namespace, change.key.name)
            verdict = self._fights.judge(change, entry, contested_before=was_contested)
            if verdict.pause > 0:
                self._queue.add(key, verdict.pause)
                if not verdict.contested:
                    return (
                        verdicts.TAKEN_BACK,
                        f"{change.key} was changed by somebody else; it is set right again soon",
                        None,
                    )
                return verdicts.CONTESTED, verdicts.contested(verdict.contested), None
            try:
                await self._write(change)
            except ApiError as error:
                if error.managers:
                    self._fights.refused(change, error.managers)
                    return verdicts.CONTESTED, verdicts.contested(", ".join(error.managers)), error
                if is_refusal(error):
                    return verdicts.WRITE_REFUSED, str(error), error
                return "", "", error
            except ClusterError as error:
                return "", "", error
            self._fights.wrote(change)
            on_written()
        return "", "", None

    async def _write(self, change: Change) -> None:
        drifted = self._is_drift(change)
        before = self._store.world.get(change.key)
        self._pending[change.key] = PARSERS[change.key.kind](change.after) if change.after is not None else None
        try:
            await self._writer.write(change)
        except ClusterError as error:
            # Others may have decided in a world where this write succeeded.
            after = self._pending.pop(change.key)
            for neighbour in affected(self._store.world, after, before, self._rules):
                self._queue.add(neighbour)
            if isinstance(error, ApiError) and error.status == HTTPStatus.CONFLICT and not error.managers:
                log.debug("the object has changed meanwhile", extra={"fields": {"object": str(change.key)}})
            raise
        finally:
            self._pending.pop(change.key, None)
        if drifted:
            for name in change.fields or ("object",):
                self._metrics.drift.labels(change.key.kind, name).inc()
        log.info(
            change.message,
            extra={
                "fields": {
                    "object": str(change.key),
                    "reason": change.reason,
                    "written": change.verb.value,
                    "changed": list(change.fields),
                    "inferred": change.inferred or None,
                }
            },
        )
        about = self._store.world.get(change.key) or before
        if change.verb is Verb.REPAIR and about is not None:
            note = change.message + (" (its Service was inferred)" if change.inferred else "")
            self._recorder.emit(about, "Normal", change.reason, "Repair", note)

    async def _status(self, alias: DnsAlias, decision: AliasDecision) -> None:
        now = datetime.fromtimestamp(self._clock.now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        current = self._store.world.alias(alias.meta.namespace, alias.meta.name) or alias
        status = desired_status(decision, current, now)
        if status is None:
            return
        await self._writer.write_status(current, status)
        ready = next((c for c in decision.conditions if c.type == "Ready"), None)
        if ready is None or _said(current) == (ready.status, ready.reason, ready.message):
            return
        good = ready.status == "True"
        log.info(
            ready.message,
            extra={"fields": {"object": str(alias.key), "reason": ready.reason, "ready": good, "written": "status"}},
        )
        self._recorder.emit(
            current, "Normal" if good else "Warning", "Programmed" if good else ready.reason, "Reconcile", ready.message
        )

    def _keep_alias(self, decision: AliasDecision) -> None:
        self._metrics.decisions.aliases[decision.key] = decision

    def _is_drift(self, change: Change) -> bool:
        """Whether the write brings back what stood there by our doing; a create is drift where we knew the entry."""
        if change.verb in (Verb.UPDATE, Verb.REPLACE):
            return True
        if change.verb is Verb.REPAIR:
            return self._fights.knows(change)
        return change.verb is Verb.CREATE and self._fights.knows(change)

    def _warn(self, key: Key, held: EntryDecision, before: EntryDecision | None) -> None:
        entry = self._store.world.get(key)
        if entry is None or (before is not None and (before.reason, before.message) == (held.reason, held.message)):
            return
        log.warning(held.message, extra={"fields": {"object": str(key), "reason": held.reason}})
        self._recorder.emit(entry, "Warning", held.reason, "Repair", held.message)

    def _world(self) -> Snapshot:
        return self._store.world.with_changes(self._pending) if self._pending else self._store.world


def _severity_as_is(world: Snapshot, key: Key, rules: Rules) -> Severity:
    """How bad the entry is while it is not written: what the core says of it where writing is forbidden."""
    observed = decide_entry(world, key, rules.model_copy(update={"foreign_entries": "observe"}))
    return observed.severity if observed else Severity.INFO


def _said(alias: DnsAlias) -> tuple[object, ...]:
    for condition in alias.status.get("conditions") or ():
        if isinstance(condition, Mapping) and condition.get("type") == "Ready":
            return (condition.get("status"), condition.get("reason"), condition.get("message"))
    return ()


def _was_contested(alias: DnsAlias) -> bool:
    return bool(_said(alias)) and _said(alias)[1] == verdicts.CONTESTED
