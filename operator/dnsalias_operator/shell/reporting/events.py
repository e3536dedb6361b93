"""Kubernetes Events, for people who look at an object with kubectl: posted in the background, not repeated."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from dnsalias_operator.model.kinds import Object
from dnsalias_operator.shell.api.client import Client
from dnsalias_operator.shell.api.errors import ClusterError
from dnsalias_operator.shell.reporting.metrics import Metrics

if TYPE_CHECKING:
    from dnsalias_operator.model.names import Key

log = logging.getLogger(__name__)

COMPONENT = "dnsalias-operator"
_NOTE_LIMIT = 1024
"""Bytes that events.k8s.io/v1 allows in a note."""
_REMEMBERED = 5000
_WAITING = 5000
_PAUSE_SECONDS, _PATIENCE = 0.1, 50
"""How long an event gives way to writes: up to 5 s."""

Type = Literal["Normal", "Warning"]


@dataclass(frozen=True, slots=True)
class _Event:
    regarding: dict[str, str]
    type: Type
    reason: str
    action: str
    note: str


class Recorder:
    """Takes events at any time; `run` posts them one by one, and gives way while ``busy`` says that writes are due."""

    def __init__(
        self,
        client: Client,
        metrics: Metrics,
        instance: str,
        *,
        enabled: bool = True,
        busy: Callable[[], bool] = lambda: False,
    ) -> None:
        self._busy = busy
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
        regarding = {
            "apiVersion": self._client.api_version(obj.key.kind),
            "kind": obj.key.kind,
            "namespace": obj.key.namespace,
            "name": obj.key.name,
            "uid": obj.meta.uid,
            "resourceVersion": obj.meta.resource_version,
        }
        try:
            self._queue.put_nowait(_Event(regarding, kind, reason, action, note))
        except asyncio.QueueFull:
            self._metrics.events.labels("dropped").inc()

    async def run(self) -> None:
        """Post what comes, until cancelled. A failed post is logged and not tried again."""
        while True:
            event = await self._queue.get()
            await self._calm()
            try:
                path = f"apis/events.k8s.io/v1/namespaces/{event.regarding['namespace'] or 'default'}/events"
                await self._client.request("POST", path, {"fieldManager": COMPONENT}, self._body(event))
                self._metrics.events.labels("ok").inc()
            except ClusterError as error:
                self._metrics.events.labels("error").inc()
                log.warning("an Event was not posted", extra={"fields": {"reason": event.reason, "error": str(error)}})
            finally:
                self._queue.task_done()

    async def _calm(self) -> None:
        # Bounded, and not at all where the queue fills up: an event that comes late is better than one that is dropped.
        for _ in range(_PATIENCE):
            if not self._busy() or self._queue.qsize() > _WAITING // 2:
                return
            await asyncio.sleep(_PAUSE_SECONDS)

    def _body(self, event: _Event) -> dict[str, Any]:
        return {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {
                "name": f"{event.regarding['name'][:200]}.{uuid4().hex[:16]}",
                "namespace": event.regarding["namespace"] or "default",
            },
            "eventTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "reportingController": COMPONENT,
            "reportingInstance": self._instance[:128],
            "type": event.type,
            "reason": event.reason,
            "action": event.action,
            "note": event.note,
            "regarding": event.regarding,
        }


def _cut(note: str) -> str:
    """As much of it as the API takes; what is remembered must not be longer than what is sent."""
    whole = note.encode()
    return note if len(whole) <= _NOTE_LIMIT else whole[: _NOTE_LIMIT - 3].decode(errors="ignore") + "..."
