"""How far reading has come, for a person who waits at a terminal: on standard error, and gone when it is done.

On a pipe nothing is shown, nor where there is little to read: rich, which draws it, takes a while to import.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

MANY_FILES = 50
MANY_BYTES = 1_000_000
"""From so many files or bytes on, reading takes long enough to be told."""

Told = Callable[[str, int], None]
"""Takes what was read last, and how many of it so far."""


def shown() -> bool:
    """Whether somebody watches standard error, on a terminal that can erase what it has shown."""
    return sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def files(paths: Sequence[str]) -> Iterator[str]:
    """Give the paths one by one, and tell how many of them have been asked for."""
    if not shown() or (len(paths) < MANY_FILES and sum(map(_size, paths)) < MANY_BYTES):
        yield from paths
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415 (start-up time)

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("files"))
    with Progress(*columns, console=_console(), transient=True) as progress:
        yield from progress.track(paths, description="reading")


@contextmanager
def counting(what: str) -> Iterator[Told]:
    """A function to tell of counts that have no known end: ``what`` is done with them, "reading the cluster"."""
    if not shown():
        yield lambda _kind, _count: None
        return
    from rich.text import Text  # noqa: PLC0415 (start-up time)

    counts: dict[str, int] = {}
    with _console().status(what) as status:

        def told(kind: str, count: int) -> None:
            counts[kind] = count
            listed = ", ".join(f"{name} {number}" for name, number in counts.items())
            # Text, not str: square brackets would be read as markup.
            status.update(Text(f"{what}: {listed}"))

        yield told


def _console() -> "Console":
    from rich.console import Console  # noqa: PLC0415 (start-up time)

    return Console(stderr=True)


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0
