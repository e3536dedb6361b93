"""Who would lose an address: what the guard sees beyond one address of one Service, written plainly."""

from dataclasses import replace

import pytest

from dnsalias_operator.core.entries.containment import containment_address
from dnsalias_operator.core.plan import lint, plan
from dnsalias_operator.core.traffic.takeover import reach_of, takes_from
from dnsalias_operator.model.dnsalias import DnsAlias
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.serviceentry import ServiceEntry
from tests.core.listener_worlds import NEWER, OLDER, PORT, VIP, entry, service, world
from tools import make

VIP6 = "fd00::10"
DUAL = Mesh(dual_stack=True)
DUAL_BOTH = Mesh(dual_stack=True, istio_dual_stack=True)


@pytest.mark.parametrize("mesh", [DUAL, DUAL_BOTH])
def test_an_older_entry_takes_the_first_address_of_a_dual_stack_service(mesh: Mesh) -> None:
    """Dual-stack pods have the Service's listener at its first clusterIP, here the IPv6 one."""
    alias = entry(addresses=[VIP6], created=OLDER)
    taken = takes_from(world(service(ips=[VIP6, VIP], created=NEWER), alias), alias, mesh)
    assert taken is not None
    assert (taken.address, taken.port) == (VIP6, PORT)


def test_ipv4_pods_do_not_reach_the_ipv6_address() -> None:
    """They reach the Service at its IPv4 address, wherever that stands in the list."""
    alias = entry(addresses=[VIP6], created=OLDER)
    assert takes_from(world(service(ips=[VIP6, VIP], created=NEWER), alias), alias, Mesh()) is None


@pytest.mark.parametrize("mesh", [DUAL, DUAL_BOTH])
def test_an_alias_waits_for_its_age_at_the_first_address(mesh: Mesh) -> None:
    """An alias by DNS endpoint of a Service whose first clusterIP is IPv6 is made when it is younger for certain."""
    alias = DnsAlias.parse(make.alias("alias", "alias.hello", "svc", namespace="abc"))
    (change,) = plan(world(service(ips=[VIP6, VIP], created=NEWER), alias), make.rules(mesh=mesh)).changes
    assert change.not_before == NEWER + 2


@pytest.mark.parametrize(
    ("address", "other"), [("10.96.0.10/32", "10.96.0.11"), ("10.96.0.0/28", "10.96.0.16"), ("fd00::/64", "fd00:1::1")]
)
@pytest.mark.parametrize("mesh", [Mesh(), DUAL])
def test_an_address_is_taken_however_it_is_written(address: str, other: str, mesh: Mesh) -> None:
    """A TCP entry takes the HTTP Service at the IP that its prefix holds, and not the one beside it."""
    ip = VIP6 if ":" in address else VIP
    alias = entry(resolution="STATIC", addresses=[address])
    at, beside = service("at", protocol="http", ips=[ip]), service("beside", protocol="http", ips=[other])
    taken = takes_from(world(at, beside, alias), alias, mesh)
    assert taken is not None
    assert (taken.loser, taken.address, taken.mismatch) == (at.key, ip, True)
    assert takes_from(world(beside, alias), alias, mesh) is None


def test_a_cidr_takes_nothing_that_has_a_listener_of_its_own() -> None:
    """A CIDR is a chain of the wildcard listener, which a byte-stream Service's address never meets."""
    alias = entry(resolution="STATIC", addresses=["10.96.0.0/28"], created=OLDER)
    assert takes_from(world(service(created=NEWER), alias), alias, Mesh()) is None


def test_a_cidr_reaches_the_namespaces_that_the_entry_is_exported_to() -> None:
    """Who is hit is decided by the entry's exportTo, although no Service there differs."""
    alias = entry(resolution="STATIC", addresses=["10.96.0.0/28"], export_to=["shop"])
    snapshot = world(service(protocol="http"), alias)
    taken = takes_from(snapshot, alias, Mesh())
    assert taken is not None
    assert str(reach_of(snapshot, alias, taken, Mesh())) == "namespace shop"


@pytest.mark.parametrize("address", ["10.96.0.10", "10.96.0.10/32", "10.96.0.0/28"])
def test_an_address_that_is_the_services_is_not_stale(address: str) -> None:
    """However it is written."""
    alias = entry(resolution="STATIC", addresses=[address], spec={"endpoints": [{"address": "10.1.1.1"}]})
    annotated = {**alias.raw, "metadata": {**alias.raw["metadata"], "annotations": {"dnsalias.io/service": "svc"}}}
    found = {f.code for f in lint(world(service(), ServiceEntry.parse(annotated)), make.rules())}
    assert "DA006" not in found


def test_a_containment_address_is_nobody_elses_however_it_is_written() -> None:
    """The place in the range that the hash picks is passed over where another entry has it as a /32."""
    alias, rules = entry(), make.rules()
    first = containment_address(world(alias), alias, rules)
    other = entry("other", resolution="STATIC", addresses=[f"{first}/32"])
    assert containment_address(world(alias, other), alias, rules) != first


@pytest.mark.parametrize("ips", [["TBD"], ["TBD", VIP], [VIP, VIP]])
def test_a_clusterip_that_is_no_address_is_no_error(ips: list[str]) -> None:
    """Files may hold anything where the API server would not."""
    given = entry(resolution="STATIC", addresses=["10.96.0.0/28", "junk", "10.96.0.10/99"])
    alias = replace(given, meta=replace(given.meta, uid="got-past-the-webhook"))
    found = {f.code for f in lint(world(service(ips=ips), alias), make.rules())}
    assert ("DA009" in found) == (VIP in ips)
