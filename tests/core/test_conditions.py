"""The status of a DnsAlias."""

from dataclasses import replace
from typing import Any

from dnsalias_operator.core.aliases.conditions import desired_status
from dnsalias_operator.core.aliases.decide import decide_alias
from dnsalias_operator.core.outcome import AliasDecision, Condition
from dnsalias_operator.core.reasons import Reason
from dnsalias_operator.model.dnsalias import DnsAlias
from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import KIND, Key
from dnsalias_operator.model.snapshot import Snapshot
from tests.core.one_alias import ALIAS, SERVICE
from tools import make

THEN, NOW = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
READY = Condition("Ready", "True", Reason.READY, "it works")


def _alias(status: dict[str, Any] | None = None) -> DnsAlias:
    made = make.alias("a", "a.hello", "a", namespace="abc", meta={"generation": 3})
    return DnsAlias.parse({**made, "status": status or {}})


def _decision(condition: Condition) -> AliasDecision:
    alias = _alias()
    return AliasDecision(alias.key, (condition,), "a.hello", ("10.96.0.1",), "a", "Generated")


def test_a_status_that_stands_is_not_written_again() -> None:
    """What was written is what is wanted the next time: no write, whatever the clock says."""
    written = desired_status(_decision(READY), _alias(), THEN)
    assert written is not None
    assert desired_status(_decision(READY), _alias(written), NOW) is None


def test_the_time_of_a_transition_changes_only_with_the_status() -> None:
    """Another message keeps lastTransitionTime; another status sets it."""
    written = desired_status(_decision(READY), _alias(), THEN)
    reworded = desired_status(_decision(Condition("Ready", "True", Reason.READY, "still")), _alias(written), NOW)
    flipped = desired_status(
        _decision(Condition("Ready", "False", Reason.SERVICE_NOT_FOUND, "no")), _alias(written), NOW
    )
    assert reworded is not None
    assert flipped is not None
    assert reworded["conditions"][0]["lastTransitionTime"] == THEN
    assert flipped["conditions"][0]["lastTransitionTime"] == NOW


def test_the_generation_decided_on_is_told() -> None:
    """The status and each condition name the generation, so that a reader knows a stale one."""
    written = desired_status(_decision(READY), _alias(), THEN)
    assert written is not None
    assert (written["observedGeneration"], written["conditions"][0]["observedGeneration"]) == (3, 3)


def test_what_is_no_more_goes() -> None:
    """A refused alias names no host, addresses or entry: an apply without them removes them."""
    written = desired_status(_decision(READY), _alias(), THEN)
    refused = AliasDecision(_alias().key, (Condition("Ready", "False", Reason.HOST_HELD, "held"),))
    status = desired_status(refused, _alias(written), NOW)
    assert status is not None
    assert set(status) == {"observedGeneration", "conditions"}


def test_conditions_of_others_are_none_of_our_business() -> None:
    """One that an auditor put among ours, whatever the order is then, makes no write; and none of ours names it."""
    audited = {"type": "Audited", "status": "True", "reason": "Ok", "message": "…", "lastTransitionTime": THEN}
    two = replace(_decision(READY), conditions=(Condition("Accepted", "True", Reason.ACCEPTED, "it is"), READY))
    written = desired_status(two, _alias(), THEN)
    assert written is not None
    shared = {**written, "conditions": [written["conditions"][1], audited, written["conditions"][0]]}
    assert desired_status(two, _alias(shared), NOW) is None
    flipped = desired_status(
        _decision(Condition("Ready", "False", Reason.SERVICE_NOT_FOUND, "no")), _alias(shared), NOW
    )
    assert flipped is not None
    assert [c["type"] for c in flipped["conditions"]] == ["Ready"]


def test_what_others_write_over_ours_is_seen() -> None:
    """A condition, or a field of ours, with another value than was decided is written again."""
    written = desired_status(_decision(READY), _alias(), THEN)
    assert written is not None
    forged = [{**written["conditions"][0], "message": "by somebody else"}]
    for theirs in ({**written, "conditions": forged}, {**written, "host": "b.hello"}, {**written, "conditions": []}):
        assert desired_status(_decision(READY), _alias(theirs), NOW) is not None


def test_an_exported_alias_says_that_ztunnel_does_not_read_it() -> None:
    """Only where clients in ambient mode are about, and serviceEntryVisibility does not keep it to its namespace."""
    exported = {**ALIAS, "spec": {**ALIAS["spec"], "ports": [80], "exportTo": ["."]}}
    ambient = make.manifest("v1", "Namespace", "amb", None, meta={"labels": {"istio.io/dataplane-mode": "ambient"}})

    def accepted(*objects: dict[str, Any], **mesh: Any) -> str:  # noqa: ANN401 (fields of Mesh)
        world = Snapshot(KINDS[o["kind"]].parse(o) for o in (SERVICE, *objects))
        decision = decide_alias(world, Key(KIND, "abc", "api"), make.rules(mesh=Mesh(**mesh)))
        assert decision is not None
        return decision.conditions[0].message

    told = "namespace amb is in ambient mode, and pods in that mode are told of the alias in every namespace"
    assert told in accepted(exported, ambient)
    assert "ambient" not in accepted(exported) + accepted(ALIAS, ambient)
    assert "ambient" not in accepted(exported, ambient, private_entries=frozenset({"abc"}))
