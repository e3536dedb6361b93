"""Istio's rules for the endpoints of a ServiceEntry, by its resolution."""

from collections.abc import Iterator

from dnsalias_operator.core.istio.validation import names
from dnsalias_operator.core.istio.validation.fields import Address, Written
from dnsalias_operator.core.istio.validation.refusal import Refusal

Found = Iterator[Refusal]
_MAX_PORT = 65535
_UNIX = "unix://"


def endpoints(entry: Written) -> Found:
    """Endpoints that the resolution does not have, or has in another form.

    Source: ValidateServiceEntry and validateWorkloadEntry in pkg/config/validation/validation.go at 1.31.
    """
    several = len(entry.endpoints) > 1
    if entry.resolution == "NONE" and entry.endpoints:
        yield Refusal("spec.endpoints", "set with resolution NONE, which has none: it goes where the client calls")
    elif entry.resolution == "DNS_ROUND_ROBIN" and several:
        yield Refusal("spec.endpoints", f"{len(entry.endpoints)} endpoints; resolution DNS_ROUND_ROBIN has one at most")
    for endpoint in entry.endpoints:
        if entry.resolution == "STATIC":
            yield from _static(endpoint, entry)
        elif entry.resolution in ("DNS", "DNS_ROUND_ROBIN"):
            yield from _by_dns(endpoint, entry)


def _static(endpoint: Address, entry: Written) -> Found:
    address, path = endpoint.address, f"{endpoint.path}.address"
    if not address and not endpoint.network:
        yield Refusal(path, "an address is required")
        return
    if address.startswith(_UNIX):
        if why := names.unix_path(address.removeprefix(_UNIX)):
            yield Refusal(path, why)
        if endpoint.ports:
            yield Refusal(f"{endpoint.path}.ports", f"{address} is a socket, which has no ports")
        if len({port.name for port in entry.ports}) != 1:
            yield Refusal(path, f"{address} is a socket, and the entry has {len(entry.ports)} ports; it needs one")
    elif address and not names.is_address(address):
        yield Refusal(path, f"{address!r} is no IP address; resolution STATIC needs one (DNS resolves names)")
    yield from _ports_and_labels(endpoint, entry)


def _by_dns(endpoint: Address, entry: Written) -> Found:
    address = endpoint.address
    if not names.is_address(address) and names.domain(address):
        why = f"{address!r} is neither a DNS name nor an IP address" if address else "an address is required"
        yield Refusal(f"{endpoint.path}.address", why)
    yield from _ports_and_labels(endpoint, entry)


def _ports_and_labels(endpoint: Address, entry: Written) -> Found:
    known = {port.name for port in entry.ports}
    for name, number in endpoint.ports.items():
        path = f"{endpoint.path}.ports.{name}"
        if name not in known:
            yield Refusal(path, f"{name!r} is the name of no port of the entry")
        if not names.is_label(name):
            yield Refusal(path, f"{name!r} is no DNS label")
        if not 1 <= number <= _MAX_PORT:
            yield Refusal(path, f"{number} is not in the range 1 to 65535")
    for why in names.labels(endpoint.labels):
        yield Refusal(f"{endpoint.path}.labels", why)
