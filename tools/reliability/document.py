"""The page that figures make: docs/reliability.md."""

from collections.abc import Sequence

from tools.reliability.figures import Figure, shown
from tools.reliability.sections import SECTIONS

HEAD = """\
# Reliability

<!-- Generated: make torture (tests, then python -m tools.reliability) -->

This page lists the reliability tests of the operator, on a real API server, and their results. `make test` runs a part
of them, chosen by a seed that is printed; the figures here are from a long run, `make torture`. A test fails if a
figure is not what it must be.
"""


def document(figures: Sequence[Figure]) -> str:
    """The whole page; sections without figures are left out."""
    out = [HEAD]
    for title, prose in SECTIONS.items():
        rows = [_row(figure) for figure in figures if figure.of == title]
        if rows:
            out += [f"## {title}", "", prose, "", "| | Measured | Must be |", "|---|---|---|", *rows, ""]
    return "\n".join(out).rstrip() + "\n"


def _row(figure: Figure) -> str:
    cells = (figure.name, f"{shown(figure.value)} {figure.unit}".strip(), figure.must)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
