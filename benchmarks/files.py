"""Row 8: the command on one file of many objects, against `istioctl analyze` on the same file."""

import json
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import yaml

from benchmarks import objects
from benchmarks.measures import FILES
from benchmarks.process import Run, run
from benchmarks.stats import Result
from tools.controlplane import build
from tools.controlplane.progress import step

COMMANDS = {
    "lint": ("lint", "--fail-on", "never"),
    "plan": ("plan",),
    "listeners": ("listeners", "--from", "team-0000"),
}
REPETITIONS = {10_000: 3, 100_000: 1}
OURS = Path(sys.executable).parent / "dnsalias"
CHUNK = 1000


def measure(folder: Path, scale: float = 1) -> Iterator[tuple[str, Result]]:
    """Write the files into ``folder`` and measure; ``scale`` makes them smaller for a quick look.

    Raises:
        RuntimeError: a command did not do its work.
    """
    istioctl = build.ensure("istioctl")["istioctl"]
    medians: dict[tuple[str, int], float] = {}
    for size in FILES:
        path = write(folder / f"objects-{size}.yaml", max(100, int(size * scale)))
        ours: dict[str, list[Run]] = {name: [] for name in COMMANDS}
        theirs: list[Run] = []
        for turn in range(REPETITIONS[size]):
            with step(f"{path.name}, repetition {turn + 1} of {REPETITIONS[size]}"):
                theirs.append(_istioctl(istioctl, path, folder))
                for name, arguments in COMMANDS.items():
                    ours[name].append(_ours(name, (*arguments, "-f", str(path)), folder))
        for name, runs in ours.items():
            one = Result(tuple(r.seconds for r in runs), tuple(r.seconds for r in theirs))
            medians[name, size] = one.value
            yield f"{name}-{size}", one
            yield f"{name}-memory-{size}", Result(tuple(r.peak for r in runs), tuple(r.peak for r in theirs))
    small, large = FILES
    for name in COMMANDS:
        yield f"{name}-growth", Result((medians[name, large] / medians[name, small],))


def write(path: Path, count: int) -> Path:
    """A YAML file of ``count`` objects."""
    stream = objects.of_files(count)
    with path.open("w") as out:
        while chunk := list(islice(stream, CHUNK)):
            yaml.dump_all(chunk, out, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper), sort_keys=False)
            out.write("---\n")
    return path


def _ours(name: str, arguments: tuple[str, ...], folder: Path) -> Run:
    found = run((OURS, *arguments), folder / f"{name}.txt")
    if found.code not in (0, 1):
        raise RuntimeError(f"dnsalias {name} ended with {found.code}: {_end(folder / f'{name}.txt')}")
    return found


def _istioctl(istioctl: Path, path: Path, folder: Path) -> Run:
    out = folder / "analyze.json"
    found = run((istioctl, "analyze", "--use-kube=false", "-A", "-o", "json", path), out)
    # Its exit code tells of findings too; that it did read the file is seen by its naming what is in there.
    if found.code not in (0, 79) or not isinstance(json.loads(out.read_text() or "null"), list):
        raise RuntimeError(f"istioctl analyze ended with {found.code}: {_end(out)}")
    return found


def _end(path: Path) -> str:
    return path.read_text(errors="replace")[-500:]
