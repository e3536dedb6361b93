"""How addresses are written: which socket istiod makes of one, who asks for it, and which clusterIPs a CIDR holds."""

import ipaddress
from bisect import bisect_left
from collections.abc import Iterable
from functools import lru_cache

from dnsalias_operator.model.meta import is_ip
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot

_MOST_KEPT = 64
"""What is longer is hardly an address, and not worth its memory."""
_PREFIX_LENGTHS = frozenset(str(bits) for bits in range(129))


def bound(address: str) -> str:
    """The address as istiod binds it: a full-length prefix becomes the IP, what is no address becomes ""."""
    return _bound(address) if len(address) <= _MOST_KEPT else _bound.__wrapped__(address)


@lru_cache(maxsize=4096)
def _bound(address: str) -> str:
    ip, slash, bits = address.partition("/")
    try:
        parsed = ipaddress.ip_address(ip)
    except ValueError:
        return ""
    if not slash:
        return address
    if bits not in _PREFIX_LENGTHS or int(bits) > parsed.max_prefixlen or "%" in ip:
        return ""
    return str(parsed) if int(bits) == parsed.max_prefixlen else address


def exact_addresses(entry: ServiceEntry) -> list[str]:
    """The IPs that the entry lists, each as istiod binds it; no prefix, and nothing that is no address."""
    return [a for a in map(bound, entry.addresses) if a and "/" not in a]


def address_forms(address: str) -> tuple[str, ...]:
    """Every way in which an object may write the IP ``address`` so that istiod binds exactly it."""
    return (address, f"{address}/{128 if ':' in address else 32}")


def entries_binding(snapshot: Snapshot, address: str) -> list[ServiceEntry]:
    """ServiceEntries that list the IP ``address``, in either form, sorted by key."""
    found = {e.key: e for form in address_forms(address) for e in snapshot.entries_at(form)}
    return [found[key] for key in sorted(found)]


def holds(addresses: Iterable[str], ips: Iterable[str]) -> bool:
    """Whether one of the addresses, of which some may be CIDRs, is or holds one of the IPs."""
    wanted = tuple(ips)
    listed = [a for a in map(bound, addresses) if a]
    return bool({*listed} & {*wanted}) or any(_within(ip, cidr) for cidr in listed if "/" in cidr for ip in wanted)


def vips_within(snapshot: Snapshot, cidr: str, port: int | None = None) -> list[tuple[str, Service]]:
    """The clusterIPs that the CIDR holds, in order, each with its Service; of those with that port where one is given.

    What is to be searched is put in order once a world, so that the cost is in proportion to what is found.
    """
    try:
        network = ipaddress.ip_network(cidr, strict=False)
    except ValueError:
        return []
    known = snapshot.remembered(("vips", port), lambda: _vips(snapshot, port))
    first, last = int(network.network_address), int(network.broadcast_address)
    start, end = (bisect_left(known, (network.version, number)) for number in (first, last + 1))
    return [(ip, service) for _, _, ip, _, service in known[start:end]]


def _vips(snapshot: Snapshot, port: int | None) -> list[tuple[int, int, str, str, Service]]:
    services = snapshot.services() if port is None else snapshot.claimants(port)
    found = (
        (parsed.version, int(parsed), ip, str(service.key), service)
        for service in services
        if isinstance(service, Service)
        for ip in service.cluster_ips
        if is_ip(ip)
        for parsed in (ipaddress.ip_address(ip),)
    )
    return sorted(found, key=lambda vip: vip[:-1])


def _within(ip: str, cidr: str) -> bool:
    return is_ip(ip) and ipaddress.ip_address(ip) in ipaddress.ip_network(cidr, strict=False)


def is_unspecified(address: str) -> bool:
    """Whether Istio takes the address for no address at all."""
    base = address.partition("/")[0]
    return base in ("0.0.0.0", "::")  # noqa: S104 (an address to compare with)
