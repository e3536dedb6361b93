"""What a ServiceEntry lacks, by what its resolution and its ports ask for."""

from dnsalias_operator.core.istio.listeners.addresses import is_unspecified
from dnsalias_operator.core.istio.protocols import CATCHING, PortClass, class_of, entry_protocol
from dnsalias_operator.model.serviceentry import ServiceEntry

DNS = frozenset({"DNS", "DNS_ROUND_ROBIN"})


def without_address(entry: ServiceEntry) -> bool:
    """Whether it has no address of its own; ``0.0.0.0`` and its prefixes are none (docs/istio.md, "Catch-alls")."""
    return entry.resolution != "DYNAMIC_DNS" and all(is_unspecified(a) for a in entry.addresses)


def lacks_addresses(entry: ServiceEntry) -> bool:
    """Whether it has no address of its own and is a catch-all for the lack of it.

    TLS ports are matched by SNI on every address that callers dial; one address would narrow what they serve.
    """
    return without_address(entry) and any(class_of(entry_protocol(p)) in CATCHING for p in entry.ports)


def narrowed_by_address(entry: ServiceEntry) -> int | None:
    """The first port without an address that is matched by SNI on all of them, None where there is none."""
    ports = (p.number for p in entry.ports if class_of(entry_protocol(p)) is PortClass.TLS)
    return next(ports, None) if without_address(entry) else None


def lacks_endpoints(entry: ServiceEntry) -> bool:
    """Whether its resolution asks for endpoints and it has none."""
    return entry.resolution in DNS and not entry.endpoints and entry.workload_selector is None


def not_repairable(entry: ServiceEntry) -> str:
    """Why the API forbids the fix, or ""."""
    if entry.resolution == "DYNAMIC_DNS":
        return "resolution DYNAMIC_DNS forbids addresses and endpoints"
    if not entry.ports:
        return "it has no ports, so that it opens no listener"
    return ""
