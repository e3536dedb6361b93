"""Which addresses of a Service or an entry a sidecar binds: of which family, and which of them in one listener.

Source: GetAddressForProxy, GetExtraAddressesForProxy and filterAddresses in pilot/pkg/model/service.go; convertServices
in pilot/pkg/serviceregistry/serviceentry/conversion.go.
"""

from dnsalias_operator.core.istio.listeners.addresses import bound
from dnsalias_operator.core.istio.listeners.rows import WILDCARD, WILDCARD6
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.serviceentry import ServiceEntry


def primary(addresses: tuple[str, ...], mesh: Mesh) -> str:
    """The one of several addresses that a sidecar binds first: since 1.24 one of its own family where there is one."""
    own = _of_one_family(addresses, mesh) if mesh.since(1, 24) else ()
    return next(iter((*own, *addresses)), "")


def _of_one_family(addresses: tuple[str, ...], mesh: Mesh) -> tuple[str, ...]:
    """The IPv4 addresses; for a dual-stack pod those of the first one's family, since 1.24.6 and 1.25.3.

    Source: filterAddresses in pilot/pkg/model/service.go.
    """
    ipv4, ipv6 = (tuple(a for a in addresses if (":" in a) is wanted) for wanted in (False, True))
    if not mesh.dual_stack:
        return ipv4
    of_the_first = mesh.since(1, 25, 3) or (mesh.since(1, 24, 6) and not mesh.since(1, 25))
    return ipv6 if of_the_first and addresses and ":" in addresses[0] else ipv4 or ipv6


def addresses_of(entry: ServiceEntry, host: str, mesh: Mesh) -> tuple[tuple[str, ...], ...]:
    """The addresses of a host, each with those that are bound together with it."""
    if entry.addresses:
        listed = tuple(a for a in map(bound, entry.addresses) if a)
        found = _joined(listed, mesh) if joins_addresses(mesh) else tuple((a,) for a in listed)
    else:
        found = (_allocated(entry, host, mesh) or (WILDCARD,),)
    both = binds_both_families(mesh)
    return tuple((a, WILDCARD6) if both and (a, *rest) == (WILDCARD,) else (a, *rest) for a, *rest in found)


def joins_addresses(mesh: Mesh) -> bool:
    """Whether all addresses of an entry are of one service, which has one listener: 1.22.4, 1.23.0, 1.24.0 to 1.24.2.

    Source: convertServices in pilot/pkg/serviceregistry/serviceentry/conversion.go, and where it was taken back, in
    the next patch of each.
    """
    release = (mesh.release.minor, mesh.release.patch)
    return release in ((22, 4), (23, 0), (24, 0), (24, 1), (24, 2))


def _joined(addresses: tuple[str, ...], mesh: Mesh) -> tuple[tuple[str, ...], ...]:
    """The addresses of that one service as a sidecar binds them.

    Source: getAllAddressesForProxy in pilot/pkg/model/service.go.
    """
    every = addresses if binds_all(mesh) else _of_one_family(addresses, mesh)
    return ((primary(addresses, mesh), *every[1:]),) if addresses else ()


def _allocated(entry: ServiceEntry, host: str, mesh: Mesh) -> tuple[str, ...]:
    """The automatic addresses of a host that such a proxy uses, IPv4 first; () where there are none.

    Only proxies with DNS capture use them. An entry without them in its status has the one that is expected: istiod
    writes it at once. Source: PILOT_ENABLE_IP_AUTOALLOCATE in pilot/pkg/features/pilot.go, nodeUsesAutoallocatedIPs in
    pilot/pkg/model/service.go.
    """
    if not allocates(mesh):
        return ()
    values = [value for value in entry.allocated(host) if bound(value) and "/" not in value]
    ipv4, ipv6 = [v for v in values if ":" not in v], [v for v in values if ":" in v]
    found = (*ipv4[-1:], *(ipv6[-1:] if mesh.dual_stack else ()))
    return found if binds_all(mesh) else found[:1]


def allocates(mesh: Mesh) -> bool:
    """Whether istiod's own addresses count for the proxies: they capture DNS, and it allocates some."""
    return mesh.dns_capture and istiod_allocates(mesh)


def istiod_allocates(mesh: Mesh) -> bool:
    """Whether istiod writes addresses of its own into the status of entries.

    It does so since 1.25, unless PILOT_ENABLE_IP_AUTOALLOCATE says otherwise; 1.24 has that too, off by default.
    """
    return mesh.since(1, 25) if mesh.ip_autoallocate is None else mesh.ip_autoallocate and mesh.since(1, 24)


def binds_both_families(mesh: Mesh) -> bool:
    """Whether what has no address of its own is bound in both families: on dual-stack pods.

    Before 1.24 that needs ISTIO_DUAL_STACK (source: Extra of listenerBinding in
    pilot/pkg/networking/core/listener.go).
    """
    return mesh.dual_stack and (mesh.istio_dual_stack or mesh.since(1, 24) or joins_addresses(mesh))


def binds_all(mesh: Mesh) -> bool:
    """Whether a sidecar binds all addresses of a service: under ISTIO_DUAL_STACK, since 1.23.1 on dual-stack pods only.

    Source: GetExtraAddressesForProxy and getAllAddressesForProxy in pilot/pkg/model/service.go.
    """
    return mesh.istio_dual_stack and (mesh.dual_stack or not mesh.since(1, 23, 1))
