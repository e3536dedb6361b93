"""Which protocol Istio reads from a port, and to which class of listeners it belongs."""

import pytest

from dnsalias_operator.core.istio.protocols import PortClass, Protocol, class_of, entry_protocol, service_protocol
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.service import ServicePort
from dnsalias_operator.model.serviceentry import EntryPort


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("http", Protocol.HTTP),
        ("http2", Protocol.HTTP2),
        ("http2-q", Protocol.HTTP2),
        ("https-admin", Protocol.HTTPS),
        ("tls-z", Protocol.TLS),
        ("tcp", Protocol.TCP),
        ("TCP-x", Protocol.TCP),
        ("grpc-x", Protocol.GRPC),
        ("grpc-web", Protocol.GRPC_WEB),
        ("grpc-web-x", Protocol.GRPC_WEB),
        ("GRPC-Webby", Protocol.GRPC_WEB),
        ("mongo", Protocol.MONGO),
        ("redis-a", Protocol.REDIS),
        ("mysql", Protocol.MYSQL),
        ("http_proxy", Protocol.HTTP_PROXY),
        ("udp-x", Protocol.UDP),
        ("http1", Protocol.UNSET),
        ("httpx-1", Protocol.UNSET),
        ("web-http", Protocol.UNSET),
        ("", Protocol.UNSET),
    ],
)
def test_name_before_the_first_dash_selects(name: str, expected: Protocol) -> None:
    """A Service port's name selects the protocol by what stands before its first dash, in any case."""
    assert service_protocol(ServicePort(name, 8080), Mesh()) is expected


@pytest.mark.parametrize(
    ("app_protocol", "expected"),
    [
        ("http", Protocol.HTTP),
        ("kubernetes.io/h2c", Protocol.HTTP2),
        ("kubernetes.io/ws", Protocol.HTTP),
        ("kubernetes.io/wss", Protocol.HTTPS),
        ("Kubernetes.io/h2c", Protocol.UNSET),
        ("grpc-web", Protocol.GRPC_WEB),
        ("tls-x", Protocol.TLS),
        ("example.com/custom", Protocol.UNSET),
        ("", Protocol.UNSET),
    ],
)
def test_app_protocol_goes_before_the_name(app_protocol: str, expected: Protocol) -> None:
    """An appProtocol is read instead of the name, even where it is empty or unknown."""
    assert service_protocol(ServicePort("mysql", 8080, app_protocol=app_protocol), Mesh()) is expected


def test_kubernetes_value_in_a_name_means_nothing() -> None:
    """The Kubernetes values are special as appProtocol only."""
    assert service_protocol(ServicePort("kubernetes.io/h2c", 8080), Mesh()) is Protocol.UNSET


def test_udp_is_udp_whatever_it_is_called() -> None:
    """The transport UDP wins over name and appProtocol."""
    assert service_protocol(ServicePort("http", 53, protocol="UDP", app_protocol="http"), Mesh()) is Protocol.UDP


@pytest.mark.parametrize("number", [25, 53, 3306, 27017])
def test_unset_service_port_on_a_server_first_number_is_tcp(number: int) -> None:
    """Istio does not sniff a Service on the ports of SMTP, DNS, MySQL and MongoDB."""
    assert service_protocol(ServicePort("x", number), Mesh()) is Protocol.TCP
    assert service_protocol(ServicePort("x", number + 1), Mesh()) is Protocol.UNSET


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("TCP", Protocol.TCP),
        ("tcp", Protocol.TCP),
        ("Tls", Protocol.TLS),
        ("GRPC-WEB", Protocol.GRPC_WEB),
        ("HTTP_PROXY", Protocol.HTTP_PROXY),
        ("MONGO", Protocol.MONGO),
        ("UDP", Protocol.UDP),
        ("HTTP-x", Protocol.UNSET),
        ("UnsupportedProtocol", Protocol.UNSET),
        ("", Protocol.UNSET),
    ],
)
def test_entry_protocol_is_read_whole_in_any_case(written: str, expected: Protocol) -> None:
    """A ServiceEntry's protocol field is compared as a whole: there are no prefixes."""
    assert entry_protocol(EntryPort(443, "p", written)) is expected


@pytest.mark.parametrize("number", [25, 53, 3306, 27017])
def test_entry_is_sniffed_on_a_server_first_number_too(number: int) -> None:
    """The number of an entry's port never stands in for its protocol, nor does the port's name."""
    assert entry_protocol(EntryPort(number, "tcp", "")) is Protocol.UNSET


@pytest.mark.parametrize(
    ("port_class", "members"),
    [
        (PortClass.HTTP, {Protocol.HTTP, Protocol.HTTP2, Protocol.GRPC, Protocol.GRPC_WEB}),
        (PortClass.HTTP_PROXY, {Protocol.HTTP_PROXY}),
        (PortClass.TCP, {Protocol.TCP, Protocol.MONGO, Protocol.MYSQL, Protocol.REDIS}),
        (PortClass.TLS, {Protocol.TLS, Protocol.HTTPS}),
        (PortClass.UNSET, {Protocol.UNSET}),
        (PortClass.UDP, {Protocol.UDP}),
    ],
)
def test_each_protocol_has_one_class(port_class: PortClass, members: set[Protocol]) -> None:
    """The classes of docs/istio.md, "Catch-alls", hold exactly these protocols."""
    assert {p for p in Protocol if class_of(p) is port_class} == members
