"""Writes that wait for their turn: the world goes on meanwhile, and what is written then is of then."""

import asyncio

from dnsalias_operator.model.names import KIND, Key
from tests.shell.fake_clock import settle
from tests.shell.small_cluster import Desk, Raw, alias, catch_all, service

SERVICE = "Service/abc/db"
SECONDS = 100.0
RATE = (1 / SECONDS, 1)
"""One write at once, and one more after that many seconds."""


def moved() -> Raw:
    """The Service, made anew under another clusterIP."""
    raw = service()
    return {**raw, "spec": {**raw["spec"], "clusterIP": "10.96.0.2", "clusterIPs": ["10.96.0.2"]}}


async def test_a_repair_that_waited_is_looked_into_after_the_wait() -> None:
    """The address was right when it was decided; by its turn the Service has another one."""
    desk = Desk(service(), catch_all("first", "db.hello"), catch_all("theirs", "db.hello"), bucket=RATE)
    await desk.work(Key("ServiceEntry", "abc", "first"))
    assert desk.api.sent("PATCH") == ["ServiceEntry/abc/first"]
    working = asyncio.create_task(desk.work(Key("ServiceEntry", "abc", "theirs")))
    await settle()
    desk.api.put(SERVICE, moved())
    await desk.clock.advance(SECONDS)
    await working
    assert desk.api.sent("PATCH") == ["ServiceEntry/abc/first"]
    found = desk.store.world.service("abc", "db")
    assert found is not None
    assert found.cluster_ips == ("10.96.0.2",)


async def test_a_status_that_waited_is_looked_into_after_the_wait() -> None:
    """It tells of a Service that went during the wait: another decision is made."""
    desk = Desk(service(), alias("web", "web.hello"), bucket=RATE)
    key = Key(KIND, "abc", "web")
    await desk.work(key)
    assert desk.api.sent("POST") == ["ServiceEntry/abc"]
    working = asyncio.create_task(desk.work(key))
    await settle()
    del desk.api.objects[SERVICE]
    await desk.clock.advance(SECONDS)
    await working
    assert desk.api.sent("PATCH") == []
    assert desk.store.world.service("abc", "db") is None
