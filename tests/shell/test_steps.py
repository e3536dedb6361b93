"""Writes in flight: others decide in the world as it will be, and find it as it was where nothing came of them."""

import asyncio
from collections.abc import Iterable

from dnsalias_operator.core.outcome import Change, Verb
from dnsalias_operator.core.reasons import Reason
from dnsalias_operator.model.names import KIND, Key
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.shell.api.errors import ApiError
from dnsalias_operator.shell.current import Current
from dnsalias_operator.shell.pace import Backoff
from dnsalias_operator.shell.reporting.metrics import Metrics
from dnsalias_operator.shell.watching.store import Store
from dnsalias_operator.shell.working.confirm import Known
from dnsalias_operator.shell.working.fights import Fights
from dnsalias_operator.shell.working.steps import Steps
from tests.shell.fake_clock import FakeClock
from tools.make import entry

ENTRY = Key("ServiceEntry", "abc", "web")
ALIAS = Key("DnsAlias", "abc", "web")
WEB = Key("Service", "abc", "web")


def meta(name: str, version: str) -> dict[str, str]:
    """Metadata of an object of the namespace."""
    return {"name": name, "namespace": "abc", "uid": f"uid-{name}", "resourceVersion": version}


class Line:
    """The way to an API server: each second look and each write waits until it is told what comes of it."""

    def __init__(self) -> None:
        self.looks: list[asyncio.Future[bool]] = []
        self.writes: list[asyncio.Future[None]] = []
        self.confirm = self
        self.store = Store(("Service", "ServiceEntry", KIND))
        self.asked: list[Known] = []

    def known(self, keys: Iterable[Key]) -> Known:
        """What is decided from."""
        return {key: self.store.world.get(key) for key in keys}

    async def turn(self) -> None:
        """At once."""

    async def outdated(self, key: Key, operation: str, made_from: Known) -> bool:
        """A second look."""
        del key, operation
        self.asked.append(made_from)
        self.looks.append(asyncio.get_running_loop().create_future())
        return await self.looks[-1]

    async def write(self, change: Change, made_from: Known) -> bool:
        """A write."""
        del change, made_from
        self.writes.append(asyncio.get_running_loop().create_future())
        await self.writes[-1]
        return True


def creation(address: str) -> Change:
    """A create of the entry, with that address."""
    body = entry("web", "web.hello", namespace="abc", addresses=[address])
    return Change(Verb.CREATE, ENTRY, None, body, body, Reason.GENERATED, "…")


def make(line: Line, asked: list[Key]) -> Steps:
    """Steps on the store of the line."""
    clock, metrics = FakeClock(), Metrics()
    return Steps(
        store=line.store,
        writer=line,  # type: ignore[arg-type]
        fights=Fights(3, Backoff(5, 10), clock),
        metrics=metrics,
        current=Current(Rules()),
        now=clock,
        enqueue=asked.append,
    )


def seen(steps: Steps) -> tuple[str, ...]:
    """The addresses of the entry in the world that others decide in."""
    entry = steps.world(ENTRY).entry("abc", "web")
    return entry.addresses if entry else ()


async def test_a_write_is_counted_on_while_it_is_still_looked_into() -> None:
    """From the decision on, also during the second look, others see what will be; not any more where it is given up."""
    line, asked = Line(), list[Key]()
    steps = make(line, asked)
    taking = asyncio.create_task(steps.carry_out(ALIAS, (creation("10.0.0.1"),), lambda: None, fought=False))
    await asyncio.sleep(0)
    assert seen(steps) == ("10.0.0.1",)
    line.looks[0].set_result(True)
    stop = await taking
    assert stop is not None
    assert stop.error is None
    assert line.writes == []
    assert seen(steps) == ()
    assert ENTRY in asked


async def test_two_writes_of_one_entry_end_one_by_one() -> None:
    """An alias and the entry of its name write at the same time: the first to fail takes nothing from the other."""
    line = Line()
    steps = make(line, [])
    first, second = (
        asyncio.create_task(steps.carry_out(key, (creation(ip),), lambda: None, fought=False))
        for key, ip in ((ALIAS, "10.0.0.1"), (ENTRY, "10.0.0.2"))
    )
    await asyncio.sleep(0)
    for look in line.looks:
        look.set_result(False)
    await asyncio.sleep(0)
    line.writes[0].set_exception(ApiError("409 exists", 409))
    stop = await first
    assert stop is not None
    assert stop.error is not None
    assert seen(steps) == ("10.0.0.2",)
    line.writes[1].set_exception(ApiError("409 exists", 409))
    await second
    assert seen(steps) == ()


async def test_every_step_is_held_to_what_was_there_at_the_decision() -> None:
    """What changes during the delete, or comes into it, is not what the create was decided on."""
    line = Line()
    for kind, name, body in (
        ("Service", "web", {"spec": {"ports": [{"port": 443}]}}),
        (KIND, "web", {"spec": {"host": "web.hello", "serviceRef": {"name": "web"}}}),
    ):
        line.store.put(kind, {"metadata": meta(name, "1"), **body})
    decided_on = line.store.world.service("abc", "web")
    deletion = Change(Verb.DELETE, ENTRY, None, None, {}, Reason.HOST_CHANGED, "…")
    steps = make(line, [])
    work = steps.carry_out(ALIAS, (deletion, creation("10.0.0.1")), lambda: None, fought=False)
    taking = asyncio.create_task(work)
    await asyncio.sleep(0)
    line.looks[0].set_result(False)
    await asyncio.sleep(0)
    line.store.put("Service", {"metadata": meta("web", "2"), "spec": {"ports": [{"port": 8443}]}})
    spec = {"hosts": ["web.hello"], "ports": [{"number": 443, "name": "a"}]}
    line.store.put("ServiceEntry", {"metadata": meta("other", "3"), "spec": spec})
    line.writes[0].set_result(None)
    await asyncio.sleep(0)
    line.looks[1].set_result(True)
    assert await taking is not None
    first, second = line.asked
    assert first.keys() == {ALIAS, WEB}
    assert second == {**first, Key("ServiceEntry", "abc", "other"): None}
    assert second[WEB] is decided_on
    assert len(line.writes) == 1
