"""A Service of two ports and one alias of it, as JSON: the smallest world in which an entry is made."""

from typing import Any

SERVICE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "api", "namespace": "abc", "uid": "s1", "creationTimestamp": "2026-01-01T00:00:00Z"},
    "spec": {
        "clusterIP": "10.96.0.1",
        "clusterIPs": ["10.96.0.1"],
        "selector": {"app": "api"},
        "ports": [{"name": "http", "port": 80}, {"name": "tcp", "port": 81}],
    },
}
ALIAS: dict[str, Any] = {
    "apiVersion": "dnsalias.io/v1alpha1",
    "kind": "DnsAlias",
    "metadata": {"name": "api", "namespace": "abc", "uid": "a1"},
    "spec": {"host": "api.hello", "serviceRef": {"name": "api"}},
}
ENTRY: dict[str, Any] = {
    "apiVersion": "networking.istio.io/v1",
    "kind": "ServiceEntry",
    "metadata": {"name": "api", "namespace": "abc", "labels": {"app.kubernetes.io/managed-by": "dns-controller"}},
    "spec": {"hosts": ["api.hello"], "resolution": "DNS", "ports": [{"name": "p", "number": 81, "protocol": "TCP"}]},
}
"""Somebody else's entry for the host of the alias, as a dns-controller writes it."""
