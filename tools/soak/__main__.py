"""`make soak MINUTES=60`: prints the figures; exit code 1 where something was left undone, done twice or went wrong."""

import argparse
import os
import sys

from tools.reliability.figures import LONG
from tools.soak.soak import soak

LONG_MINUTES = 30
"""From here on a run is one that docs/reliability.md may tell of."""


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m tools.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60, help="how long changes are made [60]")
    parser.add_argument("--rate", type=float, default=20, help="changes a second [20]")
    parser.add_argument("--seed", type=int, help="of the changes; printed by each run")
    given = parser.parse_args()
    outcome = soak(given.minutes * 60, given.rate, given.seed, _say)
    if given.minutes >= LONG_MINUTES:
        os.environ[LONG] = "1"
        outcome.record()
    lines = [
        f"{given.minutes:g} min at {given.rate:g} changes a second, seed {outcome.seed}",
        *(f"  {name}: {value} {unit}".rstrip() for name, value, unit in outcome.figures()),
        "  writes: " + ", ".join(f"{what} {count}" for what, count in sorted(outcome.writes.items())),
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if outcome.good else 1


if __name__ == "__main__":
    sys.exit(main())
