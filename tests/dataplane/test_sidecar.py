"""A sidecar here is a real one: what it listens on is what docs/istio.md, "Catch-alls", says."""

from typing import Any

import pytest

from dnsalias_operator.core.istio.listeners import Row
from tools import make
from tools.controlplane.waiting import eventually
from tools.dataplane.mesh import Mesh

pytestmark = [pytest.mark.cluster, pytest.mark.dataplane]

ENTRIES = "/apis/networking.istio.io/v1/namespaces/catching/serviceentries"


def entry(name: str, protocol: str, port: int) -> dict[str, Any]:
    """An entry without addresses."""
    ports, endpoints = [make.entry_port(port, protocol)], [{"address": "10.1.0.5"}]
    return make.entry(name, f"{name}.team", ports=ports, resolution="STATIC", endpoints=endpoints)


def test_an_entry_without_addresses_is_a_catch_all(mesh: Mesh) -> None:
    """The incident: a TCP entry without addresses takes every connection to its port; one with TLS only its SNI."""
    expected = [
        Row(
            bind="0.0.0.0",  # noqa: S104
            port=4443,
            default=False,
            sni=(),
            cidr=(),
            http=False,
            cluster="outbound|4443||tcp.team",
            route=None,
        )
    ]
    with mesh.pod("catching", "client") as pod:
        for body in (entry("tcp", "TCP", 4443), entry("tls", "TLS", 5443)):
            mesh.plane.api.create(ENTRIES, body)
        try:
            eventually(lambda: {r.port for r in pod.listeners()} >= {4443, 5443}, "both listeners")
            rows = pod.listeners()
        finally:
            for name in ("tcp", "tls"):
                mesh.plane.api.delete(f"{ENTRIES}/{name}")
    assert [row for row in rows if row.port == 4443] == expected
    assert [row.sni for row in rows if row.port == 5443] == [("tls.team",), ()]
