"""What a ServiceEntry lacks, by what its resolution and its ports ask for."""

from dnsalias_operator.core.istio.listeners.addresses import is_unspecified
from dnsalias_operator.core.istio.protocols import needs_address
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.serviceentry import ServiceEntry

DNS = frozenset({"DNS", "DNS_ROUND_ROBIN"})


def without_address(entry: ServiceEntry) -> bool:
    """Whether it has no address of its own; ``0.0.0.0`` and its prefixes are none (docs/istio.md, "Catch-alls")."""
    return entry.resolution != "DYNAMIC_DNS" and all(is_unspecified(a) for a in entry.addresses)


def lacks_addresses(entry: ServiceEntry, mesh: Mesh) -> bool:
    """Whether it has no address of its own and needs one."""
    return without_address(entry) and needs_address(entry.ports, mesh)


def lacks_endpoints(entry: ServiceEntry) -> bool:
    """Whether its resolution asks for endpoints and it has none."""
    return entry.resolution in DNS and not entry.endpoints and entry.workload_selector is None


def not_repairable(entry: ServiceEntry) -> str:
    """Why the API forbids the cure, or ""."""
    if entry.resolution == "DYNAMIC_DNS":
        return "resolution DYNAMIC_DNS forbids addresses and endpoints"
    if not entry.ports:
        return "it has no ports, so that it opens no listener"
    return ""
