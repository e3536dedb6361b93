"""One soak: a control plane of its own, an operator with the rights of its manifests, changes at a steady rate."""

import json
import os
import random
import re
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools.controlplane import build
from tools.controlplane.cluster import ControlPlane
from tools.controlplane.hand import project_crds
from tools.controlplane.waiting import eventually
from tools.reliability.figures import record
from tools.running import identity
from tools.running.operator_process import COMMAND, Operator
from tools.soak.churn import Churn
from tools.soak.watch import Sample, quarters, sample, settled, slope, span

WRITES = re.compile(r"^dnsalias_writes_total\{(.*)\} (\S+)$")
TELLING = 600
"""Seconds of a run from which the slope of its memory says something."""
MUST_BE_NONE = ("Changes left to make at the end", "Writes once all was worked off", "Unexpected exceptions")
SAMPLES = 200
"""How often a run is looked at, whatever it lasts."""
PACE = {"resync_seconds": "60", "fight_limit": "100", "fight_min_seconds": "0.2", "fight_max_seconds": "1"}
"""A short resync shows what grows with it; the entries that are spoilt here are no fights."""


@dataclass(frozen=True)
class Outcome:
    """What came of a run.

    Attributes:
        seed: with which the changes can be made again, in this order if not at these moments.
        changes: made by others, by what they were.
        writes: of the operator, by operation and result.
        samples: of its process.
        left: changes that `dnsalias plan` would still make at the end: 0 where all is right.
        idle_writes: writes after everything was worked off, through a resync more.
        bugs: log lines that tell of an exception nobody expected.
    """

    seed: int
    changes: Counter[str]
    writes: Counter[str]
    samples: tuple[Sample, ...]
    left: int
    idle_writes: int
    bugs: int

    @property
    def good(self) -> bool:
        """Whether nothing was left undone, done twice, or went wrong."""
        return not (self.left or self.idle_writes or self.bugs)

    def record(self) -> None:
        """Keep the figures for docs/reliability.md."""
        for name, value, unit in self.figures():
            record(name, value, unit, "Soak", must="0" if name in MUST_BE_NONE else "")

    def figures(self) -> list[tuple[str, float | str, str]]:
        """Name, value and unit of what is told."""
        late = settled(self.samples)
        grown = round(slope(self.samples), 2) if self.samples[-1].at >= TELLING else "the run was too short to tell"
        made, ok = self.changes.total(), sum(n for what, n in self.writes.items() if what.endswith("ok"))
        return [
            ("Length", round(self.samples[-1].at / 60, 1), "minutes"),
            ("Changes made by others", made, ""),
            ("Changes a second", round(made / self.samples[-1].at, 1), ""),
            ("Writes of the operator", self.writes.total(), ""),
            ("Writes for each change", round(ok / made, 2) if made else 0, ""),
            ("Memory at the end", round(self.samples[-1].memory, 1), "MiB"),
            ("Memory gained, by least squares", grown, "" if isinstance(grown, str) else "MiB an hour"),
            ("Memory in each quarter of the run", quarters(self.samples), "MiB"),
            ("Tasks of the event loop", span([s.tasks for s in late]), ""),
            ("Open files", span([s.files for s in late]), ""),
            ("Changes left to make at the end", self.left, ""),
            ("Writes once all was worked off", self.idle_writes, ""),
            ("Unexpected exceptions", self.bugs, ""),
        ]


def soak(seconds: float, rate: float, seed: int | None = None, say: Callable[[str], None] = lambda _: None) -> Outcome:
    """Change the world for that long, then let the operator finish and look at what it left.

    Args:
        seconds: of changes.
        rate: changes a second; as many as can be made where that is too much.
        seed: of the changes; a new one unless given.
        say: told of the progress.
    """
    seed = random.randrange(10**6) if seed is None else seed  # noqa: S311 (not a secret)
    crds = [build.istio_crds(), *project_crds()]
    with ControlPlane.start(crds=crds) as plane, tempfile.TemporaryDirectory() as folder:
        kubeconfig = identity.install(plane)
        churn = Churn(plane.api, seed)
        churn.prepare()
        with Operator(plane, kubeconfig, Path(folder), PACE) as operator:
            operator.idle()
            samples = _change(operator, churn, seconds, rate, say)
            _worked_off(operator)
            before = written(operator).total()
            time.sleep(float(PACE["resync_seconds"]) * 1.2 if seconds > float(PACE["resync_seconds"]) else 1)
            _worked_off(operator)
            writes = written(operator)
            return Outcome(
                seed=seed,
                changes=churn.done,
                writes=writes,
                samples=(*samples, sample(operator, seconds)),
                left=_left(plane),
                idle_writes=writes.total() - before,
                bugs=len(operator.bugs()),
            )


def _change(operator: Operator, churn: Churn, seconds: float, rate: float, say: Callable[[str], None]) -> list[Sample]:
    began, samples, number = time.monotonic(), [sample(operator, 0)], 0
    while (at := time.monotonic() - began) < seconds:
        churn.step()
        number += 1
        if at >= len(samples) * seconds / SAMPLES:
            samples.append(sample(operator, at))
            last = samples[-1]
            say(f"{at / 60:.1f} min, {number} changes, {last.memory:.1f} MiB, {last.tasks} tasks, {last.files} files")
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
    return samples


def _worked_off(operator: Operator) -> None:
    """Wait until nothing is due and nothing waits for its time: an entry may have to be younger than its Service."""
    operator.idle()
    eventually(lambda: operator.metric("dnsalias_queue_delayed") == 0, "nothing waits any more")
    operator.idle()


def written(operator: Operator) -> Counter[str]:
    """The operator's own count of its writes, by operation and result."""
    found: Counter[str] = Counter()
    for line in operator.page("/metrics")[1].splitlines():
        if match := WRITES.match(line):
            labels = dict(re.findall(r'(\w+)="(\w+)"', match[1]))
            found[f"{labels['operation']} {labels['result']}"] += int(float(match[2]))
    return +found


def _left(plane: ControlPlane) -> int:
    """How many changes `dnsalias plan` sees in the cluster."""
    result = subprocess.run(
        [COMMAND[0], "plan", "-o", "json", "--kubeconfig", str(plane.kubeconfig)],
        env={k: v for k, v in os.environ.items() if not k.startswith("DNSALIAS_")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout, result.stderr
    return len(json.loads(result.stdout)["changes"])
