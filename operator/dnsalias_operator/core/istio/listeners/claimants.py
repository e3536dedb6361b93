"""Where to look: supersets of the objects that can ask for a port or a socket, as small as the indexes allow."""

from dnsalias_operator.core.istio.listeners.addresses import address_forms, vips_within
from dnsalias_operator.core.istio.listeners.imports import ALL
from dnsalias_operator.core.istio.listeners.rows import WILDCARD
from dnsalias_operator.core.istio.listeners.scope import Egress, keeps_one_service
from dnsalias_operator.core.istio.listeners.services import service_key
from dnsalias_operator.model.lookups import Claimant
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot


def claimants_on(snapshot: Snapshot, port: int, egress: Egress) -> list[Claimant]:
    """Objects that can open a listener on the port by way of that egress listener."""
    if egress.any_service:
        return [*snapshot.services(), *snapshot.entries()]
    if ALL in egress.imports.hosts:
        return snapshot.claimants(port)
    found = (o for namespace in egress.imports.hosts for o in snapshot.claimants_in(namespace, port))
    return list({o.key: o for o in found}.values())


def claimants_at(snapshot: Snapshot, mesh: Mesh, bind: str, port: int, egress: Egress) -> list[Claimant]:
    """Objects that can open the listener ``bind``:``port`` by way of that egress listener."""
    if (
        egress.bind
        or egress.any_service
        or bind == WILDCARD
        or snapshot.entries_to(bind)
        or keeps_one_service(egress, mesh)
    ):
        # Endpoints of passthrough services are in no index by address; elsewhere the address decides nothing, or ports
        # may be served at another object's address.
        return claimants_on(snapshot, port, egress)
    return _with_address(snapshot, mesh, bind)


def claimants_of(snapshot: Snapshot, mesh: Mesh, address: str, port: int) -> list[Claimant]:
    """Objects that can open the listener ``address``:``port`` in any sidecar, or its chain where that is a CIDR."""
    elsewhere = mesh.since(1, 22) and not mesh.since(1, 24)  # ports may be served at another object's address
    if address == WILDCARD or elsewhere:
        return snapshot.claimants(port)
    if "/" in address:
        return [*snapshot.entries_at(address), *{s.key: s for _, s in vips_within(snapshot, address, port)}.values()]
    if snapshot.entries_to(address) or snapshot.sidecars_binding(address):
        return snapshot.claimants(port)
    return _with_address(snapshot, mesh, address)


def rivals(hostname: str, snapshot: Snapshot, mesh: Mesh) -> list[Claimant]:
    """Every object that yields a service of that hostname, on whatever port, in the namespaces that istiod sees."""
    found: list[Claimant] = list(snapshot.entries_for_host(hostname))
    key = service_key(hostname, mesh)
    service = snapshot.service(key.namespace, key.name) if key else None
    found += [service] if service else []
    return [obj for obj in found if mesh.discovers(obj.meta.namespace)] if mesh.undiscovered else found


def _with_address(snapshot: Snapshot, mesh: Mesh, address: str) -> list[Claimant]:
    found = [o for form in address_forms(address) for o in snapshot.find("address", form)]
    found += snapshot.entries_allocated(address) if mesh.dns_capture else []
    return list({o.key: o for o in found if isinstance(o, Service | ServiceEntry)}.values())
