"""Kubernetes Events, for people who look at an object with kubectl: posted in the background, not repeated."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import uuid4

from dnsalias_operator.model.kinds import Object
from dnsalias_operator.model.names import Key
from dnsalias_operator.shell.api.client import Client
from dnsalias_operator.shell.api.errors import ApiError, ClusterError, FencedError, UnreachableError
from dnsalias_operator.shell.reporting.logs import about
from dnsalias_operator.shell.reporting.metrics import Metrics

log = logging.getLogger(__name__)

COMPONENT = "dnsalias-operator"
_NOTE_LIMIT = 1024
"""Bytes that events.k8s.io/v1 allows in a note."""
_REMEMBERED = 5000
_WAITING = 5000
_PAUSE_SECONDS, _PATIENCE = 0.1, 50
"""How long an event gives way to writes: up to 5 s."""
_TRIES = 2
"""How often an event is posted to which there is no answer."""

Type = Literal["Normal", "Warning"]


@dataclass(frozen=True, slots=True)
class _Event:
    about: Key
    reason: str
    body: dict[str, Any]


class Recorder:
    """Takes events at any time; `run` posts them one by one, and gives way while ``busy`` says that writes are due.

    ``may_write`` says whether this process may write now. While it may not, events wait: a renewal of the Lease that
    is late by seconds costs none. Where too many wait, the oldest are dropped.
    """

    def __init__(
        self,
        client: Client,
        metrics: Metrics,
        instance: str,
        *,
        enabled: bool = True,
        busy: Callable[[], bool] = lambda: False,
        may_write: Callable[[], bool] = lambda: True,
    ) -> None:
        self._busy, self._may_write = busy, may_write
        self._client = client
        self._metrics = metrics
        self._instance = instance
        self._enabled = enabled
        self._queue: asyncio.Queue[_Event] = asyncio.Queue(_WAITING)
        self._said: OrderedDict[tuple[Key, str, str], None] = OrderedDict()

    def emit(self, obj: Object, kind: Type, reason: str, action: str, note: str) -> None:
        """Post an event about ``obj`` unless this process said the same of it already."""
        note = _cut(note)
        said = (obj.key, reason, note)
        if not self._enabled or said in self._said:
            return
        self._said[said] = None
        if len(self._said) > _REMEMBERED:
            self._said.popitem(last=False)
        if self._queue.full():
            self._queue.get_nowait()
            self._queue.task_done()
            self._metrics.events.labels("dropped").inc()
        text = {"type": kind, "reason": reason, "action": action, "note": note}
        self._queue.put_nowait(_Event(obj.key, reason, {**self._body(obj), **text}))

    async def run(self) -> None:
        """Post what comes, until cancelled. A post that is refused is logged and not tried again."""
        while True:
            event = await self._queue.get()
            await self._calm()
            try:
                await self._post(event)
                self._metrics.events.labels("ok").inc()
            except ClusterError as error:
                self._metrics.events.labels("error").inc()
                fields = {**about(event.about), "reason": event.reason, "error": str(error)}
                log.warning("an Event was not posted", extra={"fields": fields})
            finally:
                self._queue.task_done()

    async def _calm(self) -> None:
        # Bounded, and not at all where the queue fills up: an event that comes late is better than one that is dropped.
        for _ in range(_PATIENCE):
            if not self._busy() or self._queue.qsize() > _WAITING // 2:
                return
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _post(self, event: _Event) -> None:
        path = f"apis/events.k8s.io/v1/namespaces/{event.body['metadata']['namespace']}/events"
        sent, unanswered = False, 0
        while True:
            if not self._may_write():
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            try:
                await self._client.request("POST", path, {"fieldManager": COMPONENT}, event.body)
            except FencedError:
                await asyncio.sleep(_PAUSE_SECONDS)
            except UnreachableError:
                # So ends also a request that is under way when the time to write runs out: that is no failure of it.
                sent = True
                unanswered += self._may_write()
                if unanswered == _TRIES:
                    raise
            except ApiError as error:
                # The name is that of the event before: it was posted, and only its answer was lost.
                if not (sent and error.reason == "AlreadyExists"):
                    raise
                return
            else:
                return

    def _body(self, obj: Object) -> dict[str, Any]:
        """All but what is said. The time is that of what happened, however long the event waits."""
        namespace = obj.key.namespace or "default"
        return {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"name": f"{obj.key.name[:200]}.{uuid4().hex[:16]}", "namespace": namespace},
            "eventTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "reportingController": COMPONENT,
            "reportingInstance": self._instance[:128],
            "regarding": {
                "apiVersion": self._client.api_version(obj.key.kind),
                "kind": obj.key.kind,
                "namespace": obj.key.namespace,
                "name": obj.key.name,
                "uid": obj.meta.uid,
                "resourceVersion": obj.meta.resource_version,
            },
        }


def _cut(note: str) -> str:
    """As much of it as the API takes; what is remembered must not be longer than what is sent."""
    whole = note.encode()
    return note if len(whole) <= _NOTE_LIMIT else whole[: _NOTE_LIMIT - 3].decode(errors="ignore") + "..."
