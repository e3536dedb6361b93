"""What lint says that the operator does with an entry is what `plan` does, in every scenario and in other worlds."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from dnsalias_operator.core.outcome import Change, Finding, State
from dnsalias_operator.core.plan import decide_entry, lint
from dnsalias_operator.model.meta import mapping
from dnsalias_operator.model.names import REPAIR_ANNOTATION, Key
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot
from tests.core.remedies.worlds import WORLDS, begun
from tests.scenarios.scenario import load, names
from tests.scenarios.simulated import Cluster
from tools import make

NAMED = re.compile(r"set spec\.(addresses|endpoints) to (\[.*?\])|and spec\.(endpoints) to (\[.*?\])")
LACKS = {"DA002": "addresses", "DA003": "endpoints"}
"""Codes of what an entry lacks, with the field."""
CLAIMS = re.compile(r"operator (?:contain|repair|fix|gives|does)")
"""Words by which a text says that the operator does something."""


def worlds() -> Iterator[tuple[str, Snapshot, Rules]]:
    """The world of each scenario as it begins, and those of the remedies."""
    for name in names():
        scenario = load(name)
        yield name, Cluster(scenario).snapshot(), scenario.rules
    for name, scenario in WORLDS.items():
        yield name, begun(scenario).snapshot(), scenario.rules


def due(world: Snapshot, key: Key, rules: Rules) -> tuple[Change, ...]:
    """What the operator would write to an entry, or a policy keeps it from writing."""
    decided = decide_entry(world, key, rules)
    return (*decided.changes, *decided.withheld) if decided else ()


def named(text: str) -> dict[str, list[str]]:
    """The fields that a remedy names, with their values."""
    found = (match.groups() for match in NAMED.finditer(text))
    return {field or more: re.findall(r"'([^']+)'", value or rest) for field, value, more, rest in found}


def written(changes: tuple[Change, ...]) -> dict[str, list[str]]:
    """The fields that the changes set, in the same form."""
    spec = mapping(mapping(changes[0].apply).get("spec")) if changes else {}
    endpoints = [e["address"] for e in spec.get("endpoints", ())]
    return {
        **({"addresses": list(spec["addresses"])} if "addresses" in spec else {}),
        **({"endpoints": endpoints} if endpoints else {}),
    }


def with_care(world: Snapshot, key: Key) -> Snapshot:
    """The world in which the entry is annotated as the remedy says."""
    raw: Mapping[str, Any] = world.entry(key.namespace, key.name).raw  # type: ignore[union-attr]
    annotations = {**raw["metadata"].get("annotations", {}), REPAIR_ANNOTATION: "true"}
    cared = {**raw, "metadata": {**raw["metadata"], "annotations": annotations}}
    return world.with_changes({key: ServiceEntry.parse(cared)})


def faults(world: Snapshot, finding: Finding, rules: Rules) -> Iterator[str]:
    """In what the words of a finding differ from the plan."""
    text, changes = finding.remedy, due(world, finding.key, rules)
    if text.startswith("the operator does it"):
        wanted = named(text)
        if not wanted or any(written(changes).get(field) != value for field, value in wanted.items()):
            yield f"says that the operator does {wanted}, and it does {written(changes)}"
    elif text.startswith(f"annotate it {REPAIR_ANNOTATION}"):
        cared = due(with_care(world, finding.key), finding.key, rules)
        if "let the operator do it" in text and any(written(cared).get(f) != v for f, v in named(text).items()):
            yield f"says that the operator would do {named(text)}, and it would do {written(cared)}"
        if changes:
            yield f"asks to put it into care, and the operator does {written(changes)}"
    elif CLAIMS.search(f"{finding.message} {text}") and not changes:
        yield "says that the operator does something, and it does nothing"
    decided = decide_entry(world, finding.key, rules)
    done = written(decided.changes) if decided else {}
    if LACKS.get(finding.code) in done and not text.startswith("the operator does it"):
        yield f"keeps silent that the operator sets {done}"


def test_lint_says_what_plan_does() -> None:
    """An entry of which it is said that the operator does something gets just that, and the others get nothing."""
    wrong, seen = [], Counter[str]()
    for name, world, rules in worlds():
        for finding in lint(world, rules):
            if finding.key.kind == "ServiceEntry":
                seen[finding.remedy.partition(" ")[0]] += 1
                wrong += [f"{name}: {finding.key} {finding.code}: {fault}" for fault in faults(world, finding, rules)]
    assert not wrong, "\n".join(wrong)
    assert seen["the"] > 20
    assert seen["annotate"] > 10


def test_contained_is_said_of_what_is_contained() -> None:
    """DA016 is of entries that have an address of their own already, and no other finding claims it."""
    for name, world, rules in worlds():
        for finding in lint(world, rules):
            if finding.code == "DA016":
                decided = decide_entry(world, finding.key, rules)
                assert decided is not None, name
                assert (decided.state, decided.changes) == (State.CONTAINED, ()), name


HTTPS: dict[str, Any] = {"location": "MESH_INTERNAL", "endpoints": [{"address": "deployer.cd.svc.cluster.local"}]}


@pytest.mark.parametrize(
    ("protocol", "codes", "writes"), [("HTTPS", [], False), ("TLS", [], False), ("TCP", ["DA001", "DA002"], True)]
)
def test_an_entry_that_is_told_apart_by_sni_lacks_nothing(protocol: str, codes: list[str], *, writes: bool) -> None:
    """An entry in our care in front of an HTTP Service: lint is silent where plan is, and speaks where plan writes."""
    ports = [make.port(80, "http", targetPort=8080), make.port(443, "grpc", targetPort=8080)]
    deployer = make.service("deployer", namespace="cd", ip="10.96.55.2", ports=ports, selector={"app": "deployer"})
    entry = make.foreign(
        "name", "deploy.tools.example", namespace="cd", ports=[make.entry_port(443, protocol, "https")], **HTTPS
    )
    world = Snapshot([ServiceEntry.parse(entry), Service.parse(deployer)], namespaces_known=True)
    found = [f for f in lint(world, make.rules()) if f.code in ("DA001", "DA002", "DA003", "DA015")]
    assert [f.code for f in found if f.code != "DA015"] == codes
    assert bool(due(world, Key("ServiceEntry", "cd", "name"), make.rules())) is writes
