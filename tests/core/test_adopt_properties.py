"""What holds of every adoption: nothing is lost, everything proposed is served, and a second run proposes nothing."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from dnsalias_operator.core.advice.adopt import Adopted, NotAdopted, adopt, candidates
from dnsalias_operator.core.istio.visibility import Scope
from dnsalias_operator.core.plan import plan
from dnsalias_operator.model.dnsalias import DnsAlias, chosen_ports
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.service import tcp_ports
from dnsalias_operator.model.snapshot import Snapshot
from tests.core import plan_worlds
from tests.core.plan_worlds import HOSTS
from tests.core.test_plan_properties import profile, snapshot

EARLY, LATE = 1_000, 4_000_000_000


@st.composite
def worlds(draw: st.DrawFn) -> Snapshot:
    """Worlds as plans meet them, some with two hosts in each entry; every alias has an age, as in a cluster."""
    raws = draw(plan_worlds.worlds())
    two = draw(st.integers(0, 2)) == 0
    for raw in raws:
        if raw["kind"] == "ServiceEntry" and two:
            raw["spec"]["hosts"] = draw(st.lists(st.sampled_from(HOSTS), min_size=2, max_size=2, unique=True))
    world = snapshot(raws)
    aged = {a.key: replace(a, meta=replace(a.meta, created=a.meta.created or EARLY)) for a in world.aliases()}
    return world.with_changes(aged)


def applied(world: Snapshot, results: tuple[Adopted | NotAdopted, ...]) -> Snapshot:
    """The world with every proposed alias, created later than anything."""
    fresh = [DnsAlias.parse(r.alias) for r in results if isinstance(r, Adopted) and not r.exists]
    return world.with_changes({a.key: replace(a, meta=replace(a.meta, created=LATE)) for a in fresh})


def retired(world: Snapshot, results: tuple[Adopted | NotAdopted, ...]) -> Snapshot:
    """The world after that without the entries that have their aliases."""
    return applied(world, results).with_changes({r.entry: None for r in results if isinstance(r, Adopted)})


@profile
@given(world=worlds(), rules=plan_worlds.rules)
def test_every_host_of_every_entry_has_one_result(world: Snapshot, rules: Rules) -> None:
    """Nothing is passed over in silence, and an entry is adopted as a whole or not at all."""
    asked = candidates(world, rules)
    results = adopt(world, asked, rules)
    assert sorted((r.entry, r.host) for r in results) == sorted((e.key, host) for e in asked for host in e.hosts)
    whole = {r.entry for r in results if isinstance(r, Adopted)}
    assert not whole & {r.entry for r in results if isinstance(r, NotAdopted)}
    assert all(r.why.reason and r.why.message for r in results if isinstance(r, NotAdopted))


@profile
@given(world=worlds(), rules=plan_worlds.rules)
def test_everything_proposed_is_served_once_its_entry_is_gone(world: Snapshot, rules: Rules) -> None:
    """The plan of the world after the last step makes every alias ready, with an entry of the operator's own."""
    results = adopt(world, candidates(world, rules), rules)
    decided = {a.key: a for a in plan(retired(world, results), rules).aliases}
    for result in results:
        if isinstance(result, Adopted):
            alias = decided[result.key]
            assert [c.status for c in alias.conditions] == ["True"] * 4, alias.conditions
            assert (alias.host, alias.mode) in {(result.host, "Generated"), (result.host, "Patched")}


@profile
@given(world=worlds(), rules=plan_worlds.rules)
def test_ports_and_visibility_are_kept(world: Snapshot, rules: Rules) -> None:
    """A proposed alias has the ports that its entries and the Service share, and is seen where the first entry is."""
    ports_of, first = dict[Key, set[int]](), dict[Key, Adopted]()
    for result in adopt(world, candidates(world, rules), rules):
        entry = world.entry(result.entry.namespace, result.entry.name)
        if isinstance(result, Adopted) and not result.exists and entry is not None:
            ports_of.setdefault(result.key, set()).update(p.number for p in entry.ports)
            first.setdefault(result.key, result)
    for result in first.values():
        alias, entry = DnsAlias.parse(result.alias), world.entry(result.entry.namespace, result.entry.name)
        service = world.service(result.service.namespace, result.service.name)
        assert alias.spec is not None
        assert entry is not None
        assert service is not None
        ports = {p.port for p in chosen_ports(alias.spec, service)[0]}
        assert ports == ports_of[result.key] & {p.port for p in tcp_ports(service)}
        asked = Scope.of(alias.spec.export_to, alias.meta.namespace, rules.default_export_to)
        told = any("in its spec" in note for note in result.notes)
        assert told or asked == Scope.of_claimant(entry, rules.mesh)


@profile
@given(world=worlds(), rules=plan_worlds.rules)
def test_a_second_run_proposes_nothing(world: Snapshot, rules: Rules) -> None:
    """With the aliases applied all that was adopted is there already; without the entries only the others are left."""
    results = adopt(world, candidates(world, rules), rules)
    there = applied(world, results)
    again = adopt(there, candidates(there, rules), rules)
    assert [r for r in again if isinstance(r, Adopted) and not r.exists] == []
    assert adopted(again) >= adopted(results)
    after = retired(world, results)
    left = adopt(after, candidates(after, rules), rules)
    assert {r.entry for r in left} == {r.entry for r in results if isinstance(r, NotAdopted)}


def adopted(results: tuple[Adopted | NotAdopted, ...]) -> set[tuple[Key, Key]]:
    """Entry and alias of what was adopted."""
    return {(r.entry, r.key) for r in results if isinstance(r, Adopted)}


def test_the_random_worlds_hold_what_they_should() -> None:
    """Among the examples are entries that are adopted, that are held back by another host, and that cannot be."""
    seen: set[str] = set()

    @settings(profile, max_examples=400)
    @given(world=worlds(), rules=plan_worlds.rules)
    def look(world: Snapshot, rules: Rules) -> None:
        for result in adopt(world, candidates(world, rules), rules):
            seen.add(result.why.reason if isinstance(result, NotAdopted) else "adopted")

    look()
    assert seen >= {"adopted", "SharesEntry"}, seen
    assert len(seen) > 8, seen
