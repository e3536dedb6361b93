"""Processes under measurement: how long one takes and how much it holds, by what the kernel counts."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MIB = 1024 * 1024
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Run:
    """A command that has ended: seconds of wall clock, of processor, and the most memory it held, in MiB."""

    seconds: float
    cpu: float
    peak: float
    code: int


def run(argv: Sequence[str | Path], out: Path, environment: Mapping[str, str] | None = None) -> Run:
    """Run a command to its end, its output in the file ``out``."""
    with out.open("wb") as stream:
        began = time.monotonic()
        process = subprocess.Popen([str(a) for a in argv], stdout=stream, stderr=stream, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, process.returncode)


def resident(pid: int) -> float:
    """Memory that a process holds now, in MiB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MIB


def cpu(pid: int) -> float:
    """Processor seconds that a process has used so far, in user and kernel mode."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def until(condition: Callable[[], object], what: str, seconds: float = 600, pause: float = 0.02) -> float:
    """Wait until ``condition`` gives something true; returns how long that took.

    Raises:
        TimeoutError: it did not within ``seconds``.
    """
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(pause)
    return time.monotonic() - began


def python(module: str, *arguments: str) -> list[str]:
    """The command line of one of our own modules."""
    return [sys.executable, "-m", module, *arguments]
