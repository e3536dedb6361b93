"""JSON text into plain values with line numbers.

YAML's reader would take most JSON, but twenty times slower than Python's own (`kubectl get -o json` of a whole cluster
is the common case), and it stumbles over surrogate pairs. Only the outermost object is read here, to know where the
elements of `items` start; ServiceEntries are read a second time, to know where their ports are.
"""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from json.decoder import JSONDecodeError
from typing import Any

from dnsalias_operator.cli.reading.problems import MAX_DEPTH, Document, Fault, UnreadableError
from dnsalias_operator.cli.reading.scalars import INT64

_SPACE = " \t\n\r"
_SHORT, _LONGEST_INTEGER = 18, 20
"""Characters of an integer that certainly fits in 64 bits, and of one that may."""


def documents(text: str) -> Iterator[Document | Fault]:
    """The JSON values in ``text``, one after another; at the first that cannot be read a `Fault`, and no more."""
    reader = _Reader(text)
    try:
        while (start := reader.skip(reader.at)) < len(text):
            yield reader.document(start)
    except JSONDecodeError as error:
        yield Fault(error.lineno, error.colno, error.msg[0].lower() + error.msg[1:], text)
    except UnreadableError as error:
        yield replace(error.fault, source=text)


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._decoder = json.JSONDecoder(
            object_pairs_hook=_unique, parse_int=_whole, parse_float=_finite, parse_constant=_finite
        )
        self._surrogates = re.search(r"\\u[dD][89a-fA-F]", text) is not None
        self._counted = (0, 1)
        self._port_lines: dict[int, tuple[int, ...]] = {}
        self.at = 0

    def document(self, start: int) -> Document:
        line = self._line(start)
        if self._text[start] != "{":
            return Document(self._value(start), line)
        pairs: list[tuple[str, Any]] = []
        item_lines: list[int] = []
        self._port_lines = {}
        for key, at in self._members(start):
            if key == "items" and self._text.startswith("[", at):
                value, item_lines = self._items(at)
            else:
                value = self._value(at)
            pairs.append((key, value))
        end = self.at
        try:
            whole = _unique(pairs)
        except ValueError as error:
            raise UnreadableError(line, 0, str(error)) from None
        if not item_lines:
            self._note_ports(whole, start, line)
        self.at = end
        return Document(whole, line, tuple(item_lines), self._port_lines)

    def skip(self, at: int) -> int:
        while at < len(self._text) and self._text[at] in _SPACE:
            at += 1
        return at

    def _members(self, start: int) -> Iterator[tuple[str, int]]:
        """Keys of the object at ``start``, and where their values start; the caller reads each before the next."""
        at = self.skip(start + 1)
        first = True
        while not self._text.startswith("}", at):
            if not first:
                at = self.skip(self._expect(",", at))
            if not self._text.startswith('"', at):
                raise JSONDecodeError("expected a key in double quotes", self._text, at)
            key = self._value(at)
            yield key, self.skip(self._expect(":", self.skip(self.at)))
            at, first = self.skip(self.at), False
        self.at = at + 1

    def _elements(self, start: int) -> Iterator[int]:
        """Where the elements of the list at ``start`` are; the caller reads each before the next."""
        at = self.skip(start + 1)
        first = True
        while not self._text.startswith("]", at):
            if not first:
                at = self.skip(self._expect(",", at))
            yield at
            at, first = self.skip(self.at), False
        self.at = at + 1

    def _items(self, start: int) -> tuple[list[Any], list[int]]:
        values: list[Any] = []
        lines: list[int] = []
        for at in self._elements(start):
            lines.append(self._line(at))
            values.append(self._value(at))
            end = self.at
            self._note_ports(values[-1], at, lines[-1])
            self.at = end
        return values, lines

    def _note_ports(self, value: object, start: int, line: int) -> None:
        """Note where the ports of a ServiceEntry are: it is read a second time."""
        spec = value.get("spec") if isinstance(value, dict) else None
        is_entry = isinstance(spec, dict) and isinstance(spec.get("ports"), list) and "hosts" in spec
        if not is_entry or "\n" not in self._text[start : self.at]:
            return
        # If two objects start in the same line, it identifies neither: none of them has lines of ports.
        ports = () if line in self._port_lines else self._ports_of(start)
        self._port_lines[line] = tuple(line + self._text.count("\n", start, at) for at in ports)

    def _ports_of(self, start: int) -> Iterator[int]:
        for at in self._within(start, "spec"):
            for ports in self._within(at, "ports"):
                for port in self._elements(ports):
                    yield port
                    self._value(port)

    def _within(self, start: int, wanted: str) -> Iterator[int]:
        """Where the value of that key starts; the caller reads it."""
        for key, at in self._members(start):
            if key == wanted:
                yield at
            else:
                self._value(at)

    def _value(self, at: int) -> Any:  # noqa: ANN401 (a plain value of any type)
        try:
            value, self.at = self._decoder.raw_decode(self._text, at)
        except StopIteration:  # the decoder's signal that no value starts here
            raise JSONDecodeError("expected a value", self._text, at) from None
        except JSONDecodeError:
            raise
        except RecursionError:
            raise self._too_deep(at) from None
        except ValueError as error:
            raise UnreadableError(self._line(at), 0, str(error)) from None
        brackets = self._text.count("{", at, self.at) + self._text.count("[", at, self.at)
        if brackets > MAX_DEPTH and _deeper(value, MAX_DEPTH):
            raise self._too_deep(at)
        return _paired(value) if self._surrogates else value

    def _expect(self, sign: str, at: int) -> int:
        if not self._text.startswith(sign, at):
            raise JSONDecodeError(f"expected '{sign}'", self._text, at)
        return at + 1

    def _line(self, at: int) -> int:
        # Asked in the order of the text: each line break is counted once.
        before, line = self._counted
        self._counted = (at, line + self._text.count("\n", before, at))
        return self._counted[1]

    def _too_deep(self, at: int) -> UnreadableError:
        return UnreadableError(self._line(at), 0, f"nested more than {MAX_DEPTH} levels deep; no Kubernetes object is")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"key {twice!r} is given twice in one mapping")
    return found


def _paired(value: Any) -> Any:  # noqa: ANN401 (a plain value of any type)
    """``value`` with half surrogate pairs replaced, as Go's JSON reader does: no file and no terminal takes them."""
    text = json.dumps(value, ensure_ascii=False)
    return json.loads(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def _whole(digits: str) -> int | float:
    # As Go's JSON reader and cli/reading/scalars.py: what does not fit in 64 bits is a floating point number.
    if len(digits) < _SHORT or (len(digits) <= _LONGEST_INTEGER and int(digits) in INT64):
        return int(digits)
    return _finite(digits)


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError(f"{number[:20]} is a number that JSON cannot express")
    return value


def _deeper(value: object, levels: int) -> bool:
    """Whether ``value`` nests more than ``levels`` mappings and lists."""
    layer = [value]
    for _ in range(levels + 1):
        layer = [
            child
            for node in layer
            if isinstance(node, dict | list)
            for child in (node.values() if isinstance(node, dict) else node)
        ]
    return bool(layer)
