"""Findings that show in Envoy alone, beyond the scenarios: when connections arrive, from where, and at which pods."""

from typing import Any

import pytest

from dnsalias_operator.core.findings.lint import lint
from dnsalias_operator.core.outcome import Finding
from dnsalias_operator.model.kinds import Object
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.serviceentry import ServiceEntry
from tests.core.listener_worlds import OLDER, VIP, entry, service, world
from tests.core.mtls_worlds import destination_rule, peer_authentication
from tools import make

STRICT = peer_authentication("STRICT")
PODS = {"selector": {"app": "api"}}
NAMED = {"location": "MESH_INTERNAL", "endpoints": [{"address": "svc.abc.svc.cluster.local"}]}


def found(code: str, *objects: Object, mesh: Mesh | None = None) -> list[Finding]:
    """The findings of that code in a world of those objects."""
    return [f for f in lint(world(*objects), make.rules(mesh=mesh or Mesh())) if f.code == code]


def severities(*objects: Object, mesh: Mesh | None = None) -> list[str]:
    """How bad plaintext into STRICT is there."""
    return [f.severity for f in found("DA018", STRICT, *objects, mesh=mesh)]


def test_without_a_peer_authentication_nothing_is_refused() -> None:
    """As the operator sees the world: the reason PlaintextEndpoints stays its word on it."""
    assert found("DA018", service(spec=PODS), entry(protocol="HTTP", spec=NAMED)) == []


def test_an_entry_that_has_the_services_address_breaks_the_services_own_callers() -> None:
    """Older than the Service it owns the address: whoever dials that is refused, and critical it is."""
    owned = entry(created=OLDER - 10, addresses=[VIP], spec=NAMED)
    assert severities(service(spec=PODS), owned) == ["critical"]


def test_one_that_lost_the_address_gets_no_connection() -> None:
    """The Service's own listener takes them all, with its own mTLS."""
    assert severities(service(spec=PODS), entry(addresses=[VIP], spec=NAMED)) == []


@pytest.mark.parametrize(("dns_capture", "expected"), [(False, "warning"), (True, "critical")])
def test_an_address_of_its_own_is_dialled_for_certain_where_the_sidecar_resolves_the_name(
    *, dns_capture: bool, expected: str
) -> None:
    """Without DNS capture it depends on what the name resolves to, which nobody here knows."""
    own = entry(addresses=["240.1.0.1"], spec=NAMED)
    assert severities(service(spec=PODS), own, mesh=Mesh(dns_capture=dns_capture)) == [expected]


def test_the_name_of_a_headless_service_leads_to_its_pods_ports() -> None:
    """PeerAuthentications go by the port that is dialled, not by what the Service says of it."""
    headless = service(ips=["None"], spec={**PODS, "ports": [{"name": "tcp", "port": 443, "targetPort": 8443}]})
    by_port: list[Object] = [
        peer_authentication("PERMISSIVE", name="p", selector={"app": "api"}, ports={443: "STRICT"}),
        entry(protocol="HTTP", spec=NAMED),
    ]
    assert [f.severity for f in found("DA018", headless, *by_port)] == ["critical"]
    assert (
        found("DA018", service(spec={**PODS, "ports": [{"name": "tcp", "port": 443, "targetPort": 8443}]}), *by_port)
        == []
    )


def test_a_kept_destination_is_the_entrys_own_address() -> None:
    """Resolution NONE goes where the client dialled: to the Service whose address the entry lists."""
    kept = entry(created=OLDER - 10, addresses=[VIP], resolution="NONE", spec={"location": "MESH_INTERNAL"})
    assert severities(service(spec=PODS), kept) == ["critical"]


def test_clients_that_a_rule_gives_mtls_are_not_among_those_refused() -> None:
    """A DestinationRule of a client's namespace changes what is sent from there, and the finding says so."""
    rule = destination_rule("svc.hello", "ISTIO_MUTUAL", namespace="callers")
    (told,) = found("DA018", STRICT, service(spec=PODS), entry(protocol="HTTP", spec=NAMED), rule)
    assert told.message.endswith("for clients in every namespace but callers")


# What Envoy refuses.

DUAL = Mesh(dual_stack=True, istio_dual_stack=True)
V6 = "fd00:10:96::10"


@pytest.mark.parametrize(
    ("addresses", "mesh", "expected"),
    [
        ([VIP, V6], DUAL, 1),
        ([VIP], DUAL, 0),
        ([VIP, V6], Mesh(dual_stack=True), 0),
        ([VIP, V6], Mesh(), 0),
    ],
)
def test_an_address_that_is_bound_twice(addresses: list[str], mesh: Mesh, expected: int) -> None:
    """Under ISTIO_DUAL_STACK the second clusterIP of a Service belongs to its one listener for both."""
    shared = entry(addresses=addresses, spec={"location": "MESH_INTERNAL"})
    refused = found("DA019", service(ips=[VIP, V6]), shared, mesh=mesh)
    assert [("bound twice" in f.message, f.remedy) for f in refused] == [
        (True, "list the Service's first clusterIP only")
    ] * expected


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (entry(hosts=["*api.hello"], protocol="TLS", resolution="NONE"), 1),
        (entry(hosts=["*api.hello"], protocol="HTTPS", resolution="NONE"), 1),
        (entry(hosts=["*api.hello"], protocol="TCP", resolution="NONE"), 0),
        (entry(hosts=["*.hello"], protocol="TLS", resolution="NONE"), 0),
        (entry(hosts=["*api.hello"], protocol="TLS", resolution="NONE", addresses=["10.9.0.0/16"]), 1),
        (entry(hosts=["*api.hello"], protocol="TLS", resolution="NONE", export_to=["~"]), 0),
    ],
)
def test_a_wildcard_that_is_no_whole_label(made: ServiceEntry, expected: int) -> None:
    """Only where it is matched as SNI, and only where some sidecar gets it."""
    assert len(found("DA019", made)) == expected


def test_the_namespaces_that_cannot_start_sidecars_are_named() -> None:
    """Those that the entry is exported to."""
    spec: dict[str, Any] = {"location": "MESH_EXTERNAL"}
    made = entry(hosts=["*.hello"], protocol="GRPC", resolution="DYNAMIC_DNS", export_to=["shop", "abc"], spec=spec)
    (told,) = found("DA019", made)
    assert told.message.endswith("sidecars that start in namespaces abc, shop are never ready")
