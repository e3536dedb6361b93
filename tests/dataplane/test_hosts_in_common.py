"""Entries with a host of others, in a real mesh: whose virtual host has a name, and which ports have a cluster."""

import time
from collections.abc import Mapping
from typing import Any

import pytest

from dnsalias_operator.core.istio.clusters import cluster_of
from dnsalias_operator.core.istio.listeners import Client
from dnsalias_operator.core.istio.virtualhosts import routed_to
from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.mesh import Mesh as Facts
from dnsalias_operator.model.snapshot import Snapshot
from tools import make
from tools.controlplane.waiting import eventually
from tools.dataplane import pods
from tools.dataplane.mesh import Mesh
from tools.dataplane.pods import Pod

pytestmark = [pytest.mark.cluster, pytest.mark.dataplane]

HOME, AWAY, THIRD = "hosts", "hosts-away", "hosts-third"
PORT, NEXT = 6080, 6081
FULL = f"cart.{HOME}.svc.cluster.local"
FACTS = Facts()
OF_ANOTHER_SECOND = 1.1
"""Seconds after which an object is certainly younger."""
PATHS = {"Service": "/api/v1", "ServiceEntry": "/apis/networking.istio.io/v1"}
NAMES = ("cart", f"cart.{HOME}", f"cart.{HOME}.svc", f"cart.{HOME}.svc.cluster", FULL, f"{FULL}.", "pair.example")


def _entry(name: str, host: str, namespace: str, port: int = PORT, **spec: object) -> dict[str, Any]:
    led = {"exportTo": ["."], "endpoints": [{"address": "elsewhere.example"}], **spec}
    made = make.entry(name, host, ports=[make.entry_port(port, "HTTP", f"p-{port}")], namespace=namespace)
    return {**made, "spec": {**made["spec"], **led}}


OBJECTS = (
    make.service("cart", namespace=HOME, ports=[make.port(PORT, "http"), make.port(NEXT, "http-too")]),
    _entry("one-label", "cart", HOME),
    _entry("full", FULL, AWAY),
    _entry("absolute", f"{FULL}.", THIRD),
    _entry("with-svc", f"cart.{HOME}.svc", THIRD),
    _entry("no-domain", f"cart.{HOME}.svc.cluster", THIRD),
    _entry("first", "pair.example", THIRD, resolution="NONE", endpoints=None),
    _entry("second", "pair.example", THIRD, NEXT),
)
"""A Service, an entry for each form of its name, and two entries of one host that are not alike; the oldest first."""


def _created(mesh: Mesh) -> Snapshot:
    """The objects as the API server has them."""
    found = []
    for made in OBJECTS:
        namespace, kind = made["metadata"]["namespace"], made["kind"]
        pods.ensure_namespace(mesh.plane, namespace)
        plural = "services" if kind == "Service" else "serviceentries"
        time.sleep(OF_ANOTHER_SECOND if made["metadata"]["name"] == "second" else 0)
        found.append(KINDS[kind].parse(mesh.plane.api.create(f"{PATHS[kind]}/namespaces/{namespace}/{plural}", made)))
    return Snapshot(found)


def _domains(dump: Mapping[str, Any], port: int) -> dict[str, str]:
    """Each domain of the port's route, with the name of the cluster that it leads to."""
    routes = (r["route_config"] for c in dump["configs"] for r in c.get("dynamic_route_configs", ()))
    hosts = (host for route in routes if route.get("name") == str(port) for host in route["virtual_hosts"])
    return {
        domain: str(host["routes"][0].get("route", {}).get("cluster", ""))
        for host in hosts
        for domain in host["domains"]
    }


def _clusters(dump: Mapping[str, Any]) -> set[str]:
    return {c["cluster"]["name"] for part in dump["configs"] for c in part.get("dynamic_active_clusters", ())}


def _differences(dump: Mapping[str, Any], world: Snapshot, client: Client) -> list[str]:
    """Where Envoy has another cluster behind a name, or none, than is predicted."""
    known, found = _clusters(dump), []
    for port in (PORT, NEXT):
        domains = _domains(dump, port)
        for name in NAMES:
            there = domains.get(name, "")
            is_there = there if there in known else ""
            hostname = routed_to(world, client, FACTS, name, port)
            expected = f"outbound|{port}||{hostname}" if hostname else ""
            if is_there != expected:
                found.append(f"{name}:{port} leads to {is_there or 'nothing'}, and not to {expected or 'nothing'}")
    return found


def test_hosts_in_common_are_predicted(mesh: Mesh) -> None:
    """For a pod of each namespace: which cluster is behind each name, if there is one."""
    world = _created(mesh)
    for namespace in (HOME, AWAY, THIRD):
        with mesh.pod(namespace, "client") as pod:
            assert _differences(_routes_of(pod), world, Client(namespace)) == []
    assert cluster_of(world, Client(THIRD), FACTS, "pair.example", NEXT) is None


def _routes_of(pod: Pod) -> dict[str, Any]:
    """Envoy's configuration, once it has routes; the other port has none where the Service's place is taken."""

    def complete() -> dict[str, Any] | None:
        dump = pod.config_dump()
        return dump if _domains(dump, PORT) else None

    found = eventually(complete, "the port's routes")
    assert found is not None
    return found
