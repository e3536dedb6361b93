"""Where a call ends: the cluster that takes it in a client's sidecar, the address it was sent to, or nowhere."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from dnsalias_operator.core.istio.clusters import Cluster, cluster_of
from dnsalias_operator.core.istio.listeners import Client, Row, owner_of
from dnsalias_operator.core.istio.listeners.rows import BLACKHOLE, PASSTHROUGH
from dnsalias_operator.core.istio.listeners.scope import scope_of
from dnsalias_operator.core.istio.listeners.services import Resolution
from dnsalias_operator.core.istio.protocols import PortClass
from dnsalias_operator.core.istio.virtualhosts import routed_to
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.snapshot import Snapshot


class Form(StrEnum):
    """What a client sends: plaintext HTTP with the host, TLS with the host as server name, or other bytes."""

    HTTP = "HTTP"
    TLS = "TLS"
    BYTES = "bytes"


FORMS = {
    PortClass.HTTP: (Form.HTTP,),
    PortClass.TLS: (Form.TLS,),
    PortClass.TCP: (Form.BYTES,),
    PortClass.UNSET: (Form.BYTES, Form.HTTP),
}
"""What callers of a port send, by its class."""


@dataclass(frozen=True, slots=True)
class Call:
    """Bytes sent by somebody who means ``host`` to an IP address and port."""

    host: str
    address: str
    port: int
    form: Form


@dataclass(frozen=True, slots=True)
class End:
    """Where a call ends.

    ``owner`` is the object whose cluster takes it, None where none does. ``address`` is the one that it goes on to
    where the destination is kept: without a cluster, or by one of resolution NONE. Both are empty where it is blocked.
    """

    owner: Key | None = None
    cluster: Cluster | None = None
    address: str = ""

    @property
    def blocked(self) -> bool:
        """Whether nobody answers."""
        return self.owner is None and not self.address


def end_of(world: Snapshot, client: Client, mesh: Mesh, call: Call) -> End:
    """Where a client's call ends."""
    return end_by(world, client, mesh, call, owner_of(world, client, mesh, call.address, call.port))


def end_by(world: Snapshot, client: Client, mesh: Mesh, call: Call, rows: Iterable[Row]) -> End:
    """Where it ends, for who knows the rows already that decide connections to its address (`owner_of`).

    A sniffed port on an address of its own has a route of its own, which asks for no Host (source:
    getVirtualHostsForSniffedServicePort in pilot/pkg/networking/core/httproute.go).
    """
    row = _deciding(rows, call)
    if row is None or row.cluster in (PASSTHROUGH, BLACKHOLE):
        through = row.cluster if row else scope_of(world, client, mesh).fall_through
        return End() if through == BLACKHOLE else End(address=call.address)
    hostname: str | None = str(row.cluster).rpartition("|")[2]
    if row.route:
        hostname = row.route.rpartition(":")[0] or routed_to(world, client, mesh, call.host, call.port)
    cluster = cluster_of(world, client, mesh, hostname, call.port) if hostname else None
    if cluster is None:
        unknown = row.route and scope_of(world, client, mesh).fall_through != BLACKHOLE
        return End(address=call.address) if unknown else End()
    kept = cluster.resolution is Resolution.PASSTHROUGH
    return End(cluster.service.key, cluster, call.address if kept else "")


def _deciding(rows: Iterable[Row], call: Call) -> Row | None:
    """The row whose chain takes the call: the most specific match that it has, else the default."""
    listed = tuple(rows)
    plain = [r for r in listed if not r.http and not r.sni]
    narrow = [r for r in plain if r.cidr]
    otherwise = next(iter(narrow or plain), None)
    if call.form is Form.HTTP:
        return next((r for r in listed if r.http), otherwise)
    if call.form is Form.TLS:
        return next((r for r in listed if any(_names(name, call.host) for name in r.sni)), otherwise)
    return otherwise


def _names(name: str, host: str) -> bool:
    return name == host or (name.startswith("*.") and host.endswith(name[1:]))
