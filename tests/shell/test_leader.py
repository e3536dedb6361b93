"""Leadership in simulated time, with a Lease as the API server keeps it: never two, and always one again."""

import asyncio
import copy
import math
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnsalias_operator.shell.api.errors import ApiError, UnreachableError
from dnsalias_operator.shell.leader import Leadership, Terms
from tests.shell.simulated_time import simulate

TERMS = Terms(duration=15, deadline=10, retry=2)
SETTLED = 60.0
"""Seconds after the last disturbance by which somebody leads: a Lease, a few looks at it, requests that hang."""


class Server:
    """One Lease, with optimistic concurrency."""

    def __init__(self) -> None:
        self.lease: dict[str, Any] | None = None
        self._versions = count(1)

    def apply(self, verb: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
        """Answer one request at once."""
        if verb == "POST":
            if self.lease is not None:
                raise ApiError("it exists", 409, "AlreadyExists")
        elif self.lease is None:
            raise ApiError("there is none", 404)
        if verb != "GET":
            assert body is not None
            if self.lease and body["metadata"]["resourceVersion"] != self.lease["metadata"]["resourceVersion"]:
                raise ApiError("another version", 409)
            self.lease = copy.deepcopy(dict(body))
            self.lease["metadata"]["resourceVersion"] = str(next(self._versions))
        return copy.deepcopy(self.lease or {})

    @property
    def holder(self) -> str:
        """Who has the Lease by what stands in it."""
        return str(((self.lease or {}).get("spec") or {}).get("holderIdentity", ""))


@dataclass
class Line:
    """The way of one candidate to the server: a request takes a while, is held up, is lost, or its answer is."""

    server: Server
    latency: float = 0.01
    held_until: float = -math.inf
    loses_requests: bool = False
    loses_answers: bool = False
    sent: list[str] = field(default_factory=list)

    async def request(
        self, verb: str, path: str, query: Mapping[str, str] | None = None, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """One request under way."""
        assert "/leases" in path
        assert (query is not None) is (verb != "GET")
        self.sent.append(verb)
        await self._travel()
        if self.loses_requests:
            raise UnreachableError("the request is lost")
        try:
            answer = self.server.apply(verb, body)
        finally:
            await self._travel()
        if self.loses_answers:
            raise UnreachableError("the answer is lost")
        return answer

    async def _travel(self) -> None:
        await asyncio.sleep(self.latency)
        await asyncio.sleep(max(0.0, self.held_until - asyncio.get_running_loop().time()))


class Candidate:
    """A process that stands for the Lease, and is started anew when it has lost it, as a Pod is."""

    def __init__(self, name: str, server: Server, pace: float = 1.0, shift: float = 0.0) -> None:
        self.line = Line(server)
        self._name, self._pace, self._shift = name, pace, shift
        self._lives = count()
        self.stop = asyncio.Event()
        self.leadership = self._new()
        self.life: asyncio.Task[None] | None = None

    def leads(self) -> bool:
        """Whether it would write now."""
        return self.leadership.left() > 0

    def start(self) -> asyncio.Task[None]:
        """Live, and live again."""
        self.life = asyncio.create_task(self._run())
        return self.life

    async def end(self) -> None:
        """End in good order, for good."""
        if self.life is not None:
            self.life.cancel()
            await asyncio.wait([self.life])
        await self.leadership.release()

    async def _run(self) -> None:
        while True:
            if not await self.leadership.win(self.stop):
                return
            await self.leadership.keep()
            assert not self.leads()
            self.leadership = self._new()

    def _new(self) -> Leadership:
        # Clocks differ from each other, and may run a little faster or slower.
        def clock() -> float:
            return self._shift + self._pace * asyncio.get_running_loop().time()

        return Leadership(self.line, "here", "us", f"{self._name}-{next(self._lives)}", TERMS, clock)


@dataclass(frozen=True)
class Trouble:
    """What goes wrong with one candidate's line, from when, for how long."""

    who: int
    at: float
    lasts: float
    kind: str


TROUBLES = st.builds(
    Trouble,
    who=st.integers(0, 2),
    at=st.floats(0, 120),
    lasts=st.floats(0.1, 60),
    kind=st.sampled_from(["held", "slow", "requests lost", "answers lost"]),
)


async def _strike(candidates: list[Candidate], trouble: Trouble) -> None:
    await asyncio.sleep(trouble.at)
    line = candidates[trouble.who].line
    match trouble.kind:
        case "held":
            line.held_until = max(line.held_until, asyncio.get_running_loop().time() + trouble.lasts)
        case "slow":
            line.latency = 3.0
        case "requests lost":
            line.loses_requests = True
        case _:
            line.loses_answers = True
    await asyncio.sleep(trouble.lasts)
    line.latency, line.loses_requests, line.loses_answers = 0.01, False, False


async def _watch(candidates: list[Candidate]) -> None:
    while True:
        leaders = [c.leadership.identity for c in candidates if c.leads()]
        assert len(leaders) <= 1, f"two lead: {leaders}"
        await asyncio.sleep(0.05)


@settings(deadline=None, max_examples=60, derandomize=True, database=None)
@given(
    troubles=st.lists(TROUBLES, max_size=8),
    paces=st.tuples(*[st.floats(0.9, 1.1)] * 3),
    shifts=st.tuples(*[st.floats(-1e6, 1e6)] * 3),
)
def test_there_are_never_two_and_in_the_end_there_is_one(
    troubles: list[Trouble], paces: tuple[float, ...], shifts: tuple[float, ...]
) -> None:
    """Whatever is held up, slow or lost, and however clocks differ, no two may write; afterwards somebody leads."""

    async def story() -> None:
        server = Server()
        candidates = [Candidate(str(n), server, paces[n], shifts[n]) for n in range(3)]
        lives = [c.start() for c in candidates]
        watching = asyncio.create_task(_watch(candidates))
        await asyncio.gather(*(_strike(candidates, trouble) for trouble in troubles))
        end = max((t.at + t.lasts for t in troubles), default=0.0) + SETTLED
        await asyncio.sleep(end - asyncio.get_running_loop().time())
        for task in (watching, *lives):
            if task.done():
                await task
            task.cancel()
        (leader,) = [c for c in candidates if c.leads()]
        assert server.holder == leader.leadership.identity

    simulate(story())


def told(story: Callable[[Server, Candidate, Candidate], Coroutine[Any, Any, None]]) -> None:
    """Play a story of two candidates, the first of which leads."""

    async def play() -> None:
        server = Server()
        first, second = Candidate("first", server), Candidate("second", server)
        tasks = [first.start()]
        await asyncio.sleep(1)
        tasks.append(second.start())
        await asyncio.sleep(5)
        assert first.leads()
        assert second.leadership.holder == "first-0"
        await story(server, first, second)
        for task in tasks:
            task.cancel()

    simulate(play())


def test_one_that_is_held_up_may_not_write_before_another_may() -> None:
    """A stopped leader's time is over before the standby's begins, and when it wakes it is told so by the Lease."""

    async def story(_server: Server, first: Candidate, second: Candidate) -> None:
        now = asyncio.get_running_loop().time()
        first.line.held_until = now + 40
        gap = [c for _ in range(400) for c in [await _tick(first, second)]]
        assert gap[0] == "first"
        assert gap[-1] == "second"
        assert "nobody" in gap
        assert "both" not in gap
        await asyncio.sleep(10)
        assert first.leadership.identity == "first-1"
        assert not first.leads()

    told(story)


async def _tick(first: Candidate, second: Candidate) -> str:
    await asyncio.sleep(0.1)
    names = {(True, False): "first", (False, True): "second", (True, True): "both", (False, False): "nobody"}
    return names[first.leads(), second.leads()]


def test_an_outage_costs_nobody_his_place() -> None:
    """While the API server is away nobody may write; when it is back, the same one goes on without a restart."""

    async def story(server: Server, first: Candidate, second: Candidate) -> None:
        for line in (first.line, second.line):
            line.loses_requests = True
        await asyncio.sleep(12)
        assert not first.leads()
        assert "the request is lost" in first.leadership.fault
        for line in (first.line, second.line):
            line.loses_requests = False
        await asyncio.sleep(TERMS.retry + 1)
        assert first.leads()
        assert not second.leads()
        assert server.holder == "first-0"

    told(story)


def test_one_who_was_away_does_not_go_on_where_another_was() -> None:
    """Even a Lease that is free again is not taken by a leader who missed that another led: it starts anew."""

    async def story(_server: Server, first: Candidate, second: Candidate) -> None:
        first.line.held_until = asyncio.get_running_loop().time() + 40
        await asyncio.sleep(30)
        assert second.leads()
        await second.end()
        await asyncio.sleep(20)
        assert first.leads()
        assert first.leadership.identity == "first-1"

    told(story)


def test_what_is_given_back_is_taken_at_the_next_look() -> None:
    """A standby does not wait for a Lease whose holder ended in good order."""

    async def story(server: Server, first: Candidate, second: Candidate) -> None:
        await first.end()
        assert not first.leads()
        assert server.holder == ""
        await asyncio.sleep(3)
        assert second.leads()
        assert server.lease is not None
        assert server.lease["spec"]["leaseTransitions"] == 1

    told(story)


def test_a_lease_that_somebody_deletes_is_not_up_for_grabs() -> None:
    """A standby that knew the holder waits as long as he may think that he leads; the holder creates it again."""

    async def story(server: Server, first: Candidate, second: Candidate) -> None:
        server.lease = None
        await asyncio.sleep(5)
        assert first.leads()
        assert not second.leads()
        assert server.holder == "first-0"

    told(story)


def test_what_others_write_into_the_lease_stays_and_costs_nobody_his_place() -> None:
    """A label put on the Lease is kept, and the holder goes on."""

    async def story(server: Server, first: Candidate, _second: Candidate) -> None:
        lease = server.lease or {}
        lease["metadata"]["labels"] = {"a": "b"}
        server.apply("PUT", lease)
        await asyncio.sleep(20)
        assert first.leads()
        assert first.leadership.identity == "first-0"
        assert server.lease is not None
        assert server.lease["metadata"]["labels"] == {"a": "b"}

    told(story)


@pytest.mark.parametrize("spec", [None, {}, {"holderIdentity": 3, "leaseDurationSeconds": "x"}, {"renewTime": "then"}])
def test_a_lease_that_says_nothing_is_free(spec: object) -> None:
    """An empty or unreadable Lease (shipped with a manifest, say) is taken at the first look."""

    async def story() -> None:
        server = Server()
        server.lease = {"metadata": {"resourceVersion": "1"}, "spec": spec}
        leadership = Leadership(Line(server), "here", "us", "me", TERMS, asyncio.get_running_loop().time)
        assert await leadership.win(asyncio.Event())
        assert server.holder == "me"

    simulate(story())


def test_a_fault_is_told_and_waited_out() -> None:
    """Without a right to the Lease a candidate says which and why, and leads once it has it."""

    async def story() -> None:
        line = Line(Server())
        line.loses_requests = True
        leadership = Leadership(line, "here", "us", "me", TERMS, asyncio.get_running_loop().time)
        winning = asyncio.create_task(leadership.win(asyncio.Event()))
        await asyncio.sleep(10)
        assert leadership.fault == "cannot use the Lease here/us: the request is lost"
        line.loses_requests = False
        assert await winning
        assert leadership.fault == ""

    simulate(story())


def test_a_candidate_that_is_told_to_stop_ends_at_once() -> None:
    """SIGTERM to a standby is not held up by the pause between two looks."""

    async def story() -> None:
        server = Server()
        await Leadership(Line(server), "here", "us", "other", TERMS, asyncio.get_running_loop().time).win(
            asyncio.Event()
        )
        stop = asyncio.Event()
        standby = Leadership(Line(server), "here", "us", "me", TERMS, asyncio.get_running_loop().time)
        winning = asyncio.create_task(standby.win(stop))
        await asyncio.sleep(1)
        stop.set()
        before = asyncio.get_running_loop().time()
        assert not await winning
        assert asyncio.get_running_loop().time() == before
        await standby.release()
        assert server.holder == "other"

    simulate(story())


def test_a_leader_asks_once_for_each_renewal() -> None:
    """It knows the Lease that it wrote last: no read before each write."""

    async def story(_server: Server, first: Candidate, _second: Candidate) -> None:
        first.line.sent.clear()
        await asyncio.sleep(60)
        assert set(first.line.sent) == {"PUT"}

    told(story)


def test_a_renewal_that_was_cut_off_does_not_keep_the_lease() -> None:
    """It was applied, and its answer not waited for: the Lease is given back all the same."""
    server = Server()

    async def story() -> float:
        clock = asyncio.get_running_loop().time
        one = Leadership(Line(server, latency=0.05), "here", "us", "a", TERMS, clock)
        assert await one.win(asyncio.Event())
        keeping = asyncio.create_task(one.keep())
        await asyncio.sleep(TERMS.retry + 0.07)  # there, and not back yet
        keeping.cancel()
        await asyncio.wait([keeping])
        await one.release()
        began = clock()
        assert await Leadership(Line(server), "here", "us", "b", TERMS, clock).win(asyncio.Event())
        return clock() - began

    assert simulate(story()) < TERMS.retry
    assert server.holder == "b"
