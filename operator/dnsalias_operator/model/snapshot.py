"""The world as the core sees it: indexed objects, the same type whether they came from a cluster or from files.

A lookup costs in proportion to what it finds, a what-if (`with_changes`) in proportion to what it changes.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, TypeVar

from dnsalias_operator.model.index import indexed
from dnsalias_operator.model.kinds import KINDS, Object
from dnsalias_operator.model.lookups import Lookups
from dnsalias_operator.model.names import Key

Result = TypeVar("Result")


class Snapshot(Lookups):
    """Objects by key and by index. Read-only; `LiveSnapshot` is the one that changes.

    ``namespaces_known`` is False where Namespaces were not read (files, a namespaced install): then nothing is known
    of ambient mode.
    """

    def __init__(self, objects: Iterable[Object] = (), *, namespaces_known: bool = False) -> None:
        self.namespaces_known = namespaces_known
        self._memo: dict[Hashable, Any] = {}
        self._objects: dict[Key, Object] = {}
        self._index: dict[tuple[str, Hashable], dict[Key, None]] = defaultdict(dict)
        for obj in objects:
            self._put(obj)

    def get(self, key: Key) -> Object | None:
        """The object of that identity, or None."""
        return self._objects.get(key)

    def find(self, index: str, value: Hashable) -> list[Object]:
        """Objects whose ``index`` holds ``value``, sorted by key."""
        return [self._objects[key] for key in sorted(self._index.get((index, value), ()))]

    def remembered(self, question: Hashable, answer: Callable[[], Result]) -> Result:
        """What ``answer`` computes from this very state, computed once; forgotten when anything changes."""
        if question not in self._memo:
            self._memo[question] = answer()
        known: Result = self._memo[question]
        return known

    def with_changes(self, changes: Mapping[Key, Object | None]) -> "Snapshot":
        """The world with each key replaced by the object, or removed if that is None."""
        return _Overlay(self, changes)

    def objects(self) -> list[Object]:
        """Every object, sorted by kind and key."""
        return [o for kind in KINDS for o in self.find("kind", kind)]

    def ports(self) -> list[int]:
        """Every port number that some Service or ServiceEntry has, sorted."""
        return sorted(value for index, value in self._index_keys() if index == "port" and isinstance(value, int))

    def namespaces_with_objects(self) -> list[str]:
        """The name of every namespace that has an object here, sorted; whether it exists itself is not asked."""
        placed = (value for index, value in self._index_keys() if index == "namespace")
        return sorted({value[1] for value in placed if isinstance(value, tuple) and value[1]})

    def _index_keys(self) -> set[tuple[str, Hashable]]:
        return {k for k, members in self._index.items() if members}

    def _put(self, obj: Object) -> None:
        key = obj.key
        self._drop(key)
        self._memo.clear()
        self._objects[key] = obj
        for item in indexed(obj):
            self._index[item][key] = None

    def _drop(self, key: Key) -> Object | None:
        gone = self._objects.pop(key, None)
        if gone is not None:
            self._memo.clear()
            for item in indexed(gone):
                members = self._index[item]
                members.pop(key, None)
                if not members:
                    self._index.pop(item, None)
        return gone


class LiveSnapshot(Snapshot):
    """The snapshot that the operator's store keeps up to date; changed only between decisions, never within one."""

    def put(self, obj: Object) -> None:
        """Add or replace an object."""
        self._put(obj)

    def discard(self, key: Key) -> Object | None:
        """Remove an object; returns what was there."""
        return self._drop(key)


class _Overlay(Snapshot):
    """A base snapshot with a few keys replaced; flattens when stacked, so that depth never grows."""

    def __init__(self, base: Snapshot, changes: Mapping[Key, Object | None]) -> None:
        merged = dict(changes)
        if isinstance(base, _Overlay):
            merged = {**base._changed, **merged}  # noqa: SLF001 (the same class)
            base = base._base  # noqa: SLF001
        super().__init__((o for o in merged.values() if o is not None), namespaces_known=base.namespaces_known)
        self._base: Snapshot = base
        self._changed: Mapping[Key, Object | None] = merged

    def get(self, key: Key) -> Object | None:
        return self._changed[key] if key in self._changed else self._base.get(key)

    def find(self, index: str, value: Hashable) -> list[Object]:
        mine = self._index.get((index, value), ())
        theirs = self._base._index.get((index, value), ())  # noqa: SLF001 (the same class)
        keys = sorted((*mine, *(key for key in theirs if key not in self._changed)))
        return [self._objects[key] if key in self._objects else self._base._objects[key] for key in keys]  # noqa: SLF001

    def _index_keys(self) -> set[tuple[str, Hashable]]:
        # A key that only a removed object had may stay in: callers look the members up and find none.
        return super()._index_keys() | self._base._index_keys()  # noqa: SLF001
