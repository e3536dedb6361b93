"""``python -m benchmarks [NAME...]``: run them, print a table, write JSON into build/bench."""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from benchmarks import aliases, files, machine, mesh, proportion, report, sizes, traffic
from benchmarks.stats import Result
from tools.controlplane import ControlPlaneError
from tools.controlplane.progress import say

OUT = Path(__file__).parents[1] / "build" / "bench"

Benchmark = Callable[[float], Iterator[tuple[str, Result]]]


def _files(scale: float) -> Iterator[tuple[str, Result]]:
    with tempfile.TemporaryDirectory(prefix="dnsalias-bench-") as folder:
        yield from files.measure(Path(folder), scale)


BENCHMARKS: Mapping[str, tuple[str, Benchmark]] = {
    "files": ("lint, plan and listeners on files (row 8)", _files),
    "proportion": ("one Service changed in worlds of doubling size (row 8)", proportion.measure),
    "aliases": ("bursts, cold start and restart (rows 1, 2, 3)", aliases.measure),
    "traffic": ("latency at 20 changes a second (row 4)", traffic.measure),
    "sizes": ("memory, start and processor by size (rows 5, 6, 7)", sizes.measure),
    "mesh": ("what istiod pays (row 9; needs root)", mesh.measure),
}


def main() -> int:
    """Run those that are named, all by default; 0 done, 1 one failed, 2 bad usage, 130 interrupted."""
    listed = "\n".join(f"  {name:<12}{text}" for name, (text, _) in BENCHMARKS.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Speed and scale, measured beside a reference.",
        epilog=f"benchmarks:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="which; all by default")
    parser.add_argument("--scale", type=float, default=1, help="sizes times this, for a quick look (default 1)")
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.names) - BENCHMARKS.keys()):
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    code = 0
    for name in arguments.names or BENCHMARKS:
        try:
            _one(name, arguments.scale)
        except (ControlPlaneError, RuntimeError, TimeoutError, OSError) as error:
            say(f"error: {name}: {error}")
            code = 1
        except KeyboardInterrupt:
            say("interrupted")
            return 130
    return code


def _one(name: str, scale: float) -> None:
    described = machine.describe()
    note = "" if scale == 1 else f"run at {scale:g} of the size"
    results: dict[str, Result] = {}
    for measure, result in BENCHMARKS[name][1](scale):
        results[measure] = replace(result, note=note)
        report.write(OUT / f"{name}.json", results, described)
    sys.stdout.write(report.table(results) + "\n\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
