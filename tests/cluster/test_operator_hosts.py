"""Two claimants of one host, on the real API server: who holds it, also across restarts, and what the loser reads."""

import time
from collections.abc import Callable

import pytest

from tests.cluster.conftest import Objects
from tools.controlplane.waiting import eventually
from tools.running.operator_process import Operator, of_operator

pytestmark = pytest.mark.cluster

A_SECOND = 1.1
"""Time stamps have whole seconds: what is created this much later is younger for certain."""


def ready(objects: Objects, alias: str) -> dict[str, str]:
    """The Ready condition, {} where there is none."""
    conditions = objects.get("dnsaliases", alias).get("status", {}).get("conditions", [])
    return next((dict(c) for c in conditions if c["type"] == "Ready"), {})


def settled(objects: Objects, holder: str, loser: str) -> bool:
    """Whether one is served and the other refused with the name of the first."""
    wins, told = ready(objects, holder), ready(objects, loser)
    named = f"is held by DnsAlias {objects.namespace}/{holder}, which is older"
    return wins.get("status") == "True" and told.get("reason") == "HostHeld" and named in told["message"]


def claims(objects: Objects, host: str) -> list[str]:
    """Names of the entries with that host."""
    listed = objects.plane.api.get(objects.path("serviceentries"))["items"]
    return [e["metadata"]["name"] for e in listed if host in e["spec"]["hosts"]]


def test_the_holder_stays_across_restarts_and_one_created_again_queues_behind(
    start_operator: Callable[..., Operator], objects: Objects
) -> None:
    """The older holds the host, whatever the names and whoever is seen first; deleted and made again it waits."""
    host = f"shared.{objects.namespace}-hello"
    objects.service("api")
    objects.alias("z-first", host, "api")
    time.sleep(A_SECOND)
    objects.alias("a-second", host, "api")
    operator = start_operator().ready()
    eventually(lambda: settled(objects, "z-first", "a-second"), "the older holds the host")
    assert claims(objects, host) == ["z-first"]

    assert operator.stop() == 0
    mark = objects.plane.mark()
    operator = start_operator().idle()
    assert settled(objects, "z-first", "a-second")
    assert [
        r for r in of_operator(objects.plane.mutating_requests(since=mark)) if r.namespace == objects.namespace
    ] == []

    assert operator.stop() == 0
    objects.delete("dnsaliases", "z-first")
    eventually(lambda: claims(objects, host) == [], "its entry is collected")
    objects.alias("z-first", host, "api")
    operator = start_operator().ready()
    eventually(lambda: settled(objects, "a-second", "z-first"), "the one created again queues behind")
    assert claims(objects, host) == ["a-second"]

    objects.delete("dnsaliases", "a-second")
    eventually(lambda: ready(objects, "z-first").get("status") == "True", "the next in the queue gets the host")
    assert claims(objects, host) == ["z-first"]
    assert operator.stop() == 0
