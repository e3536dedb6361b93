"""Names of a Service: which there are, who is routed by them, and what has to be decided again when one is taken."""

import pytest

from dnsalias_operator.core.findings.lint import entry_findings
from dnsalias_operator.core.istio.listeners import Client
from dnsalias_operator.core.istio.service_names import names_of, services_called
from dnsalias_operator.core.istio.virtualhosts import domains, routed_to
from dnsalias_operator.core.traffic.service_hit import Effect, services_hit
from dnsalias_operator.core.triggers import affected
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot
from tools import make

MESH = Mesh()
RULES = make.rules()
CART = Service.parse(make.service("cart", namespace="shop", ip="10.96.0.1", ports=[make.port(80, "http")]))
FULL = "cart.shop.svc.cluster.local"
FORMS = ["cart", "cart.shop", "cart.shop.svc", "cart.shop.svc.cluster", FULL, f"{FULL}."]


def _entry(host: str, namespace: str = "abc", name: str = "e", **spec: object) -> ServiceEntry:
    ports = [make.entry_port(80, "HTTP")]
    raw = make.entry(name, host, ports=ports, namespace=namespace, endpoints=[{"address": "elsewhere.example"}])
    raw["spec"].update(spec)
    return ServiceEntry.parse(raw)


@pytest.mark.parametrize("host", FORMS)
def test_every_form_is_a_name(host: str) -> None:
    """Each form is found from the name, and belongs to the names that a change of the Service is about."""
    assert services_called(Snapshot([CART]), host, MESH) == [CART]
    assert host in names_of(CART, MESH)


@pytest.mark.parametrize("host", ["shop", "pod.cart.shop", "cart.shop.example", "cart.shop.svc.cluster.local.example"])
def test_what_is_no_name(host: str) -> None:
    """A namespace, a pod where the Service has an address, and a name under a suffix of its own are none."""
    assert services_called(Snapshot([CART]), host, MESH) == []


def test_a_name_alone_is_a_domain_at_home_only() -> None:
    """Clients of other namespaces have the longer forms."""
    assert "cart" in domains(CART, "shop", MESH)
    assert "cart" not in domains(CART, "abc", MESH)
    assert f"{FULL}." not in domains(CART, "shop", Mesh(istio_version="1.26.8"))


def test_a_request_goes_to_whoever_has_the_host_for_a_hostname() -> None:
    """An entry comes before the Service of which it is a shorter form; without it the Service is meant."""
    taker = _entry("cart.shop")
    client = Client("abc")
    assert routed_to(Snapshot([CART]), client, MESH, "cart.shop", 80) == FULL
    assert routed_to(Snapshot([CART, taker]), client, MESH, "cart.shop", 80) == "cart.shop"
    assert routed_to(Snapshot([CART]), client, MESH, "cart", 80) is None


@pytest.mark.parametrize("host", [form for form in FORMS if form != "cart.shop.svc.cluster"])
def test_a_service_triggers_entries_with_its_name_in_any_form(host: str) -> None:
    """What is found in them changes with the Service."""
    entry = _entry(host)
    with_service, without = Snapshot([entry, CART]), Snapshot([entry])
    assert [f.code for f in entry_findings(with_service, entry, RULES) if f.code == "DA022"] == ["DA022"]
    assert not [f for f in entry_findings(without, entry, RULES) if f.code == "DA022"]
    assert entry.key in affected(with_service, None, CART, RULES)
    assert entry.key in affected(without, CART, None, RULES)


def test_an_entry_triggers_those_with_another_form_of_the_name() -> None:
    """Where one takes the Service's place for a namespace, another one takes nothing there."""
    first, other = _entry("cart.shop", exportTo=["."]), _entry(FULL, name="other")
    assert services_hit(Snapshot([CART, first]), first, "cart.shop", MESH)
    assert not services_hit(Snapshot([CART, first, other]), first, "cart.shop", MESH)
    assert first.key in affected(Snapshot([CART, first, other]), None, other, RULES)


def test_with_capture_a_name_is_answered_by_chance() -> None:
    """Sidecars have the name for the Service and for the entry, whatever the port's protocol is."""
    ports = [make.port(80, "tcp")]
    service = Service.parse(make.service("cart", namespace="shop", ip="10.96.0.1", ports=ports))
    raw = make.entry("e", "cart.shop", ports=[make.entry_port(80)], namespace="abc", addresses=["240.1.0.1"])
    entry = ServiceEntry.parse(raw)
    world = Snapshot([service, entry])
    assert not services_hit(world, entry, "cart.shop", MESH)
    assert [h.effect for h in services_hit(world, entry, "cart.shop", Mesh(dns_capture=True))] == [Effect.BY_CHANCE]


def test_at_home_ip_endpoints_are_added_to_the_pods() -> None:
    """In the Service's own namespace its cluster stays, and has the entry's endpoints besides; names are not used."""
    service = Service.parse(
        make.service("cart", namespace="shop", ip="10.96.0.1", ports=[make.port(80, "http")], selector={"app": "cart"})
    )
    ports, endpoints = [{**make.entry_port(80, "HTTP"), "name": "http"}], [{"address": "192.0.2.1"}]
    raw = make.entry("e", FULL, ports=ports, namespace="shop", resolution="STATIC", endpoints=endpoints)
    entry = ServiceEntry.parse(raw)
    assert [h.effect for h in services_hit(Snapshot([service, entry]), entry, FULL, MESH)] == [Effect.SHARED]
    named = _entry(FULL, namespace="shop")
    assert not services_hit(Snapshot([service, named]), named, FULL, MESH)
