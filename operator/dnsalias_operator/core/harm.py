"""What an entry takes as things stand, and what it catches: the harm that is told, and that a repair must not leave.

Source: facts/istio.md part 1 (catch-alls) and part 3 (whose traffic still arrives where an entry has the address).
"""

from dataclasses import replace

from dnsalias_operator.core.backends import leads_to, selects_pods_of
from dnsalias_operator.core.guard import Moved, catches_all, takes_from
from dnsalias_operator.core.lacking import lacks_addresses
from dnsalias_operator.core.streams import caught_by_sidecars
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot


def takes_away(world: Snapshot, entry: ServiceEntry, mesh: Mesh) -> Moved | None:
    """The first Service address whose traffic the entry takes, and which then ends elsewhere; or None.

    Not what ends at the Service's own pods and port all the same, with their mTLS, nor what is shared by chance.
    """
    left = entry
    for _ in entry.ports:
        taken = takes_from(world.with_changes({entry.key: left}), left, mesh)
        if taken is None or not (taken.bare or _arrives(world, entry, taken, mesh)):
            return taken
        left = replace(left, ports=tuple(p for p in left.ports if p.number != taken.port))
    return None


def _arrives(world: Snapshot, entry: ServiceEntry, taken: Moved, mesh: Mesh) -> bool:
    service = world.service(taken.loser.namespace, taken.loser.name)
    if taken.mismatch or service is None or not selects_pods_of(entry, service):
        return False
    return all(leads_to(world, entry, p, service, mesh) for p in entry.ports if p.number == taken.port)


def catches(world: Snapshot, entry: ServiceEntry, mesh: Mesh) -> tuple[int, ...]:
    """Ports on which the entry takes any connection: by itself, or where a Sidecar takes them for bytes."""
    by_sidecars = caught_by_sidecars(world, entry, mesh) if lacks_addresses(entry) else frozenset[tuple[str, int]]()
    return tuple(sorted({*catches_all(entry, mesh), *(port for _, port in by_sidecars)}))
