"""Scenario files through the running operator: real ages, real server-side apply, real garbage collection.

Scenarios of the same settings share one operator and run at once; each must end as its file says, step by step, and
the whole must then be a world in which the core has nothing left to do.
"""

import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dnsalias_operator.core.plan import lint, plan
from dnsalias_operator.settings import Settings
from tests.controlplane.fixtures import one_more
from tests.scenarios.live import A_SECOND, Cluster, Watched, snapshot
from tests.scenarios.scenario import Expect, load, load_apart, names
from tools.controlplane.audit import Mark
from tools.controlplane.cluster import ControlPlane
from tools.running import identity
from tools.running.operator_process import Operator, of_operator

pytestmark = pytest.mark.cluster

WAIT_SECONDS, POLL_SECONDS = 60.0, 0.3
NUMBERS = {name: number for number, name in enumerate(names(), start=1)}
INFO = re.compile(
    r'^dnsalias_unfixed_serviceentry_info\{name="(.*?)",namespace="(.*?)",reason="(.*?)",severity=".*?"\} 1\.0$'
)
FINDINGS = re.compile(r'^dnsalias_findings\{code="(.*?)",severity="(.*?)"\} (\d+)\.0$')


def group(name: str) -> str:
    """What scenarios must have in common to share an operator."""
    scenario = load(name)
    return name if scenario.alone else json.dumps(scenario.settings, sort_keys=True)


class Runner:
    """Runs each group of scenarios once, when its first test asks."""

    def __init__(self, plane: ControlPlane, kubeconfig: Path, folder: Path) -> None:
        """Use a control plane in which nothing else happens."""
        self._plane, self._kubeconfig, self._folder = plane, kubeconfig, folder
        self._cluster = Cluster(plane.api)
        self._faults: dict[str, dict[str, list[str]]] = {}

    def faults(self, name: str) -> list[str]:
        """What was not as the scenario says."""
        key = group(name)
        if key not in self._faults:
            together = [n for n in names() if group(n) == key and not load(n).cluster]
            self._faults[key] = self._run([Watched(n, load_apart(n, NUMBERS[n])) for n in together])
        return self._faults[key][name]

    def _run(self, watched: list[Watched]) -> dict[str, list[str]]:
        self._cluster.load(w.scenario for w in watched)
        folder = self._folder / str(len(self._faults))
        folder.mkdir()
        faults: dict[str, list[str]] = {}
        objects, mark = self._cluster.everything(), self._plane.mark()
        for one in watched:
            one.begin(objects)
        with Operator(self._plane, self._kubeconfig, folder, environment(watched)) as operator:
            operator.ready()
            self._settle(operator, [(w, w.scenario.expect, "at first") for w in watched], faults)
            self._count_writes(watched, mark, faults)
            for number in range(max(len(w.scenario.steps) for w in watched)):
                time.sleep(A_SECOND)
                going = [w for w in watched if len(w.scenario.steps) > number and w.name not in faults]
                self._step(going, number)
                phases = [(w, w.scenario.steps[number].expect, w.scenario.steps[number].about) for w in going]
                self._settle(operator, phases, faults)
            whole = self._whole(operator, watched[0])
            log = operator.text()
            assert operator.stop() == 0
        self._cluster.clear()
        (folder / "kept.log").write_text(log)
        return {w.name: faults.get(w.name, whole) for w in watched}

    def _count_writes(self, watched: list[Watched], mark: Mark, faults: dict[str, list[str]]) -> None:
        """At first nobody else writes: the operator needs one request for each change, two to recreate an entry."""
        requests = of_operator(self._plane.mutating_requests(since=mark))
        done = (
            r
            for r in requests
            if r.resource in ("serviceentries", "virtualservices") and r.code < 300 and not r.dry_run
        )
        made = Counter(r.namespace for r in done)
        for one in watched:
            expected = sum(2 if c.verb == "recreate" else 1 for c in one.scenario.expect.changes)
            counted = sum(made[namespace] for namespace in one.namespaces)
            if counted != expected:
                faults.setdefault(one.name, []).append(f"at first {counted} requests instead of {expected}")

    def _step(self, watched: list[Watched], number: int) -> None:
        """Do a step of every scenario; entries that the step itself makes or changes are as they are then."""
        for one in watched:
            for done in one.scenario.steps[number].do:
                one.did(done, self._cluster.do(done))

    def _settle(
        self, operator: Operator, phases: list[tuple[Watched, Expect, str]], faults: dict[str, list[str]]
    ) -> None:
        """Wait until every scenario is as it should be and the operator idle; what is not by then is a fault."""
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            objects, unfixed = self._cluster.everything(), _unfixed(operator)
            wrong = {w.name: [f"{about} {f}" for f in w.faults(objects, unfixed, e)] for w, e, about in phases}
            wrong = {name: found for name, found in wrong.items() if found}
            if not wrong and _idle(operator):
                break
            if time.monotonic() > deadline:
                faults.update(wrong)
                break
            time.sleep(POLL_SECONDS)
        for one, _, _ in phases:
            one.begin(self._cluster.everything())

    def _whole(self, operator: Operator, any_of: Watched) -> list[str]:
        """The core on the whole cluster: nothing to do, and the findings that the operator's metric tells of."""
        world, rules = snapshot(self._cluster.everything()), settings_of([any_of]).rules
        left = [f"left to do: {c.verb} {c.key} {c.reason}" for c in plan(world, rules).changes]
        found = Counter((f.code, f.severity.value) for f in lint(world, rules))
        told = {(m[1], m[2]): int(m[3]) for m in map(FINDINGS.match, _metrics(operator)) if m}
        return left + ([] if told == found else [f"findings are told as {told} instead of {dict(found)}"])


def settings_of(watched: list[Watched]) -> Settings:
    """The settings of a group; lists that name namespaces hold those of every scenario."""
    merged: dict[str, Any] = {}
    for one in watched:
        for name, value in one.scenario.settings.items():
            merged[name] = [*merged.get(name, []), *value] if isinstance(value, list) else value
    return Settings(**merged)


def environment(watched: list[Watched]) -> dict[str, str]:
    """What the operator is told for a group."""
    given = settings_of(watched).model_dump(include={n for w in watched for n in w.scenario.settings})
    told = {name: _as_text(value) for name, value in given.items()}
    # Steps undo repairs one after another: here that is no fight.
    return {**told, "fight_min_seconds": "0.2", "fight_limit": "100", "unfixed_info_cap": "1000"}


def _as_text(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(value) if all(isinstance(v, str) for v in value) else json.dumps(value)
    return str(value)


def _metrics(operator: Operator) -> list[str]:
    return operator.page("/metrics")[1].splitlines()


def _unfixed(operator: Operator) -> dict[str, str]:
    return {f"{m[2]}/{m[1]}": m[3] for m in map(INFO.match, _metrics(operator)) if m}


def _idle(operator: Operator) -> bool:
    return operator.metric("dnsalias_queue_depth") == 0


@pytest.fixture(scope="module")
def runner(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    """A runner on a control plane of its own: other tests' objects would share ports and addresses with these."""
    with one_more(request) as plane:
        yield Runner(plane, identity.install(plane), tmp_path_factory.mktemp("operators"))


@pytest.mark.parametrize("name", [n for n in names() if not load(n).cluster])
def test_scenario(runner: Runner, name: str) -> None:
    """The operator brings the cluster to what the file says, at first and after each step."""
    faults = runner.faults(name)
    assert not faults, "\n".join(faults)
