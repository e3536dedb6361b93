"""Prints docs/support.md from the recordings: `python -m tools.documents.support > docs/support.md`."""

from collections import Counter, defaultdict
from pathlib import Path

from dnsalias_operator.model.release import MEASURED, MODELLED, Release
from tools.dataplane.recorded import load

DATA = Path(__file__).parents[2] / "tests" / "core" / "data"
MINORS = (11, *range(20, 33))
"""The minors that a mesh may have (model/release.py)."""

HEAD = f"""\
# Which releases of Istio, and what was run on each

<!-- Generated: python -m tools.documents.support > docs/support.md -->

The model knows Istio {MODELLED}. Say which one a mesh has with the setting `istio_version` (flag
`--istio-version 1.28.10`); without, {MEASURED} is assumed. The rules that differ are in [istio.md](istio.md#releases).

Below are the ports that were compared with the prediction, row by row, each once a pod. **Real**: istiod, pilot-agent
and Envoy. The others: the release's own listener code, run on a world of objects without API server and Envoy; what
Envoy refuses is taken out. All agree, apart from two of 1.11.8 that Istio leaves to chance; a test holds that (`python
-m tests.core.agreement tests/core/data/versions/*.gz`).

"""
TAIL = f"""
{MEASURED} is what everything else was run on: traffic with mTLS ([equivalence.md](equivalence.md)), clusters, DNS,
dual-stack pods, `istioctl validate`, and the lab ([lab.md](lab.md)). It is the module `istio.io/istio` of 2026-08-27,
whose `pilot/pkg` equals that of tag 1.31.0-rc.0. What clients send (mTLS) is modelled as {MEASURED} does it, whatever
the release.
"""
WORLDS = {
    "random": ("plain", "real", "listeners"),
    "with DNS capture": ("dnscapture",),
    "with Sidecars": ("sidecarsold",),
    "no address": ("catchall",),
    "shared clusterIP": ("shared",),
    "what the operator writes": ("cures",),
    "the incident": ("inc",),
}
"""The kinds of worlds, and the variants in the names of recordings that are of each."""


def document() -> str:
    """The page."""
    found = _ports()
    head = f"| Release | {' | '.join(WORLDS)} |\n|{'---|' * (len(WORLDS) + 1)}\n"
    rows = (f"| {release} | {' | '.join(found[release].values())} |\n" for release in sorted(found, reverse=True))
    return HEAD + head + "".join(rows) + _only_read({release.minor for release in found}) + TAIL


def _ports() -> dict[Release, dict[str, str]]:
    """How many ports of each kind of world were recorded under each release, as the table has it."""
    counts: Counter[tuple[Release, str, str]] = Counter()
    for path in (DATA / "listeners-101.json.gz", *sorted((DATA / "versions").glob("*.gz"))):
        recording = load(path)
        variant = path.name.removeprefix(f"{recording.release}-").partition("-")[0]
        world = next(world for world, variants in WORLDS.items() if variant in variants)
        ports = sum(len({row.port for row in view.rows}) for view in recording.views)
        counts[Release.parse(recording.release), world, "" if recording.how else " real"] += ports
    found: dict[Release, dict[str, str]] = defaultdict(lambda: dict.fromkeys(WORLDS, ""))
    for (release, world, how), ports in sorted(counts.items()):
        told = found[release][world]
        found[release][world] = f"{told}, {ports}{how}" if told else f"{ports}{how}"
    return found


def _only_read(recorded: set[int]) -> str:
    """The sentence about the minors of which there is no recording."""
    *others, last = [f"1.{minor}" for minor in MINORS if minor not in recorded]
    return f"\nRead in the source, not run: {', '.join(others)} and {last} (what its branch held on 2026-08-22).\n"


if __name__ == "__main__":
    print(document(), end="")  # noqa: T201 (what this command is for)
