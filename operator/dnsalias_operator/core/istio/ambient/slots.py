"""Which of several services on one address ztunnel has: a slot for everybody up to 1.29, from 1.30 on one a namespace.

Measured with ztunnel of 1.31, and read in the source of 1.24 to 1.29 (docs/ambient.md, "Who has an address").
Source: ServiceStore in src/state/service.rs of ztunnel (by_vip, insert, remove, find_best_match).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from dnsalias_operator.core.istio.ambient.records import ServiceRecord
from dnsalias_operator.model.mesh import Mesh


@dataclass(frozen=True, slots=True)
class Slots:
    """What one ztunnel has at one address or prefix, after what it was told in an order that is known.

    ``by_namespace`` is whether each namespace has a slot; ``there`` has what is in them, in the order in which the
    slots came to be. ``known`` are the records that it was told of and that are not gone.
    """

    by_namespace: bool
    there: tuple[ServiceRecord, ...] = ()
    known: frozenset[str] = frozenset()

    def told(self, record: ServiceRecord) -> "Slots":
        """After the record came: it takes its slot, whoever was there; one that comes again is removed before."""
        before = self.gone(record) if record.full_name in self.known else self
        return replace(before.touched(record), known=before.known | {record.full_name})

    def touched(self, record: ServiceRecord) -> "Slots":
        """After an endpoint of the record changed: it takes its slot, whoever was there, in the slot's place."""
        if not self.by_namespace:
            return replace(self, there=(record,))
        if any(r.namespace == record.namespace for r in self.there):
            there = tuple(record if r.namespace == record.namespace else r for r in self.there)
        else:
            there = (*self.there, record)
        return replace(self, there=there)

    def gone(self, record: ServiceRecord) -> "Slots":
        """After the record was removed: its slot is empty, also where another record was in it."""
        there = tuple(r for r in self.there if self.by_namespace and r.namespace != record.namespace)
        return replace(self, there=there, known=self.known - {record.full_name})

    def answer(self, namespace: str) -> ServiceRecord | None:
        """Which one a client of that namespace gets: its own namespace's, else the last canonical one, else the first.

        One that is kept to its namespace is for no other.
        """
        there = [r for r in self.there if r.public or r.namespace == namespace]
        own = [r for r in there if r.namespace == namespace]
        canonical = [r for r in there if r.canonical]
        if not self.by_namespace:
            return there[0] if there else None
        return next(iter((*own[-1:], *canonical[-1:], *there[:1])), None)


def told(mesh: Mesh, *records: ServiceRecord) -> Slots:
    """What a ztunnel of the mesh's release has at an address of all these records, told in that order."""
    slots = Slots(by_namespace=mesh.since(1, 30))
    for record in records:
        slots = slots.told(record)
    return slots


def chosen(records: Iterable[ServiceRecord], namespace: str, mesh: Mesh) -> tuple[ServiceRecord, ...]:
    """Every record that a client of the namespace may get at an address that all of these have, by chance.

    Nobody knows in which order a ztunnel was told of them: the endpoints of one push come in an order of their own in
    every ztunnel.
    """
    there = [r for r in records if r.public or r.namespace == namespace]
    if not mesh.since(1, 30):
        return tuple(there)
    own = tuple(r for r in there if r.namespace == namespace)
    if own:
        return own
    canonical = tuple(r for r in there if r.canonical)
    # One that is not canonical answers only where no slot has a canonical one at that moment.
    others = {r.namespace for r in there if not r.canonical}
    return tuple(there) if all(r.namespace in others for r in there) else canonical
