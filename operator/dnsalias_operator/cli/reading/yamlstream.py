"""A YAML stream, split into its documents, which are read by as many processes as it is worth."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Any

from dnsalias_operator.cli.reading import forked
from dnsalias_operator.cli.reading.problems import Document, Fault
from dnsalias_operator.cli.reading.yamlread import Chunk, read

_MARKER = re.compile(r"^---(?=\s|\Z)", re.MULTILINE)
SHARE = 1_000_000
"""Characters that are worth a process of their own; to read them takes some tenths of a second."""


def documents(text: str) -> Iterator[Document | Fault]:
    """The documents of a YAML stream, in order; one that cannot be read yields a `Fault` and the next is still read.

    A long text is read by as many processes as there are processors.
    """
    chunks = [*_numbered(text)]
    count = min(len(text) // SHARE, forked.processors(), len(chunks))
    if count <= 1:
        for chunk in chunks:
            yield from read(chunk)
        return
    for found in forked.spread(_plain, _shares(chunks, count)):
        for is_fault, fields in found:
            yield Fault(*fields) if is_fault else Document(*fields)


def _plain(chunks: Iterable[Chunk]) -> list[tuple[bool, tuple[Any, ...]]]:
    """The documents of the chunks as plain values: whether each is a `Fault`, and its fields."""
    found = (one for chunk in chunks for one in read(chunk))
    return [
        (True, (one.line, one.column, one.message, one.source))
        if isinstance(one, Fault)
        else (False, (one.value, one.line, one.item_lines, dict(one.port_lines)))
        for one in found
    ]


def _shares(chunks: Sequence[Chunk], count: int) -> list[Sequence[Chunk]]:
    """The chunks in order, in that many parts of about the same length."""
    ends = [*accumulate(len(text) for _, text in chunks)]
    cuts = [bisect_left(ends, ends[-1] * part // count) for part in range(count)]
    return [chunks[begin:end] for begin, end in pairwise((*cuts, len(chunks)))]


def _numbered(text: str) -> Iterator[Chunk]:
    line = 0
    for chunk in _chunks(text):
        yield line, chunk
        line += chunk.count("\n")


def _chunks(text: str) -> Iterator[str]:
    # A --- at the start of a line always starts a document, even in a block scalar, so the text can be split there
    # without parsing.
    start = 0
    for marker in _MARKER.finditer(text):
        end = _before_directives(text, start, marker.start())
        if end > start:
            yield text[start:end]
        start = end
    yield text[start:]


def _before_directives(text: str, start: int, end: int) -> int:
    # Directives (%YAML 1.1) come before the --- of their document, among comments and blank lines.
    cut = end
    while end > start:
        begin = text.rfind("\n", start, end - 1) + 1 or start
        line = text[begin:end]
        if line.startswith("%"):
            cut = begin
        elif line.strip() and not line.startswith("#"):
            break
        end = begin
    return cut
