"""After any history the state is what a fresh decision on the latest objects gives; the history leaves no trace."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from dnsalias_operator.core.plan import plan
from dnsalias_operator.model.names import KIND, Key
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import PARSERS, LiveSnapshot, Object
from tests.cluster.operator_process import of_operator
from tests.controlplane.cluster import ControlPlane
from tests.controlplane.waiting import eventually
from tests.faults.kubelet import Kubelet
from tests.faults.oracle import duplicates, left_to_do, orphans
from tests.faults.sweep import Hand, Raw
from tests.faults.test_unseen_events import resynced
from tests.reliability.figures import record
from tests.reliability.plugin import Run
from tests.scenarios.live import Cluster, key_of, patched

pytestmark = [pytest.mark.cluster, pytest.mark.reliability]

OF = "State sweep"
NAMESPACES = ("swept-1", "swept-2", "swept-3")
BATCH = 25
BATCHES, BATCHES_LONG = 4, 60
SETTINGS = {
    "resync_seconds": "2",
    "fight_min_seconds": "0.1",
    "fight_max_seconds": "0.5",
    "fight_limit": "100",
    "backoff_max_seconds": "2",
    "unfixed_info_cap": "1000",
}


@pytest.fixture
def hand(plane: ControlPlane, run: Run) -> Iterator[Hand]:
    """Somebody in three namespaces, which are emptied afterwards."""
    cluster = Cluster(plane.api)
    for name in NAMESPACES:
        if cluster.get(Key("Namespace", "", name)) is None:
            cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield Hand(plane.api, run.random(), NAMESPACES)
    cluster.clear()


def test_the_state_depends_on_the_last_objects_only(
    plane: ControlPlane, hand: Hand, start: Callable[..., Kubelet], run: Run
) -> None:
    """Whatever came before, entries and conditions are those of a fresh start, and a second look writes nothing."""
    cluster = Cluster(plane.api)
    operator = start(**SETTINGS).ready()
    faults: list[str] = []
    second, batches = 0, BATCHES_LONG if run.long else BATCHES
    for number in range(batches):
        for _ in range(BATCH):
            hand.move()
        if number % 5 == 4:
            operator.restart()
        if stuck := _stuck(cluster, operator):
            faults += [f"batch {number}: not done after a minute: {what}" for what in stuck]
            faults += [f"  {done}" for done in hand.done[-BATCH:]]
            break
        objects = cluster.everything()
        mark = plane.mark()
        resynced(operator)
        operator.idle()
        again = of_operator(plane.mutating_requests(since=mark))
        second += len(again)
        wrong = [
            *(f"second pass: {r.verb} {r.resource} {r.namespace}/{r.name} {r.subresource}" for r in again),
            *unlike_a_fresh_start(objects),
            *not_theirs(objects, hand),
            *(f"orphan {o}" for o in orphans(objects) if _named_by_us(o, objects)),
            *(f"duplicate {d}" for d in duplicates(objects)),
            *(f"a bug: {bug}" for bug in operator.bugs()),
        ]
        if wrong:
            faults += [f"batch {number}: {fault}" for fault in wrong]
            faults += [f"  {done}" for done in hand.done[-BATCH:]]
            break
    record("Transitions", len(hand.done), "", OF, "at least 1,000" if run.long else "")
    record("Refused by the API server", hand.refused, "", OF)
    record("Batches", batches, "", OF)
    record("Writes of second passes", second, "", OF, "0")
    record("States that differ from a fresh start, and bugs", len(faults), "", OF, "0")
    run.record_seed(OF)
    assert not faults, "\n".join([f"seed {run.seed}", *faults])


def _stuck(cluster: Cluster, operator: Kubelet) -> list[str]:
    """Wait until everything is done; what is not, and what the operator says about it."""
    left: list[str] = []

    def done() -> bool:
        left[:] = left_to_do(cluster.everything(), Rules())
        return not left

    try:
        eventually(done, "everything is done")
    except TimeoutError:
        about = [json.dumps(line) for line in operator.all_lines() if any(str(line.get("object")) in x for x in left)]
        return [*left, *about[-20:]]
    operator.idle()
    return []


def unlike_a_fresh_start(objects: list[Raw]) -> list[str]:
    """How entries and conditions differ from those of an operator that meets these objects for the first time.

    It starts without our entries, without what was patched into others', and makes its own with the ages that they
    have. Two things may depend on what was there before: which address of the containment range an entry has, and who
    serves an alias whose host somebody else's entry has as well (the one that was first: ours, then, is left there).
    """
    rules, born = Rules(), {key_of(raw): raw["metadata"].get("creationTimestamp") for raw in objects}
    entries = [raw for raw in objects if raw["kind"] == "ServiceEntry"]
    foreign = {(raw["metadata"]["namespace"], h) for raw in entries if not _ours(raw, objects) for h in _hosts(raw)}
    ours = {key_of(raw) for raw in entries if _ours(raw, objects) and not foreign & _claims(raw)}
    fresh = LiveSnapshot(
        (_parsed(_unpatched(raw)) for raw in objects if key_of(raw) not in ours), namespaces_known=True
    )
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    decided = plan(fresh, rules)
    while decided.changes:
        for change in decided.changes:
            if change.after is None:
                fresh.discard(change.key)
                continue
            meta = {"creationTimestamp": born.get(change.key) or now, **change.after["metadata"]}
            fresh.put(ServiceEntry.parse({**change.after, "metadata": meta}))
        decided = plan(fresh, rules)
    wanted = {e.key: _shape(dict(e.raw["spec"]), rules) for e in fresh.entries()}
    have = {key_of(raw): _shape(raw["spec"], rules) for raw in objects if raw["kind"] == "ServiceEntry"}
    out = [
        f"{key}: {have.get(key)} instead of {wanted.get(key)}"
        for key in {*wanted, *have}
        if wanted.get(key) != have.get(key)
    ]
    for decision in decided.aliases:
        raw = next(o for o in objects if key_of(o) == decision.key)
        told = {c["type"]: (c["status"], c["reason"]) for c in raw.get("status", {}).get("conditions", ())}
        if told != {c.type: (c.status, c.reason) for c in decision.conditions}:
            out.append(f"{decision.key}: {told} instead of {decision.conditions}")
    return out


def not_theirs(objects: list[Raw], hand: Hand) -> list[str]:
    """Entries of others of which anything but what we patched is not as they wrote it."""
    out = []
    for raw in objects:
        if raw["kind"] != "ServiceEntry" or _ours(raw, objects):
            continue
        rest = {name: value for name, value in raw["spec"].items() if name not in patched(raw)}
        wrote = hand.theirs.get(key_of(raw))
        if wrote is not None and rest != wrote:
            out.append(f"{key_of(raw)}: {rest} instead of {wrote}")
    return out


def _hosts(raw: Raw) -> list[str]:
    return list(raw["spec"].get("hosts", ()))


def _claims(raw: Raw) -> set[tuple[str, str]]:
    return {(raw["metadata"]["namespace"], host) for host in _hosts(raw)}


def _ours(raw: Raw, objects: list[Raw]) -> bool:
    living = {o["metadata"]["uid"] for o in objects if o["kind"] == KIND}
    return any(owner["uid"] in living for owner in raw["metadata"].get("ownerReferences", ()))


def _named_by_us(name: str, objects: list[Raw]) -> bool:
    """Whether an orphan has an owner of ours: marks alone anybody can write."""
    raw = next(o for o in objects if str(key_of(o)) == name)
    return any(owner["kind"] == KIND for owner in raw["metadata"].get("ownerReferences", ()))


def _unpatched(raw: Raw) -> Raw:
    """An entry as it would be without us; anything else as it is, without status."""
    out = {name: value for name, value in raw.items() if name != "status"}
    if raw["kind"] == "ServiceEntry":
        ours = patched(raw)
        out["spec"] = {name: value for name, value in raw["spec"].items() if name not in ours}
        managed = [m for m in raw["metadata"].get("managedFields", ()) if m["manager"] != "dnsalias-repair"]
        out["metadata"] = {**raw["metadata"], "managedFields": managed}
    return out


def _shape(spec: Raw, rules: Rules) -> str:
    prefix = rules.containment_range.rpartition(".0.0/")[0]
    shown = [("<own>" if str(a).startswith(prefix) else a) for a in spec.get("addresses", ())]
    ports = sorted(spec.get("ports", ()), key=lambda port: str(port.get("name")))
    return json.dumps({**spec, "addresses": shown, "ports": ports}, sort_keys=True)


def _parsed(raw: Raw) -> Object:
    return PARSERS[raw["kind"]](raw)
