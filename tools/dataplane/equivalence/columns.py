"""Rows of text as the terminal and the document have them."""

from collections import Counter
from collections.abc import Iterable, Sequence

Cells = Sequence[str]


def aligned(head: Cells, rows: Iterable[Cells]) -> str:
    """For a terminal: columns as wide as their cells."""
    lines = [head, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines) + "\n"


def markdown(head: Cells, rows: Iterable[Cells]) -> str:
    """For a document: a table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join((*lines, *("| " + " | ".join(row) + " |" for row in rows))) + "\n"


def counted(words: Iterable[str]) -> str:
    """How many rows came to what."""
    return ", ".join(f"{count} {word}" for word, count in sorted(Counter(words).items()))
