"""The tables: aliases beside their Services, callers of an entry, policies. Writes docs/equivalence.md.

python -m tools.dataplane.equivalence [--pairwise | --callers | --policies]
"""

import argparse
import sys
from collections.abc import Sequence

from tools.controlplane import ControlPlaneError, build
from tools.controlplane.progress import say
from tools.dataplane.equivalence import table
from tools.dataplane.equivalence.callers import scene as callers
from tools.dataplane.equivalence.callers import table as callers_table
from tools.dataplane.equivalence.callers.verdict import BROKEN
from tools.dataplane.equivalence.policies import scene as policies
from tools.dataplane.equivalence.policies import table as policies_table
from tools.dataplane.equivalence.rows import Row, chosen, product
from tools.dataplane.equivalence.scene import run
from tools.dataplane.equivalence.verdict import judge
from tools.dataplane.mesh import BINARIES
from tools.dataplane.spaces import why_not


def main() -> int:
    """Try the rows; 1 where one is broken or the mesh did not come up."""
    parser = argparse.ArgumentParser(prog="python -m tools.dataplane.equivalence", description=__doc__)
    part = parser.add_mutually_exclusive_group()
    part.add_argument("--pairwise", action="store_true", help="only the aliases of CI; docs/equivalence.md stays")
    part.add_argument("--callers", action="store_true", help="only callers of an entry; the table of aliases stays")
    part.add_argument("--policies", action="store_true", help="only what is bound to a Service; the other tables stay")
    options = parser.parse_args()
    if (reason := why_not()) is not None:
        say(f"error: {reason}")
        return 1
    try:
        build.ensure(*build.CONTROL_PLANE, *BINARIES)
        broken = False
        if not options.callers and not options.policies:
            broken |= _aliases(chosen() if options.pairwise else product(), write=not options.pairwise)
        if not options.pairwise and not options.policies:
            broken |= _callers()
        if not options.pairwise and not options.callers:
            broken |= _policies()
    except ControlPlaneError as error:
        say(f"error: {error}")
        return 1
    return 1 if broken else 0


def _aliases(rows: Sequence[Row], *, write: bool) -> bool:
    """Try aliases; whether one is broken."""
    verdicts = [judge(outcome) for outcome in run(rows)]
    _print(table.text(verdicts), table.summary(verdicts))
    if write:
        _write(table.document(verdicts), *table.parts()[1:])
    return any(verdict.word.startswith(BROKEN) for verdict in verdicts)


def _callers() -> bool:
    """Call entries; whether somebody lost what they had."""
    outcomes = callers.run()
    _print(callers_table.text(outcomes), callers_table.summary(outcomes))
    _write(table.parts()[0], callers_table.section(outcomes), table.parts()[2])
    return any(outcome.word == BROKEN for outcome in outcomes)


def _policies() -> bool:
    """Bind something to Services; whether an alias goes without it and nobody says so."""
    outcomes = policies.run()
    _print(policies_table.text(outcomes), policies_table.summary(outcomes))
    _write(*table.parts()[:2], policies_table.section(outcomes))
    return any(outcome.word == BROKEN or outcome.failed for outcome in outcomes)


def _print(text: str, summary: str) -> None:
    sys.stdout.write(f"{text}\n{summary}\n")
    sys.stdout.flush()


def _write(*parts: str) -> None:
    table.DOCUMENT.write_text("\n".join(part.strip("\n") + "\n" for part in parts if part))
    sys.stdout.write(f"written: {table.DOCUMENT.name}\n")


if __name__ == "__main__":
    sys.exit(main())
