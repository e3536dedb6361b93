"""`dnsalias coredns`."""

import subprocess
import sys
from pathlib import Path

import yaml

DNSALIAS = str(Path(sys.executable).with_name("dnsalias"))


def _alias(name: str, host: str, service: str) -> dict[str, object]:
    return {
        "apiVersion": "dnsalias.io/v1alpha1",
        "kind": "DnsAlias",
        "metadata": {"name": name, "namespace": "abc"},
        "spec": {"host": host, "serviceRef": {"name": service}},
    }


SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "api", "namespace": "abc"},
    "spec": {"clusterIP": "10.96.0.1", "clusterIPs": ["10.96.0.1"], "ports": [{"name": "http", "port": 80}]},
}


def test_accepted_aliases_become_rewrites_to_the_service_name() -> None:
    """Names go to names, sorted; a refused alias and one without a Service get no line."""
    objects = [
        SERVICE,
        _alias("two", "b.hello", "api"),
        _alias("one", "a.hello", "api"),
        _alias("late", "a.hello", "api"),
        _alias("lost", "c.hello", "nothing"),
        _alias("reserved", "x.svc", "api"),
    ]
    text = yaml.safe_dump_all(objects)
    done = subprocess.run([DNSALIAS, "coredns", "-f", "-"], input=text, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1:] == [
        "rewrite stop name exact a.hello api.abc.svc.cluster.local answer auto",
        "rewrite stop name exact b.hello api.abc.svc.cluster.local answer auto",
    ]
