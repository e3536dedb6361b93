"""What must be decided again: nothing whose decision or findings changed may be left out."""

from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dnsalias_operator.core.findings.lint import alias_findings, entry_findings
from dnsalias_operator.core.plan import decide_alias, decide_entry, plan
from dnsalias_operator.core.triggers import affected, rests_on
from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.names import KIND, SERVICE_ANNOTATION, Key
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.snapshot import LiveSnapshot, Snapshot
from tests.core import worlds
from tests.core.one_alias import ALIAS, ENTRY, SERVICE
from tests.core.worlds import NAMESPACES
from tools import make

RULES = Rules.model_validate(
    {
        "host_rules": [
            {"suffixes": ["api.hello"], "namespace_selector": "team=pay"},
            {"suffixes": ["db.hello"], "namespaces": ["abc"], "export_to": ["."]},
        ]
    }
)


def _decisions(world: Snapshot) -> dict[Key, object]:
    keys = [*(e.key for e in world.entries()), *(a.key for a in world.aliases())]
    return {k: decide_alias(world, k, RULES) if k.kind == KIND else decide_entry(world, k, RULES) for k in keys}


def _found(world: Snapshot) -> dict[Key, object]:
    """What the metric counts: the codes of each object's findings."""
    found = {e.key: entry_findings(world, e, RULES, counted=True) for e in world.entries()}
    found |= {a.key: [*alias_findings(world, a.key, RULES)] for a in world.aliases()}
    return {key: Counter((f.code, f.severity) for f in of_one) for key, of_one in found.items()}


def _told(world: Snapshot) -> dict[Key, object]:
    """The decision about each object, and what is found in it."""
    found = _found(world)
    return {key: (decided, found[key]) for key, decided in _decisions(world).items()}


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    raws=worlds.worlds(),
    other=st.one_of(worlds.services(), worlds.entries(), worlds.aliases(), worlds.sidecars(), worlds.namespaces()),
    remove=st.booleans(),
    converge=st.booleans(),
)
def test_every_changed_decision_and_finding_is_triggered(
    *, raws: list[dict[str, object]], other: dict[str, object], remove: bool, converge: bool
) -> None:
    """After any one object is added, replaced or removed, each key for which anything differs is among the affected."""
    start: Snapshot = Snapshot(map(worlds.parsed, raws))
    if converge:
        start = plan(start, RULES).after
    world = LiveSnapshot(
        [o for kind in ("Service", "ServiceEntry", KIND, "Sidecar", "Namespace") for o in start.find("kind", kind)]
    )
    before = _told(world)
    new = worlds.parsed(other)
    old = world.get(new.key)
    if remove:
        world.discard(new.key)
    else:
        world.put(new)
    after = _told(world)
    changed = {k for k in before.keys() | after.keys() if before.get(k) != after.get(k)} - {new.key}
    assert changed <= affected(world, old, None if remove else new, RULES) | {k for k in changed if k not in after}


def test_a_label_that_gives_a_host_away_triggers_who_had_it() -> None:
    """Where a namespace gains or loses a host by its labels, aliases of other namespaces win or lose it."""
    aliases = [make.alias(n, "api.hello", n, namespace=n) for n in NAMESPACES]
    before = KINDS["Namespace"].parse({"metadata": {"name": "abc"}})
    after = KINDS["Namespace"].parse({"metadata": {"name": "abc", "labels": {"team": "pay"}}})
    world = Snapshot([*(KINDS[KIND].parse(raw) for raw in aliases), after])
    assert {Key(KIND, n, n) for n in NAMESPACES} <= affected(world, before, after, RULES)


def test_the_end_of_ours_triggers_the_entry_that_serves_the_alias_then() -> None:
    """The alias' host was edited to one that somebody else's entry has: that one is looked after once ours is gone."""
    foreign = {**ENTRY, "metadata": {**ENTRY["metadata"], "name": "theirs", "labels": {}}}
    edited = {**ALIAS, "spec": {**ALIAS["spec"], "ports": [81]}}
    old = {**edited, "spec": {**edited["spec"], "host": "old.hello"}}
    (made,) = plan(Snapshot(KINDS[o["kind"]].parse(o) for o in (SERVICE, old)), make.rules()).changes
    ours = KINDS["ServiceEntry"].parse(made.apply)
    after = Snapshot(KINDS[o["kind"]].parse(o) for o in (SERVICE, edited, foreign))
    assert Key("ServiceEntry", "abc", "theirs") in affected(after, ours, None, make.rules())
    assert decide_entry(after, Key("ServiceEntry", "abc", "theirs"), make.rules()) != decide_entry(
        after.with_changes({ours.key: ours}), Key("ServiceEntry", "abc", "theirs"), make.rules()
    )


def test_a_headless_service_triggers_aliases_with_names_of_its_pods() -> None:
    """A host that becomes the name of a pod is nobody's any more."""
    alias = KINDS[KIND].parse(make.alias("web", "pod-0.db.data", "web", namespace="abc"))
    service = KINDS["Service"].parse(make.service("db", ports=[], namespace="data", clusterIP="None"))
    assert alias.key in affected(Snapshot([alias, service]), None, service, RULES)


def test_a_headless_service_triggers_entries_with_names_of_its_pods() -> None:
    """Such an entry is not in anybody's care, and has a finding all the same."""
    entry = KINDS["ServiceEntry"].parse(
        make.entry("web", "pod-0.db.data", ports=[make.entry_port(80)], resolution="NONE", namespace="abc")
    )
    service = KINDS["Service"].parse(make.service("db", ports=[], namespace="data", clusterIP="None"))
    assert _found(Snapshot([entry, service])) != _found(Snapshot([entry]))
    assert entry.key in affected(Snapshot([entry, service]), None, service, RULES)


def test_an_entry_triggers_aliases_of_its_host_in_other_namespaces() -> None:
    """It does not serve them, and is a finding of theirs."""
    alias = KINDS[KIND].parse(ALIAS)
    entry = KINDS["ServiceEntry"].parse({**ENTRY, "metadata": {**ENTRY["metadata"], "namespace": "data"}})
    assert _found(Snapshot([alias, entry]))[alias.key] != _found(Snapshot([alias]))[alias.key]
    assert alias.key in affected(Snapshot([alias, entry]), None, entry, RULES)


def test_a_service_triggers_aliases_served_by_entries_that_stand_for_it() -> None:
    """What becomes of somebody else's entry is told by the alias, whichever Service the entry stands for."""
    alias = KINDS[KIND].parse(make.alias("web", "web.hello", "web", namespace="abc"))
    notes = {"annotations": {SERVICE_ANNOTATION: "data/db"}}
    entry = KINDS["ServiceEntry"].parse(make.entry("theirs", "web.hello", ports=[], namespace="abc", meta=notes))
    service = KINDS["Service"].parse(make.service("db", ports=[], namespace="data"))
    assert {alias.key, entry.key} <= affected(Snapshot([alias, entry, service]), None, service, RULES)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(raws=worlds.worlds())
def test_what_is_written_comes_from_what_it_rests_on(raws: list[dict[str, object]]) -> None:
    """The addresses in an alias' entry or a repair are those of a Service that `rests_on` names, or of nobody."""
    world = LiveSnapshot(map(worlds.parsed, raws))
    for key, decided in _decisions(world).items():
        named = rests_on(world, key, RULES)
        assert key not in named
        ips = {ip for k in named if (s := world.service(k.namespace, k.name)) for ip in s.cluster_ips}
        for change in getattr(decided, "changes", ()):
            written = set((change.apply.get("spec") or {}).get("addresses") or ())
            assert written <= ips | {a for a in written if a.startswith("240.241.")}
