"""Two entries on one address and port: a check of `findings`, computed from `traffic.shared_address`."""

from collections.abc import Iterator

from dnsalias_operator.core.findings import catalog
from dnsalias_operator.core.findings.subject import Look
from dnsalias_operator.core.istio.listeners.services import PUBLIC, export_to
from dnsalias_operator.core.istio.protocols import PortClass, class_of, entry_protocol
from dnsalias_operator.core.outcome import Finding
from dnsalias_operator.core.traffic.ends import Form
from dnsalias_operator.core.traffic.shared_address import Lost, lost_to_entries
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.serviceentry import ServiceEntry

_BY_SNI = (
    "take spec.addresses out of both, so that their TLS is matched by SNI, or list an address that the other entry "
    "does not have"
)


def shared_by_entries(look: Look) -> Iterator[Finding]:
    """A port whose calls, sent to an address that the entry lists, end at the server of another entry."""
    entry, mesh = look.entry, look.rules.mesh
    for lost in lost_to_entries(look.world, entry, mesh):
        sent = "connections" if lost.whole else "plaintext HTTP" if Form.HTTP in lost.forms else "other than HTTP"
        goes = "go" if lost.whole else "goes"
        message = (
            f"{sent} to {lost.address}:{lost.port.number} {goes} to {lost.winner.key}, {_why(entry, lost, mesh)}, and "
            f"not to {', '.join(entry.hosts)}, for clients in {lost.where}"
        )
        remedy = _BY_SNI if _by_sni(entry) and _by_sni(lost.winner) else None
        yield catalog.SHARED_BY_ENTRIES.at(entry.key, message, port=lost.port.number, remedy=remedy)


def _why(entry: ServiceEntry, lost: Lost, mesh: Mesh) -> str:
    """Why the other one gets them."""
    winner = lost.winner
    if class_of(entry_protocol(lost.port)) is PortClass.HTTP:
        return "which listens on the address itself"
    if PUBLIC in export_to(entry, mesh) and PUBLIC not in export_to(winner, mesh):
        return "which is exported to them by name"
    if entry.meta.created is None or (winner.meta.created is not None and winner.meta.created < entry.meta.created):
        return "which is older"
    return "which comes first"


def _by_sni(entry: ServiceEntry) -> bool:
    """Whether every port that could listen on an address is TLS."""
    classes = {class_of(entry_protocol(p)) for p in entry.ports}
    return PortClass.TLS in classes and classes <= {PortClass.TLS, PortClass.HTTP}
