"""One key at a time: decide, write what is due, report what came of it."""

import logging
from collections.abc import Callable
from dataclasses import replace

from dnsalias_operator.core.findings.lint import alias_findings, entry_findings
from dnsalias_operator.core.outcome import AliasDecision, Change, EntryDecision, Finding, Severity
from dnsalias_operator.core.plan import decide_alias, decide_entry
from dnsalias_operator.core.reasons import Reason
from dnsalias_operator.core.triggers import affected
from dnsalias_operator.model.dnsalias import DnsAlias
from dnsalias_operator.model.names import KIND, Key
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot
from dnsalias_operator.model.status import PATCHED
from dnsalias_operator.shell.current import Current
from dnsalias_operator.shell.decided import Decisions
from dnsalias_operator.shell.reporting.events import Recorder
from dnsalias_operator.shell.reporting.logs import about
from dnsalias_operator.shell.watching.store import Store
from dnsalias_operator.shell.working import verdicts
from dnsalias_operator.shell.working.failures import Failures
from dnsalias_operator.shell.working.queue import WorkQueue
from dnsalias_operator.shell.working.statuses import Statuses, said
from dnsalias_operator.shell.working.steps import Steps
from dnsalias_operator.shell.working.verdicts import Stop

log = logging.getLogger(__name__)


class Reconciler:
    """Works on keys of DnsAliases and ServiceEntries; `work` is what a worker calls."""

    def __init__(
        self,
        *,
        store: Store,
        queue: WorkQueue[Key],
        steps: Steps,
        statuses: Statuses,
        recorder: Recorder,
        decided: Decisions,
        current: Current,
    ) -> None:
        self._store, self._queue, self._steps, self._statuses = store, queue, steps, statuses
        self._recorder, self._decided, self._current = recorder, decided, current
        self._failures = Failures()

    async def work(self, key: Key, on_written: Callable[[], None] = lambda: None) -> None:
        """Bring one object to what it should be; ``on_written`` is called after each write of a ServiceEntry.

        Raises:
            ClusterError: something could not be written; the key is to be worked on again.
        """
        contested = self._decided.contested
        before = contested.get(key)
        decided: AliasDecision | None = None
        try:
            if key.kind == KIND:
                decided = await self._alias(key, on_written)
            else:
                await self._entry(key, on_written)
        finally:
            # What was not said again (`_contested`) does not hold any more.
            if before is not None and contested.get(key) is before:
                del contested[key]
            self._look_for_faults(key, decided)

    def _look_for_faults(self, key: Key, decided: AliasDecision | None) -> None:
        """Keep the findings of the object as it stands now, so that the metric never lags behind the decisions."""
        world = self._store.world
        obj = world.get(key)
        found: tuple[Finding, ...] = ()
        if isinstance(obj, ServiceEntry):
            found = tuple(entry_findings(world, obj, self._current.rules, counted=True))
        elif isinstance(obj, DnsAlias):
            found = tuple(alias_findings(world, key, self._current.rules, decided))
        if found:
            self._decided.findings[key] = found
        else:
            self._decided.findings.pop(key, None)

    async def _alias(self, key: Key, on_written: Callable[[], None]) -> AliasDecision | None:
        """Returns the decision where it holds now that this was done."""
        kept = self._decided.aliases
        world = self._steps.world(key)
        decision = decide_alias(world, key, self._current.rules)
        alias = self._store.world.alias(key.namespace, key.name)
        if decision is None or alias is None:
            kept.pop(key, None)
            self._failures.ended(key, None)
            return None
        fought = said(alias)[1] == Reason.CONTESTED
        stop = await self._carry_out(key, decision.changes, on_written, fought=fought)
        if stop is not None and self._edited(alias):
            # It is not wanted any more, and nothing may be said of the new spec because of the old one.
            self._queue.add(key)
            return None
        if stop is not None:
            self._contested(key, stop)
            if stop.why is not None:
                kept[key] = (
                    verdicts.unrouted(decision, stop.why) if stop.aside else verdicts.unprogrammed(decision, stop.why)
                )
                await self._statuses.say_why(alias, kept[key], stop)
            self._again(key, stop)
            return None
        if decision.changes:
            # The conditions hold now; they are written after one more look at the world, and after entries of others:
            # istiod pushes once for what comes together.
            kept[key] = decision
            self._queue.add(key, last=True)
            return decision
        served = self._as_served(world, decision)
        if served is not None:
            kept[key] = served
            await self._statuses.write(alias, served)
        return decision

    def _edited(self, alias: DnsAlias) -> bool:
        """Whether the alias has another spec by now, or is another one, or none."""
        now = self._store.world.alias(alias.meta.namespace, alias.meta.name)
        return now is None or (now.meta.uid, now.meta.generation) != (alias.meta.uid, alias.meta.generation)

    def _as_served(self, world: Snapshot, decision: AliasDecision) -> AliasDecision | None:
        """What an alias that somebody else's entry serves may say; None while that entry is still to be written."""
        if decision.mode != PATCHED:
            return decision
        key = Key("ServiceEntry", decision.key.namespace, decision.entry)
        entry = decide_entry(world, key, self._current.rules)
        if (entry is None or not entry.changes) and not self._steps.awaits(decision.key, key):
            return decision
        held = self._decided.entries.get(key)
        why = held.why if held is not None else None
        if why is not None and why.reason in verdicts.OURS:
            return verdicts.unprogrammed(decision, replace(why, message=f"{key}: {why.message}"))
        return None

    async def _entry(self, key: Key, on_written: Callable[[], None]) -> None:
        kept = self._decided.entries
        world = self._steps.world(key)
        decision = decide_entry(world, key, self._current.rules)
        if decision is None:
            kept.pop(key, None)
            self._failures.ended(key, None)
            return
        before = kept.get(key)
        fought = bool(decision.changes) and before is None and self._alias_says_contested(key)
        stop = await self._carry_out(key, decision.changes, on_written, fought=fought)
        if stop is None:
            kept[key] = decision
            self._say_what_was_written(decision)
        elif stop.why is not None:
            self._contested(key, stop)
            severity = _severity_as_is(world, key, self._current.rules)
            kept[key] = verdicts.unrepaired(decision, stop.why, severity)
        # Else it is as it was, as far as is known: not fixed before it is.
        if key in kept:
            self._tell(key, before, kept[key])
        if stop is not None:
            self._again(key, stop)

    async def _carry_out(
        self, key: Key, changes: tuple[Change, ...], on_written: Callable[[], None], *, fought: bool
    ) -> Stop | None:
        """Write it, as `Steps.carry_out`.

        `Failures` decides what is said of a failure; nothing is, once the operator is stopping.
        """
        stop = self._failures.ended(key, await self._steps.carry_out(key, changes, on_written, fought=fought))
        return replace(stop, why=None) if stop is not None and self._queue.closed else stop

    def _tell(self, key: Key, before: EntryDecision | None, now: EntryDecision) -> None:
        """Say it once where a write is held up, and let the aliases that the entry serves say it too."""
        was, why = before.why if before is not None else None, now.why
        if was == why or not {one.reason for one in (was, why) if one is not None} & verdicts.OURS:
            return
        entry = self._store.world.get(key)
        if why is not None and why.reason in verdicts.OURS and entry is not None:
            log.warning("left unfixed: %s", why.message, extra={"fields": {**about(key), "reason": why.reason}})
            self._recorder.emit(entry, "Warning", why.reason, "Repair", why.message)
        for alias in sorted(affected(self._store.world, entry, None, self._current.rules)):
            if alias.kind == KIND:
                self._queue.add(alias)

    def _say_what_was_written(self, decision: EntryDecision) -> None:
        entry = self._store.world.get(decision.key)
        for change in decision.changes:
            if entry is not None:
                note = f"{verdicts.written(change)}; {change.message}"
                self._recorder.emit(entry, "Normal", verdicts.event_of(change, decision), "Repair", note)

    def _contested(self, key: Key, stop: Stop) -> None:
        if stop.object is not None:
            self._decided.contested[key] = (stop.object, stop.rivals)

    def _again(self, key: Key, stop: Stop) -> None:
        if stop.error is not None:
            raise stop.error
        self._queue.add(key, stop.retry)

    def _alias_says_contested(self, key: Key) -> bool:
        return any(
            said(alias)[1] == Reason.CONTESTED
            for host in getattr(self._store.world.get(key), "hosts", ())
            for alias in self._store.world.aliases_for_host(host)
            if alias.meta.namespace == key.namespace
        )


def _severity_as_is(world: Snapshot, key: Key, rules: Rules) -> Severity:
    """How bad the entry is while it is not written: what the core says of it where writing is forbidden."""
    observed = decide_entry(world, key, rules.model_copy(update={"foreign_entries": "observe"}))
    return observed.severity if observed else Severity.INFO
