"""The operator's core on every hostile host: whatever layers stand before it, it refuses each by itself."""

from typing import Any

import pytest

from dnsalias_operator.cli.printing.yamlwrite import dump_all
from dnsalias_operator.core.hosts.admission import admission
from dnsalias_operator.core.outcome import AliasDecision
from dnsalias_operator.core.plan import decide_alias
from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.names import KIND, Key
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.snapshot import Snapshot
from tests.policy.corpus import NAMESPACE, Row, alias, corpus, ids, rows, service_named_by
from tools import make
from tools.running.identity import MANIFESTS

SHIPPED = MANIFESTS / "admission" / "policy.yaml"
SERVICE = make.service(
    "api", ports=[make.port(80, "http")], ip="10.96.0.1", namespace=NAMESPACE, selector={"app": "api"}
)


def decided(host: str, *others: dict[str, Any]) -> AliasDecision:
    """What becomes of an alias with that host beside these objects."""
    world = Snapshot(KINDS[raw["kind"]].parse(raw) for raw in (SERVICE, alias(host), *others))
    decision = decide_alias(world, Key(KIND, NAMESPACE, "hostile"), corpus().rules)
    assert decision is not None
    return decision


def refused(decision: AliasDecision) -> str:
    """The reason for which it is not accepted, "" where it is; nothing is generated for one that is not."""
    accepted = decision.conditions[0]
    if accepted.status == "True":
        return ""
    assert decision.changes == ()
    assert accepted.message
    return accepted.reason


def test_the_corpus_is_large_enough_and_each_host_stands_once() -> None:
    """At least 150 hosts, none twice but a few that another layer sees in another world, and none of them good."""
    hostile = [row.host for row in rows("crd", "admission", "controller")]
    assert len(hostile) >= 150
    assert len(set(hostile)) == len(hostile)
    assert set(corpus().good) & set(hostile) <= {row.host for row in rows("controller") if row.group.service == "later"}


@pytest.mark.parametrize("host", corpus().good)
def test_a_good_host_is_served(host: str) -> None:
    """The corpus' settings refuse no host for being like a hostile one."""
    assert refused(decided(host)) == ""


@pytest.mark.parametrize("row", rows("crd"), ids=ids(rows("crd")))
def test_what_the_schema_refuses_is_invalid(row: Row) -> None:
    """A host that got past an older schema is refused by the operator with the field and what is expected."""
    decision = decided(row.host)
    assert refused(decision) == "Invalid"
    assert decision.conditions[0].message.startswith("spec.host: ")


@pytest.mark.parametrize("row", rows("admission"), ids=ids(rows("admission")))
def test_what_admission_refuses_is_refused_without_it(row: Row) -> None:
    """The ValidatingAdmissionPolicy is optional: the operator refuses for the same reason where there is none."""
    decision = decided(row.host)
    assert refused(decision) == row.group.reason
    assert row.host in decision.conditions[0].message


@pytest.mark.parametrize("row", rows("controller"), ids=ids(rows("controller")))
def test_what_only_the_operator_knows(row: Row) -> None:
    """Public suffixes and the names of Services, those that come later too, are refused with their reason."""
    beside = [service_named_by(row.host, headless=row.group.service == "headless")] if row.group.service else []
    if beside:
        assert refused(decided(row.host)) == "", "without the Service it is a name like any other"
    assert refused(decided(row.host, *beside)) == row.group.reason


def test_what_ships_is_the_policy_of_the_defaults() -> None:
    """manifests/admission has, byte for byte, what `dnsalias admission` prints for default settings."""
    assert SHIPPED.read_text(encoding="utf-8") == "".join(dump_all(admission(Rules())))


def test_the_policy_says_what_the_operator_says() -> None:
    """The message of every check in the ValidatingAdmissionPolicy begins with a reason that conditions have."""
    (validation, _) = admission(corpus().rules)
    begins = {v["messageExpression"].partition(":")[0].strip('"') for v in validation["spec"]["validations"]}
    assert begins == {row.group.reason for row in rows("admission")}
