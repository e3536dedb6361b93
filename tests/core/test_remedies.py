"""Advice is held to the standard of writes: what a remedy says is done to the objects, and then the finding is gone.

Every finding of every scenario, and of some worlds beside them, has its remedy carried out: each alternative of it.
"""

from collections import Counter
from collections.abc import Callable, Iterator

from dnsalias_operator.core.findings.catalog import FAULTS
from dnsalias_operator.core.plan import lint, plan
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.rules import Rules
from tests.core.remedies.judge import tried
from tests.core.remedies.table import EVERY, remedies
from tests.core.remedies.worlds import WORLDS, begun
from tests.scenarios.scenario import load, names
from tests.scenarios.simulated import Cluster

FLOOR = 690
"""Remedies carried out; a test that carries out fewer has lost worlds or findings."""
KNOWLEDGE = 3
"""Remedies that no edit of objects can carry out, each with its reason in the table."""
Record = Callable[[str, object], None]


def test_every_remedy_does_what_it_says(record_testsuite_property: Record) -> None:
    """Once it is carried out the finding is gone, no other object is worse, and nothing critical is new."""
    carried_out: Counter[str] = Counter()
    wrong: list[str] = []
    for name, cluster, rules in _worlds():
        for each in tried(cluster, rules):
            carried_out[each.finding.code] += 1
            if each.faults:
                wrong.append(f"{name}: {each}")
    record_testsuite_property("remedies carried out", carried_out.total())
    assert not wrong, "\n".join(wrong)
    assert carried_out.total() >= FLOOR


OF_OLD_RELEASES = {"DA030", "DA031"}
"""Codes that the present release of Istio has no use for."""


def test_every_finding_and_every_rule_is_met() -> None:
    """The worlds have every finding of the catalog, and what they say meets every rule of the table."""
    worlds = [(cluster.snapshot(), rules) for _, cluster, rules in _worlds()]
    worlds += [(plan(world, rules).after, rules) for world, rules in worlds]
    found = [f for world, rules in worlds for f in lint(world, rules)]
    assert {f.code for f in found} == {fault.code for fault in FAULTS} - OF_OLD_RELEASES
    met = {remedy.rule.pattern for f in found for remedy in remedies(f)}
    assert [rule.pattern.pattern for rule in EVERY if rule.pattern not in met] == []


def test_few_remedies_ask_for_knowledge() -> None:
    """A rule without an edit says why, and there are few of them."""
    without = {rule.pattern.pattern: rule.why for rule in EVERY if not rule.edits}
    assert all(without.values())
    assert len(without) == KNOWLEDGE


def _worlds() -> list[tuple[str, Cluster, Rules]]:
    # What a release of Istio makes of an entry is remedied by another release too, which is no edit of objects.
    scenarios = [(name, s) for name in names() if "istio_version" not in (s := load(name)).settings]
    found = [(name, Cluster(s), s.rules) for name, s in scenarios] + [(n, begun(s), s.rules) for n, s in WORLDS.items()]
    return [*found, _undiscovered(), *_open()]


def _undiscovered() -> tuple[str, Cluster, Rules]:
    """A world that istiod does not see, which no setting makes."""
    alone = load("alias-shapes")
    unseen = Mesh(undiscovered=frozenset(raw["metadata"].get("namespace", "") for raw in alone.objects))
    return "undiscovered", Cluster(alone), alone.rules.model_copy(update={"mesh": unseen})


def _open() -> Iterator[tuple[str, Cluster, Rules]]:
    """Meshes whose MeshConfig was read, and limits nobody's entries; before 1.31 and since then."""
    for name in ("catch-all-by-protocol", "guard-tcp-entry-older"):
        for release in ("1.31", "1.28.10"):
            each = load(name)
            mesh = Mesh(**{**dict(each.rules.mesh), "limits_entries": False, "istio_version": release})
            yield f"{name} in an open mesh of {release}", Cluster(each), each.rules.model_copy(update={"mesh": mesh})
