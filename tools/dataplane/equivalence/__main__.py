"""The whole product, or the rows of CI: prints the table, and writes docs/equivalence.md from the whole one.

python -m tools.dataplane.equivalence [--pairwise]
"""

import argparse
import sys

from tools.controlplane import ControlPlaneError, build
from tools.controlplane.progress import say
from tools.dataplane.equivalence import table
from tools.dataplane.equivalence.rows import chosen, product
from tools.dataplane.equivalence.scene import run
from tools.dataplane.equivalence.verdict import judge
from tools.dataplane.mesh import BINARIES
from tools.dataplane.spaces import why_not


def main() -> int:
    """Try the rows; 1 where one is broken or the mesh did not come up."""
    parser = argparse.ArgumentParser(prog="python -m tools.dataplane.equivalence", description=__doc__)
    parser.add_argument("--pairwise", action="store_true", help="only the rows of CI; docs/equivalence.md stays")
    options = parser.parse_args()
    if (reason := why_not()) is not None:
        say(f"error: {reason}")
        return 1
    try:
        build.ensure(*build.CONTROL_PLANE, *BINARIES)
        verdicts = [judge(outcome) for outcome in run(chosen() if options.pairwise else product())]
    except ControlPlaneError as error:
        say(f"error: {error}")
        return 1
    sys.stdout.write(table.text(verdicts))
    sys.stdout.write(f"\n{table.summary(verdicts)}\n")
    if not options.pairwise:
        table.DOCUMENT.write_text(table.document(verdicts))
        sys.stdout.write(f"written: {table.DOCUMENT.name}\n")
    return 1 if any(verdict.word.startswith("BROKEN") for verdict in verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
