"""Positions in the input, and what is wrong there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

STDIN = "<stdin>"
"""What standard input is called."""


@dataclass(frozen=True, slots=True)
class Place:
    """A position in an input file; ``line`` counts from 1. ``file`` is as the user gave it, ``<stdin>`` for ``-``."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in the input that could not be read.

    ``line`` and ``column`` count from 1; 0 if the problem concerns the whole file, or the column is not known.
    ``named``: the file was given by its own name, and not found in a folder.
    """

    file: str
    line: int
    column: int
    message: str
    named: bool = True

    def __str__(self) -> str:
        where = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        return f"{where}: {self.message}"


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file: plain values only (dict, list, str, int, float, bool, None).

    ``line`` is where its content starts. ``item_lines`` has the line of each element of a top-level ``items`` list.
    ``port_lines`` has, by the line where an object starts, the line of each element of its ``spec.ports``; it has
    nothing for objects that share that line with another one.
    """

    value: object
    line: int
    item_lines: tuple[int, ...] = ()
    port_lines: Mapping[int, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fault:
    """A document that could not be read; positions as in `Problem`. ``source`` is its text."""

    line: int
    column: int
    message: str
    source: str = field(default="", repr=False)


class UnreadableError(Exception):
    """Raised inside a reader to skip one document; it never leaves the reader."""

    def __init__(self, line: int, column: int, message: str) -> None:
        super().__init__(message)
        self.fault = Fault(line, column, message)


MAX_DEPTH = 100
"""Levels of nesting. A CRD's schema has about 40; only hostile input has more than this."""
MAX_EXPANDED = 500_000
"""Most values that the YAML aliases of one document may expand to; a few nested aliases can expand to billions."""


class Skipped(StrEnum):
    """Why something in the input is skipped without a report, in the words of a summary."""

    NO_OBJECT = "without apiVersion and kind"
    IGNORED = "left out by .gitignore, .dnsaliasignore or --exclude"
    PART = "patches and values of a kustomization"
    SPECIAL = "no files (FIFOs, sockets, devices)"
