"""Calls by a name that several entries of one namespace have: with DNS capture it resolves to the addresses of all."""

from dataclasses import dataclass

from dnsalias_operator.core.istio.listeners import bound
from dnsalias_operator.core.traffic.backends import by_own_name, leads_to
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Misled:
    """Calls by ``host`` for a port that only ``other`` has, which ``service`` would answer at an address of both."""

    host: str
    port: int
    other: Key
    service: Key


def misled(world: Snapshot, entry: ServiceEntry, mesh: Mesh) -> Misled | None:
    """The first calls by a host of the entry that a Service at its addresses answers, where another entry has the port.

    None without DNS capture, or where the other entry leads to that Service itself
    (docs/istio.md, "Names and DNS").
    """
    own = {p.number for p in entry.ports}
    services = [s for a in entry.addresses for s in world.services_at(bound(a))] if mesh.dns_capture else []
    for host in entry.hosts if services else ():
        for other in world.entries_for_host(host):
            if other.key == entry.key or other.meta.namespace != entry.meta.namespace:
                continue
            for port in (p for p in other.ports if p.number not in own and not by_own_name(other, p)):
                listed = (s for s in services if any(p.port == port.number for p in s.ports))
                # What keeps the address that was dialled leads to none of those: its callers dial another one.
                kept = other.resolution == "NONE"
                if found := next((s for s in listed if kept or not leads_to(world, other, port, s, mesh)), None):
                    return Misled(host, port.number, other.key, found.key)
    return None
