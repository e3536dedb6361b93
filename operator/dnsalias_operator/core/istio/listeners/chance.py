"""What a listener may be besides, where it depends on an order that istiod does not promise."""

from itertools import permutations

from dnsalias_operator.core.istio.listeners.batches import batches_on
from dnsalias_operator.core.istio.listeners.build import build
from dnsalias_operator.core.istio.listeners.order import tied_on
from dnsalias_operator.core.istio.listeners.rows import Client, Listener
from dnsalias_operator.core.istio.listeners.scope import SidecarScope, scope_of
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.snapshot import Snapshot

MOST_TIED = 4
"""Of more objects in no order not every order is tried, only each of them first."""


def by_chance(snapshot: Snapshot, client: Client, mesh: Mesh, port: int) -> list[tuple[Listener, ...]]:
    """The listeners that a client may have on the port instead of those that are predicted.

    istiod lists objects from a Go map and sorts them by age and name: two entries of one second that share a host and a
    namespace are in no order, and after a restart of istiod perhaps in the other one.
    """
    scope = scope_of(snapshot, client, mesh)
    tied = tied_in(snapshot, scope, mesh, port)
    found = [build(batches_on(snapshot, scope, mesh, port), scope.fall_through, mesh)] if tied else []
    for first in permutations(tied) if len(tied) <= MOST_TIED else ((key,) for key in tied):
        other = scope.with_first(first)
        listeners = build(batches_on(snapshot, other, mesh, port), other.fall_through, mesh)
        found += [listeners] if listeners not in found else []
    return found[1:]


def tied_in(snapshot: Snapshot, scope: SidecarScope, mesh: Mesh, port: int) -> list[Key]:
    """The objects between which such an order is missing, for one client; sorted."""
    return sorted({key for egress in scope.on(port) for key in tied_on(snapshot, port, egress, mesh)})
