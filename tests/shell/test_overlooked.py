"""Kopf looks once which kinds there are: one that it does not find then is noticed, and Kopf begun anew."""

import asyncio
from collections.abc import Set as AbstractSet

import pytest

from dnsalias_operator.settings import Settings
from dnsalias_operator.shell.watching import handlers
from dnsalias_operator.shell.watching.kopfsession import Sessions
from dnsalias_operator.shell.watching.store import Store
from tests.shell.simulated_time import simulate

KINDS = ("Service", "ServiceEntry")


def overlooked(asked: AbstractSet[str], later: AbstractSet[str], ends: float) -> tuple[list[str], float]:
    """What is found, and when, where Kopf asks for these kinds at first, and for others after 90 s, and ends then."""

    async def story() -> tuple[list[str], float]:
        sessions = Sessions(Settings(), lambda _: None)
        sessions.asked.update(asked)
        loop = asyncio.get_running_loop()
        loop.call_later(90, sessions.asked.update, later)
        part = asyncio.create_task(asyncio.sleep(ends))
        found = await handlers._overlooked((part,), Store(KINDS), sessions)
        part.cancel()
        return found, loop.time()

    return simulate(story())


@pytest.mark.parametrize(
    ("asked", "later", "found"),
    [
        ({"Service"}, set(), (["ServiceEntry"], 60)),
        (set(KINDS), set(), ([], 500)),
        # The API server is away, and Kopf tries again and again what kinds there are.
        (set(), set(KINDS), ([], 500)),
        (set(), {"Service"}, (["ServiceEntry"], 120)),
    ],
)
def test_a_kind_that_kopf_never_asks_for_is_noticed(
    asked: set[str], later: set[str], found: tuple[list[str], float]
) -> None:
    """A while after it has asked for others; not while it asks for nothing."""
    assert overlooked(asked, later, ends=500) == found


def test_the_end_of_kopf_is_no_oversight() -> None:
    """It ends before it has asked for all."""
    assert overlooked({"Service"}, set(), ends=10) == ([], 10)
