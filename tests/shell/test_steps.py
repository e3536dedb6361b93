"""Writes in flight: others decide in the world as it will be, and find it as it was where nothing came of them."""

import asyncio
from collections.abc import Iterable

from dnsalias_operator.core.outcome import Change, Verb
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.shell.errors import ApiError
from dnsalias_operator.shell.fights import Fights
from dnsalias_operator.shell.metrics import Metrics
from dnsalias_operator.shell.queue import Backoff
from dnsalias_operator.shell.steps import Steps
from dnsalias_operator.shell.store import Store
from tests.shell.fake_clock import FakeClock

ENTRY = Key("ServiceEntry", "abc", "web")
ALIAS = Key("DnsAlias", "abc", "web")


class Line:
    """The way to an API server: each second look and each write waits until it is told what comes of it."""

    def __init__(self) -> None:
        self.looks: list[asyncio.Future[bool]] = []
        self.writes: list[asyncio.Future[None]] = []

    async def outdated(self, key: Key, operation: str, made_from: Iterable[Key]) -> bool:
        """A second look."""
        del key, operation, made_from
        self.looks.append(asyncio.get_running_loop().create_future())
        return await self.looks[-1]

    async def write(self, change: Change) -> None:
        """A write."""
        del change
        self.writes.append(asyncio.get_running_loop().create_future())
        await self.writes[-1]


def creation(address: str) -> Change:
    """A create of the entry, with that address."""
    meta = {"name": "web", "namespace": "abc"}
    spec = {"hosts": ["web.hello"], "addresses": [address], "ports": [{"number": 443, "name": "a"}]}
    body = {"apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry", "metadata": meta, "spec": spec}
    return Change(Verb.CREATE, ENTRY, None, body, body, "Generated", "…")


def make(line: Line, asked: list[Key]) -> Steps:
    """Steps on an empty store."""
    clock, metrics = FakeClock(), Metrics()
    return Steps(
        store=Store(("ServiceEntry",)),
        writer=line,  # type: ignore[arg-type]
        recorder=None,  # type: ignore[arg-type]
        fights=Fights(3, Backoff(5, 10), clock),
        metrics=metrics,
        rules=Rules(),
        clock=clock,  # type: ignore[arg-type]
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
    taking = asyncio.create_task(steps.take(ALIAS, (creation("10.0.0.1"),), lambda: None, fought=False))
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
        asyncio.create_task(steps.take(key, (creation(ip),), lambda: None, fought=False))
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
