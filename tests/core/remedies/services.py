"""Whether Services keep their addresses: calls to each port of a Service at its clusterIP, followed by the oracle."""

from collections.abc import Iterator
from itertools import product

from dnsalias_operator.core.istio.listeners import Client
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.snapshot import Snapshot
from tests.core.calls.call import Call
from tests.core.calls.ground import Bytes, Truth
from tests.core.calls.kept import Reached


def lost_calls(before: Snapshot, after: Snapshot, mesh: Mesh) -> Iterator[str]:
    """Calls to a Service that reached its own pods before and do not after."""
    if any(s.selector and "app" not in s.selector for w in (before, after) for s in w.services()):
        return
    places = sorted({o.meta.namespace for o in before.objects() if o.meta.namespace})
    clients = tuple(Client(place) for place in places)
    truth = Truth(names=_resolved(before), stands_for={})
    was, now = (Reached(world, truth, mesh, clients) for world in (before, after))
    called = [
        Call("", ip, p.port, sends)
        for s in before.services()
        for ip in s.cluster_ips
        for p, sends in product(s.ports, Bytes)
    ]
    for old, new in zip(was.paths, now.paths, strict=True):
        for call in called:
            service = before.services_at(call.address)[0]
            own = f"pods {service.meta.namespace}/{service.selector.get('app')}"
            had, has = ({end.server for end in path.ends(call)} for path in (old, new))
            if had != has and {s.who for s in had} == {own} and not has <= had:
                yield f"{call}, by {old}: {', '.join(map(str, had))}; then {', '.join(map(str, has))}"


def _resolved(world: Snapshot) -> dict[str, tuple[str, ...]]:
    """What the cluster's DNS answers for the hosts of aliases: the addresses of their Services."""
    named = ((a.spec.host, world.service(a.meta.namespace, a.spec.service_ref.name)) for a in world.aliases() if a.spec)
    return {host: service.cluster_ips for host, service in named if service}
