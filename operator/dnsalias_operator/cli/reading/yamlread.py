"""YAML text into plain values with line numbers, tolerant between documents and strict within one.

Built on the events of libyaml, in one pass: half the time of PyYAML's own loader on 10,000 objects, no recursion on
deeply nested input, YAML aliases shared instead of expanded, and scalars as kubectl reads them (`scalars`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import yaml
from yaml import cyaml

from dnsalias_operator.cli.reading.problems import MAX_DEPTH, MAX_EXPANDED, Document, Fault, UnreadableError
from dnsalias_operator.cli.reading.scalars import resolve
from dnsalias_operator.cli.reading.yamlfaults import explain

_TAG = "tag:yaml.org,2002:"
_NO_KEY = object()
_MERGE = object()


Chunk = tuple[int, str]
"""A document's text, also of several that share directives, and the line of the stream before it."""


def read(chunk: Chunk) -> Iterator[Document | Fault]:
    """The documents of a part of a stream; one that cannot be read yields a `Fault`."""
    line, text = chunk
    try:
        yield from _Builder(line).read(text)
    except UnreadableError as error:
        yield replace(error.fault, source=text)
    except yaml.YAMLError as error:
        yield replace(explain(error, text, line), source=text)


@dataclass(slots=True)
class _Frame:
    """A mapping or sequence under construction.

    ``nodes`` counts the values in it, aliases expanded. ``lines`` gets the line of each element of a list if they are
    recorded.
    """

    value: dict[str, Any] | list[Any]
    line: int
    anchor: str | None
    key: Any = _NO_KEY
    nodes: int = 1
    merged: tuple[dict[str, Any], ...] = ()
    lines: list[int] | None = None


class _Builder:
    """Builds the values of one chunk from libyaml's events."""

    def __init__(self, first_line: int) -> None:
        self._offset = first_line + 1
        self._stack: list[_Frame] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._item_lines: list[int] = []
        self._port_lines: dict[int, list[int]] = {}
        self._expanded = 0
        self._done: list[Document] = []
        self._on: dict[type, Callable[[Any], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._open_mapping,
            yaml.MappingEndEvent: self._close,
            yaml.SequenceStartEvent: self._open_sequence,
            yaml.SequenceEndEvent: self._close,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._begin,
        }

    def read(self, text: str) -> Iterator[Document]:
        parser = cyaml.CParser(text)  # type: ignore[attr-defined]
        handlers = self._on
        while True:
            event = parser.get_event()
            handler = handlers.get(type(event))
            if handler:
                handler(event)
            elif isinstance(event, yaml.StreamEndEvent):
                break
        yield from self._done

    def _fail(self, event: Any, message: str) -> UnreadableError:  # noqa: ANN401 (PyYAML's events are untyped)
        return UnreadableError(event.start_mark.line + self._offset, event.start_mark.column + 1, message)

    def _begin(self, _event: Any) -> None:  # noqa: ANN401
        self._anchors.clear()
        self._item_lines = []
        self._port_lines = {}
        self._expanded = 0

    def _scalar(self, event: Any) -> None:  # noqa: ANN401
        value = event.value
        if event.implicit[0] or event.tag:
            try:
                value = _tagged(event.tag, value) if event.tag else resolve(value)
            except ValueError as error:
                raise self._fail(event, str(error)) from None
            if value == "<<" and event.implicit[0] and self._stack and self._stack[-1].key is _NO_KEY:
                value = _MERGE if isinstance(self._stack[-1].value, dict) else value
        if event.anchor:
            self._anchors[event.anchor] = (value, 1)
        frame = self._stack[-1] if self._stack else None
        # These two cases are nearly all of a file, and cost a third of `_add`, which would do the same.
        if frame is None or not isinstance(frame.value, dict) or frame.key is _MERGE:
            self._add(value, 1, event)
        elif frame.key is not _NO_KEY:
            frame.value[frame.key] = value
            frame.key = _NO_KEY
            frame.nodes += 1
        elif type(value) is str and value not in frame.value:
            frame.key = value
            frame.nodes += 1
        else:
            self._add(value, 1, event)

    def _open_mapping(self, event: Any) -> None:  # noqa: ANN401
        self._open({}, event)

    def _open_sequence(self, event: Any) -> None:  # noqa: ANN401
        self._open([], event)
        match [frame.key for frame in self._stack[-3:-1]]:
            case ["items"]:
                self._stack[-1].lines = self._item_lines
            case ["spec", "ports"]:
                begin = self._stack[-3].line
                # If two objects start in the same line, it identifies neither: none of them has lines of ports.
                shared = begin in self._port_lines
                self._port_lines[begin] = []
                self._stack[-1].lines = None if shared else self._port_lines[begin]
            case _:
                pass

    def _open(self, value: dict[str, Any] | list[Any], event: Any) -> None:  # noqa: ANN401
        if event.tag not in (None, f"{_TAG}map", f"{_TAG}seq"):
            raise self._fail(event, f"tag {event.tag} is not known; expected a plain value")
        if len(self._stack) == MAX_DEPTH:
            raise self._fail(event, f"nested more than {MAX_DEPTH} levels deep; no Kubernetes object is")
        if self._stack and isinstance(self._stack[-1].value, dict) and self._stack[-1].key is _NO_KEY:
            raise self._fail(event, "expected a key, got a mapping or list")
        if event.anchor:
            self._anchors[event.anchor] = (None, 0)
        self._stack.append(_Frame(value, event.start_mark.line + self._offset, event.anchor))

    def _close(self, event: Any) -> None:  # noqa: ANN401
        frame = self._stack.pop()
        if isinstance(frame.value, dict):
            for base in frame.merged:
                frame.value.update({k: v for k, v in base.items() if k not in frame.value})
        if frame.anchor:
            self._anchors[frame.anchor] = (frame.value, frame.nodes)
        self._add(frame.value, frame.nodes, event, frame.line)

    def _alias(self, event: Any) -> None:  # noqa: ANN401
        value, nodes = self._anchors.get(event.anchor, (None, None))
        if nodes is None:
            raise self._fail(event, f"alias *{event.anchor} refers to no anchor &{event.anchor} above it")
        if not nodes:
            raise self._fail(event, f"alias *{event.anchor} is inside its own anchor")
        self._expanded += nodes
        if self._expanded > MAX_EXPANDED:
            raise self._fail(event, f"its YAML aliases expand to more than {MAX_EXPANDED} values")
        self._add(value, nodes, event)

    def _add(self, value: Any, nodes: int, event: Any, line: int = 0) -> None:  # noqa: ANN401
        if not self._stack:
            line = line or event.start_mark.line + self._offset
            ports = {begin: tuple(lines) for begin, lines in self._port_lines.items()}
            self._done.append(Document(value, line, tuple(self._item_lines), ports))
            return
        frame = self._stack[-1]
        frame.nodes += nodes
        if isinstance(frame.value, list):
            if frame.lines is not None:
                frame.lines.append(line or event.start_mark.line + self._offset)
            frame.value.append(value)
        elif frame.key is _NO_KEY:
            frame.key = self._key(frame, value, event)
        elif frame.key is _MERGE:
            frame.merged += self._bases(value, event)
            frame.key = _NO_KEY
        else:
            frame.value[frame.key] = value
            frame.key = _NO_KEY

    def _key(self, frame: _Frame, key: Any, event: Any) -> Any:  # noqa: ANN401
        if key is _MERGE:
            return key
        if isinstance(key, dict | list) or key is None:
            raise self._fail(event, "expected a key, got a mapping, list or null")
        # As sigs.k8s.io/yaml: JSON knows text keys only, so `on:` becomes "true" and `80:` becomes "80".
        name = str(key).lower() if isinstance(key, bool) else str(key)
        if name in frame.value:
            raise self._fail(event, f"key {name!r} is given twice in the mapping that starts in line {frame.line}")
        return name

    def _bases(self, value: Any, event: Any) -> tuple[dict[str, Any], ...]:  # noqa: ANN401
        bases = value if isinstance(value, list) else [value]
        if not all(isinstance(base, dict) for base in bases):
            raise self._fail(event, "<< merges a mapping or a list of mappings, and this is neither")
        return tuple(bases)


def _tagged(tag: str, text: str) -> Any:  # noqa: ANN401 (a plain value of any type)
    if tag in ("!", f"{_TAG}str"):
        return text
    wanted = {"int": int, "float": float, "bool": bool, "null": type(None)}.get(tag.removeprefix(_TAG))
    value = resolve(text)
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if wanted is None or type(value) is not wanted:
        raise ValueError(f"tag {tag.replace(_TAG, '!!')} does not fit {text!r} or is not known; expected a plain value")
    return value
