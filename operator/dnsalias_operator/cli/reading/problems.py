"""Positions in the input, and what is wrong there."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A position in an input file; ``line`` counts from 1. ``file`` is as the user gave it, ``<stdin>`` for ``-``."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in the input that could not be read: exit code 2.

    ``line`` and ``column`` count from 1; 0 if the problem concerns the whole file, or the column is not known.
    """

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        where = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        return f"{where}: {self.message}"


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file: plain values only (dict, list, str, int, float, bool, None).

    ``line`` is where its content starts. ``item_lines`` has the line of each element of a top-level ``items`` list.
    """

    value: object
    line: int
    item_lines: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """A document that could not be read; positions as in `Problem`."""

    line: int
    column: int
    message: str


class UnreadableError(Exception):
    """Raised inside a reader to skip one document; it never leaves the reader."""

    def __init__(self, line: int, column: int, message: str) -> None:
        super().__init__(message)
        self.fault = Fault(line, column, message)


MAX_DEPTH = 100
"""Levels of nesting. A CRD's schema has about 40; only hostile input has more than this."""
MAX_EXPANDED = 500_000
"""Most values that the YAML aliases of one document may expand to; a few nested aliases can expand to billions."""
