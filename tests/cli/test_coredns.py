"""`dnsalias coredns`."""

import subprocess
import sys
from pathlib import Path

import yaml

from tools import make

DNSALIAS = str(Path(sys.executable).with_name("dnsalias"))


def test_accepted_aliases_become_rewrites_to_the_service_name() -> None:
    """Names go to names, sorted; a refused alias and one without a Service get no line."""
    objects = [
        make.service("api", ports=[make.port(80, "http")], ip="10.96.0.1", namespace="abc"),
        make.alias("two", "b.hello", "api", namespace="abc"),
        make.alias("one", "a.hello", "api", namespace="abc"),
        make.alias("late", "a.hello", "api", namespace="abc"),
        make.alias("lost", "c.hello", "nothing", namespace="abc"),
        make.alias("reserved", "x.svc", "api", namespace="abc"),
    ]
    text = yaml.safe_dump_all(objects)
    done = subprocess.run([DNSALIAS, "coredns", "-f", "-"], input=text, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1:] == [
        "rewrite stop name exact a.hello api.abc.svc.cluster.local answer auto",
        "rewrite stop name exact b.hello api.abc.svc.cluster.local answer auto",
    ]
