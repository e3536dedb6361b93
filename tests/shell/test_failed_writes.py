"""Writes that fail without being refused: what metrics and conditions say then, and what the API server has of it."""

import asyncio
import itertools
from collections.abc import Callable

import pytest

from dnsalias_operator.model.names import KIND, Key
from dnsalias_operator.shell.api.errors import ApiError, ClusterError, FencedError, UnreachableError
from tests.shell.small_cluster import Desk, alias, catch_all, service

Fails = Callable[[str, str], ClusterError | None]

ENTRY, ALIAS = Key("ServiceEntry", "abc", "theirs"), Key(KIND, "abc", "web")
UNFIXED = 'dnsalias_unfixed_serviceentries{reason="WriteFailed",severity="critical"}'
FIXED = 'dnsalias_serviceentries{origin="foreign",state="fixed"}'
NOT_READY = 'dnsalias_aliases{condition="Ready",reason="WriteFailed",status="False"}'
STATUS = f"{KIND}/abc/web/status"


def nothing(verb: str, path: str) -> ClusterError | None:
    """All is well."""
    del verb, path
    return None


def webhook_down(verb: str, path: str) -> ClusterError | None:
    """What the API server says of writes of ServiceEntries while istiod's webhook does not answer."""
    if verb == "GET" or "ServiceEntry" not in path:
        return None
    return ApiError(f"{verb} /{path}: 500 Internal error occurred: failed calling webhook", 500)


def writes_end_in(*errors: ClusterError) -> Fails:
    """The first write of a ServiceEntry ends in the first error, and so on, over and over; everything else is well."""
    turn = itertools.cycle(errors)
    return lambda verb, path: next(turn) if webhook_down(verb, path) else None


def failed_writes(desk: Desk, operation: str) -> float:
    """How many writes of that operation count as failed."""
    return sum(
        value
        for name, value in desk.series("dnsalias_writes_total").items()
        if f'operation="{operation}",result="error"' in name
    )


async def test_an_entry_that_cannot_be_written_is_unfixed() -> None:
    """It takes traffic of others and counts as critical from the second failure on; as fixed once it is, not before."""
    desk = Desk(service(), catch_all("theirs", "db.hello"))
    desk.api.fails = webhook_down
    assert await desk.work(ENTRY)
    assert desk.series("dnsalias_serviceentries") == {}
    assert await desk.work(ENTRY)
    assert (desk.series(UNFIXED), desk.series(FIXED)) == ({UNFIXED: 1}, {})
    desk.api.held.clear()
    trying = asyncio.create_task(desk.work(ENTRY))
    await asyncio.sleep(0.01)
    assert (desk.series(UNFIXED), desk.series(FIXED)) == ({UNFIXED: 1}, {})
    desk.api.fails = nothing
    desk.api.held.set()
    assert await trying is None
    assert (desk.series(UNFIXED), desk.series(FIXED)) == ({}, {FIXED: 1})


async def test_a_new_alias_says_that_its_entry_could_not_be_made() -> None:
    """From the second failure on it has conditions and a series; they name entry, error and next step, until it is."""
    desk = Desk(service(), alias("web", "web.hello"))
    desk.api.fails = webhook_down
    assert await desk.work(ALIAS)
    assert (desk.condition("web"), desk.series("dnsalias_aliases")) == (("", "", ""), {})
    assert await desk.work(ALIAS)
    assert desk.series(NOT_READY) == {NOT_READY: 1}
    assert desk.condition("web", "Accepted")[0] == "True"
    for kind in ("Programmed", "Ready"):
        status, reason, message = desk.condition("web", kind)
        assert (status, reason) == ("False", "WriteFailed")
        assert "ServiceEntry abc/web could not be made: POST /ServiceEntry/abc: 500" in message
        assert "webhook that does not answer" in message
    desk.api.fails = nothing
    await desk.run([ALIAS], 2)
    assert (desk.condition("web")[:2], desk.series(NOT_READY)) == (("True", "Ready"), {})


async def test_what_failed_for_the_old_spec_is_not_said_of_the_new_one() -> None:
    """It is edited while a webhook thinks about what it asked for before: the new spec is decided, without a pause."""
    desk = Desk(service(), alias("web", "web.hello"))
    desk.api.fails = lambda verb, path: ApiError("403 denied", 403) if webhook_down(verb, path) else None
    desk.api.held.clear()
    trying = asyncio.create_task(desk.work(ALIAS))
    await asyncio.sleep(0.01)
    edited = alias("web", "other.hello")
    edited["metadata"]["generation"] = 2
    desk.store.put(KIND, desk.api.put(f"{KIND}/abc/web", edited))
    desk.api.held.set()
    assert await trying is None
    assert desk.condition("web") == ("", "", "")
    assert desk.queue.depth() == 1


async def test_an_alias_whose_entry_is_gone_does_not_stay_ready() -> None:
    """Somebody deletes the entry while it cannot be made again."""
    desk = Desk(service(), alias("web", "web.hello"))
    await desk.run([ALIAS], 2)
    assert desk.condition("web")[0] == "True"
    desk.store.remove("ServiceEntry", desk.api.objects.pop("ServiceEntry/abc/web"))
    desk.api.fails = webhook_down
    await desk.run([ALIAS], 2)
    assert desk.condition("web")[:2] == ("False", "WriteFailed")


async def test_a_refused_alias_says_that_its_entry_is_still_there() -> None:
    """The reason stays the core's; the message of Programmed tells of the deletion that failed."""
    desk = Desk(service(), alias("web", "web.hello"))
    await desk.run([ALIAS], 2)
    desk.store.remove("Service", desk.api.objects.pop("Service/abc/db"))
    desk.api.fails = webhook_down
    await desk.run([ALIAS], 2)
    assert desk.condition("web")[:2] == ("False", "ServiceNotFound")
    status, reason, message = desk.condition("web", "Programmed")
    assert (status, reason) == ("False", "ServiceNotFound")
    assert "ServiceEntry abc/web could not be deleted" in message


async def test_an_alias_that_somebody_elses_entry_serves_follows_it() -> None:
    """It is not ready while nobody knows whether the entry is written, nor when it is not; when it is, it is."""
    desk = Desk(service(), catch_all("theirs", "db.hello"), alias("web", "db.hello"))
    desk.api.fails = webhook_down
    desk.api.held.clear()
    trying = asyncio.create_task(desk.work(ENTRY))
    await asyncio.sleep(0.01)
    asking = asyncio.create_task(desk.work(ALIAS))
    await asyncio.sleep(0.01)
    desk.api.held.set()
    assert await asking is None
    assert desk.condition("web") == ("", "", "")
    assert await trying
    await desk.run([ENTRY], 2)
    assert desk.condition("web")[:2] == ("False", "WriteFailed")
    assert "ServiceEntry abc/theirs could not be repaired" in desk.condition("web")[2]
    desk.api.fails = nothing
    await desk.run([ENTRY], 2)
    assert desk.condition("web")[0] == "True"


async def test_what_passes_at_the_second_try_is_never_told() -> None:
    """One conflict with another writer, or one error, makes no condition flap; two in a row are told."""
    conflict, error = ApiError("409 the object has been modified", 409), ApiError("500 etcd: leader changed", 500)
    for once in (conflict, error):
        desk = Desk(service(), alias("web", "web.hello"))
        desk.api.fails = writes_end_in(once)
        assert await desk.work(ALIAS) is once
        desk.api.fails = nothing
        await desk.run([ALIAS], 2)
        assert (desk.condition("web")[0], desk.api.sent("PATCH")) == ("True", [STATUS])
        desk.store.remove("ServiceEntry", desk.api.objects.pop("ServiceEntry/abc/web"))
        desk.api.fails = writes_end_in(once)
        assert await desk.work(ALIAS) is once
        assert desk.condition("web")[0] == "True"
        assert await desk.work(ALIAS) is once
        assert desk.condition("web")[:2] == ("False", "WriteFailed")


async def test_a_second_look_that_fails_is_a_write_that_failed() -> None:
    """It moves the counter that the alert looks at, and the gauges; a status on top is not asked for."""
    desk = Desk(service(), catch_all("theirs", "db.hello"), alias("web", "web.hello"))
    desk.api.fails = lambda verb, path: ApiError(f"{verb} /{path}: 500 etcdserver: request timed out", 500)
    for _ in range(4):
        assert await desk.work(ENTRY)
        assert await desk.work(ALIAS)
    assert (failed_writes(desk, "repair"), failed_writes(desk, "create")) == (4, 4)
    assert (desk.series(UNFIXED), desk.series(NOT_READY)) == ({UNFIXED: 1}, {NOT_READY: 1})
    assert {verb for verb, _ in desk.api.requests} == {"GET"}


async def test_a_look_that_is_refused_is_told() -> None:
    """The right to read Services is missing: that is no outage, and the alias' owner sees it."""
    desk = Desk(service(), alias("web", "web.hello"))
    desk.api.fails = lambda _verb, path: ApiError("403 forbidden", 403) if path == "Service/abc/db" else None
    assert await desk.work(ALIAS)
    assert desk.condition("web")[:2] == ("False", "WriteRefused")
    assert 'dnsalias_writes_total{kind="ServiceEntry",operation="create",result="refused"}' in desk.series("dnsalias_w")


async def test_the_words_change_with_the_error_and_not_with_its_numbers() -> None:
    """Another port in a message is no other message, and so no other status to write at each attempt."""
    desk = Desk(service(), alias("web", "web.hello"))
    desk.api.fails = writes_end_in(*(ApiError(f"500 read tcp 10.0.0.1:{50000 + n}: timeout", 500) for n in range(10)))
    for _ in range(6):
        assert await desk.work(ALIAS)
    assert desk.api.sent("PATCH") == [STATUS]
    assert "10.0.0.1:50000" in desk.condition("web")[2]
    desk.api.fails = writes_end_in(ApiError("503 apiserver is shutting down", 503))
    assert await desk.work(ALIAS)
    assert "shutting down" in desk.condition("web")[2]


@pytest.mark.parametrize(
    "error",
    [ApiError("429 slow down", 429), ApiError("503 later", 503, retry_after=5)],
    ids=["too many requests", "Retry-After"],
)
async def test_a_server_that_asks_for_time_gets_no_status_on_top(error: ApiError) -> None:
    """The metrics tell; the conditions follow when it can be bothered."""
    desk = Desk(service(), alias("web", "web.hello"))
    desk.api.fails = writes_end_in(error)
    for _ in range(3):
        assert await desk.work(ALIAS) is error
    assert (desk.series(NOT_READY), desk.api.sent("PATCH")) == ({NOT_READY: 1}, [])


async def test_where_no_write_succeeds_an_attempt_costs_one_status() -> None:
    """Reads are answered and writes are not: the backoff bounds both, and what failed first is told as the error."""
    desk = Desk(service(), alias("web", "web.hello"))
    desk.api.fails = lambda verb, path: None if verb == "GET" else UnreachableError(f"no answer to {verb} {path}")
    for _ in range(5):
        error = await desk.work(ALIAS)
        assert str(error) == "no answer to POST ServiceEntry/abc"
    assert (len(desk.api.sent("POST")), len(desk.api.sent("PATCH"))) == (5, 4)
    desk.api.requests.clear()
    await desk.run([ALIAS], 60)
    assert len(desk.api.sent("POST")) == len(desk.api.sent("PATCH")) <= 8


async def test_keys_that_fail_side_by_side_wait_each_for_its_own_backoff() -> None:
    """Two entries of one host concern each other; a failure of one is no reason to try the other at once."""
    desk = Desk(service(), catch_all("theirs", "db.hello"), catch_all("more", "db.hello"))
    desk.api.fails = webhook_down
    await desk.run([ENTRY, Key("ServiceEntry", "abc", "more")], 60)
    assert 10 <= len(desk.api.sent("PATCH")) <= 16


@pytest.mark.parametrize("stops", [False, True], ids=["no Lease", "stopping"])
async def test_who_may_not_write_or_is_told_to_stop_says_nothing(*, stops: bool) -> None:
    """That a write was not sent any more is no trouble of the entry or the alias."""
    desk = Desk(service(), catch_all("theirs", "db.hello"), alias("web", "web.hello"))
    desk.api.fails = writes_end_in(UnreachableError("no answer") if stops else FencedError("no Lease"))
    if stops:
        desk.queue.close()
    for _ in range(3):
        assert await desk.work(ENTRY)
        assert await desk.work(ALIAS)
    assert (desk.series("dnsalias_aliases"), desk.series("dnsalias_serviceentries")) == ({}, {})
    assert STATUS not in desk.api.sent("PATCH")
