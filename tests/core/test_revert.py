"""Reverting: exactly our fields go, the operator keeps off, and what reopens is told."""

from typing import Any

from hypothesis import given

from dnsalias_operator.core.advice.revert import patched_entries, revert
from dnsalias_operator.core.entries.ownership import patched_fields
from dnsalias_operator.core.outcome import Severity, Verb
from dnsalias_operator.core.plan import plan
from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.names import REPAIR_ANNOTATION, Key
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot
from tests.core import plan_worlds
from tests.core.plan_worlds import Raw
from tests.core.test_plan_properties import profile, snapshot
from tools import make

MYSQL = Key("ServiceEntry", "data", "mysql")


def without_ours(entry: ServiceEntry, fields: frozenset[str]) -> Any:  # noqa: ANN401 (a raw object)
    """The raw entry as its owners know it: no fields of ours, no bookkeeping, no annotation of repair."""
    meta = {k: v for k, v in entry.raw["metadata"].items() if k != "managedFields"}
    notes = {k: v for k, v in meta.pop("annotations", {}).items() if k != REPAIR_ANNOTATION}
    spec = {k: v for k, v in entry.raw["spec"].items() if k not in fields}
    return {**entry.raw, "metadata": meta, "spec": spec}, notes


@profile
@given(raws=plan_worlds.worlds(), rules=plan_worlds.rules)
def test_after_a_revert_the_entry_is_its_owners_and_the_operator_keeps_off(raws: list[Raw], rules: Rules) -> None:
    """In any world: what was patched is taken out, all else is as its owner wrote it, and nothing is patched again."""
    world = snapshot(raws)
    after = plan(world, rules).after
    reversal = revert(after, patched_entries(after), rules)
    reverted = after.with_changes({u.change.key: ServiceEntry.parse(u.change.after or {}) for u in reversal.undos})
    for undo in reversal.undos:
        key = undo.change.key
        old, patched, bare = (w.entry(key.namespace, key.name) for w in (world, after, reverted))
        assert old is not None
        assert patched is not None
        assert bare is not None
        ours = patched_fields(patched)
        assert not ours & (bare.raw["spec"].keys() - old.raw["spec"].keys())
        assert without_ours(bare, frozenset()) == without_ours(patched, ours)
        assert without_ours(bare, ours) == without_ours(old, ours)
        assert not patched_fields(bare)
    assert not patched_entries(reverted)
    mended = {change.key for change in plan(Snapshot(reverted.objects()), rules).changes if change.verb is Verb.REPAIR}
    assert not mended & {undo.change.key for undo in reversal.undos}


def repaired_world(protocol: str = "TCP", note: str = "") -> Snapshot:
    """An entry for a Service, repaired; ``note`` is its annotation of repair."""
    created = {"creationTimestamp": "2026-01-01T00:00:00Z"}
    service = make.service("mysql", ports=[make.port(3306)], ip="10.96.0.1", namespace="data", meta=created)
    meta: dict[str, Any] = {
        "creationTimestamp": "2026-02-01T00:00:00Z",
        "managedFields": [],
        "labels": make.MANAGED,
        "annotations": {REPAIR_ANNOTATION: note} if note else {},
    }
    ports = [make.entry_port(3306, protocol, "tcp")]
    entry = make.entry("mysql", "mysql.hello", ports=ports, namespace="data", meta=meta)
    world = Snapshot([KINDS["Service"].parse(service), ServiceEntry.parse(entry)])
    return Snapshot(plan(world, make.rules()).after.objects())


def test_a_catch_all_that_comes_back_is_critical_and_its_listener_is_shown() -> None:
    """The entry's severity is that of afterwards, and the listeners say what goes and what comes, for whom."""
    reversal = revert(repaired_world(), [MYSQL], make.rules())
    (undo,) = reversal.critical
    assert undo.change.fields == ("spec.addresses", "spec.endpoints")
    assert "0.0.0.0:3306" in undo.harm
    (shift,) = reversal.shifts
    assert (shift.port, str(shift.seen_from)) == (3306, "every namespace")
    assert [(r.bind, r.match_all, r.cluster) for r in shift.new] == [("0.0.0.0", True, "outbound|3306||mysql.hello")]  # noqa: S104
    assert shift.gone == ()


def test_an_entry_that_takes_nothing_is_no_more_than_a_warning() -> None:
    """TLS is matched by SNI: without its address the entry takes no traffic of others."""
    reversal = revert(repaired_world("TLS"), [MYSQL], make.rules())
    assert [undo.severity for undo in reversal.undos] == [Severity.WARNING]
    assert reversal.undos[0].harm == ""


def test_the_write_opts_the_entry_out_unless_it_is() -> None:
    """One write does both; who wrote the annotation before is asked first, and an entry that is out stays as it is."""
    world = repaired_world()
    (undo,) = revert(world, [MYSQL], make.rules()).undos
    assert undo.change.apply["metadata"]["annotations"] == {REPAIR_ANNOTATION: "false"}
    assert "spec" not in undo.change.apply
    assert undo.opposed == ""
    (undo,) = revert(repaired_world(note="true"), [MYSQL], make.rules()).undos
    assert undo.opposed == "true"
    entry = world.entry("data", "mysql")
    assert entry is not None
    raw = {**entry.raw, "metadata": {**entry.raw["metadata"], "annotations": {REPAIR_ANNOTATION: "false"}}}
    (undo,) = revert(world.with_changes({MYSQL: ServiceEntry.parse(raw)}), [MYSQL], make.rules()).undos
    assert "annotations" not in undo.change.apply["metadata"]
    assert undo.opposed == ""


def test_what_is_not_patched_is_left_out() -> None:
    """Entries without anything of ours, and names of nothing, make no write."""
    world = Snapshot([ServiceEntry.parse({"metadata": {"name": "mysql", "namespace": "data"}, "spec": {}})])
    assert revert(world, [MYSQL, Key("ServiceEntry", "data", "none")], make.rules()).undos == ()
    assert patched_entries(world) == ()
