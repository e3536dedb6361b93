"""Everything that an API server, or the way to it, can do to a client: it is told, outlived, and made up for."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
import yaml

from tests.cluster.conftest import Objects
from tests.faults.calls import Aim, any_call, of, reads, watches, writes
from tests.faults.faults import Expired, Fault, HalfLine, Hold, LoseAnswer, Refuse, Reset, refusal
from tests.faults.kubelet import Kubelet
from tests.faults.proxy import Proxy
from tests.faults.world import World, total
from tests.reliability.plugin import Run
from tools.controlplane.cluster import ControlPlane
from tools.controlplane.waiting import eventually
from tools.reliability.figures import record
from tools.running import identity

pytestmark = [pytest.mark.cluster, pytest.mark.reliability]

OF = "Faults of the API"
LIMIT_SECONDS = 90
HELD_SECONDS = {False: 1, True: 3}
"""How long a fault goes on once it was met, in the short and in the long form: what is tried again meets it too."""
SETTINGS = {
    # Recovery must not wait for the next full list.
    "resync_seconds": "3600",
    "watch_inactivity_seconds": "5",
    "request_timeout_seconds": "5",
    "watch_connect_seconds": "2",
    "backoff_max_seconds": "300",
    # The same drift for each fault is no fight.
    "fight_min_seconds": "0.2",
    "fight_max_seconds": "0.5",
    "fight_limit": "100",
}
TARGETS: dict[str, Aim] = {"writes": writes, "reads": reads, "everything": any_call}
ANSWERS = {
    "401": lambda: Refuse(refusal(401, "Unauthorized", "Unauthorized")),
    "403": lambda: Refuse(refusal(403, "Forbidden", "forbidden by the test")),
    "404": lambda: Refuse(refusal(404, "NotFound", "the server could not find the requested resource")),
    "409": lambda: Refuse(refusal(409, "Conflict", "the object has been modified")),
    "410": lambda: Refuse(refusal(410, "Expired", "too old resource version")),
    "422": lambda: Refuse(refusal(422, "Invalid", "admission webhook says no")),
    "429": lambda: Refuse(refusal(429, "TooManyRequests", "slow down", **{"Retry-After": "1"})),
    "500": lambda: Refuse(refusal(500, "InternalError", "etcdserver: leader changed")),
    "503": lambda: Refuse(refusal(503, "ServiceUnavailable", "apiserver is shutting down")),
    "reset": Reset,
    "silence": Hold,
    "lost answer": LoseAnswer,
}


@dataclass(frozen=True)
class Case:
    """A fault and what it meets. ``breaks``: open streams are ended when it begins, or they would not notice."""

    name: str
    fault: Callable[[], Fault]
    aim: Aim
    breaks: bool = False


def cases() -> list[Case]:
    """Every fault on every target, and those that only streams have."""
    crossed = [
        Case(f"{name} of {target}", fault, aim, breaks=target != "writes")
        for name, fault in ANSWERS.items()
        for target, aim in TARGETS.items()
    ]
    kinds = ("services", "serviceentries", "dnsaliases", "namespaces")
    of_a_kind = [
        Case(f"{code} of {kind}", ANSWERS[code], of(kind), breaks=True) for code in ("403", "404") for kind in kinds
    ]
    streams = [
        Case("410 in the stream", Expired, watches, breaks=True),
        Case("truncated line", HalfLine, watches),
        Case("silent stream", lambda: Hold(requests=False), watches),
    ]
    return [*crossed, *of_a_kind, *streams]


def chosen(run: Run) -> list[Case]:
    """All in the long form; in the short one each fault once, on a target chosen by the seed."""
    if run.long:
        return cases()
    chooser = run.random()
    by_fault: dict[str, list[Case]] = {}
    for case in cases():
        by_fault.setdefault(case.name.partition(" of ")[0], []).append(case)
    return [chooser.choice(same) for same in by_fault.values()]


@dataclass
class Told:
    """Sums up over cases."""

    slowest: float = 0
    slowest_of: str = ""
    restarts: list[str] = field(default_factory=list)
    most_restarts: int = 0
    faults: list[str] = field(default_factory=list)
    bugs: int = 0


def test_a_fault_is_told_outlived_and_made_up_for(
    objects: Objects,
    proxy: Proxy,
    start: Callable[..., Kubelet],
    run: Run,
) -> None:
    """While it lasts nothing is lost and the metrics show it; after it all is done within 90 s by the same process."""
    world = World(objects)
    operator = start(**SETTINGS)
    eventually(lambda: not world.wrong(), "the world at first")
    told, listed = Told(), chosen(run)
    for number, case in enumerate(listed):
        _meet(case, str(number), world, proxy, operator, told, HELD_SECONDS[run.long])
    record("Kinds of faults", len({case.name.partition(" of ")[0] for case in listed}), "", OF)
    record("Faults, each on what it met", len(listed), "", OF)
    record(f"Slowest recovery (after {told.slowest_of})", told.slowest, "s", OF, "at most 90")
    record("Faults that ended the process, once each", ", ".join(told.restarts) or "none", "", OF)
    record("Most restarts for one fault", told.most_restarts, "", OF, "at most 1")
    record("Keys lost, untruths and bugs", len(told.faults), "", OF, "0")
    run.record_seed(OF)
    assert not told.faults, "\n".join(told.faults)


def _meet(case: Case, tag: str, world: World, proxy: Proxy, operator: Kubelet, told: Told, held: float) -> None:
    """One fault: changes while it lasts, the truth about it, recovery."""
    ends = len(operator.ends)
    before, failed = proxy.count(case.aim), _counted(operator)
    with proxy.fault(case.fault(), case.aim):
        if case.breaks:
            proxy.break_streams()
        world.change(tag)
        operator.look()
        eventually(lambda: operator.look() or proxy.count(case.aim) > before, f"{case.name} is met")
        if case.aim is writes:
            eventually(lambda: _counted(operator) > failed, f"the metrics count what {case.name} refused")
            told.faults += [f"{case.name}: {fault}" for fault in _overstated(operator, world)]
        until = time.monotonic() + held
        while time.monotonic() < until:
            operator.look()
            time.sleep(0.2)
        told.faults += [f"{case.name}: {fault}" for fault in _untruths(operator)]
    began = time.monotonic()
    wrong: list[str] = ["not looked yet"]
    while wrong and time.monotonic() - began < LIMIT_SECONDS:
        operator.look()
        wrong = world.wrong()
        if operator.page("/readyz")[0] != 200:
            wrong.append("not ready")
    took = time.monotonic() - began
    if took > told.slowest:
        told.slowest, told.slowest_of = took, case.name
    told.faults += [f"{case.name}: after {LIMIT_SECONDS} s: {fault}" for fault in wrong]
    restarts = len(operator.ends) - ends
    told.restarts += [case.name] * restarts
    told.most_restarts = max(told.most_restarts, restarts)
    if restarts > 1:
        told.faults.append(f"{case.name}: ended {restarts} times: {operator.ends[ends:]}")
    bugs = operator.bugs()
    told.faults += [f"{case.name}: {bug}" for bug in bugs[told.bugs :]]
    told.bugs = len(bugs)


def test_a_token_that_was_rotated_on_disk_is_read_anew(
    objects: Objects, plane: ControlPlane, proxy: Proxy, start: Callable[..., Kubelet]
) -> None:
    """The old token is refused a while before the new one is on disk: the process goes on, and nothing is lost."""
    world = World(objects)
    operator = start(**SETTINGS)
    eventually(lambda: not world.wrong(), "the world at first")
    text = operator.kubeconfig.read_text()
    old = str(yaml.safe_load(text)["users"][0]["user"]["token"])
    refused = Refuse(refusal(401, "Unauthorized", "Unauthorized"))
    with proxy.fault(refused, lambda call: call.token == old):
        met = proxy.count(any_call)
        proxy.break_streams()
        world.change("rotated")
        eventually(lambda: proxy.count(any_call) > met + 3, "the old token is refused")
        fresh = plane.service_account_token(identity.NAMESPACE, identity.ACCOUNT)
        began = time.monotonic()
        operator.kubeconfig.write_text(text.replace(old, fresh))
        eventually(lambda: not world.wrong(), "everything is done with the new token")
        took = time.monotonic() - began
    record("Token rotated on disk: recovery", took, "s", OF, "at most 90")
    assert operator.ends == []
    assert took < LIMIT_SECONDS


def test_minutes_of_nothing_are_made_up_for(
    objects: Objects, proxy: Proxy, start: Callable[..., Kubelet], run: Run
) -> None:
    """The API server takes every request and answers none: for five minutes, or less with shorter settings."""
    world = World(objects)
    seconds = 300 if run.long else 15
    operator = start(**({} if run.long else {**SETTINGS, "request_timeout_seconds": "1.5"}))
    eventually(lambda: not world.wrong(), "the world at first")
    with proxy.fault(Hold()):
        world.change("nothing")
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            assert operator.page("/healthz")[0] == 200
            time.sleep(1)
    began = time.monotonic()
    while world.wrong() and time.monotonic() - began < LIMIT_SECONDS:
        time.sleep(0.2)
    took = time.monotonic() - began
    record(f"{seconds} s without an answer: recovery", took, "s", OF, "at most 90")
    assert world.wrong() == []
    assert operator.ends == []


def _overstated(operator: Kubelet, world: World) -> list[str]:
    """Aliases that are said to be ready without an entry, while the operator sees everything and can write nothing."""
    served = {raw["metadata"]["name"] for raw in world.cluster.everything() if raw["kind"] == "ServiceEntry"}
    claimed = total(operator, "dnsalias_aliases", ('condition="Ready"', 'status="True"'))
    return [f"{claimed:.0f} aliases are said to be ready, with {len(served)} entries"] * (claimed > len(served))


def _untruths(operator: Kubelet) -> list[str]:
    """What its pages say that is not so. A process that is just being started again says nothing, which is true."""
    out = []
    status, text = operator.page("/healthz")
    if status == 503:
        out.append(f"/healthz asks for a restart, which would not help: {text}")
    status, text = operator.page("/readyz")
    if status == 503 and not text.strip():
        out.append("/readyz does not say why")
    return out


def _counted(operator: Kubelet) -> float:
    """Writes of which the metrics say that they did not succeed."""
    every = total(operator, "dnsalias_writes_total")
    return every - total(operator, "dnsalias_writes_total", ['result="ok"'])
