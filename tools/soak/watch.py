"""What a process holds on to while it runs: memory, tasks and open files, sampled, and how fast the memory grows."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.running.operator_process import Operator

SETTLING = 0.2
"""The part of a run at its begin that says nothing of leaks: caches and pools fill."""


@dataclass(frozen=True)
class Sample:
    """One look: seconds since the begin, resident memory in MiB, tasks of the event loop, open files."""

    at: float
    memory: float
    tasks: int
    files: int


def sample(operator: Operator, at: float) -> Sample:
    """Look at the operator's process now."""
    assert operator.process is not None
    proc = Path(f"/proc/{operator.process.pid}")
    (resident,) = (line.split()[1] for line in (proc / "status").read_text().splitlines() if line.startswith("VmRSS"))
    files = len(list((proc / "fd").iterdir()))
    return Sample(at, int(resident) / 1024, int(operator.metric("dnsalias_asyncio_tasks")), files)


def settled(samples: Sequence[Sample]) -> Sequence[Sample]:
    """Those after the first part of the run."""
    return samples[int(len(samples) * SETTLING) :]


def slope(samples: Sequence[Sample]) -> float:
    """MiB of memory gained an hour, by least squares over `settled` samples; 0 for fewer than two."""
    late = settled(samples)
    middle = sum(s.at for s in late) / len(late) if late else 0.0
    mean = sum(s.memory for s in late) / len(late) if late else 0.0
    spread = sum((s.at - middle) ** 2 for s in late)
    return sum((s.at - middle) * (s.memory - mean) for s in late) / spread * 3600 if spread else 0.0


def quarters(samples: Sequence[Sample]) -> str:
    """The mean memory of each quarter of a run in MiB, in words: whether it grows to the end or has filled up."""
    size = -(-len(samples) // 4) or 1
    parts = [samples[at : at + size] for at in range(0, len(samples), size)]
    return ", ".join(f"{sum(s.memory for s in part) / len(part):.1f}" for part in parts)


def span(values: Sequence[float]) -> str:
    """Least and greatest, in words."""
    return f"{min(values):g} to {max(values):g}"
