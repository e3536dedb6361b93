"""In which order a client's services get their listeners: the first one has a socket, the others join or lose.

Source: servicesExportedToNamespace and SortServicesByCreationTime in pilot/pkg/model/push_context.go.
"""

from collections.abc import Iterable

from dnsalias_operator.core.istio.listeners.claimants import claimants_on, rivals
from dnsalias_operator.core.istio.listeners.claims import Claim
from dnsalias_operator.core.istio.listeners.scope import Egress
from dnsalias_operator.core.istio.listeners.services import Upstream, hostnames, upstreams
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.snapshot import Snapshot

Age = tuple[bool, int, str, str]


def in_order(claims: Iterable[Claim], egress: Egress, mesh: Mesh) -> list[Claim]:
    """The claims, all of services that the egress listener serves, in the order in which it serves them.

    Services exported to the client's namespace by name go before the public ones, but where all hosts of the egress
    listener are looked up. Within each the older goes first, then the smaller name (metadata.name of a Service, the
    host of an entry), then the smaller namespace. An object of unknown age is taken for the youngest, which is what it
    will be when it is applied.
    """
    return sorted(claims, key=lambda claim: rank(claim.upstream, egress, mesh))


def rank(upstream: Upstream, egress: Egress, mesh: Mesh) -> tuple[int, Age, int, Key]:
    """What services are sorted by, or the one whose place it takes."""
    placed = upstream.place or upstream
    return (_group(placed, egress, mesh), *age(placed, egress, mesh))


def age(upstream: Upstream, egress: Egress, mesh: Mesh) -> tuple[Age, int, Key]:
    """What services of one group are sorted by.

    Where all of it but the object itself is equal istiod promises no order: it lists the objects from a Go map. Here a
    Service goes first then, and then the smaller key, unless the egress listener says which.
    """
    key = upstream.key
    return (_promised(upstream, mesh), egress.first.index(key) if key in egress.first else len(egress.first), key)


def tied_on(snapshot: Snapshot, port: int, egress: Egress, mesh: Mesh) -> list[Key]:
    """Objects that istiod promises no order for, among those with that port and others of their hostnames; sorted.

    An object of unknown age is none of them.
    """
    found: dict[Age, set[Key]] = {}
    claimants = claimants_on(snapshot, port, egress)
    named = (other for obj in claimants for name in hostnames(obj, mesh) for other in rivals(name, snapshot, mesh))
    for obj in {obj.key: obj for obj in (*claimants, *named) if obj.meta.created is not None}.values():
        for upstream in upstreams(obj, mesh):
            found.setdefault(_promised(upstream, mesh), set()).add(upstream.key)
    return sorted({key for keys in found.values() if len(keys) > 1 for key in keys})


def _promised(upstream: Upstream, mesh: Mesh) -> Age:
    """Ties of age go to the smaller name, before 1.23 as one text with the namespace; before 1.13 to entries.

    Then names have no say, and istiod lists its registry of ServiceEntries first (source: initServiceControllers in
    pilot/pkg/bootstrap/servicecontroller.go at 1.11.8).
    """
    name, namespace = upstream.name, upstream.namespace
    if not mesh.since(1, 13):
        name, namespace = upstream.key.kind.removeprefix("ServiceEntry"), ""
    elif not mesh.since(1, 23):
        name, namespace = f"{name}.{namespace}", ""
    return (upstream.created is None, upstream.created or 0, name, namespace)


def _group(upstream: Upstream, egress: Egress, mesh: Mesh) -> int:
    """Services exported by name go first; before 1.30.3 those of the client's own namespace before those."""
    if egress.imports.exact:
        return 0
    if upstream.public:
        return 2
    own = upstream.namespace == egress.namespace
    return 0 if own and not mesh.since(1, 30, 3) else 1
