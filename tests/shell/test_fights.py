"""Fights: drift is reverted at once, repeated reverts slower and slower, and the opponent is named."""

from collections.abc import Callable
from typing import Any

import pytest

from dnsalias_operator.core.outcome import Change, Verb
from dnsalias_operator.core.reasons import Reason
from dnsalias_operator.model.dnsalias import DnsAlias
from dnsalias_operator.model.names import KIND, Key
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.shell.pace import Backoff
from dnsalias_operator.shell.working.fights import Fights, Verdict
from tests.shell.fake_clock import FakeClock

KEY = Key("ServiceEntry", "data", "mysql")


def repair(address: str = "10.0.0.1", version: str = "1") -> Change:
    """A repair of one field; uid and version as they come with each attempt."""
    body = {
        "apiVersion": "networking.istio.io/v1",
        "metadata": {"name": "mysql", "namespace": "data", "uid": "u", "resourceVersion": version},
        "spec": {"addresses": [address]},
    }
    return Change(Verb.REPAIR, KEY, {}, {}, body, Reason.LACKS_ADDRESSES, "…", uid="u", fields=("spec.addresses",))


def owned_by(**fields: str) -> ServiceEntry:
    """The entry with the manager of each of these spec fields."""
    managed: list[dict[str, Any]] = [
        {"manager": manager, "operation": "Update", "fieldsV1": {"f:spec": {f"f:{name}": {}}}}
        for name, manager in fields.items()
    ]
    return ServiceEntry.parse({"metadata": {"name": "mysql", "namespace": "data", "managedFields": managed}})


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still."""
    return FakeClock()


@pytest.fixture
def fights(clock: FakeClock) -> Fights:
    """Contested from the third time on; pauses of 10, 20, 40 … 100 s."""
    return Fights(3, Backoff(10, 100, random=lambda: 0.0), clock)


def lost(fights: Fights, clock: FakeClock, times: int) -> None:
    """The same repair is written that often, each time after its pause."""
    for version in range(times):
        clock.now += fights.judge(repair(version=str(version)), owned_by()).pause
        fights.wrote(repair(version=str(version)))


def test_a_manager_that_let_go_is_no_rival_any_more(fights: Fights, clock: FakeClock) -> None:
    """Whatever pause the conflict had come to: once nobody holds the field, the repair is made soon."""
    for _ in range(20):
        clock.now += fights.judge(repair(), owned_by(addresses="argo")).pause
        fights.refused(repair(), ("argo",))
    assert fights.judge(repair(), owned_by(addresses="argo")) == Verdict(100, "argo", ("argo",))
    assert fights.judge(repair(), owned_by(hosts="argo")) == Verdict(10)
    clock.now += 10
    assert fights.judge(repair(), owned_by(hosts="argo")) == Verdict()
    # It holds the field again before we came to it.
    assert fights.judge(repair(), owned_by(addresses="argo")).rivals == ("argo",)


def test_a_first_write_and_the_first_drift_are_made_at_once(fights: Fights, clock: FakeClock) -> None:
    """Nothing pauses a new repair, nor healing it once."""
    assert fights.judge(repair(), owned_by()) == Verdict()
    lost(fights, clock, 1)
    assert fights.judge(repair(), owned_by()) == Verdict()


def test_the_pauses_double_and_end_at_the_longest(fights: Fights, clock: FakeClock) -> None:
    """Each further taking back waits twice as long, and there is always a next time."""
    pauses = []
    for _ in range(7):
        pause = fights.judge(repair(), owned_by()).pause
        pauses.append(pause)
        clock.now += pause
        fights.wrote(repair())
    assert pauses == [0, 0, 10, 20, 40, 80, 100]


def test_the_pause_gets_shorter_as_time_goes_by(fights: Fights, clock: FakeClock) -> None:
    """The pause is counted from the last write."""
    lost(fights, clock, 2)
    clock.now += 4
    assert fights.judge(repair(), owned_by()).pause == 6


@pytest.mark.parametrize(
    ("entry", "named"),
    [
        (owned_by(addresses="dns-controller", hosts="helm"), "dns-controller"),
        (owned_by(hosts="helm"), "probably helm"),
        (owned_by(), "an unknown manager"),
        (None, "somebody who deletes it"),
    ],
)
def test_the_opponent_is_named_from_the_limit_on(
    fights: Fights, clock: FakeClock, entry: ServiceEntry | None, named: str
) -> None:
    """Who owns the value is named; where it was removed, probably who owns the hosts."""
    lost(fights, clock, 2)
    assert fights.judge(repair(), entry).contested == ""
    lost(fights, clock, 1)
    assert fights.judge(repair(), entry).contested == named


def test_another_wish_is_another_story(fights: Fights, clock: FakeClock) -> None:
    """When the Service got another address, the new repair is made at once."""
    lost(fights, clock, 5)
    assert fights.judge(repair("10.0.0.2"), owned_by()) == Verdict()


def test_what_stood_long_enough_is_forgotten(fights: Fights, clock: FakeClock) -> None:
    """Drift months apart is no fight."""
    lost(fights, clock, 4)
    clock.now += 1000
    assert fights.judge(repair(), owned_by()) == Verdict()
    assert not fights.knows(repair())


def test_a_conflict_is_contested_at_once(fights: Fights) -> None:
    """A manager that holds the field with another value is named from the first refusal on, and not asked in a loop."""
    fights.refused(repair(), ("dns-controller",))
    verdict = fights.judge(repair(), owned_by(addresses="dns-controller"))
    assert verdict.contested == "dns-controller"
    assert verdict.pause == 40


def test_a_success_after_a_conflict_ends_it(fights: Fights, clock: FakeClock) -> None:
    """Once the manager let go, the entry is not called contested any more."""
    fights.refused(repair(), ("dns-controller",))
    clock.now += 100
    fights.wrote(repair())
    assert fights.judge(repair(), owned_by()).contested == ""


def test_what_was_contested_before_a_restart_starts_slowly(fights: Fights) -> None:
    """A new process does not begin the fight anew at full speed."""
    verdict = fights.judge(repair(), owned_by(hosts="helm"), fought=True)
    assert (verdict.pause, verdict.contested) == (20, "probably helm")


def test_what_nobody_can_be_fighting_over_is_forgotten(fights: Fights, clock: FakeClock) -> None:
    """Memory does not grow with every object that was ever written; a contested one is kept."""
    lost(fights, clock, 5)
    fights.prune()
    assert fights.knows(repair())
    clock.now += 801
    fights.prune()
    assert not fights.knows(repair())


def test_our_own_change_of_mind_is_no_fight(fights: Fights) -> None:
    """A Service whose address flaps is followed at once each time: what was written stood until we replaced it."""
    address = "10.0.0.1"
    for _ in range(10):
        entry = owned_by(addresses="dnsalias-repair")
        entry.raw["spec"] = {"addresses": [address]}  # type: ignore[index]
        address = "10.0.0.2" if address == "10.0.0.1" else "10.0.0.1"
        assert fights.judge(repair(address), entry) == Verdict()
        fights.wrote(repair(address), entry)


def test_a_rival_who_makes_us_want_something_else_each_time_gains_nothing(fights: Fights, clock: FakeClock) -> None:
    """Two wants in turn, each taken back, get the pauses of both; a hundred different ones do not get a hundred."""
    in_turn = _answers(fights, clock, lambda n: f"10.0.0.{n % 2}")
    assert in_turn <= 10
    different = _answers(Fights(3, Backoff(10, 100, random=lambda: 0.0), clock), clock, lambda n: f"10.0.0.{n}")
    assert different <= 30


def _answers(fights: Fights, clock: FakeClock, address: Callable[[int], str]) -> int:
    """How many of a hundred takings-back, one a second, are answered with a write."""
    written = 0
    for n in range(100):
        change = repair(address(n))
        if fights.judge(change, owned_by()).pause == 0:
            fights.wrote(change, owned_by())
            written += 1
        clock.now += 1
    return written


def test_who_deletes_what_we_create_is_in_a_fight(fights: Fights, clock: FakeClock) -> None:
    """An entry of ours that vanishes each time is created ever more slowly; one that we deleted ourselves is not."""
    body = {"metadata": {"name": "mysql", "namespace": "data"}, "spec": {"ports": []}}
    create = Change(Verb.CREATE, KEY, None, body, body, Reason.GENERATED, "…")
    delete = Change(Verb.DELETE, KEY, body, None, {}, Reason.SERVICE_NOT_FOUND, "…")
    for _ in range(5):
        assert fights.judge(create, None) == Verdict()
        fights.wrote(create, None)
        assert fights.judge(delete, ServiceEntry.parse(body)) == Verdict()
        fights.wrote(delete, ServiceEntry.parse(body))
    for _ in range(3):
        clock.now += fights.judge(create, None).pause
        fights.wrote(create, None)
    assert fights.judge(create, None).contested == "somebody who deletes it"


def test_a_status_that_somebody_else_writes_too_is_a_fight(fights: Fights, clock: FakeClock) -> None:
    """Two writers of one status slow down; times of conditions do not tell one status from another."""

    def status(reason: str, at: str) -> dict[str, Any]:
        return {"conditions": [{"type": "Ready", "reason": reason, "lastTransitionTime": at}]}

    def alias(reason: str) -> DnsAlias:
        return DnsAlias.parse({"metadata": {"name": "a", "namespace": "data"}, "status": status(reason, "then")})

    def write(at: str) -> Change:
        return Change(Verb.UPDATE, Key(KIND, "data", "a"), None, None, {"status": status("Ours", at)}, Reason.READY, "")

    for at in "abc":
        clock.now += fights.judge(write(at), alias("Theirs")).pause
        fights.wrote(write(at), alias("Theirs"))
    assert fights.judge(write("d"), alias("Theirs")).pause == 20
    assert fights.judge(write("d"), alias("Ours")) == Verdict()


def test_a_condition_that_somebody_adds_is_no_fight(fights: Fights) -> None:
    """Ours stands beside it, so that a change of our mind is told at once, however often."""
    audited = {"type": "Audited", "status": "True", "reason": "Ok"}

    def status(reason: str) -> dict[str, Any]:
        return {"conditions": [{"type": "Ready", "reason": reason}]}

    for n in range(10):
        said, says = f"Reason{n % 2}", f"Reason{(n + 1) % 2}"
        there = {"conditions": [audited, *status(said)["conditions"]]}
        alias = DnsAlias.parse({"metadata": {"name": "a", "namespace": "data"}, "status": there})
        write = Change(Verb.UPDATE, Key(KIND, "data", "a"), None, None, {"status": status(says)}, Reason.READY, "")
        assert fights.judge(write, alias) == Verdict()
        fights.wrote(write, alias)
