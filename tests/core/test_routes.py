"""The virtual hosts of an HTTP port: which Host headers lead where."""

import pytest

from dnsalias_operator.core.istio.listeners import Client, listeners_on
from dnsalias_operator.core.istio.routes import VirtualHost, virtual_hosts
from dnsalias_operator.model.kinds import Object
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.virtualservice import VirtualService
from tests.core.listener_worlds import VIP, entry, service, world
from tools import make

MESH = Mesh()
HTTP = {"ports": [make.port(443, name="http")]}
FULL = "svc.abc.svc.cluster.local"


def found(*objects: Object, client: str = "other", mesh: Mesh = MESH) -> dict[tuple[str, str], VirtualHost]:
    """The virtual hosts of port 443, by route and by the first of their domains."""
    snapshot = world(*objects)
    asked = Client(client)
    rows = [row for listener in listeners_on(snapshot, asked, mesh, 443) for row in listener.rows]
    return {(h.route, h.domains[0]): h for h in virtual_hosts(snapshot, asked, mesh, 443, rows)}


@pytest.mark.parametrize(("client", "alone"), [("abc", True), ("other", False)])
def test_a_service_has_its_names_and_its_address(client: str, *, alone: bool) -> None:
    """Its name alone only in its own namespace."""
    host = found(service(spec=HTTP), client=client)["443", FULL]
    assert set(host.domains) == {FULL, f"{FULL}.", "svc.abc.svc", "svc.abc", *(["svc"] if alone else [])}
    assert (host.addresses, host.contested, host.cluster.name) == ((VIP,), (), f"outbound|443||{FULL}")


@pytest.mark.parametrize(("release", "dot"), [("1.26", False), ("1.27", True)])
def test_an_entry_has_its_host(release: str, *, dot: bool) -> None:
    """And since 1.27 the host with a dot at its end; of its address nobody else asks for one."""
    mesh = Mesh(istio_version=release)
    host = found(entry(protocol="HTTP", addresses=["240.1.0.1"]), mesh=mesh)["443", "svc.hello"]
    assert host.domains == ("svc.hello", *(["svc.hello."] if dot else []))
    assert (host.addresses, host.contested) == (("240.1.0.1",), ())


def test_an_address_that_two_ask_for_is_chance() -> None:
    """Both have it then, and say so."""
    hosts = found(service(spec=HTTP), entry(protocol="HTTP", addresses=[VIP]))
    assert [host.contested for host in hosts.values()] == [(VIP,), (VIP,)]


def test_a_name_goes_to_whoever_has_it_for_a_hostname() -> None:
    """A Service loses the shorter form that is an entry's host."""
    hosts = found(service(spec=HTTP), entry(protocol="HTTP", hosts=["svc.abc"]))
    assert "svc.abc" not in hosts["443", FULL].domains
    assert hosts["443", "svc.abc"].cluster.hostname == "svc.abc"


def test_a_sniffed_port_has_a_route_of_its_own_too() -> None:
    """On its address it takes any Host; on the shared route it is one of those of the port."""
    hosts = found(entry(protocol=None, addresses=["240.1.0.1"]), entry("web", hosts=["web.hello"], protocol="HTTP"))
    assert set(hosts) == {("svc.hello:443", "*"), ("443", "svc.hello"), ("443", "web.hello")}


@pytest.mark.parametrize("protocol", ["TCP", "TLS"])
def test_ports_of_bytes_have_none(protocol: str) -> None:
    """Neither alone nor beside an HTTP port."""
    assert found(entry(protocol=protocol)) == {}
    web = entry("web", hosts=["web.hello"], protocol="HTTP")
    assert set(found(entry(protocol=protocol, addresses=["240.1.0.1"]), web)) == {("443", "web.hello")}


def rule(host: str, **spec: object) -> VirtualService:
    """A VirtualService with one HTTP route."""
    given = {"hosts": [host], "http": [{"route": [{"destination": {"host": "x"}}]}], **spec}
    return VirtualService.parse(make.manifest(make.NETWORKING, "VirtualService", "v", given, namespace="abc"))


@pytest.mark.parametrize(
    ("made", "named"),
    [
        (rule("svc.hello"), True),
        (rule("*.hello"), True),
        (rule("other.hello"), False),
        (rule("svc.hello", gateways=["edge"]), False),
        (rule("svc.hello", gateways=["edge", "mesh"]), True),
        (rule("svc.hello", exportTo=["."]), False),
        (rule("svc.hello", http=[], tcp=[]), False),
    ],
)
def test_virtual_services_are_named(made: VirtualService, *, named: bool) -> None:
    """Those that sidecars of that client apply to requests for the host."""
    host = found(entry(protocol="HTTP"), made)["443", "svc.hello"]
    assert bool(host.rules) is named
