"""Scenarios through an operator that is killed at chosen writes."""

import asyncio
import difflib
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from dnsalias_operator.settings import Settings
from tests.faults.calls import Call
from tests.faults.kubelet import Kubelet
from tests.faults.oracle import duplicates, left_to_do, orphans, settled
from tests.faults.proxy import ANSWERED, BEFORE, Proxy, Stage
from tests.scenarios.live import A_SECOND, Cluster, Watched
from tools.controlplane.cluster import ControlPlane

WAIT_SECONDS, POLL_SECONDS = 120.0, 0.2
_A_MOMENT = 0.05
"""Time for a client to do something about an answer before it is killed."""


class Cut(NamedTuple):
    """Kill the operator at this write of a scenario (the first is 1), at this stage of it."""

    write: int
    stage: Stage


class Killer:
    """Kills the operator at one write of each scenario; a watcher of the proxy."""

    def __init__(self, cuts: Mapping[str, Cut], owners: Mapping[str, str]) -> None:
        """Take ``cuts`` by scenario; ``owners`` tells the scenario of a namespace."""
        self._cuts, self._owners = cuts, owners
        self._numbers: dict[int, tuple[str, int]] = {}
        self._dying = False
        self.counts: Counter[str] = Counter()
        self.hit: dict[str, Call] = {}
        self.operator: Kubelet | None = None

    async def at(self, stage: Stage, call: Call, number: int) -> bool:
        """Whether the operator was killed, or is about to be, so that the call goes no further."""
        scenario = self._owners.get(call.namespace, "")
        if not scenario:
            return False
        if stage == BEFORE:
            if self._dying:
                return True
            self.counts[scenario] += 1
            self._numbers[number] = scenario, self.counts[scenario]
        if self._cuts.get(scenario) != Cut(self._numbers[number][1], stage):
            return False
        self.hit[scenario] = call
        self._dying = True
        if stage == ANSWERED:
            await asyncio.sleep(_A_MOMENT)
        if self.operator is not None and self.operator.process is not None:
            self.operator.process.kill()
        self._dying = False
        return True


@dataclass
class Outcome:
    """What came of a run.

    Attributes:
        settled: by phase and scenario, the objects as `oracle.settled` shows them.
        writes: how many each scenario took.
        hit: the write at which the operator was killed, by scenario.
        faults: what was not as in the run it was compared with.
        orphans: by phase; some scenarios are about orphans that somebody made.
        seconds: how long it took.
    """

    settled: list[dict[str, dict[str, str]]] = field(default_factory=list)
    writes: Counter[str] = field(default_factory=Counter)
    hit: dict[str, Call] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    orphans: list[set[str]] = field(default_factory=list)
    duplicates: int = 0
    seconds: float = 0


class Theatre:
    """Plays scenarios of the same settings, all at once, on one control plane that nobody else uses."""

    def __init__(self, plane: ControlPlane, kubeconfig: Path, folder: Path) -> None:
        """Keep logs in ``folder``; ``kubeconfig`` has the operator's rights."""
        self._plane, self._kubeconfig, self._folder = plane, kubeconfig, folder
        self._cluster = Cluster(plane.api)
        self._plays = 0

    def play(
        self,
        watched: list[Watched],
        settings: Settings,
        environment: dict[str, str],
        cuts: Mapping[str, Cut] | None = None,
        like: Outcome | None = None,
    ) -> Outcome:
        """Play every phase of the scenarios; where ``like`` is given, each must end as it ended there."""
        began = time.monotonic()
        self._plays += 1
        folder = self._folder / f"play-{self._plays}"
        folder.mkdir()
        owners = {namespace: one.name for one in watched for namespace in one.namespaces}
        killer, out = Killer(cuts or {}, owners), Outcome()
        self._cluster.load(one.scenario for one in watched)
        with Proxy(self._plane) as proxy:
            proxy.watcher = killer.at
            kubeconfig = proxy.kubeconfig(self._kubeconfig, folder / "kubeconfig")
            with Kubelet(self._plane, kubeconfig, folder, environment) as operator:
                killer.operator = operator
                for number in range(1 + max(len(one.scenario.steps) for one in watched)):
                    if number:
                        time.sleep(A_SECOND)
                        self._step(watched, number - 1)
                    self._until_settled(operator, watched, settings, like, out)
                out.faults += [f"a bug: {bug}" for bug in operator.bugs()]
                killed, ends = len(killer.hit), operator.ends
                if [code for code in ends if code != -9]:
                    out.faults.append(f"ended by itself: {ends}, after {killed} kills")
        self._clear()
        out.writes, out.hit, out.seconds = killer.counts, killer.hit, time.monotonic() - began
        return out

    def _step(self, watched: Iterable[Watched], number: int) -> None:
        for one in watched:
            for done in one.scenario.steps[number].do if number < len(one.scenario.steps) else ():
                self._cluster.do(done)

    def _until_settled(
        self,
        operator: Kubelet,
        watched: list[Watched],
        settings: Settings,
        like: Outcome | None,
        out: Outcome,
    ) -> None:
        """Wait until nothing is left to do, and all is as it should be; note what is not by then."""
        phase = len(out.settled)
        wanted = like.settled[phase] if like else None
        deadline, killed = time.monotonic() + WAIT_SECONDS, len(operator.ends)
        while True:
            rest = operator.at_rest()
            objects = self._cluster.everything()
            now = {one.name: settled(objects, one.namespaces, settings.rules) for one in watched}
            wrong = [n for n in now if wanted is not None and now[n] != wanted[n]]
            astray = set(orphans(objects)) - (like.orphans[phase] if like else set())
            twice = duplicates(objects)
            done = rest and not (wrong or twice or (like and astray))
            # Deciding a world of all scenarios takes a while; where it is as in the other run it was done there.
            left = left_to_do(objects, settings.rules) if done and not like else []
            if done and not left and not operator.look():
                break
            if len(operator.ends) > killed:
                # A process that was killed needs its time again.
                deadline, killed = time.monotonic() + WAIT_SECONDS, len(operator.ends)
            if time.monotonic() > deadline:
                out.faults += [*left, *(f"orphan {o}" for o in sorted(astray)), *(f"duplicate {d}" for d in twice)]
                out.faults += [f"{n}: {_difference(wanted[n], now[n])}" for n in wrong if wanted is not None]
                out.faults += [] if rest else [f"phase {phase}: it does not come to rest"]
                break
            time.sleep(POLL_SECONDS)
        out.orphans.append(astray)
        out.duplicates += len(twice)
        out.settled.append(now)

    def _clear(self) -> None:
        """Remove every object, and wait until the garbage collector has done its part."""
        deadline = time.monotonic() + WAIT_SECONDS
        kinds = {"ServiceEntry", "DnsAlias"}
        while [raw for raw in self._cluster.everything() if raw["kind"] in kinds]:
            self._cluster.clear()
            if time.monotonic() > deadline:
                raise TimeoutError("the objects of a play are still there")
            time.sleep(POLL_SECONDS)
        self._cluster.clear()


def _difference(wanted: Mapping[str, str], now: Mapping[str, str]) -> str:
    before = [line for name, text in sorted(wanted.items()) for line in (name, *text.splitlines())]
    after = [line for name, text in sorted(now.items()) for line in (name, *text.splitlines())]
    return "\n".join(difflib.unified_diff(before, after, "undisturbed", "killed", n=3, lineterm=""))
