"""What the operator did, from the traces that it leaves in a cluster: its Events, and its entries of managedFields.

Events are kept for an hour by default; managedFields say of each manager when it wrote last, for as long as it owns a
field. So the older past is what was written last, the newer one every step.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dnsalias_operator.model.meta import Raw, integer, mapping, mappings, text, timestamp
from dnsalias_operator.model.names import KIND, OWN_MANAGER, REPAIR_MANAGER, Key

_WRITERS = (OWN_MANAGER, REPAIR_MANAGER)
_KINDS = (KIND, "ServiceEntry")


@dataclass(frozen=True, slots=True, order=True)
class Happening:
    """One thing that was done: ``at`` seconds since the epoch to ``key``; ``reason`` is "" for a write of fields.

    ``count`` is how often the same was reported; ``warning`` says that somebody has to act.
    """

    at: int
    key: Key
    reason: str
    message: str
    warning: bool = False
    count: int = 1


def history(events: Iterable[Raw], objects: Iterable[Raw]) -> tuple[Happening, ...]:
    """Everything that the Events and the objects tell of it, the oldest first; what has no time is left out."""
    found = {*_reported(events), *(one for raw in objects for one in _written(raw))}
    return tuple(sorted(found))


def _reported(events: Iterable[Raw]) -> Iterator[Happening]:
    """Events of events.k8s.io/v1, or of the core group, whose fields have other names (API docs: Event)."""
    for event in events:
        source = text(event.get("reportingController") or event.get("reportingComponent"))
        about = mapping(event.get("regarding") or event.get("involvedObject"))
        series = mapping(event.get("series"))
        times = (series.get("lastObservedTime"), event.get("eventTime"), event.get("deprecatedLastTimestamp"))
        at = next((t for time in (*times, event.get("lastTimestamp")) if (t := timestamp(time)) is not None), None)
        key = Key(text(about.get("kind")), text(about.get("namespace")), text(about.get("name")))
        if source != OWN_MANAGER or key.kind not in _KINDS or at is None:
            continue
        note = text(event.get("note") or event.get("message"))
        often = max(1, integer(series.get("count")) or integer(event.get("deprecatedCount")) or 1)
        yield Happening(at, key, text(event.get("reason")), note, event.get("type") == "Warning", often)


def _written(raw: Raw) -> Iterator[Happening]:
    meta = mapping(raw.get("metadata"))
    key = Key(text(raw.get("kind")), text(meta.get("namespace")), text(meta.get("name")))
    for managed in mappings(meta.get("managedFields")):
        at = timestamp(managed.get("time"))
        fields = sorted(_fields(mapping(managed.get("fieldsV1"))))
        if key.kind in _KINDS and managed.get("manager") in _WRITERS and at is not None and fields:
            yield Happening(at, key, "", f"{text(managed.get('manager'))} wrote {', '.join(fields)}")


def _fields(owned: Raw) -> Iterator[str]:
    """The fields of spec, or status as a whole; labels and the like say nothing about what was done."""
    yield from (f"spec.{name.removeprefix('f:')}" for name in map(str, mapping(owned.get("f:spec"))) if name != ".")
    if "f:status" in owned:
        yield "status"
