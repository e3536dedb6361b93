"""The operator's picture of the cluster: fed by the watch, by full lists and by the answers to our own writes.

Three sources report the same objects in any order, so each change is checked: an older resourceVersion never replaces
a newer one (read-your-writes), and a deletion removes only the object with that uid, which then never comes back. The
watch may miss a deletion (docs/kopf.md, "Missed deletions"), so a full list is compared with what stands here.
"""

import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Container, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from dnsalias_operator.model.kinds import KINDS, Object
from dnsalias_operator.model.meta import Raw, mapping, text
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.snapshot import LiveSnapshot
from dnsalias_operator.shell.watching.slim import slim

_TOMBSTONES = 10_000
"""uids of deleted objects kept: far more than a watch can be late by."""


@dataclass(frozen=True, slots=True)
class StoreChange:
    """An object before and after; one of them is None where it appeared or went.

    ``written`` is the field of it that we have just written ourselves: a difference there is no news. ``ours`` says
    that the object is the answer to a write of ours.
    """

    old: Object | None
    new: Object | None
    written: str = ""
    ours: bool = False

    @property
    def matters(self) -> bool:
        """Whether anything but bookkeeping differs in what the store keeps."""
        if self.old is None or self.new is None:
            return True
        return _content(self.old, self.written) != _content(self.new, self.written)

    @property
    def key(self) -> Key:
        """Identity of the object."""
        one = self.new or self.old
        if one is None:
            raise ValueError("a change of nothing")
        return one.key


def _content(obj: Object, written: str) -> dict[str, Any]:
    meta = {k: v for k, v in mapping(obj.raw.get("metadata")).items() if k != "resourceVersion"}
    return {**obj.raw, "metadata": meta, **({written: None} if written else {})}


def older(version: str, than: str) -> bool:
    """Whether a resourceVersion is certainly older than another.

    They are opaque by contract, comparable as numbers on API servers since 1.35; others are never called older.
    """
    return version.isdecimal() and than.isdecimal() and int(version) < int(than)


class Store:
    """Holds the live snapshot. ``on_change`` hears of every change, after it was made."""

    def __init__(
        self,
        kinds: Iterable[str],
        on_change: Callable[[StoreChange], None] = lambda _: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.kinds = tuple(kinds)
        self.world = LiveSnapshot(namespaces_known="Namespace" in self.kinds)
        self.last_event: dict[str, float] = {}
        self.last_list: dict[str, float] = {}
        self.missed: dict[str, dict[Key, str]] = defaultdict(dict)
        self._on_change = on_change
        self._clock = clock
        self._gone: OrderedDict[str, None] = OrderedDict()

    @property
    def synced(self) -> bool:
        """Whether every kind was listed once: before that nothing may be concluded from an absence."""
        return not self.unlisted()

    def unlisted(self) -> tuple[str, ...]:
        """The kinds that were never listed."""
        return tuple(kind for kind in self.kinds if kind not in self.last_list)

    def count(self, kind: str) -> int:
        """How many objects of a kind stand here."""
        return len(self.world.find("kind", kind))

    def observe(self, kind: str, raw: Raw, *, deleted: bool = False) -> StoreChange | None:
        """Take in an event of the watch; returns what it changed, None where it brought nothing new."""
        self.last_event[kind] = self._clock()
        change = self.remove(kind, raw) if deleted else self.put(kind, raw)
        self.missed[kind].pop(key_of(kind, raw), None)
        return change

    def put(self, kind: str, raw: Raw, written: str = "", *, ours: bool = False) -> StoreChange | None:
        """Take in an object as the API server returned it; None where it is known, older, or deleted already.

        ``written`` and ``ours`` as in `StoreChange`.
        """
        key = key_of(kind, raw)
        meta = mapping(raw.get("metadata"))
        if text(meta.get("uid")) in self._gone:
            return None
        old = self.world.get(key)
        version = text(meta.get("resourceVersion"))
        if old is not None and (old.meta.resource_version == version or older(version, old.meta.resource_version)):
            return None
        new = KINDS[kind].parse(slim(raw, KINDS[kind]))
        self.world.put(new)
        if old is not None and old.meta.uid != new.meta.uid:
            self._bury(old.meta.uid)
        return self._changed(StoreChange(old, new, written, ours))

    def remove(self, kind: str, raw: Raw) -> StoreChange | None:
        """Take in a deletion: of the object with that uid, or of nothing."""
        uid = text(mapping(raw.get("metadata")).get("uid"))
        self._bury(uid)
        old = self.world.get(key_of(kind, raw))
        if old is None or old.meta.uid != uid:
            return None
        self.world.discard(old.key)
        return self._changed(StoreChange(old, None))

    def sweep(self, kind: str, seen: AbstractSet[Key], started: str) -> tuple[StoreChange, ...]:
        """End a full list: remove what it does not have; returns the ghosts that were removed.

        Args:
            kind: the kind that was listed; each object went through `put` already.
            seen: the keys of the list.
            started: resourceVersion of the list: what is newer here and not in the list came after it.
        """
        ghosts = []
        for old in self.world.find("kind", kind):
            if old.key not in seen and not older(started, old.meta.resource_version):
                self._bury(old.meta.uid)
                self.world.discard(old.key)
                ghosts.append(self._changed(StoreChange(old, None)))
        self.last_list[kind] = self._clock()
        return tuple(ghosts)

    def corrected(self, kind: str, changes: Iterable[StoreChange]) -> None:
        """Remember what a full list brought: the watch may only be a moment late with it (`settle` decides)."""
        self.missed[kind].update({c.key: "missed" if c.new else "ghost" for c in changes})

    def settle(self, kind: str) -> dict[str, int]:
        """Corrections that the watch has not brought since: how many ghosts, how many missed; then forgotten."""
        left = list(self.missed.pop(kind, {}).values())
        return {what: left.count(what) for what in sorted(set(left))}

    def _bury(self, uid: str) -> None:
        if uid:
            self._gone[uid] = None
            while len(self._gone) > _TOMBSTONES:
                self._gone.popitem(last=False)

    def _changed(self, change: StoreChange) -> StoreChange:
        self._on_change(change)
        return change


def key_of(kind: str, raw: Raw) -> Key:
    """Identity of a raw object of that kind."""
    meta = mapping(raw.get("metadata"))
    return Key(kind, text(meta.get("namespace")), text(meta.get("name")))


def stale_kinds(
    store: Store, resync_seconds: float, failing: Container[str] = (), clock: Callable[[], float] = time.time
) -> list[str]:
    """Kinds of which neither the watch nor a full list has brought anything for two and a half intervals and a minute.

    Not those that were never listed, or of which the list is ``failing``: that is for readiness and alerts to report. A
    new process would not list them either, and would know nothing where this one has a watch.
    """
    limit = 2.5 * resync_seconds + 60
    now = clock()
    out = []
    for kind in store.kinds:
        if kind not in store.last_list or kind in failing:
            continue
        age = now - max(store.last_list[kind], store.last_event.get(kind, 0))
        if age > limit:
            out.append(f"{kind}: no news for {age:.0f} s (limit {limit:.0f} s)")
    return out
