"""After any history the state is what a fresh decision on the latest objects gives; the history leaves no trace."""

import json
from collections.abc import Callable, Iterator

import pytest

from dnsalias_operator.model.names import KIND, Key
from tests.faults.fresh import not_theirs, unlike_a_fresh_start
from tests.faults.kubelet import Kubelet
from tests.faults.oracle import duplicates, left_to_do, orphans
from tests.faults.sweep import NAMESPACES, Hand, Raw
from tests.faults.test_unseen_events import resynced
from tests.reliability.plugin import Run
from tests.scenarios.live import Cluster, key_of
from tools import make
from tools.controlplane.cluster import ControlPlane
from tools.controlplane.waiting import eventually
from tools.reliability.figures import record
from tools.running.operator_process import of_operator

pytestmark = [pytest.mark.cluster, pytest.mark.reliability]

OF = "State sweep"
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
        left[:] = left_to_do(cluster.everything(), make.rules())
        return not left

    try:
        eventually(done, "everything is done")
    except TimeoutError:
        about = [json.dumps(line) for line in operator.all_lines() if any(_object(line) in x for x in left)]
        return [*left, *about[-20:]]
    operator.idle()
    return []


def _object(line: Raw) -> str:
    return f"{line.get('kind')} {line.get('namespace')}/{line.get('name')}"


def _named_by_us(name: str, objects: list[Raw]) -> bool:
    """Whether an orphan has an owner of ours: marks alone anybody can write."""
    raw = next(o for o in objects if str(key_of(o)) == name)
    return any(owner["kind"] == KIND for owner in raw["metadata"].get("ownerReferences", ()))
