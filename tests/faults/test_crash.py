"""The operator is killed at its writes: what it leaves behind is taken up by the next one, and ends the same."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from itertools import product
from pathlib import Path
from queue import Empty, SimpleQueue

import pytest

from tests.faults.crash import Cut, Outcome, Theatre
from tests.faults.proxy import STAGES, Stage
from tests.reliability.plugin import Run
from tests.scenarios.live import Watched
from tests.scenarios.scenario import load, load_apart, names
from tests.scenarios.test_operator import NUMBERS, environment, settings_of
from tools.controlplane import build
from tools.controlplane.cluster import ControlPlane
from tools.controlplane.hand import project_crds
from tools.reliability.figures import record
from tools.running import identity

pytestmark = [pytest.mark.cluster, pytest.mark.reliability]

OF = "Crash at every write"
FEW = 14
"""Scenarios that the short form plays."""
THEATRES = 2
"""Of the long form, side by side, each with a control plane of its own: most of the time of a play is waiting."""
TRIES = 4
"""Of one write, until it is taken for one that is not made where the operator was killed at another."""
LIKELY = 4
"""The short form kills at one of the first writes of a scenario: all have a first, few have a tenth."""


Job = tuple[list[str], Stage]
_STARTING = threading.Lock()


def groups() -> dict[str, list[str]]:
    """The scenarios that can share an operator, by their settings."""
    found: dict[str, list[str]] = {}
    for name in names():
        if not load(name).cluster:
            found.setdefault(json.dumps(load(name).settings, sort_keys=True), []).append(name)
    return found


class Tally:
    """Sums up over plays, of several threads."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._lock = threading.Lock()
        self.undisturbed: dict[str, int] = {}
        self.hit: Counter[Stage] = Counter()
        self.given_up: Counter[Stage] = Counter()
        self.what: set[str] = set()
        self.faults: list[str] = []
        self.orphans = self.duplicates = 0

    def add(self, outcome: Outcome, cuts: dict[str, Cut]) -> None:
        """One play more."""
        with self._lock:
            if not cuts:
                self.undisturbed |= dict.fromkeys(outcome.settled[0], 0) | outcome.writes
            self.hit.update(cuts[name].stage for name in outcome.hit)
            self.what |= {f"{call.verb} {call.resource} {call.subresource}".strip() for call in outcome.hit.values()}
            self.faults += [f"{cuts}: {fault}" for fault in outcome.faults]
            self.orphans += sum(map(len, outcome.orphans)) if cuts else 0
            self.duplicates += outcome.duplicates

    def give_up(self, stage: Stage, writes: int) -> None:
        """So many writes were never come by at that stage."""
        with self._lock:
            self.given_up[stage] += writes

    def record(self, run: Run) -> None:
        """The figures."""
        with self._lock:
            record("Scenarios", len(self.undisturbed), "", OF)
            record("Their writes in undisturbed runs", sum(self.undisturbed.values()), "", OF)
            for stage in STAGES:
                where = stage.replace("applied", "applied, not answered")
                record(f"Kills {where}", self.hit[stage], "", OF)
                record(f"Given up {where}", self.given_up[stage], "", OF)
            record("Kinds of writes that were hit", ", ".join(sorted(self.what)), "", OF)
            record("Objects that ended otherwise", len(self.faults), "", OF, "0")
            record("Orphans", self.orphans, "", OF, "0")
            record("Duplicates", self.duplicates, "", OF, "0")
            run.record_seed(OF)


@contextmanager
def theatre(folder: Path) -> Iterator[Theatre]:
    """Scenarios may use addresses that are chosen for others: they have a control plane for themselves."""
    with ExitStack() as stack:
        with _STARTING:  # two that start at once might find the same port free
            plane = stack.enter_context(ControlPlane.start(crds=[build.istio_crds(), *project_crds()]))
            kubeconfig = identity.install(plane)
        folder.mkdir()
        yield Theatre(plane, kubeconfig, folder)


def test_killed_at_a_write_the_end_is_the_same(tmp_path: Path, run: Run) -> None:
    """Whatever write of whatever scenario the operator is killed at, and wherever in it, the objects end the same."""
    told = Tally()
    if run.long:
        jobs = SimpleQueue[Job]()
        for job in product(sorted(groups().values(), key=len, reverse=True), STAGES):
            jobs.put(job)
        with ThreadPoolExecutor(THEATRES) as pool:
            for work in [pool.submit(_work_off, jobs, tmp_path / str(n), told, run) for n in range(THEATRES)]:
                work.result()
    else:
        with theatre(tmp_path / "theatre") as only:
            _some_writes(only, run, told)
    told.record(run)
    assert not told.faults, "\n".join(told.faults)
    assert told.hit


def _work_off(jobs: SimpleQueue[Job], folder: Path, told: Tally, run: Run) -> None:
    with theatre(folder) as mine, suppress(Empty):
        while True:
            _every_write(mine, *jobs.get_nowait(), told)
            told.record(run)  # it goes on for long: what was done stays where it is broken off


def _watched(chosen: list[str]) -> list[Watched]:
    return [Watched(name, load_apart(name, NUMBERS[name])) for name in chosen]


def _some_writes(theatre: Theatre, run: Run, told: Tally) -> None:
    """Scenarios chosen by the seed, each cut once: every stage comes up, and writes of every kind in the long run."""
    chooser = run.random()
    largest = max(groups().values(), key=len)
    watched = _watched(sorted(chooser.sample(largest, FEW)))
    settings, told_by = settings_of(watched), environment(watched)
    like = theatre.play(watched, settings, told_by)
    told.add(like, {})
    able = [one.name for one in watched if like.writes[one.name]]
    cuts = {
        name: Cut(chooser.randint(1, min(LIKELY, like.writes[name])), STAGES[n % len(STAGES)])
        for n, name in enumerate(able)
    }
    told.add(theatre.play(watched, settings, told_by, cuts, like), cuts)


def _every_write(theatre: Theatre, group: list[str], stage: Stage, told: Tally) -> None:
    """The first write of each scenario, then the second, until none has so many.

    A kill for one scenario can come between the first and the last stage of another one's write, which is not hit then:
    that one is tried again.
    """
    watched = _watched(group)
    settings, told_by = settings_of(watched), environment(watched)
    like = theatre.play(watched, settings, told_by)
    told.add(like, {})
    cuts = {one.name: Cut(1, stage) for one in watched if like.writes[one.name]}
    tries = dict[str, int]()
    while cuts:
        outcome = theatre.play([one for one in watched if one.name in cuts], settings, told_by, cuts, like)
        told.add(outcome, cuts)
        if outcome.faults:
            break  # what follows would most likely fail the same way, two minutes each
        tries = {name: 0 if name in outcome.hit else tries.get(name, 0) + 1 for name in cuts}
        following = {name: Cut(cut.write + (name in outcome.hit), stage) for name, cut in cuts.items()}
        left = {name: cut for name, cut in following.items() if cut.write <= like.writes[name]}
        cuts = {name: cut for name, cut in left.items() if tries[name] < TRIES}
        told.give_up(stage, sum(like.writes[name] - left[name].write + 1 for name in left.keys() - cuts.keys()))
