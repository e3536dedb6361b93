"""Kubernetes Events give way to writes, and are not lost by that."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import pytest

from dnsalias_operator.model.service import Service
from dnsalias_operator.shell.reporting import events
from dnsalias_operator.shell.reporting.events import Recorder
from dnsalias_operator.shell.reporting.metrics import Metrics

if TYPE_CHECKING:
    from dnsalias_operator.shell.api.client import Client

WEB = Service.parse({"metadata": {"name": "web", "namespace": "shop", "uid": "u1"}})


class Server:
    """Takes the requests of a client and remembers what was posted."""

    def __init__(self) -> None:
        self.posted: list[Any] = []

    def api_version(self, _kind: str) -> str:
        """Of any kind."""
        return "v1"

    async def request(self, verb: str, path: str, query: Mapping[str, str], body: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """Take one."""
        self.posted.append(body["reason"])
        return {}


async def _posted(*, busy: list[bool], count: int) -> list[Any]:
    server, metrics = Server(), Metrics()
    recorder = Recorder(cast("Client", server), metrics, "here", busy=lambda: busy[0])
    for n in range(count):
        recorder.emit(WEB, "Normal", f"Reason{n}", "Test", "said")
    task = asyncio.create_task(recorder.run())
    for _ in range(200):
        await asyncio.sleep(0)
    found = list(server.posted)
    busy[0] = False
    await recorder._queue.join()
    task.cancel()
    return found


async def test_events_wait_while_writes_are_due(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is posted while keys wait to be written, and all of it afterwards."""
    monkeypatch.setattr(events, "_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(events, "_PATIENCE", 1_000_000)
    assert await _posted(busy=[True], count=3) == []


async def test_a_long_note_is_cut_before_it_is_remembered() -> None:
    """Two that differ beyond the limit of the API are the same, as they are to who reads them."""
    server = Server()
    recorder = Recorder(cast("Client", server), Metrics(), "here")
    for end in ("one", "two"):
        recorder.emit(WEB, "Normal", "Long", "Test", "é" * 5000 + end)
    task = asyncio.create_task(recorder.run())
    await recorder._queue.join()
    task.cancel()
    assert server.posted == ["Long"]
    assert [len(note.encode()) for _, _, note in recorder._said] == [1023]


async def test_events_do_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator that is always busy posts all the same."""
    monkeypatch.setattr(events, "_PAUSE_SECONDS", 0)
    monkeypatch.setattr(events, "_PATIENCE", 3)
    assert await _posted(busy=[True], count=3) == ["Reason0", "Reason1", "Reason2"]


async def test_events_do_not_wait_where_they_would_be_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the queue is half full they are posted whatever else is due."""
    monkeypatch.setattr(events, "_WAITING", 4)
    monkeypatch.setattr(events, "_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(events, "_PATIENCE", 1_000_000)
    assert await _posted(busy=[True], count=4) == ["Reason0"]
