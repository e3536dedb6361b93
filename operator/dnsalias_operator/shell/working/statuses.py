"""The status of a DnsAlias: written where it differs, and an Event where it says something new."""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from dnsalias_operator.core.aliases.conditions import desired_status
from dnsalias_operator.core.outcome import AliasDecision, Change, Verb
from dnsalias_operator.core.reasons import Reason
from dnsalias_operator.core.triggers import rests_on
from dnsalias_operator.model.dnsalias import DnsAlias
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.status import READY
from dnsalias_operator.shell.api.errors import ClusterError
from dnsalias_operator.shell.current import Current
from dnsalias_operator.shell.decided import Decisions
from dnsalias_operator.shell.pace import Clock
from dnsalias_operator.shell.reporting.events import Recorder
from dnsalias_operator.shell.reporting.logs import about
from dnsalias_operator.shell.watching.store import Store
from dnsalias_operator.shell.working.apply import STATUS, Writer
from dnsalias_operator.shell.working.fights import Fights
from dnsalias_operator.shell.working.verdicts import Stop

log = logging.getLogger(__name__)


class Statuses:
    """Reports what came of an alias. What cannot be reported now is worked on again: ``enqueue`` asks for that.

    ``now`` is the API server's clock in seconds since the epoch.
    """

    def __init__(
        self,
        *,
        store: Store,
        writer: Writer,
        recorder: Recorder,
        fights: Fights,
        decided: Decisions,
        current: Current,
        now: Clock,
        enqueue: Callable[[Key, float], None],
    ) -> None:
        self._store, self._writer, self._recorder, self._fights = store, writer, recorder, fights
        self._decided, self._current, self._now, self._enqueue = decided, current, now, enqueue

    async def write(self, alias: DnsAlias, decision: AliasDecision, *, look: bool = True) -> None:
        """Write it where it differs; without a second ``look`` where it is about a write, and not of the world."""
        now = datetime.fromtimestamp(self._now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        current = self._store.world.alias(alias.meta.namespace, alias.meta.name) or alias
        status = desired_status(decision, current, now)
        if status is None:
            return
        # Somebody who writes the status as well (a second operator, say) must not get an answer to each of his writes.
        ready = next(c for c in decision.conditions if c.type == READY)
        change = Change(Verb.UPDATE, alias.key, None, None, {"status": status}, ready.reason, ready.message)
        verdict = self._fights.judge(change, current)
        if verdict.pause > 0:
            if verdict.contested:
                self._decided.contested[alias.key] = (alias.key, verdict.rivals)
            self._enqueue(alias.key, verdict.pause)
            return
        made_from = self._writer.confirm.known(rests_on(self._store.world, alias.key, self._current.rules))
        await self._writer.turn()
        if look and await self._writer.outdated(alias.key, STATUS, made_from):
            self._enqueue(alias.key, 0)
            return
        await self._writer.write_status(current, status)
        self._fights.wrote(change, current)
        # An event is posted only where the condition did not say the same already, so a restart repeats nothing.
        if said(current) == (ready.status, ready.reason, ready.message):
            return
        good = ready.status == "True"
        fields = {**about(alias.key), "reason": ready.reason, "ready": good, "written": "status"}
        log.info("reported: %s", ready.message, extra={"fields": fields})
        if ready.reason is Reason.WAITING_FOR_AGE:
            return
        reason = Reason.PROGRAMMED if good else ready.reason
        self._recorder.emit(current, "Normal" if good else "Warning", reason, "Reconcile", ready.message)

    async def say_why(self, alias: DnsAlias, decision: AliasDecision, stop: Stop) -> None:
        """The status of an alias whose entry could not be written.

        It is one request more for an attempt, so that the backoff of the key bounds it as well, and none where it says
        what stands there already.
        """
        if stop.untold:
            return
        try:
            await self.write(alias, decision, look=stop.error is None)
        except ClusterError as error:
            raise stop.error or error from None  # what failed first is the cause


def said(alias: DnsAlias) -> tuple[object, object, object]:
    """Status, reason and message of the Ready condition that stands there."""
    for condition in alias.status.get("conditions") or ():
        if isinstance(condition, Mapping) and condition.get("type") == READY:
            return (condition.get("status"), condition.get("reason"), condition.get("message"))
    return (None, None, None)
