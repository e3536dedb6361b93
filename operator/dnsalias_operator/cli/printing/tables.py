"""A table: aligned text on a pipe, drawn on a terminal."""

from collections.abc import Callable, Sequence

import click

from dnsalias_operator.cli.terminal import on_terminal

Cells = tuple[str, ...]


def table(columns: Cells, rows: Sequence[Cells], is_alarming: Callable[[Cells], bool] = lambda _: False) -> None:
    """Print rows of clean text; those that are alarming stand out on a terminal."""
    if on_terminal():
        _rich_table(columns, rows, is_alarming)
        return
    widths = [max(len(cell) for cell in column) for column in zip(columns, *rows, strict=True)]
    for cells in (columns, *rows):
        padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        click.echo("  ".join(padded).rstrip())


def _rich_table(columns: Cells, rows: Sequence[Cells], is_alarming: Callable[[Cells], bool]) -> None:
    from rich.console import Console  # noqa: PLC0415 (start-up time)
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    drawn = Table()
    for column in columns:
        # The default truncates: names that differ only at their ends would look the same.
        drawn.add_column(column, overflow="fold")
    for cells in rows:
        # Text, not str: square brackets in a name would be read as markup.
        drawn.add_row(*(Text(cell, style="red" if is_alarming(cells) else "") for cell in cells))
    Console().print(drawn)
