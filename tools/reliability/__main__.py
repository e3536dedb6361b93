"""`python -m tools.reliability` writes docs/reliability.md from the figures of the latest long runs."""

import argparse
import sys
from pathlib import Path

from tools.reliability.document import document
from tools.reliability.figures import Form, folder, kept

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"


def main() -> int:
    """Run the command of the command line; 0 done, 1 there are no figures."""
    parser = argparse.ArgumentParser(prog="python -m tools.reliability", description=__doc__)
    parser.add_argument("--short", action="store_true", help="print the page of the latest short runs instead")
    form: Form = "short" if parser.parse_args().short else "long"
    figures = list(kept(form))
    if not figures:
        sys.stderr.write(f"error: no figures in {folder(form)}: run `make torture` first\n")
        return 1
    if form == "short":
        sys.stdout.write(document(figures))
    else:
        PAGE.write_text(document(figures), encoding="utf-8")
        sys.stdout.write(f"{PAGE.name}: {len(figures)} figures\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
