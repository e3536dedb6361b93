"""The model of who owns which outbound listener; every rule of Istio about listeners stands in this package.

What it models: a sidecar of an IPv4 pod, without Sidecar resources and VirtualServices, of the Istio whose source the
modules cite. `services` turns objects into istiod's internal services, `visible` picks and orders those a client gets,
`claims` says which sockets they ask for, `chains` and `build` settle what each gets.

Limits. Pods are not known: the per-pod listeners of headless Services, and of entries with resolution NONE and a
workloadSelector, are missing. An ExternalName Service that points to the host of an entry adds its own names to the
SNI match of the entry's TLS chain: not followed. A TCP port on the wildcard address that has the number of one of the
sidecar's own listeners is predicted, although Envoy may refuse it.
"""

import ipaddress
from collections.abc import Iterable, Iterator

from dnsalias_operator.core.listeners.build import build
from dnsalias_operator.core.listeners.claims import Claim, claims
from dnsalias_operator.core.listeners.rows import WILDCARD, Client, Listener, Loss, Row
from dnsalias_operator.core.listeners.services import PUBLIC, address_forms, export_to, hostnames
from dnsalias_operator.core.listeners.visible import (
    in_order,
    named_namespaces,
    rivals,
    seen,
    sees,
    unused_namespace,
)
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Claimant, Snapshot

__all__ = [
    "Client",
    "Listener",
    "Loss",
    "Row",
    "clients_that_matter",
    "listener_at",
    "listeners_on",
    "outbound",
    "owner_of",
    "sees",
]


def listener_at(snapshot: Snapshot, client: Client, mesh: Mesh, bind: str, port: int) -> Listener | None:
    """The outbound listener bound to ``bind``:``port`` in a sidecar of that client, or None.

    Costs in proportion to the objects that claim the address, for the wildcard to those that claim the port.
    """
    found = _claims(_claimants_at(snapshot, mesh, bind, port), snapshot, client, mesh, port)
    ordered = in_order((claim for claim in found if claim.bind == bind), snapshot, client, mesh)
    return next(iter(build(ordered, mesh)), None)


def listeners_on(snapshot: Snapshot, client: Client, mesh: Mesh, port: int) -> tuple[Listener, ...]:
    """Every outbound listener with that port, sorted by bind."""
    found = _claims(snapshot.claimants(port), snapshot, client, mesh, port)
    return build(in_order(found, snapshot, client, mesh), mesh)


def outbound(snapshot: Snapshot, client: Client, mesh: Mesh) -> tuple[Listener, ...]:
    """Every outbound listener of the client's sidecar, sorted by bind and port."""
    every = (listener for port in snapshot.ports() for listener in listeners_on(snapshot, client, mesh, port))
    return tuple(sorted(every, key=lambda listener: (listener.binds, listener.port)))


def owner_of(snapshot: Snapshot, client: Client, mesh: Mesh, address: str, port: int) -> tuple[Row, ...]:
    """The rows that decide a connection to the IP ``address``; () where it passes through without a listener.

    A listener bound to the address serves it alone. Else the wildcard listener does, and of its chains only those with
    the narrowest CIDR around the address, any CIDR being narrower than none; Envoy goes back to the default chain but
    to no wider CIDR (source: the comments on FilterChainMatch in Envoy's listener_components.proto).
    """
    own = listener_at(snapshot, client, mesh, address, port)
    if own:
        return own.rows
    shared = listener_at(snapshot, client, mesh, WILDCARD, port)
    if not shared:
        return ()
    narrowness = {row: _narrowness(row, address) for row in shared.rows if not row.default}
    best = max((n for n in narrowness.values() if n is not None), default=None)
    return tuple(row for row in shared.rows if row.default or (best is not None and narrowness[row] == best))


def clients_that_matter(snapshot: Snapshot, mesh: Mesh, port: int, address: str | None = None) -> tuple[Client, ...]:
    """One client for every class of namespaces whose listeners on that port can differ, sorted.

    Namespaces differ by what is exported to some of them only, and by what they own where a hostname is contested
    between namespaces; a public object with a hostname of its own looks the same from everywhere. One unused name
    stands for all the others. With an ``address``, only the objects that claim it there are asked.
    """
    claimants = snapshot.claimants(port) if address is None else _claimants_at(snapshot, mesh, address, port)
    names: set[str] = set()
    for obj in claimants:
        contenders = [r for name in hostnames(obj, mesh) for r in rivals(name, snapshot, mesh)]
        contested = any(r.meta.namespace != obj.meta.namespace for r in contenders)
        for one in (obj, *contenders):
            if contested or PUBLIC not in export_to(one, mesh):
                names |= named_namespaces(one, mesh)
    unused = unused_namespace(snapshot, names)
    return tuple(Client(name, stands_for_others=name == unused) for name in sorted({*names, unused}))


def _claims(objects: Iterable[Claimant], snapshot: Snapshot, client: Client, mesh: Mesh, port: int) -> Iterator[Claim]:
    return (claim for upstream in seen(objects, client, mesh) for claim in claims(upstream, port, snapshot))


def _claimants_at(snapshot: Snapshot, mesh: Mesh, bind: str, port: int) -> list[Claimant]:
    """A superset of the objects that can bind the socket, as small as the indexes allow."""
    if bind == WILDCARD or mesh.dns_capture or snapshot.entries_to(bind):
        # Addresses that istiod allocated, and endpoints of passthrough services, are in no index by address.
        return snapshot.claimants(port)
    found = (o for form in address_forms(bind) for o in snapshot.find("address", form))
    return list({o.key: o for o in found if isinstance(o, Service | ServiceEntry)}.values())


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
