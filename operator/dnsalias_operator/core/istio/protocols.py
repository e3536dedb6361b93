"""How Istio reads the protocol of a port, and the classes of protocols that decide which listener a port gets.

The two kinds of objects are read by different rules: a Service port by its `appProtocol` or name, a ServiceEntry port
by its `protocol` field. Where neither names a protocol that Istio knows the port is *unset*: the sidecar then sniffs
each connection. It sends what looks like plaintext HTTP/1.1 or h2c to the port's routes and every other byte stream to
the port's cluster, so an unset port owns its address like a TCP port does and has an HTTP chain besides.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType

from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.service import Service, ServicePort
from dnsalias_operator.model.serviceentry import EntryPort


class Protocol(StrEnum):
    """The protocols a Service or ServiceEntry can declare (source: Istio pkg/config/protocol/instance.go)."""

    GRPC = "GRPC"
    GRPC_WEB = "GRPC-Web"
    HTTP = "HTTP"
    HTTP_PROXY = "HTTP_PROXY"
    HTTP2 = "HTTP2"
    HTTPS = "HTTPS"
    TCP = "TCP"
    TLS = "TLS"
    UDP = "UDP"
    MONGO = "Mongo"
    REDIS = "Redis"
    MYSQL = "MySQL"
    UNSET = "UnsupportedProtocol"


class PortClass(StrEnum):
    """What kind of listener a port asks for.

    HTTP shares one listener a port on the wildcard address. HTTP_PROXY does too, without a match, and displaces what
    was there. TCP binds the service's own address. TLS is TCP that is matched by SNI where the address is shared.
    UNSET is TCP with an HTTP chain beside it. UDP gets no listener.
    """

    HTTP = "HTTP"
    HTTP_PROXY = "HTTP_PROXY"
    TCP = "TCP"
    TLS = "TLS"
    UNSET = "UNSET"
    UDP = "UDP"


CLASSES: Mapping[Protocol, PortClass] = MappingProxyType(
    {
        Protocol.GRPC: PortClass.HTTP,
        Protocol.GRPC_WEB: PortClass.HTTP,
        Protocol.HTTP: PortClass.HTTP,
        Protocol.HTTP2: PortClass.HTTP,
        Protocol.HTTP_PROXY: PortClass.HTTP_PROXY,
        Protocol.TCP: PortClass.TCP,
        Protocol.MONGO: PortClass.TCP,
        Protocol.REDIS: PortClass.TCP,
        Protocol.MYSQL: PortClass.TCP,
        Protocol.HTTPS: PortClass.TLS,
        Protocol.TLS: PortClass.TLS,
        Protocol.UNSET: PortClass.UNSET,
        Protocol.UDP: PortClass.UDP,
    }
)
"""Source: IsHTTP, IsTCP and IsTLS in pkg/config/protocol/instance.go; ModelProtocolToListenerProtocol in
pilot/pkg/networking/networking.go.
"""

ADDRESS_BOUND = frozenset({PortClass.TCP, PortClass.TLS, PortClass.UNSET})
"""The classes whose listener is on the service's own address; without one it is on the wildcard address."""

CATCHING = frozenset({PortClass.TCP, PortClass.UNSET})
"""Those of them that take any connection on the wildcard address; TLS is matched by SNI there."""

APP_PROTOCOLS: Mapping[str, tuple[Protocol, tuple[int, int]]] = MappingProxyType(
    {
        "kubernetes.io/h2c": (Protocol.HTTP2, (1, 19)),
        "kubernetes.io/ws": (Protocol.HTTP, (1, 24)),
        "kubernetes.io/wss": (Protocol.HTTPS, (1, 24)),
    }
)
"""Kubernetes' own values of appProtocol, compared exactly, and since which release Istio knows each.

Source: ConvertProtocol in pkg/config/kube/conversion.go at 1.18.0, 1.19.0, 1.23.6 and 1.24.0.
"""

SERVER_FIRST_PORTS = frozenset({25, 53, 3306, 27017})
"""Ports of a Service that are TCP where unset, since sniffing would break SMTP, DNS, MySQL, MongoDB (same source)."""

_BY_NAME = {p.value.lower(): p for p in Protocol if p is not Protocol.UNSET}


def parse(name: str) -> Protocol:
    """The protocol of that name in any case, UNSET for every other text.

    Source: Parse in pkg/config/protocol/instance.go.
    """
    return _BY_NAME.get(name.lower(), Protocol.UNSET)


def service_protocol(port: ServicePort, mesh: Mesh) -> Protocol:
    """The protocol Istio selects for a Service port.

    UDP is UDP whatever its name. Else `appProtocol`, even an empty one, is read instead of the name; of either only
    the part before the first dash counts, apart from the prefix grpc-web. An unset port is TCP on a server-first port.
    Source: ConvertProtocol in pkg/config/kube/conversion.go.
    """
    if port.protocol == "UDP":
        return Protocol.UDP
    name = port.name
    if port.app_protocol is not None:
        name = port.app_protocol
        known, since = APP_PROTOCOLS.get(name, (None, ()))
        if known and mesh.since(*since):
            return known
    if name.lower().startswith("grpc-web"):
        return Protocol.GRPC_WEB
    protocol = parse(name.partition("-")[0])
    if protocol is Protocol.UNSET and port.port in SERVER_FIRST_PORTS:
        return Protocol.TCP
    return protocol


def entry_protocol(port: EntryPort) -> Protocol:
    """The protocol Istio reads from a ServiceEntry port: the whole of its `protocol`, in any case.

    The port's name and number play no part: an entry without a protocol on 3306 is sniffed, where a Service is TCP.
    Source: convertPort in pilot/pkg/serviceregistry/serviceentry/conversion.go.
    """
    return parse(port.protocol)


def class_of(protocol: Protocol) -> PortClass:
    """The class that decides which listener a port of that protocol gets."""
    return CLASSES[protocol]


def needs_address(ports: Iterable[EntryPort] | Iterable[ServicePort], mesh: Mesh) -> bool:
    """Whether one of the ports would listen on an address; HTTP and HTTP_PROXY never do, whatever is given to them."""
    classes = (class_of(service_protocol(p, mesh) if isinstance(p, ServicePort) else entry_protocol(p)) for p in ports)
    return any(c in ADDRESS_BOUND for c in classes)


def routed(service: Service, port: int, mesh: Mesh) -> bool:
    """Whether the Service's port of that number is HTTP."""
    own = (p for p in service.ports if p.port == port and p.protocol == "TCP")
    return any(class_of(service_protocol(p, mesh)) is PortClass.HTTP for p in own)


def same_class(mine: ServicePort, theirs: EntryPort, mesh: Mesh) -> bool:
    """Whether an entry's port has the Service port's class; TCP and TLS are one (docs/istio.md, "Shared addresses")."""
    tls_as_tcp = {PortClass.TLS: PortClass.TCP}
    left, right = class_of(service_protocol(mine, mesh)), class_of(entry_protocol(theirs))
    return tls_as_tcp.get(left, left) is tls_as_tcp.get(right, right)
