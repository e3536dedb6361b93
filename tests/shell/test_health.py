"""The three pages, over real HTTP on loopback."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest

from dnsalias_operator.model.names import KIND
from dnsalias_operator.shell.reporting.health import HealthServer
from dnsalias_operator.shell.reporting.metrics import Metrics
from dnsalias_operator.shell.watching.store import Store, stale_kinds
from tests.shell.fake_clock import FakeClock


@dataclass
class Page:
    """A running server and what its checks say."""

    url: str = ""
    ill: list[str] = field(default_factory=list)
    unready: list[str] = field(default_factory=list)

    async def get(self, path: str) -> tuple[int, str]:
        """Status and text of a page."""
        async with aiohttp.ClientSession() as session, session.get(self.url + path) as response:
            return response.status, await response.text()


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    """A server on a free port of loopback."""
    served = Page()
    server = HealthServer(Metrics(), lambda: served.ill, lambda: served.unready)
    served.url = f"http://127.0.0.1:{await server.start('127.0.0.1', 0)}"
    yield served
    await server.stop()
    await server.stop()


async def test_all_well(page: Page) -> None:
    """Without faults both probes answer 200."""
    assert await page.get("/healthz") == (200, "ok\n")
    assert await page.get("/readyz") == (200, "ok\n")


async def test_faults_are_told_one_a_line(page: Page) -> None:
    """A probe that fails says why, and the other one is not touched by it."""
    page.unready = ["waiting for the CRDs serviceentries.networking.istio.io", "second"]
    assert await page.get("/readyz") == (503, "waiting for the CRDs serviceentries.networking.istio.io\nsecond\n")
    assert (await page.get("/healthz"))[0] == 200


async def test_metrics_are_on_the_same_port(page: Page) -> None:
    """/metrics is Prometheus' text format with our metrics in it."""
    status, text = await page.get("/metrics")
    assert status == 200
    assert "dnsalias_build_info{" in text


def test_a_kind_is_stale_when_neither_watch_nor_list_tells_of_it() -> None:
    """Two and a half missed intervals and a minute are too many; an event is as good as a list."""
    clock = FakeClock()
    store = Store(("Service", KIND), clock=clock)
    assert stale_kinds(store, 600, clock=clock) == []
    for kind in store.kinds:
        store.sweep(kind, set(), started="1")
    clock.now += 1500
    store.observe("Service", {"metadata": {"name": "a", "namespace": "b", "uid": "u", "resourceVersion": "2"}})
    clock.now += 61
    (fault,) = stale_kinds(store, 600, clock=clock)
    assert fault.startswith(f"{KIND}: no news for 1561 s")


def test_a_list_that_fails_is_no_reason_for_a_restart() -> None:
    """A new process would not list the kind either; of another kind it is asked as ever."""
    clock = FakeClock()
    store = Store(("Service", KIND), clock=clock)
    for kind in store.kinds:
        store.sweep(kind, set(), started="1")
    clock.now += 10_000
    (fault,) = stale_kinds(store, 600, {KIND: "500"}, clock)
    assert fault.startswith("Service: ")
