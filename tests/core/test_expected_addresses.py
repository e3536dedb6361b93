"""An entry that was just applied: istiod allocates its addresses, and has not written them into its status yet."""

from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from dnsalias_operator.core.istio.listeners import listener_at, outbound, unfollowed
from dnsalias_operator.core.istio.listeners.rows import WILDCARD, Client
from dnsalias_operator.core.traffic.callers import dialled
from dnsalias_operator.core.traffic.catch_all import catches
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot
from tools import make

CAPTURE = Mesh(dns_capture=True)
CLIENT = Client("default")
HOST = "db.example.com"
PORT = 5432
RANGE = ip_network("240.240.0.0/16")


def applied(name: str = "db", status: dict[str, str] | None = None, **spec: Any) -> ServiceEntry:  # noqa: ANN401
    """A TCP entry without addresses, with what istiod has written so far."""
    meta = {"labels": spec.pop("labels", {})}
    fields = {"hosts": [HOST], "ports": [make.entry_port(PORT)], "resolution": "DNS", **spec}
    written = [{"host": host, "value": value} for host, value in (status or {}).items()]
    raw = make.manifest(make.NETWORKING, "ServiceEntry", name, fields, namespace="shop", meta=meta)
    return ServiceEntry.parse({**raw, "status": {"addresses": written}})


def test_it_listens_on_an_address_of_istiods_range() -> None:
    """With DNS capture it is no catch-all, and is found at the address that stands for istiod's; else it is one."""
    entry = applied()
    world, expected = Snapshot([entry]), entry.expected_address(HOST)
    assert ip_address(expected) in RANGE
    assert [listener.binds for listener in outbound(world, CLIENT, CAPTURE)] == [(expected,)]
    assert listener_at(world, CLIENT, CAPTURE, expected, PORT) is not None
    assert catches(world, entry, CAPTURE) == ()
    assert catches(world, entry, Mesh()) == (PORT,)


@pytest.mark.parametrize(
    ("mesh", "changed"),
    [
        (CAPTURE, {"resolution": "NONE"}),
        (CAPTURE, {"hosts": ["*.example.com"], "resolution": "STATIC"}),
        (CAPTURE, {"labels": {"networking.istio.io/enable-autoallocate-ip": "False"}}),
        (CAPTURE, {"addresses": [WILDCARD]}),
        (Mesh(dns_capture=True, istio_version="1.24.6"), {}),
    ],
    ids=["resolution NONE", "wildcard host", "opted out", "addresses of its own", "before 1.25"],
)
def test_what_istiod_allocates_nothing_to_stays_a_catch_all(mesh: Mesh, changed: dict[str, Any]) -> None:
    """Where istiod will write no address the entry is judged as without DNS capture."""
    entry = applied(**changed)
    assert catches(Snapshot([entry]), entry, mesh) == (PORT,)


def test_each_entry_and_host_has_one_of_its_own() -> None:
    """The address is the same whenever it is asked for, and differs between hosts and between entries."""
    hosts = [f"{name}.example.com" for name in "abcd"]
    both = [applied(name, hosts=hosts) for name in ("one", "two")]
    found = [entry.expected_address(host) for entry in both for host in hosts]
    assert len(set(found)) == len(found)
    assert found == [applied(name, hosts=hosts).expected_address(host) for name in ("one", "two") for host in hosts]


def test_status_replaces_what_was_expected_host_by_host() -> None:
    """A host that has its address uses it; one that was added since has the expected one still."""
    hosts = [HOST, "new.example.com"]
    entry = applied(hosts=hosts, resolution="STATIC", status={HOST: "240.240.7.7"})
    world = Snapshot([entry])
    assert entry.expected_address(HOST) == ""
    binds = {listener.binds for listener in outbound(world, CLIENT, CAPTURE)}
    assert binds == {("240.240.7.7",), (entry.expected_address("new.example.com"),)}


def test_its_callers_dial_what_is_expected() -> None:
    """A sidecar that captures DNS will answer with the allocated address; without capture the Service's is dialled."""
    entry, service = applied(), Service.parse(make.service("db", namespace="shop", ip="10.96.0.9"))
    assert dialled(entry, service, CAPTURE) == (entry.expected_address(HOST), "10.96.0.9")
    assert dialled(entry, service, Mesh()) == ("10.96.0.9",)
    assert dialled(replace(entry, resolution="NONE"), service, CAPTURE) == ("10.96.0.9",)


def test_that_the_address_is_not_known_is_said() -> None:
    """Beside predictions with such an address stands that istiod may give another one, and beside no other."""
    entry = applied()
    (said,) = unfollowed(Snapshot([entry]), CLIENT, CAPTURE)
    assert said.startswith(f"ServiceEntry shop/db has no address from istiod yet: {entry.expected_address(HOST)} ")
    assert unfollowed(Snapshot([entry]), CLIENT, Mesh()) == ()
    assert unfollowed(Snapshot([applied(status={HOST: "240.240.7.7"})]), CLIENT, CAPTURE) == ()
    assert listener_at(Snapshot([entry]), CLIENT, CAPTURE, WILDCARD, PORT) is None
