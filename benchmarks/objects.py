"""Manifests of worlds of any size, with the ballast that objects of real clusters carry.

Names are spread over namespaces of fifty Services each, as teams have them. Half of the ports are TCP, the others HTTP.
"""

import json
from collections.abc import Iterator
from typing import Any

from tools import make

Manifest = dict[str, Any]

PER_NAMESPACE = 50
CONTROLLER = "dns-controller"
PORT = 8443
"""The TCP port of every second Service; the others serve HTTP on 8080. Fewer port numbers than objects, as in life."""
HTTP_PORT = 8080
_ANNOTATIONS = {
    "deployment.example/commit": "9f2c7b1e5d3a48f6a0c1b2d3e4f5061728394a5b",
    "deployment.example/pipeline": "https://ci.example/teams/payments/pipelines/deploy/runs/20260901-1143",
    "team.example/on-call": "payments-primary",
}


def namespace_of(n: int) -> str:
    """The namespace of everything with number ``n``."""
    return f"team-{n // PER_NAMESPACE:04}"


def namespaces(count: int) -> list[str]:
    """The namespaces of ``count`` Services."""
    return sorted({namespace_of(n) for n in range(count)})


def service(n: int) -> Manifest:
    """A Service with a selector, and what kubectl apply and a deployment tool leave on it."""
    port = {"name": "tcp-api", "port": PORT} if n % 2 else {"name": "http-api", "port": HTTP_PORT}
    spec = {"ports": [{**port, "protocol": "TCP", "targetPort": port["port"]}], "selector": {"app": f"service-{n}"}}
    return _with_ballast("v1", "Service", f"service-{n}", n, spec)


def alias(n: int) -> Manifest:
    """A DnsAlias of Service ``n``."""
    return make.alias(f"alias-{n}", f"service-{n}.mesh-name", f"service-{n}", namespace=namespace_of(n))


def broken_entry(n: int) -> Manifest:
    """What a dns-controller writes for Service ``n`` that leaves out addresses and endpoints."""
    ports = service(n)["spec"]["ports"][0]
    protocol = "TCP" if n % 2 else "HTTP"
    spec = {
        "hosts": [f"service-{n}.other-name"],
        "location": "MESH_INTERNAL",
        "resolution": "DNS",
        "ports": [{"number": ports["port"], "name": ports["name"], "protocol": protocol}],
    }
    found = _with_ballast("networking.istio.io/v1", "ServiceEntry", f"service-{n}", n, spec)
    found["metadata"]["labels"]["app.kubernetes.io/managed-by"] = CONTROLLER
    return found


def external_entry(n: int) -> Manifest:
    """An entry for a host outside the mesh, as most of a cluster's are: nothing is wrong with it."""
    spec = {
        "hosts": [f"api-{n}.partner.example"],
        "location": "MESH_EXTERNAL",
        "resolution": "DNS",
        "ports": [{"number": 443, "name": "tls", "protocol": "TLS"}],
    }
    return _with_ballast("networking.istio.io/v1", "ServiceEntry", f"external-{n}", n, spec)


def of_files(count: int) -> Iterator[Manifest]:
    """``count`` objects for the command line: half Services, half entries, of which one in ten is broken."""
    for n in range(count // 2):
        yield {**(one := service(n)), "spec": {**one["spec"], "clusterIP": address(n), "clusterIPs": [address(n)]}}
        yield broken_entry(n) if n % 10 == 1 else external_entry(n)


def address(n: int) -> str:
    """A clusterIP for Service ``n`` of a file."""
    return f"10.{96 + n // 65_536}.{n // 256 % 256}.{n % 256}"


def _with_ballast(api_version: str, kind: str, name: str, n: int, spec: Manifest) -> Manifest:
    labels = {"app": f"service-{n}", "team": namespace_of(n), "app.kubernetes.io/version": "2026.9.1"}
    meta: Manifest = {"name": name, "namespace": namespace_of(n), "labels": labels, "annotations": dict(_ANNOTATIONS)}
    applied = {"apiVersion": api_version, "kind": kind, "metadata": {**meta}, "spec": spec}
    last = {"kubectl.kubernetes.io/last-applied-configuration": json.dumps(applied)}
    return {**applied, "metadata": {**meta, "annotations": {**meta["annotations"], **last}}}
