"""Kubernetes Events give way to writes, wait for the Lease, and are not lost by that."""

import asyncio
import json
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import pytest

from dnsalias_operator.model.names import REPAIR_MANAGER, Key
from dnsalias_operator.model.service import Service
from dnsalias_operator.shell.api.errors import ApiError, ClusterError, FencedError, UnreachableError
from dnsalias_operator.shell.reporting import events
from dnsalias_operator.shell.reporting.events import Recorder
from dnsalias_operator.shell.reporting.metrics import Metrics
from tests.shell.small_cluster import Desk, catch_all, service

if TYPE_CHECKING:
    from dnsalias_operator.shell.api.client import Client

WEB = Service.parse({"metadata": {"name": "web", "namespace": "shop", "uid": "u1"}})


class Server:
    """Takes the requests of a client and remembers what was posted. ``fails`` gives what each ends in, if anything."""

    def __init__(self) -> None:
        self.posted: list[Any] = []
        self.bodies: list[Any] = []
        self.fails: list[ClusterError | None] = []
        self.leads = True

    def api_version(self, _kind: str) -> str:
        """Of any kind."""
        return "v1"

    async def request(self, verb: str, path: str, query: Mapping[str, str], body: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """Take one."""
        self.bodies.append(body)
        if not self.leads:
            raise FencedError("not sent")
        if self.fails and (error := self.fails.pop(0)):
            raise error
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


def _results(metrics: Metrics) -> dict[str, float]:
    found = {r: metrics.events.labels(r)._value.get() for r in ("ok", "error", "dropped")}
    return {result: count for result, count in found.items() if count}


@pytest.mark.parametrize("asked", [True, False])
async def test_events_wait_until_the_lease_is_held_again(monkeypatch: pytest.MonkeyPatch, *, asked: bool) -> None:
    """A renewal that is late loses none, whether the process knows before a post that it may not, or by its failure."""
    monkeypatch.setattr(events, "_PAUSE_SECONDS", 0.001)
    server, metrics = Server(), Metrics()
    server.leads = False
    may_write = (lambda: server.leads) if asked else (lambda: True)
    recorder = Recorder(cast("Client", server), metrics, "here", may_write=may_write)
    task = asyncio.create_task(recorder.run())
    for n in range(3):
        recorder.emit(WEB, "Normal", f"Reason{n}", "Test", "said")
    await asyncio.sleep(0.05)
    assert (server.posted, _results(metrics), bool(server.bodies)) == ([], {}, not asked)
    server.leads = True
    await recorder._queue.join()
    task.cancel()
    assert server.posted == ["Reason0", "Reason1", "Reason2"]
    assert _results(metrics) == {"ok": 3}


async def test_where_too_many_wait_the_oldest_are_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the Lease for long, what is kept is what happened last."""
    monkeypatch.setattr(events, "_WAITING", 3)
    server, metrics = Server(), Metrics()
    recorder = Recorder(cast("Client", server), metrics, "here", may_write=lambda: server.leads)
    for n in range(5):
        recorder.emit(WEB, "Normal", f"Reason{n}", "Test", "said")
    assert _results(metrics) == {"dropped": 2}
    task = asyncio.create_task(recorder.run())
    await recorder._queue.join()
    task.cancel()
    assert server.posted == ["Reason2", "Reason3", "Reason4"]


def _taken() -> ApiError:
    return ApiError.from_answer("POST", "events", 409, json.dumps({"reason": "AlreadyExists"}).encode())


@pytest.mark.parametrize("posted", [True, False])
async def test_an_event_whose_time_ran_out_under_way_is_posted_once(*, posted: bool) -> None:
    """Without an answer it is posted again under the same name and time, so that there are never two of it."""
    server, metrics = Server(), Metrics()
    server.fails = [UnreachableError("no answer"), _taken() if posted else None]
    recorder = Recorder(cast("Client", server), metrics, "here")
    recorder.emit(WEB, "Normal", "Reason", "Test", "said")
    task = asyncio.create_task(recorder.run())
    await recorder._queue.join()
    task.cancel()
    first, second = server.bodies
    assert first == second
    assert _results(metrics) == {"ok": 1}


@pytest.mark.parametrize(
    "fails", [[UnreachableError("no answer")] * 2, [ApiError("403 forbidden", 403)], [_taken()]], ids=str
)
async def test_an_event_that_cannot_be_posted_is_logged_with_its_object(
    fails: list[ClusterError | None], caplog: pytest.LogCaptureFixture
) -> None:
    """A refusal at once, no answer after the second time; the next is posted all the same."""
    server, metrics = Server(), Metrics()
    server.fails = list(fails)
    recorder = Recorder(cast("Client", server), metrics, "here")
    task = asyncio.create_task(recorder.run())
    with caplog.at_level(logging.WARNING):
        for n in range(2):
            recorder.emit(WEB, "Normal", f"Reason{n}", "Test", "said")
        await recorder._queue.join()
    task.cancel()
    (line,) = caplog.records
    assert line.__dict__["fields"] == {
        "kind": "Service",
        "namespace": "shop",
        "name": "web",
        "reason": "Reason0",
        "error": str(fails[0]),
    }
    assert server.posted == ["Reason1"]
    assert _results(metrics) == {"error": 1, "ok": 1}


def _patched(entry: dict[str, Any]) -> dict[str, Any]:
    fields = {"addresses": ["10.96.0.1"], "endpoints": [{"address": "db.abc.svc.cluster.local"}]}
    owned: dict[str, Any] = {"f:spec": {f"f:{name}": {} for name in fields}}
    managed = [{"manager": REPAIR_MANAGER, "operation": "Apply", "fieldsType": "FieldsV1", "fieldsV1": owned}]
    return {**entry, "metadata": {**entry["metadata"], "managedFields": managed}, "spec": {**entry["spec"], **fields}}


def _entry(name: str, host: str, **notes: str) -> dict[str, Any]:
    made = catch_all(name, host)
    made["metadata"]["annotations"] |= {f"dnsalias.io/{note}": value for note, value in notes.items()}
    return made


@pytest.mark.parametrize(
    ("entry", "reason", "note"),
    [
        (
            _entry("theirs", "db.hello"),
            "Repaired",
            "set spec.addresses to 10.96.0.1 and set spec.endpoints to db.abc.svc.cluster.local; it has no addresses",
        ),
        (_entry("theirs", "db.hello", service="lost"), "Contained", "set spec.addresses to 240.241."),
        (
            _patched(_entry("theirs", "db.hello", repair="false")),
            "Withdrawn",
            "withdrew spec.addresses and withdrew spec.endpoints; nothing puts the entry into the operator's care",
        ),
    ],
)
async def test_the_event_of_a_repair_says_what_became_of_the_entry(
    entry: dict[str, Any], reason: str, note: str
) -> None:
    """Its reason is one of three, whatever the entry lacked; what that was stands in the message."""
    desk = Desk(service(), entry)
    assert await desk.work(Key("ServiceEntry", "abc", "theirs")) is None
    body = desk.recorder._queue.get_nowait().body
    assert desk.recorder._queue.empty()
    assert (body["type"], body["reason"], body["regarding"]["name"]) == ("Normal", reason, "theirs")
    assert body["note"].startswith(note)
