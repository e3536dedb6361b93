"""The model of who owns which outbound listener; every rule of Istio about listeners stands in this package.

What it models: a sidecar of an IPv4 or dual-stack pod, under the release of Istio that the mesh has. `services` turns
objects into istiod's internal services, `scope` and `imports` say what the client's Sidecar makes of them, `visible`
and `contested` pick those a client gets and `order` puts them in order, `claims` says which sockets they ask for,
`chains` and `build` settle what each gets, `chance` what else it may be, `clients` says which clients can differ,
`unfollowed` what is not modelled. A rule that some releases lack asks `Mesh.since` where it stands.

Limits. Pods with IPv6 alone are not modelled, and pods are not known: the per-pod listeners of headless Services, and
of entries with resolution NONE and a workloadSelector, are missing (`unfollowed` names these objects). A TCP port on
the wildcard address that has the number of one of the sidecar's own listeners is predicted, although Envoy may refuse
it.
"""

import ipaddress

from dnsalias_operator.core.istio.listeners.addresses import bound, entries_binding, holds, vips_within
from dnsalias_operator.core.istio.listeners.batches import batches_on, claims_of
from dnsalias_operator.core.istio.listeners.build import build, refused
from dnsalias_operator.core.istio.listeners.chance import by_chance
from dnsalias_operator.core.istio.listeners.claimants import claimants_at
from dnsalias_operator.core.istio.listeners.clients import Pods, Reach, alike, clients_that_matter, pod_classes, reach
from dnsalias_operator.core.istio.listeners.families import joins_addresses
from dnsalias_operator.core.istio.listeners.order import in_order
from dnsalias_operator.core.istio.listeners.rows import WILDCARD, WILDCARD6, Client, Listener, Loss, Row
from dnsalias_operator.core.istio.listeners.scope import scope_of, sidecar_of
from dnsalias_operator.core.istio.listeners.unfollowed import unfollowed
from dnsalias_operator.core.istio.listeners.visible import sees
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.snapshot import Snapshot

__all__ = [
    "Client",
    "Listener",
    "Loss",
    "Pods",
    "Reach",
    "Row",
    "alike",
    "bound",
    "by_chance",
    "clients_that_matter",
    "deciding",
    "entries_binding",
    "holds",
    "listener_at",
    "listeners_on",
    "outbound",
    "owner_of",
    "pod_classes",
    "reach",
    "refused_on",
    "sees",
    "sidecar_of",
    "unfollowed",
    "vips_within",
    "wildcard_of",
]


def listener_at(snapshot: Snapshot, client: Client, mesh: Mesh, bind: str, port: int) -> Listener | None:
    """The outbound listener bound to ``bind``:``port`` in a sidecar of that client, or None.

    Costs in proportion to the objects that claim the address; for the wildcard, and for dual-stack pods, to those that
    claim the port. Of two listeners that bind an address the one that has it first is meant.
    """
    if mesh.dual_stack or joins_addresses(mesh):
        found = [x for x in listeners_on(snapshot, client, mesh, port) if bind in x.binds]
        return min(found, key=lambda x: (x.binds.index(bind), x.binds), default=None)
    scope = scope_of(snapshot, client, mesh)
    batches = []
    for egress in scope.on(port):
        sought = claims_of(claimants_at(snapshot, mesh, bind, port, egress), snapshot, egress, mesh, port)
        batches.append((egress, in_order((c for c in sought if c.bind == bind), egress, mesh)))
    return next(iter(build(batches, scope.fall_through, mesh)), None)


def listeners_on(snapshot: Snapshot, client: Client, mesh: Mesh, port: int) -> tuple[Listener, ...]:
    """Every outbound listener with that port, sorted by bind."""
    scope = scope_of(snapshot, client, mesh)
    return build(batches_on(snapshot, scope, mesh, port), scope.fall_through, mesh)


def refused_on(snapshot: Snapshot, client: Client, mesh: Mesh, port: int) -> dict[Key, str]:
    """The objects for which a sidecar that starts refuses a listener of that port, each with the reason.

    It is then never ready; one that runs goes on with what it has (docs/istio-disagreements.md).
    """
    found = refused(batches_on(snapshot, scope_of(snapshot, client, mesh), mesh, port), mesh)
    bound: dict[str, Listener] = {}
    for listener in listeners_on(snapshot, client, mesh, port):
        for bind in listener.binds:
            other = bound.setdefault(bind, listener)
            if other is not listener:
                owners = {row.owner for one in (listener, other) for row in one.rows if row.owner}
                found |= dict.fromkeys(owners, f"{bind} would be bound twice on port {port}")
    return found


def outbound(snapshot: Snapshot, client: Client, mesh: Mesh) -> tuple[Listener, ...]:
    """Every outbound listener of the client's sidecar, sorted by bind and port."""
    ports = {*snapshot.ports(), *scope_of(snapshot, client, mesh).ports}
    every = (listener for port in ports for listener in listeners_on(snapshot, client, mesh, port))
    return tuple(sorted(every, key=lambda listener: (listener.binds, listener.port)))


def owner_of(snapshot: Snapshot, client: Client, mesh: Mesh, address: str, port: int) -> tuple[Row, ...]:
    """The rows that decide a connection to the IP ``address``; () where it passes through without a listener.

    A listener bound to the address serves it alone. Else the wildcard listener does, and of its chains only those with
    the narrowest CIDR around the address.
    """
    own = listener_at(snapshot, client, mesh, address, port)
    if own:
        return own.rows
    shared = listener_at(snapshot, client, mesh, wildcard_of(address, mesh), port)
    return deciding(shared, address) if shared else ()


def wildcard_of(address: str, mesh: Mesh) -> str:
    """The bind address of the listener that serves an IP which has none of its own."""
    return WILDCARD6 if mesh.dual_stack and ":" in address else WILDCARD


def deciding(shared: Listener, address: str) -> tuple[Row, ...]:
    """The rows of a wildcard listener that decide a connection to the IP ``address``.

    Any CIDR is narrower than none; Envoy goes back to the default chain but to no wider CIDR (source: the comments on
    FilterChainMatch in Envoy's listener_components.proto).
    """
    narrowness = {row: _narrowness(row, address) for row in shared.rows if not row.default}
    best = max((n for n in narrowness.values() if n is not None), default=None)
    return tuple(row for row in shared.rows if row.default or (best is not None and narrowness[row] == best))


def _narrowness(row: Row, address: str) -> int | None:
    """Length of the row's longest prefix around the address, -1 where it has none, None where it is elsewhere."""
    if not row.cidr:
        return -1
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return None
    networks = [ipaddress.ip_network(c, strict=False) for c in row.cidr]
    return max((n.prefixlen for n in networks if ip in n), default=None)
