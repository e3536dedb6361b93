"""The second look: what is asked of the API server, what is not asked again, and what comes of the answers."""

import asyncio
import json
from typing import Any

import pytest

from dnsalias_operator.model.names import Key
from dnsalias_operator.shell.api.errors import ApiError, UnreachableError
from dnsalias_operator.shell.reporting.metrics import Metrics
from dnsalias_operator.shell.watching.store import Store
from dnsalias_operator.shell.working.confirm import FRESH_SECONDS, Confirm
from tests.shell.fake_clock import FakeClock
from tools import make as objects

WEB, DB = Key("Service", "abc", "web"), Key("Service", "abc", "db")


def service(name: str, version: str, port: int = 80) -> dict[str, Any]:
    """A Service as the API server returns it."""
    meta = {"uid": f"uid-{name}", "resourceVersion": version}
    return objects.service(name, ports=[objects.port(port)], namespace="abc", meta=meta)


class Server:
    """Answers reads with what it has, or with an error, and remembers what it was asked."""

    def __init__(self, *objects: dict[str, Any]) -> None:
        self.has: dict[str, dict[str, Any] | Exception] = {o["metadata"]["name"]: o for o in objects}
        self.asked: list[str] = []
        self.met = asyncio.Event()
        self.at_once = 0
        self._waiting = 0

    def path(self, kind: str, namespace: str, name: str) -> str:
        """The name is enough."""
        del kind, namespace
        return name

    async def request(self, verb: str, path: str) -> dict[str, Any]:
        """A read."""
        assert verb == "GET"
        self.asked.append(path)
        self.met.set()
        self._waiting += 1
        self.at_once = max(self.at_once, self._waiting)
        await asyncio.sleep(0)
        self._waiting -= 1
        found = self.has.get(path)
        if found is None:
            status = {"reason": "NotFound", "details": {"name": path, "kind": "services"}}
            raise ApiError.from_answer(verb, path, 404, json.dumps(status).encode())
        if isinstance(found, Exception):
            raise found
        return found


def make(server: Server, *known: dict[str, Any]) -> tuple[Confirm, Store, FakeClock]:
    """A second look by a store that knows these."""
    store, clock = Store(("Service",)), FakeClock()
    for raw in known:
        store.put("Service", raw)
    return Confirm(server, store, Metrics(), clock), store, clock  # type: ignore[arg-type]


async def test_what_still_holds_is_asked_side_by_side() -> None:
    """All at once, since a write waits for it."""
    server = Server(service("web", "1"), service("db", "2"))
    confirm, _, _ = make(server, service("web", "1"), service("db", "2"))
    assert not await confirm.outdated(confirm.known([WEB, DB]))
    assert (sorted(server.asked), server.at_once) == (["db", "web"], 2)


async def test_an_answer_is_not_asked_for_again_for_a_moment() -> None:
    """To a read or to a write; after that moment it is."""
    server = Server(service("web", "1"), service("db", "2"))
    confirm, _, clock = make(server, service("web", "1"), service("db", "2"))
    confirm.saw(DB, service("db", "2"))
    for _ in range(2):
        assert not await confirm.outdated(confirm.known([WEB, DB]))
    assert server.asked == ["web"]
    await clock.advance(FRESH_SECONDS)
    assert not await confirm.outdated(confirm.known([WEB, DB]))
    assert sorted(server.asked) == ["db", "web", "web"]


async def test_an_answer_about_another_version_counts_for_nothing() -> None:
    """The store has another one than was seen: which of the two is the newer is for the API server to say."""
    server = Server(service("web", "3", 81))
    confirm, store, _ = make(server, service("web", "2"))
    confirm.saw(WEB, service("web", "1"))
    assert await confirm.outdated(confirm.known([WEB]))
    assert server.asked == ["web"]
    known = store.world.get(WEB)
    assert known is not None
    assert known.meta.resource_version == "3"


async def test_what_is_gone_is_gone_from_the_store() -> None:
    """And what never was there is no surprise."""
    server = Server()
    confirm, store, _ = make(server, service("web", "1"))
    assert await confirm.outdated(confirm.known([WEB]))
    assert store.world.get(WEB) is None
    assert not await confirm.outdated(confirm.known([WEB]))


async def test_what_cannot_be_told_is_an_error_after_all_were_asked() -> None:
    """What the others said is in the store all the same."""
    server = Server(service("db", "3", 81))
    server.has["web"] = UnreachableError("no answer")
    confirm, store, _ = make(server, service("web", "1"), service("db", "2"))
    with pytest.raises(UnreachableError, match="no answer"):
        await confirm.outdated(confirm.known([WEB, DB]))
    known = store.world.get(DB)
    assert known is not None
    assert known.meta.resource_version == "3"


@pytest.mark.parametrize("now", [service("web", "2", 81), None])
async def test_what_the_watch_tells_of_during_the_look_counts_as_well(now: dict[str, Any] | None) -> None:
    """The store is what the API server says by then, and not what the decision was made from."""
    server = Server(*([now] if now else []))
    confirm, store, _ = make(server, service("web", "1"))
    looking = asyncio.create_task(confirm.outdated(confirm.known([WEB])))
    await server.met.wait()
    store.observe("Service", now or service("web", "1"), deleted=now is None)
    assert await looking


async def test_what_comes_to_nothing_is_no_news() -> None:
    """A version in which nothing differs that the store keeps, whether the watch brings it or the look."""
    server = Server(service("web", "2"))
    confirm, store, _ = make(server, service("web", "1"))
    looking = asyncio.create_task(confirm.outdated(confirm.known([WEB])))
    await server.met.wait()
    store.observe("Service", service("web", "2"))
    assert not await looking
    server.has["web"] = service("web", "3")
    assert not await confirm.outdated(confirm.known([WEB]))


@pytest.mark.parametrize("named", [False, True])
async def test_what_the_store_knows_better_already_needs_no_look(*, named: bool) -> None:
    """Also where the API server has just named that very version: the decision is older."""
    server = Server(service("web", "2", 81))
    confirm, store, _ = make(server, service("web", "1"))
    known = confirm.known([WEB])
    store.put("Service", service("web", "2", 81))
    if named:
        confirm.saw(WEB, service("web", "2", 81))
    assert await confirm.outdated(known)
    assert server.asked == []


async def test_a_look_that_others_cancel_is_an_error_and_no_end() -> None:
    """Whoever ends the request ends not the worker; what is asked of the worker itself reaches it."""
    server = Server(service("web", "1"))
    confirm, _, _ = make(server, service("web", "1"))
    looking = asyncio.create_task(confirm.outdated(confirm.known([WEB])))
    await server.met.wait()
    (look,) = asyncio.all_tasks() - {asyncio.current_task(), looking}
    look.cancel()
    with pytest.raises(UnreachableError, match="given up"):
        await looking
    looking = asyncio.create_task(confirm.outdated(confirm.known([WEB])))
    await asyncio.sleep(0)
    looking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await looking


@pytest.mark.parametrize(
    "key", [Key("Service", "//", ""), Key("Service", "abc", "../db"), Key("Service", "abc", "web/status")]
)
async def test_nobody_is_asked_for_what_cannot_be(key: Key) -> None:
    """An annotation can name anything, also what would be another path at the API server."""
    server = Server()
    confirm, _, _ = make(server)
    assert not await confirm.outdated(confirm.known([key]))
    assert server.asked == []
