"""Turns the documents of one file into `Item`s and reports what is wrong with them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Any

from dnsalias_operator.cli.reading import templates
from dnsalias_operator.cli.reading.inputs import Item
from dnsalias_operator.cli.reading.problems import Document, Fault, Place, Problem, Skipped
from dnsalias_operator.cli.reading.shapes import faults, kind_fault, lacks_kind, mentions_kind, shown, texts
from dnsalias_operator.cli.reading.walk import File
from dnsalias_operator.model.dnsalias import DnsAlias
from dnsalias_operator.model.kinds import KINDS, Object, kind_of
from dnsalias_operator.model.meta import Raw, mapping, text


@dataclass(slots=True)
class Collector:
    """Takes the documents of one file, checks their identity and sorts out what is no Kubernetes object.

    In a file that was named, anything but an object is a problem; in one found in a folder it is skipped.
    """

    file: File
    namespace: str
    source: str
    items: list[Item] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    unprinted: list[Problem] = field(default_factory=list)
    _variables: bool = False

    def add(self, documents: Iterable[Document | Fault]) -> None:
        """Add all of them, or none of a template."""
        read = [*documents]
        self._variables = "${" in self.source
        template = templates.template(self.file.path, self.source, read)
        if not template:
            for document in read:
                if isinstance(document, Fault):
                    self._fault(document)
                else:
                    lines = document.port_lines
                    self._add(document.value, document.line, document.item_lines, lines)
            if "{{" in self.source and any(templates.braces(_texts(item)) for item in self.items):
                template = templates.helm(self.file.path)
        if template:
            self.items, self.skipped, self.unprinted = [], [], []
            self.problems = [Problem(self.file.path, 0, 0, template, self.file.named)]

    def _fault(self, fault: Fault) -> None:
        problem = Problem(self.file.path, fault.line, fault.column, fault.message, self.file.named)
        if self.file.named or mentions_kind(fault.source):
            self.problems.append(problem)
        elif "apiVersion" in fault.source:
            self.unprinted.append(problem)
        else:
            self.skipped.append(Skipped.NO_OBJECT)

    def _add(
        self, value: object, line: int, item_lines: Iterable[int], port_lines: Mapping[int, tuple[int, ...]]
    ) -> None:
        """Add an object, or every element of a List; faults become problems."""
        if value is None:
            return
        if isinstance(value, Mapping) and isinstance(value.get("items"), list) and _kind(value).endswith("List"):
            # The line of an element of a List within a List is not recorded: it gets the position of the inner List.
            for element, begin in zip(_elements(value), chain(item_lines, repeat(line)), strict=False):
                self._add(element, begin, (), port_lines)
            return
        if isinstance(value, Mapping) and _kind(value) == "List" and value.get("items") is not None:
            self._problem(line, f"List: items: expected a list, got {shown(value['items'])}")
            return
        raw, typed, fault = self._read(value)
        if fault:
            self._problem(line, fault)
        if raw is not None:
            place = Place(self.file.path, line)
            self.items.append(Item(raw, typed, place, self.file.real, port_lines.get(line, ()), self.file.named))

    def _problem(self, line: int, message: str) -> None:
        self.problems.append(Problem(self.file.path, line, 0, message, self.file.named))

    def _read(self, value: object) -> tuple[Raw | None, Object | None, str]:
        if not isinstance(value, Mapping) or not _kind(value) or not text(value.get("apiVersion")):
            if self.file.named or (isinstance(value, Mapping) and lacks_kind(value)):
                return None, None, f"expected a Kubernetes object with apiVersion and kind, got {shown(value)}"
            self.skipped.append(Skipped.NO_OBJECT)
            return None, None, ""
        group, named = _identity(value)
        kind = kind_of(group, named)
        if kind is None:
            return value, None, kind_fault(group, named)
        fault = _metadata_fault(value.get("metadata"))
        if fault:
            return None, None, f"{named}: {fault}"
        raw = self._placed(value) if kind.namespaced and not value["metadata"].get("namespace") else value
        typed = kind.parse(raw)
        if self._variables and (unreplaced := templates.variable(texts(raw, kind))):
            return None, None, f"{typed.key}: {unreplaced}"
        fault = faults(raw, kind) or (typed.fault if isinstance(typed, DnsAlias) else "")
        return raw, typed, f"{typed.key}: {fault}" if fault else ""

    def _placed(self, value: Mapping[str, Any]) -> Raw:
        # Set explicitly, so that the output is what was decided on, in whatever context it is applied.
        return {**value, "metadata": {**value["metadata"], "namespace": self.namespace}}


def _texts(item: Item) -> Mapping[str, str]:
    return texts(item.raw, KINDS[item.key.kind]) if item.key else {}


def _got(value: object) -> str:
    # YAML does not read y, no, 123 and 1e3 as text.
    quotes = "; put it in quotes" if isinstance(value, bool | int | float) else ""
    return f", got {shown(value)}{quotes}" if value not in (None, "") else ""


def _elements(value: Mapping[str, Any]) -> Iterator[object]:
    # The API server leaves apiVersion and kind out of the elements of its typed lists.
    inherited = {} if value["kind"] == "List" else {"kind": _kind(value).removesuffix("List")}
    for element in value["items"]:
        if isinstance(element, dict) and inherited and not ({"apiVersion", "kind"} & element.keys()):
            yield {"apiVersion": value.get("apiVersion"), **inherited, **element}
        else:
            yield element


def _kind(value: Mapping[str, Any]) -> str:
    return text(value.get("kind"))


def _identity(raw: Raw) -> tuple[str, str]:
    """API group and kind."""
    group, slash, _ = text(raw.get("apiVersion")).partition("/")
    return group if slash else "", _kind(raw)


def _metadata_fault(meta: object) -> str:
    """What the API server would refuse in metadata, and the typed views would silently treat as absent."""
    if not isinstance(meta, Mapping):
        return "metadata: required, and not given"
    if not text(meta.get("name")):
        return "metadata.name: expected a name" + _got(meta.get("name"))
    if not isinstance(meta.get("namespace"), str | None):
        return "metadata.namespace: expected a name" + _got(meta["namespace"])
    for name in ("labels", "annotations"):
        entries = meta.get(name)
        if entries is not None and not isinstance(entries, Mapping):
            return f"metadata.{name}: expected a mapping, got {shown(entries)}"
        for key, entry in mapping(entries).items():
            if not isinstance(entry, str):
                return f"metadata.{name}.{key}: expected text, got {shown(entry)}; put it in quotes"
    return ""
