"""`--baseline FILE`: findings that a team has accepted for now, so that only new ones count.

A row names a finding by what does not change when the file is edited: code, kind, namespace, name and port, never a
line or a message. It accepts one such finding of its severity or a milder one; a finding that became worse is new.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from dnsalias_operator.core.outcome import Finding, Severity

Each = TypeVar("Each", bound=Finding)

VERSION = 1
_TEXTS = ("code", "kind", "namespace", "name")


class BaselineError(Exception):
    """The file cannot be used; the message names the file, the row and the remedy."""


class Fingerprint(NamedTuple):
    """Identifies a finding across edits; ``port`` is None if it concerns the whole object."""

    code: str
    kind: str
    namespace: str
    name: str
    port: int | None

    @classmethod
    def of(cls, finding: Finding) -> "Fingerprint":
        """The fingerprint of a finding."""
        return cls(finding.code, *finding.key, finding.port)

    def __str__(self) -> str:
        at = f" port {self.port}" if self.port is not None else ""
        return f"{self.code} of {self.kind} {self.namespace}/{self.name}{at}"


@dataclass(frozen=True, slots=True)
class Row:
    """One accepted finding. ``note`` is a person's comment ("" for none); it is kept when the file is written again."""

    fingerprint: Fingerprint
    severity: Severity
    note: str = ""

    def accepts(self, finding: Finding) -> bool:
        """Whether a finding with this fingerprint is no worse than what was accepted."""
        return finding.severity.rank >= self.severity.rank


@dataclass(frozen=True, slots=True)
class Division(Generic[Each]):
    """Findings compared with a baseline: those without a row, those with one, and the rows that no longer match."""

    new: tuple[Each, ...]
    accepted: tuple[tuple[Each, Row], ...]
    stale: tuple[Row, ...]


def divide(findings: Iterable[Each], rows: Iterable[Row]) -> Division[Each]:
    """Match each finding with one row; the order of the findings is kept."""
    open_rows: dict[Fingerprint, list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.severity.rank):
        open_rows[row.fingerprint].append(row)
    new, accepted = [], []
    for finding in findings:
        candidates = open_rows[Fingerprint.of(finding)]
        fitting = next((row for row in candidates if row.accepts(finding)), None)
        if fitting is None:
            new.append(finding)
        else:
            candidates.remove(fitting)
            accepted.append((finding, fitting))
    stale = [row for candidates in open_rows.values() for row in candidates]
    return Division(tuple(new), tuple(accepted), tuple(sorted(stale, key=_order)))


def read(path: str, *, may_be_new: bool = False) -> tuple[Row, ...]:
    """The rows of a baseline file; none if it ``may_be_new`` and does not exist.

    Raises:
        BaselineError: it cannot be read, or is no baseline.
    """
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        if may_be_new:
            return ()
        raise BaselineError(f"{path}: no such file; --write-baseline creates it") from error
    except OSError as error:
        raise BaselineError(f"{path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise BaselineError(f"{path}: expected JSON as --write-baseline writes it: {error}") from error
    if not isinstance(document, Mapping) or not isinstance(document.get("findings"), list):
        raise BaselineError(f"{path}: expected an object with a list `findings`, as --write-baseline writes it")
    if document.get("version") != VERSION:
        raise BaselineError(f"{path}: version: expected {VERSION}, got {document.get('version')!r}")
    return tuple(_row(value, f"{path}: findings[{index}]") for index, value in enumerate(document["findings"]))


def text_of(findings: Iterable[Finding], rows: Iterable[Row]) -> str:
    """The baseline that accepts these findings: sorted JSON, one finding per line, with the former rows' notes."""
    notes: dict[Fingerprint, list[str]] = defaultdict(list)
    for row in rows:
        notes[row.fingerprint].append(row.note)
    made = []
    for finding in findings:
        fingerprint = Fingerprint.of(finding)
        note = notes[fingerprint].pop(0) if notes[fingerprint] else ""
        made.append(Row(fingerprint, finding.severity, note))
    lines = ",\n".join(f"    {json.dumps(_as_dict(row), ensure_ascii=False)}" for row in sorted(made, key=_order))
    listed = f"[\n{lines}\n  ]" if made else "[]"
    return f'{{\n  "version": {VERSION},\n  "findings": {listed}\n}}\n'


def write(path: str, findings: Iterable[Finding], rows: Iterable[Row]) -> None:
    """Write the baseline that accepts these findings; ``rows`` are the former rows.

    Raises:
        BaselineError: it cannot be written.
    """
    try:
        # A lone surrogate, which UTF-8 cannot encode, is written as its JSON escape.
        Path(path).write_text(text_of(findings, rows), encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise BaselineError(f"{path}: {error.strerror}") from error


def _order(row: Row) -> tuple[Any, ...]:
    """Sort key: by object, so that a diff of the file shows the changes of an object together."""
    code, *key, port = row.fingerprint
    return (*key, code, port or 0, row.severity.rank, row.note)


def _as_dict(row: Row) -> dict[str, Any]:
    named = row.fingerprint._asdict()
    port = named.pop("port")
    return {
        **named,
        **({} if port is None else {"port": port}),
        "severity": row.severity.value,
        **({"note": row.note} if row.note else {}),
    }


def _row(value: object, where: str) -> Row:
    if not isinstance(value, Mapping):
        raise BaselineError(f"{where}: expected an object, got {value!r:.60}")
    for field in _TEXTS:
        if not isinstance(value.get(field), str):
            raise BaselineError(f"{where}.{field}: expected text, got {value.get(field)!r:.60}")
    port, note, severity = value.get("port"), value.get("note", ""), value.get("severity")
    if port is not None and (not isinstance(port, int) or isinstance(port, bool)):
        raise BaselineError(f"{where}.port: expected a number, or no port for the whole object, got {port!r:.60}")
    if not isinstance(note, str):
        raise BaselineError(f"{where}.note: expected text, got {note!r:.60}")
    if severity not in list(Severity):
        legal = ", ".join(Severity)
        raise BaselineError(f"{where}.severity: expected one of {legal}, got {severity!r:.60}")
    unknown = sorted(map(str, value.keys() - {*_TEXTS, "port", "severity", "note"}))
    if unknown:
        raise BaselineError(f"{where}.{unknown[0]}: no such field; put your own comment into `note`")
    code, kind, namespace, name = (str(value[field]) for field in _TEXTS)
    return Row(Fingerprint(code, kind, namespace, name, port), Severity(str(severity)), note)
