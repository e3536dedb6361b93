"""An entry of ours that is deleted and stays, since somebody put a finalizer on it."""

from copy import deepcopy
from typing import Any

import pytest

from dnsalias_operator.core.aliases.decide import decide_alias
from dnsalias_operator.core.outcome import AliasDecision, Verb
from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.names import KIND, Key
from dnsalias_operator.model.snapshot import Snapshot
from tests.core.one_alias import ALIAS, SERVICE
from tools import make

NAME = Key(KIND, "abc", "api")
GOING: dict[str, Any] = {"deletionTimestamp": "2026-01-01T01:00:00Z", "finalizers": ["example.com/audit"]}


def decide(*objects: dict[str, Any]) -> AliasDecision:
    """What is decided about the alias in a world of these objects."""
    decision = decide_alias(Snapshot(KINDS[o["kind"]].parse(o) for o in objects), NAME, make.rules())
    assert decision is not None
    return decision


def entry(created: str = "2026-01-01T00:01:00Z", **meta: Any) -> dict[str, Any]:  # noqa: ANN401 (JSON)
    """The entry as it was made for the alias."""
    (change,) = decide(SERVICE, ALIAS).changes
    made = deepcopy(dict(change.apply))
    made["metadata"] |= {"uid": "e1", "resourceVersion": "7", "creationTimestamp": created, **meta}
    return made


def programmed(decision: AliasDecision) -> tuple[str, str, str]:
    """Status, reason and message of the condition Programmed."""
    return next((c.status, c.reason, c.message) for c in decision.conditions if c.type == "Programmed")


def other_host() -> dict[str, Any]:
    """The alias with another host."""
    return {**ALIAS, "spec": {**ALIAS["spec"], "host": "other.hello"}}


def other_service() -> dict[str, Any]:
    """The Service made anew."""
    return {**SERVICE, "metadata": {**SERVICE["metadata"], "uid": "s2"}}


def test_the_entry_of_a_refused_alias_is_deleted_once() -> None:
    """A second deletion would change nothing; the condition says that the entry is still there, and why."""
    (change,) = decide(ALIAS, entry()).changes
    assert change.verb is Verb.DELETE
    decision = decide(ALIAS, entry(**GOING))
    assert decision.changes == ()
    status, reason, message = programmed(decision)
    assert (status, reason) == ("False", "ServiceNotFound")
    assert "ServiceEntry abc/api is being deleted" in message
    assert "example.com/audit" in message


@pytest.mark.parametrize(
    "objects", [(SERVICE, other_host()), (other_service(), ALIAS)], ids=["another host", "another Service"]
)
def test_what_comes_in_its_place_waits_until_it_is_gone(objects: tuple[dict[str, Any], ...]) -> None:
    """Its name is taken as long as it is there: no delete, no create, and not ready; a create once it is gone."""
    assert [c.verb for c in decide(*objects, entry()).changes] == [Verb.DELETE, Verb.CREATE]
    decision = decide(*objects, entry(**GOING))
    assert decision.changes == ()
    status, reason, message = programmed(decision)
    assert (status, reason) == ("False", "Pending")
    assert "example.com/audit" in message
    assert [c.verb for c in decide(*objects).changes] == [Verb.CREATE]


def test_one_that_would_be_made_anew_waits_too() -> None:
    """It came before its Service and has to give way: not by a second deletion."""
    older = "2025-12-31T00:00:00Z"
    assert [c.verb for c in decide(SERVICE, ALIAS, entry(older)).changes] == [Verb.RECREATE]
    decision = decide(SERVICE, ALIAS, entry(older, **GOING))
    assert decision.changes == ()
    assert programmed(decision)[:2] == ("False", "Pending")


def test_as_long_as_it_stands_it_is_kept_right() -> None:
    """Sidecars still have it: an alias that it serves is ready, and drift in it is reverted."""
    going = entry(**GOING)
    assert decide(SERVICE, ALIAS, going).changes == ()
    assert programmed(decide(SERVICE, ALIAS, going))[0] == "True"
    going["spec"]["addresses"] = ["10.96.9.9"]
    assert [c.verb for c in decide(SERVICE, ALIAS, going).changes] == [Verb.UPDATE]


@pytest.mark.parametrize("name", ["theirs", "api"])
def test_an_entry_of_somebody_else_is_waited_for(name: str) -> None:
    """It still has the host, and none is made beside it; nor is its owner asked to rename or delete it."""
    theirs = entry(name=name, labels={}, annotations={}, ownerReferences=[], **GOING)
    decision = decide(SERVICE, ALIAS, theirs)
    assert decision.changes == ()
    status, reason, message = programmed(decision)
    assert (status, reason) == ("False", "Pending")
    assert f"ServiceEntry abc/{name} is being deleted" in message
    assert "example.com/audit" in message


def test_one_that_somebody_gave_another_host_is_made_anew() -> None:
    """Also where somebody else's entry has the alias' host by now: that would have the name otherwise."""
    ours, late = entry(), entry(name="late", uid="e2", labels={}, annotations={}, ownerReferences=[])
    ours["spec"]["hosts"] = ["api.hello", "x.hello"]
    assert [c.verb for c in decide(SERVICE, ALIAS, ours, late).changes] == [Verb.DELETE, Verb.CREATE]
