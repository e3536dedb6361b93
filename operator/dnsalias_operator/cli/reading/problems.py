"""Where something stands in the input, and what is wrong there."""

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

    ``line`` and ``column`` count from 1; 0 where the problem is the file's, or the column is not known. ``named`` says
    that the file was asked for by its own name, not found in a folder.
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

    ``line`` is where its content begins. ``item_lines`` has the line of each element of a top-level ``items`` list.
    ``port_lines`` has, by the line where an object begins, the line of each element of its ``spec.ports``; none for
    objects that share that line with another one.
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
    """Raised inside a reader to give up one document; never leaves it."""

    def __init__(self, line: int, column: int, message: str) -> None:
        super().__init__(message)
        self.fault = Fault(line, column, message)


MAX_DEPTH = 100
"""Levels of nesting. A CRD's schema has some 40; beyond that only hostile input goes."""
MAX_EXPANDED = 500_000
"""Values that the YAML aliases of one document may stand for; a few lines of nested aliases stand for billions."""


class Skipped(StrEnum):
    """Why something in the input is passed over in silence, in the words of a summary."""

    NO_OBJECT = "without apiVersion and kind"
    IGNORED = "left out by .gitignore, .dnsaliasignore or --exclude"
    PART = "patches and values of a kustomization"
    SPECIAL = "no files (FIFOs, sockets, devices)"
