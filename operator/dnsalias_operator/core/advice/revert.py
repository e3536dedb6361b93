"""What taking our patches out of other people's entries would do: the writes, and the listeners that they reopen.

An entry that is reverted is opted out in the same write, or the running operator would repair it again at once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dnsalias_operator.core.changes import repaired
from dnsalias_operator.core.entries.decide import severity_of
from dnsalias_operator.core.entries.ownership import claims_to_be_ours, opted_out, patched_fields
from dnsalias_operator.core.istio.listeners import Pods, Reach, Row, alike, listeners_on, pod_classes, reach
from dnsalias_operator.core.outcome import Change, Severity
from dnsalias_operator.core.reasons import Reason, Why
from dnsalias_operator.core.traffic.catch_all import catches
from dnsalias_operator.core.traffic.takeover import takes_away
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.meta import mapping
from dnsalias_operator.model.names import REPAIR_ANNOTATION, Key
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Undo:
    """One entry without our patch.

    ``severity`` is that of the entry afterwards, ``harm`` says in words why it is critical ("" where it is not).
    ``opposed`` is the annotation's value that somebody wrote and that the write would replace, "" where there is none.
    """

    change: Change
    severity: Severity
    harm: str = ""
    opposed: str = ""


@dataclass(frozen=True, slots=True)
class Shift:
    """Listeners of one port that differ afterwards, for the pods of ``seen_from``: rows that go, and that come."""

    port: int
    seen_from: Reach
    gone: tuple[Row, ...]
    new: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Reversal:
    """Every undo, by key, and what all of them together do to the listeners, by port."""

    undos: tuple[Undo, ...]
    shifts: tuple[Shift, ...]

    @property
    def critical(self) -> tuple[Undo, ...]:
        """Those after which an entry takes traffic that is not meant for it."""
        return tuple(undo for undo in self.undos if undo.severity is Severity.CRITICAL)


def patched_entries(world: Snapshot, namespace: str = "") -> tuple[Key, ...]:
    """Other people's entries that have something of ours, in one namespace or in all."""
    found = world.entries_in(namespace) if namespace else world.entries()
    return tuple(sorted(entry.key for entry in found if is_patched(entry)))


def is_patched(entry: ServiceEntry) -> bool:
    """Whether our repair manager owns a field of the entry; one of our own entries is none of these."""
    return bool(patched_fields(entry)) and not claims_to_be_ours(entry) and not entry.meta.deleting


def revert(world: Snapshot, keys: Iterable[Key], rules: Rules) -> Reversal:
    """Take our patches out of these entries; those that have none are left out."""
    entries = [e for k in sorted(set(keys)) if (e := world.entry(k.namespace, k.name)) and is_patched(e)]
    changes = {entry.key: _withdrawn(entry) for entry in entries}
    bare = {key: ServiceEntry.parse(change.after or {}) for key, change in changes.items()}
    after = world.with_changes(bare)
    undos = tuple(_undo(after, entry, changes[entry.key], bare[entry.key], rules) for entry in entries)
    ports = sorted({port.number for entry in entries for port in entry.ports})
    return Reversal(undos, tuple(shift for port in ports for shift in _shifts(world, after, rules.mesh, port)))


def _undo(after: Snapshot, entry: ServiceEntry, change: Change, bare: ServiceEntry, rules: Rules) -> Undo:
    severity = severity_of(after, bare, None, rules)
    wrote = entry.meta.annotations.get(REPAIR_ANNOTATION, "")
    return Undo(
        change=change,
        severity=severity,
        harm=_harm(after, bare, rules.mesh) if severity is Severity.CRITICAL else "",
        opposed="" if opted_out(entry) else wrote,
    )


def _harm(after: Snapshot, bare: ServiceEntry, mesh: Mesh) -> str:
    if ports := catches(after, bare, mesh):
        listed = ", ".join(f"0.0.0.0:{port}" for port in ports)
        return f"it listens on {listed} again and takes every connection there that no other listener claims"
    taken = takes_away(after, bare, mesh)
    return taken.describe(bare.key) if taken else ""


def _withdrawn(entry: ServiceEntry) -> Change:
    """One server-side apply of our repair manager: its fields go, and the annotation comes unless it is there."""
    fields = patched_fields(entry)
    listed = " and ".join(f"spec.{name}" for name in sorted(fields))
    why = Why(Reason.WITHDRAWN, f"{listed} go, which {entry.key} had from this operator")
    change = repaired(entry, {}, fields, why)
    if change is None:  # `is_patched` was asked before
        raise ValueError(f"{entry.key} has nothing to revert")
    if opted_out(entry):
        return change
    note = {REPAIR_ANNOTATION: "false"}
    apply = {**change.apply, "metadata": {**change.apply["metadata"], "annotations": note}}
    return replace(change, apply=apply, after=_annotated(change.after or {}, note))


def _annotated(raw: Mapping[str, Any], note: Mapping[str, str]) -> dict[str, Any]:
    meta = mapping(raw.get("metadata"))
    return {**raw, "metadata": {**meta, "annotations": {**mapping(meta.get("annotations")), **note}}}


def _shifts(before: Snapshot, after: Snapshot, mesh: Mesh, port: int) -> Iterable[Shift]:
    """One for every set of namespaces that see the same difference, those that see most of it first."""

    def shift(pods: Pods) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
        had, have = (
            {row: None for found in listeners_on(world, pods.client, mesh, port) for row in found.every_row}
            for world in (before, after)
        )
        return tuple(sorted(r for r in had if r not in have)), tuple(sorted(r for r in have if r not in had))

    every = pod_classes(after, mesh, port)
    for (gone, new), seeing in alike(every, shift).items():
        if gone or new:
            yield Shift(port, reach(after, every, seeing), gone, new)
