"""Istio's rules for resolution DYNAMIC_DNS, which Istio has had since 1.28 and widened since."""

from collections.abc import Iterator

from dnsalias_operator.core.istio.protocols import Protocol, entry_protocol
from dnsalias_operator.core.istio.validation.fields import Written
from dnsalias_operator.core.istio.validation.refusal import Refusal
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import WAYPOINT_LABELS
from dnsalias_operator.model.serviceentry import EntryPort


def dynamic_dns(entry: Written) -> Iterator[Refusal]:
    """What resolution DYNAMIC_DNS cannot have: hosts without a wildcard, addresses, endpoints, other protocols.

    Source: ValidateServiceEntry in pkg/config/validation/validation.go at 1.28, 1.29, 1.30 and 1.31; usesWaypoint.
    """
    if entry.resolution != "DYNAMIC_DNS":
        return
    for index, host in enumerate(entry.hosts):
        if not host.startswith("*"):
            yield Refusal(f"spec.hosts[{index}]", f"{host!r} has no wildcard, which resolution DYNAMIC_DNS needs")
    for name, found in (("addresses", entry.addresses), ("endpoints", entry.endpoints)):
        if found:
            yield Refusal(f"spec.{name}", "set with resolution DYNAMIC_DNS, which has none")
    yield from _other_protocols(entry)
    if entry.location == "MESH_INTERNAL":
        waypoint = entry.meta_labels.get(WAYPOINT_LABELS[0], "")
        if not entry.mesh.since(1, 30):
            yield Refusal("spec.location", "MESH_INTERNAL with resolution DYNAMIC_DNS, which needs MESH_EXTERNAL")
        elif waypoint and waypoint.lower() != "none":
            yield Refusal("spec.location", "MESH_INTERNAL with resolution DYNAMIC_DNS and a waypoint")


def _other_protocols(entry: Written) -> Iterator[Refusal]:
    allowed = _protocols(entry.mesh)
    for port in entry.ports:
        if entry_protocol(EntryPort(port.number, port.name, port.protocol)) not in allowed:
            written = repr(port.protocol) if port.protocol else "no protocol"
            why = f"{written} with resolution DYNAMIC_DNS, which has {', '.join(allowed)} only"
            yield Refusal(f"{port.path}.protocol", why)


def _protocols(mesh: Mesh) -> tuple[Protocol, ...]:
    every = (Protocol.HTTP, Protocol.TLS, Protocol.GRPC, Protocol.HTTP2)
    return every if mesh.since(1, 30) else every[:2] if mesh.since(1, 29) else every[:1]
