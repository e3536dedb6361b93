"""HTTP ports and addresses: what an address does for them, and whom it hurts.

An HTTP port listens on the wildcard address and is matched by the Host header, so an alias of HTTP ports needs no
address. With its Service's it also asks for that address as a domain of the port's route. The Service asks for it too,
and istiod gives it to one of the two **by chance**: it goes through a map (measured, in docs/equivalence.md's worlds;
source: BuildSidecarVirtualHostWrapper in pilot/pkg/networking/core/route/route.go, dedupeDomains in
pilot/pkg/networking/core/httproute.go). Then requests to the Service by its bare address go the alias's way.
"""

from dnsalias_operator.core.istio.listeners import Client, entries_binding, sees
from dnsalias_operator.core.istio.protocols import PortClass, class_of, entry_protocol
from dnsalias_operator.core.traffic.backends import leads_to, selects_pods_of
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.serviceentry import EntryPort, ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot


def bare_address_rivals(world: Snapshot, address: str, port: int, client: Client, mesh: Mesh) -> list[Key]:
    """Entries that may get that client's HTTP requests for the bare address, and lead them by endpoints of their own.

    One that selects the pods of the address' Service, and calls them at its port, is no rival: it leads to the same,
    with their mTLS.
    """
    return [
        obj.key
        for obj in entries_binding(world, address)
        if sees(obj, client.namespace, mesh)
        and any(_leads_away(world, obj, p, address, mesh) for p in obj.ports if p.number == port)
    ]


def _leads_away(world: Snapshot, entry: ServiceEntry, port: EntryPort, address: str, mesh: Mesh) -> bool:
    if class_of(entry_protocol(port)) is not PortClass.HTTP:
        return False
    same = any(
        selects_pods_of(entry, service) and leads_to(world, entry, port, service, mesh)
        for service in world.services_at(address)
    )
    return not same
