"""The work queue and the token bucket, on a clock that only the tests move."""

import asyncio

from dnsalias_operator.shell.pace import Backoff, TokenBucket
from dnsalias_operator.shell.working.queue import PATIENCE_SECONDS, Item, WorkQueue
from tests.shell.fake_clock import FakeClock, settle


def make(clock: FakeClock, least: float = 1, most: float = 8) -> WorkQueue[str]:
    """A queue whose backoff has no jitter."""
    return WorkQueue(Backoff(least, most, random=lambda: 0.0), clock, clock.sleep)


async def take(queue: WorkQueue[str]) -> str:
    """The key that is due now; fails where none is."""
    item = await asyncio.wait_for(queue.take(), 5)
    assert item is not None
    return item.key


async def since(queue: WorkQueue[str]) -> float:
    """Since when the next key was asked for, which has to be there."""
    item = await asyncio.wait_for(queue.take(), 1)
    assert item is not None
    return item.since


async def nothing_due(queue: WorkQueue[str]) -> bool:
    """Whether a worker would have to wait."""
    waiting = asyncio.create_task(queue.take())
    await settle()
    idle = not waiting.done()
    waiting.cancel()
    return idle


async def test_keys_leave_in_the_order_in_which_they_came() -> None:
    """Keys added one after another are given out in that order."""
    queue = make(FakeClock())
    for key in ("b", "a", "c"):
        queue.add(key)
    assert [await take(queue) for _ in range(3)] == ["b", "a", "c"]


async def test_a_key_waits_once_however_often_it_is_added() -> None:
    """Adding a waiting key again makes no second piece of work."""
    queue = make(FakeClock())
    for _ in range(5):
        queue.add("a")
    assert queue.depth() == 1
    await take(queue)
    assert await nothing_due(queue)


async def test_a_key_is_never_worked_on_twice_at_once_and_is_done_again_after() -> None:
    """A key added while it is worked on is given out again only after that work ended."""
    queue = make(FakeClock())
    queue.add("a")
    await take(queue)
    queue.add("a")
    assert await nothing_due(queue)
    queue.done("a")
    assert await take(queue) == "a"
    queue.done("a")
    assert await nothing_due(queue)


async def test_a_worker_that_waits_gets_the_next_key_at_once() -> None:
    """A waiting `take` wakes for an add, without the clock moving."""
    queue = make(FakeClock())
    waiting = asyncio.create_task(queue.take())
    await settle()
    queue.add("a")
    await settle()
    assert waiting.result() == Item("a", 1000.0)


async def test_many_workers_share_the_keys() -> None:
    """Each of several waiting workers gets a key of its own."""
    queue = make(FakeClock())
    workers = [asyncio.create_task(queue.take()) for _ in range(3)]
    await settle()
    for key in ("a", "b", "c"):
        queue.add(key)
    await settle()
    assert sorted(w.result().key for w in workers) == ["a", "b", "c"]  # type: ignore[union-attr]


async def test_a_delayed_key_comes_when_its_time_has_come() -> None:
    """`after` delays a key, which meanwhile counts as delayed and not as late."""
    clock = FakeClock()
    queue = make(clock)
    queue.add("a", after=5)
    waiting = asyncio.create_task(queue.take())
    await clock.advance(4.9)
    assert not waiting.done()
    assert (queue.depth(), queue.delayed(), queue.oldest_age()) == (0, 1, 0.0)
    await clock.advance(0.1)
    assert waiting.result() == Item("a", 1005.0)


async def test_the_earlier_of_two_times_counts() -> None:
    """A later delay does not put off a key, an earlier one brings it forward."""
    clock = FakeClock()
    queue = make(clock)
    queue.add("a", after=10)
    queue.add("a", after=3)
    queue.add("a", after=20)
    waiting = asyncio.create_task(queue.take())
    await clock.advance(3)
    assert waiting.done()
    queue.done("a")
    await clock.advance(100)
    assert await nothing_due(queue)


async def test_failures_of_a_key_pause_longer_and_longer_up_to_the_limit() -> None:
    """The pauses of one key double up to the limit; success starts them anew."""
    clock = FakeClock()
    queue = make(clock)
    pauses = []
    queue.add("a")
    for _ in range(5):
        await take(queue)
        pauses.append(queue.failed("a"))
        await clock.advance(pauses[-1])
    assert pauses == [1, 2, 4, 8, 8]
    await take(queue)
    queue.done("a")
    queue.add("a")
    await take(queue)
    assert queue.failed("a") == 1


async def test_a_key_that_fails_is_asked_for_since_the_first_time() -> None:
    """How long somebody has waited for a write does not begin anew with each try; how late the queue is does."""
    clock = FakeClock()
    queue = make(clock)
    queue.add("a")
    for _ in range(5):
        assert (await since(queue)) == 1000.0
        await clock.advance(queue.failed("a"))
        assert queue.oldest_age() == 0.0
    await take(queue)
    queue.done("a")
    queue.add("a")
    assert (await since(queue)) == clock()


async def test_what_is_asked_for_meanwhile_is_as_old_as_that() -> None:
    """A change that comes while its key is worked on waits from then on, not from the end of the work."""
    clock = FakeClock()
    queue = make(clock)
    queue.add("a")
    await take(queue)
    await clock.advance(1)
    queue.add("a")
    await clock.advance(5)
    queue.done("a")
    assert (await since(queue)) == 1001.0


async def test_the_failures_of_one_key_do_not_delay_another() -> None:
    """Backoff is per key."""
    queue = make(FakeClock())
    queue.add("a")
    await take(queue)
    queue.failed("a")
    queue.add("b")
    assert await take(queue) == "b"
    assert await nothing_due(queue)


async def test_the_server_may_ask_for_a_longer_pause() -> None:
    """A Retry-After longer than the backoff wins."""
    clock = FakeClock()
    queue = make(clock)
    queue.add("a")
    await take(queue)
    assert queue.failed("a", at_least=30) == 30
    waiting = asyncio.create_task(queue.take())
    await clock.advance(29)
    assert not waiting.done()
    await clock.advance(1)
    assert waiting.done()


async def test_a_failure_that_passes_by_itself_has_a_bound_of_its_own() -> None:
    """After a long outage a key does not wait for its whole backoff, but for what the server asks for."""
    clock = FakeClock()
    queue = make(clock)
    queue.add("a")
    for _ in range(12):
        await take(queue)
        pause = queue.failed("a", at_most=3)
        assert pause <= 3
        await clock.advance(pause)
    await take(queue)
    assert queue.failed("a", at_least=30, at_most=3) == 30


async def test_what_was_asked_for_during_a_failure_waits_for_the_backoff() -> None:
    """An add during work that then fails does not turn the backoff into a loop."""
    clock = FakeClock()
    queue = make(clock)
    queue.add("a")
    await take(queue)
    queue.add("a")
    queue.failed("a")
    assert await nothing_due(queue)


def test_jitter_only_shortens() -> None:
    """Random pauses stay between three quarters and the whole of the step."""
    assert Backoff(4, 100, random=lambda: 1.0).pause(1) == 3
    assert Backoff(4, 100, random=lambda: 0.0).pause(1) == 4


def test_a_key_that_fails_for_weeks_does_not_overflow() -> None:
    """Any number of failures gives the longest pause."""
    assert Backoff(1, 300, random=lambda: 0.0).pause(100_000) == 300


async def test_a_closed_queue_gives_nothing_out_and_wakes_its_workers() -> None:
    """After `close`, waiting and later takes get None, though keys wait."""
    queue = make(FakeClock())
    waiting = asyncio.create_task(queue.take())
    await settle()
    queue.close()
    await settle()
    assert waiting.result() is None
    queue.add("a")
    assert await queue.take() is None


async def test_age_counts_waiting_and_working_keys() -> None:
    """The oldest age is that of the oldest due key, also while it is worked on."""
    clock = FakeClock()
    queue = make(clock)
    queue.add("a")
    await clock.advance(7)
    queue.add("b")
    assert queue.oldest_age() == 7
    await take(queue)
    assert (queue.working(), queue.depth(), queue.oldest_age()) == (1, 1, 7)
    queue.done("a")
    assert queue.oldest_age() == 0


async def test_the_since_of_an_item_is_its_oldest_reason() -> None:
    """A key added twice carries the time of the first add."""
    clock = FakeClock()
    queue = make(clock)
    queue.add("a")
    await clock.advance(3)
    queue.add("a")
    assert await queue.take() == Item("a", 1000.0)


async def test_the_bucket_lets_a_burst_pass_and_then_the_rate() -> None:
    """Tokens beyond the burst come at the rate, in the order of asking."""
    clock = FakeClock()
    bucket = TokenBucket(rate=2, burst=3, clock=clock, sleep=clock.sleep)
    passed: list[int] = []

    async def write(number: int) -> None:
        await bucket.take()
        passed.append(number)

    tasks = [asyncio.create_task(write(n)) for n in range(6)]
    await settle()
    assert passed == [0, 1, 2]
    await clock.advance(0.5)
    assert passed == [0, 1, 2, 3]
    await clock.advance(1.0)
    assert passed == [0, 1, 2, 3, 4, 5]
    await asyncio.gather(*tasks)


async def test_an_idle_bucket_fills_no_further_than_the_burst() -> None:
    """A long rest does not save up more than the burst."""
    clock = FakeClock()
    bucket = TokenBucket(rate=2, burst=3, clock=clock, sleep=clock.sleep)
    await clock.advance(1000)
    for _ in range(3):
        await bucket.take()
    late = asyncio.create_task(bucket.take())
    await settle()
    assert not late.done()
    await clock.advance(0.5)
    assert late.done()


async def test_what_may_be_last_gives_way_to_all_others_that_are_due() -> None:
    """Whenever it was asked for; and it is not held up by what is not due yet."""
    queue = make(FakeClock())
    queue.add("status", last=True)
    queue.add("later", after=5)
    for key in ("a", "b"):
        queue.add(key)
    assert [await take(queue) for _ in range(3)] == ["a", "b", "status"]
    assert await nothing_due(queue)


async def test_what_may_be_last_is_so_no_more_when_somebody_waits_for_it() -> None:
    """Asked for without it, before, meanwhile or after, a key has its place among the others."""
    queue = make(FakeClock())
    queue.add("a", last=True)
    queue.add("b", after=0, last=True)
    queue.add("b")
    queue.add("c")
    queue.add("c", last=True)
    assert [await take(queue) for _ in range(3)] == ["b", "c", "a"]
    for ways in ((True, False), (False, True)):
        for last in ways:
            queue.add("a", last=last)
        queue.add("d")
        queue.done("a")
        assert [await take(queue) for _ in range(2)] == ["d", "a"]
        queue.done("d")


async def test_what_is_asked_for_twice_as_last_stays_last() -> None:
    """Also while it is worked on."""
    queue = make(FakeClock())
    queue.add("a", last=True)
    await take(queue)
    queue.add("a", last=True)
    queue.done("a")
    queue.add("b")
    assert [await take(queue) for _ in range(2)] == ["b", "a"]


async def test_what_may_be_last_does_not_wait_for_ever() -> None:
    """After its patience it comes before others, however many these are."""
    clock = FakeClock()
    queue = make(clock)
    queue.add("status", last=True)
    await clock.advance(PATIENCE_SECONDS - 1)
    queue.add("a")
    queue.add("b")
    assert await take(queue) == "a"
    await clock.advance(1)
    assert await take(queue) == "status"


async def test_a_long_queue_that_moves_does_not_stand_still() -> None:
    """What counts is when something was taken last, not how long the oldest key has waited."""
    clock = FakeClock()
    queue = make(clock)
    for number in range(5):
        queue.add(f"key {number}")
    for _ in range(4):
        await clock.advance(10)
        queue.done(await take(queue))
    await clock.advance(3)
    assert (queue.oldest_age(), queue.stalled()) == (43, 3)


async def test_work_that_does_not_end_stands_still() -> None:
    """Also where others go on; and an idle queue does not, however long it is idle."""
    clock = FakeClock()
    queue = make(clock)
    await clock.advance(100)
    assert queue.stalled() == 0
    queue.add("slow")
    await clock.advance(5)
    assert queue.stalled() == 5
    await take(queue)
    assert queue.stalled() == 0
    await clock.advance(4)
    queue.add("a")
    queue.done(await take(queue))
    assert queue.stalled() == 4
    queue.done("slow")
    assert queue.stalled() == 0
