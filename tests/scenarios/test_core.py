"""Scenario files through the core: what is planned, what is found, and that a planned world has nothing left to do."""

import re
from dataclasses import dataclass

import pytest

from dnsalias_operator.core.outcome import EntryDecision, Finding, Plan, State
from dnsalias_operator.core.plan import lint, plan
from dnsalias_operator.model.rules import Rules
from tests.scenarios.scenario import FOLDER, Expect, load, names, parse, shown, spec_holds
from tests.scenarios.simulated import Cluster


@pytest.mark.parametrize("name", names())
def test_scenario(name: str) -> None:
    """The core decides what the file says, at first and after each step, and then leaves the world alone."""
    scenario = load(name)
    cluster = Cluster(scenario)
    check(cluster, scenario.expect, scenario.rules)
    for step in scenario.steps:
        for done in step.do:
            cluster.do(done)
        check(cluster, step.expect, scenario.rules)


def test_the_example_for_contributors() -> None:
    """The scenario that CONTRIBUTING.md shows is one, and comes out as it says."""
    text = (FOLDER.parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```yaml\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    scenario = parse(example)
    check(Cluster(scenario), scenario.expect, scenario.rules)


def check(cluster: Cluster, expect: Expect, rules: Rules) -> None:
    """Hold the core's answers against the expectation, and carry the plan out."""
    world = cluster.snapshot()
    decided = plan(world, rules)
    got = Told.of(decided)
    if expect.findings is not None:
        assert sorted(map(finding, lint(world, rules))) == sorted(expect.findings)
    assert got.changes == shown(expect.changes)
    for wanted, change in zip(expect.changes, decided.changes, strict=True):
        sent = change.apply.get("spec") or {}
        assert spec_holds(wanted, sent, rules), f"{change.key}: {sent} instead of {wanted.spec}"
    if expect.entries is not None:
        assert got.entries == expect.entries
    if expect.conditions is not None:
        assert set(got.conditions) == set(expect.conditions)
        for alias, wanted_of in expect.conditions.items():
            assert {t: got.conditions[alias][t] for t in wanted_of} == wanted_of, alias
    for change in decided.changes:
        cluster.write(change)
    assert plan(decided.after, rules).changes == ()
    settled = plan(cluster.snapshot(), rules)
    assert settled.changes == ()
    assert Told.of(settled).entries == got.entries


@dataclass(frozen=True)
class Told:
    """A plan in the words of the files."""

    changes: list[str]
    entries: dict[str, str]
    conditions: dict[str, dict[str, str]]

    @classmethod
    def of(cls, decided: Plan) -> "Told":
        """Translate a plan."""
        return cls(
            changes=[f"{c.verb} {c.key} {c.reason}" for c in decided.changes],
            entries={f"{e.key.namespace}/{e.key.name}": entry(e) for e in decided.entries if e.state},
            conditions={
                f"{a.key.namespace}/{a.key.name}": {
                    c.type: "True" if c.status == "True" else f"{c.status}/{c.reason}" for c in a.conditions
                }
                for a in decided.aliases
            },
        )


def entry(decided: EntryDecision) -> str:
    """What became of an entry, in one line."""
    if decided.state is State.FIXED:
        return State.FIXED.value
    return f"{decided.state} {decided.reason} {decided.severity}"


def finding(found: Finding) -> str:
    """A finding, in one line."""
    return " ".join(map(str, (found.code, found.severity, found.key, *([] if found.port is None else [found.port]))))
