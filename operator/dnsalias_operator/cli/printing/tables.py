"""A table: plain columns, on a pipe and on a terminal."""

from collections.abc import Callable, Sequence

import click

Cells = tuple[str, ...]


def table(columns: Cells, rows: Sequence[Cells], is_alarming: Callable[[Cells], bool] = lambda _: False) -> None:
    """Print rows of clean text; those that are alarming stand out on a terminal.

    Columns are as wide as their cells: a name can be selected and searched for, whatever the terminal.
    """
    widths = [max(len(cell) for cell in column) for column in zip(columns, *rows, strict=True)]
    for cells in (columns, *rows):
        line = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
        click.echo(click.style(line, fg="red") if is_alarming(cells) else line)
