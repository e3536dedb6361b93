"""Progress of reading, on standard error of a terminal; it is erased when reading is done.

Nothing is shown on a pipe, or if there is little to read: rich, which draws it, takes a while to import.
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
"""From this number of files or bytes on, reading takes long enough to show progress."""

Report = Callable[[str, int], None]
"""Takes the kind that was read last, and the number of its objects so far."""


def shown() -> bool:
    """Whether standard error is a terminal that can erase what it has shown."""
    return sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def files(paths: Sequence[str]) -> Iterator[str]:
    """Yield the paths, and show how many have been read."""
    if not shown() or (len(paths) < MANY_FILES and sum(map(_size, paths)) < MANY_BYTES):
        yield from paths
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415 (start-up time)

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("files"))
    with Progress(*columns, console=_console(), transient=True) as progress:
        yield from progress.track(paths, description="reading")


@contextmanager
def counting(what: str) -> Iterator[Report]:
    """A function that shows counts whose total is not known, after the words ``what``, "reading the cluster"."""
    if not shown():
        yield lambda _kind, _count: None
        return
    from rich.text import Text  # noqa: PLC0415 (start-up time)

    counts: dict[str, int] = {}
    with _console().status(what) as status:

        def report(kind: str, count: int) -> None:
            counts[kind] = count
            listed = ", ".join(f"{name} {number}" for name, number in counts.items())
            # Text, not str: square brackets would be read as markup.
            status.update(Text(f"{what}: {listed}"))

        yield report


def _console() -> "Console":
    from rich.console import Console  # noqa: PLC0415 (start-up time)

    return Console(stderr=True)


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0
