"""Two operators on the real API server: one writes, the other stands by, and no write is made without the Lease."""

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster.conftest import Objects
from tests.reliability.plugin import Run
from tools.controlplane.audit import Mark, Request
from tools.controlplane.cluster import ControlPlane
from tools.controlplane.waiting import eventually
from tools.reliability.figures import record
from tools.running import identity
from tools.running.operator_process import Operator

pytestmark = [pytest.mark.cluster, pytest.mark.reliability]

SECTION = "Two replicas"
SHORT = {"lease_seconds": "4", "lease_deadline_seconds": "2.5", "lease_retry_seconds": "0.4"}
"""Terms with which a test need not wait long. The long form has those that people get."""
ALIASES = 12

StartReplica = Callable[..., Operator]


@pytest.fixture
def start_replica(
    control_plane: ControlPlane,
    operator_kubeconfig: Path,
    tmp_path: Path,
    run: Run,
) -> Iterator[StartReplica]:
    """Start operators that elect a leader, each with a token of its own, by which the audit log tells them apart."""
    started: list[Operator] = []

    def start(**settings: str) -> Operator:
        folder = tmp_path / f"replica-{len(started)}"
        folder.mkdir()
        token = control_plane.service_account_token(identity.NAMESPACE, identity.ACCOUNT)
        written = control_plane.write_kubeconfig(f"{identity.USER}-{folder.name}", token)
        terms = {} if run.long else SHORT
        one = Operator(control_plane, written, folder, {"leader_election": "true", **terms, **settings})
        one.start()
        started.append(one)
        return one

    assert operator_kubeconfig.exists()
    yield start
    for one in started:
        if one.process is not None:
            one.process.send_signal(signal.SIGCONT)
            one.stop()
    assert [bug for one in started for bug in one.bugs()] == []


def leads(operator: Operator) -> bool:
    """Whether it says that it does."""
    return operator.metric("dnsalias_leader") == 1


def by_replicas(plane: ControlPlane, mark: Mark) -> list[Request]:
    """What operators with a Lease wrote, the Lease and Events included, in the order in which it came in."""
    return plane.mutating_requests(identity.USER, mark, ignoring=())


def without_lease(requests: list[Request]) -> list[Request]:
    """Writes by another process than the one that wrote the Lease last."""
    found = []
    holder = ""
    for request in requests:
        if request.resource == "leases":
            holder = request.credential if request.code in (200, 201) else holder
        elif request.credential != holder:
            found.append(request)
    return found


def test_a_stopped_leader_writes_nothing_when_it_wakes(
    start_replica: StartReplica,
    objects: Objects,
    control_plane: ControlPlane,
    run: Run,
) -> None:
    """SIGSTOP amid its writes, a take-over, changes, SIGCONT: not one late write, and everything is as it should be."""
    for n in range(ALIASES):
        objects.service(f"s{n}", 443)
    mark = control_plane.mark()
    leader = start_replica().ready()
    eventually(lambda: leads(leader), "the first one leads")
    standby = start_replica().ready()
    expected: set[str] = set()
    taken: list[float] = []
    rounds = 10 if run.long else 2
    for turn in range(rounds):
        assert not leads(standby)
        names = [f"a{turn}-{n}" for n in range(ALIASES)]
        half = control_plane.mark()
        for n, name in enumerate(names):
            objects.alias(name, f"{name}.hello", f"s{n}")
        eventually(lambda half=half: _entries_written(control_plane, half), "the leader is writing")  # type: ignore[misc]
        stopped = _signal(leader, signal.SIGSTOP)
        woken = control_plane.mark()
        eventually(lambda standby=standby: leads(standby), "the standby takes over")  # type: ignore[misc]
        standby.ready()
        for name in names:
            objects.becomes_ready(name)
        took = [r for r in by_replicas(control_plane, woken) if r.resource != "leases"]
        taken += [r.received - stopped for r in took[-1:] if r.received > stopped]
        # What the stopped one still has in mind is wrong from now on.
        for name in names[: ALIASES // 2]:
            objects.delete("dnsaliases", name)
        standby.idle()
        expected |= set(names[ALIASES // 2 :])
        leader.process.send_signal(signal.SIGCONT)  # type: ignore[union-attr]
        assert leader.ended() == 1
        assert leader.said(message="the Lease is lost, nothing more is written")
        leader.start()
        leader.ready()
        leader, standby = standby, leader
    leader.idle()
    eventually(lambda: entries(objects) == expected, "the entries of the aliases that are left")
    late = without_lease(by_replicas(control_plane, mark))
    record("Writes without the Lease", len(late), "requests", of=SECTION, must="0")
    record("Stops amid writes", rounds, "times", of=SECTION)
    if taken:
        terms = "15" if run.long else SHORT["lease_seconds"]
        record(f"Take-over after SIGSTOP, Lease of {terms} s, everything written", max(taken), "s at most", of=SECTION)
    assert late == []


def _entries_written(plane: ControlPlane, mark: Mark) -> bool:
    return any(r.resource == "serviceentries" for r in by_replicas(plane, mark))


def _signal(operator: Operator, number: signal.Signals) -> float:
    assert operator.process is not None
    operator.process.send_signal(number)
    return time.time()


def entries(objects: Objects) -> set[str]:
    """Names of the ServiceEntries of the namespace."""
    return {e["metadata"]["name"] for e in objects.plane.api.get(objects.path("serviceentries"))["items"]}


def test_a_leader_that_ends_hands_over_and_a_converged_world_gets_no_write(
    start_replica: StartReplica, objects: Objects, control_plane: ControlPlane
) -> None:
    """SIGTERM gives the Lease back: the standby takes it at its next look, and has nothing to write."""
    objects.service("web", 443)
    objects.alias("web", "web.hello", "web")
    leader = start_replica().ready()
    objects.becomes_ready("web")
    leader.idle()
    standby = start_replica().ready()
    assert standby.said(message="standby: another operator leads")
    assert not leads(standby)
    mark = control_plane.mark()
    told = time.monotonic()
    assert leader.stop() == 0
    eventually(lambda: leads(standby), "the standby leads")
    standby.idle()
    record("Take-over after SIGTERM, everything decided again", time.monotonic() - told, "s", of=SECTION)
    written = [r for r in by_replicas(control_plane, mark) if r.resource != "leases"]
    record("Writes after a hand-over in a converged world", len(written), "requests", of=SECTION, must="0")
    assert [r for r in written if r.namespace == objects.namespace] == []
    objects.alias("more", "more.hello", "web")
    objects.becomes_ready("more")


def test_a_standby_is_ready_and_writes_nothing(
    start_replica: StartReplica, objects: Objects, control_plane: ControlPlane
) -> None:
    """It answers 200 on /readyz and /healthz, so that rollouts go on, and its one metric of leading is 0."""
    leader = start_replica().ready()
    eventually(lambda: leads(leader), "the first one leads")
    standby = start_replica().ready()
    mark = control_plane.mark()
    objects.service("web", 443)
    objects.alias("web", "web.hello", "web")
    objects.becomes_ready("web")
    assert standby.page("/readyz")[0] == 200
    assert standby.page("/healthz")[0] == 200
    assert not leads(standby)
    assert leads(leader)
    assert len({r.credential for r in by_replicas(control_plane, mark)}) == 1


def test_a_missing_right_to_the_lease_is_told(
    start_replica: StartReplica, control_plane: ControlPlane, objects: Objects
) -> None:
    """Where the Role is missing, /readyz names the verb, the Lease and the file to apply; nothing is written."""
    mark = control_plane.mark()
    operator = start_replica(lease_namespace=objects.namespace)
    eventually(lambda: "cannot use the Lease" in operator.page("/readyz")[1], "readyz tells")
    said = operator.page("/readyz")[1]
    assert f"{objects.namespace}/dnsalias-operator" in said
    assert 'cannot get resource "leases"' in said
    assert "manifests/base/rbac.yaml" in said
    assert "leader_election: false" in said
    assert operator.page("/readyz")[0] == 503
    assert operator.page("/healthz")[0] == 200
    assert by_replicas(control_plane, mark) == []
