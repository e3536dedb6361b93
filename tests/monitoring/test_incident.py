"""The incident, as the on-call sees it: a real Prometheus scrapes the real operator while it happens."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.monitoring.conftest import Run
from tests.monitoring.prometheus import Prometheus
from tools.controlplane.cluster import ControlPlane
from tools.controlplane.waiting import eventually
from tools.demo import incident

pytestmark = pytest.mark.cluster

UNFIXED = "DnsAliasUnfixedServiceEntry"
RUNBOOK = "docs/runbook.md#dnsaliasunfixedserviceentry"
PAGED = ("abc/traefik-cutom-name", "data/mysql-cutom-name", "shop/checkout-cutom-name")


@pytest.fixture
def scene(plane: ControlPlane) -> Iterator[ControlPlane]:
    """A cluster without the incident, and without it again afterwards: other tests count catch-alls too."""
    yield plane
    for obj in incident.objects():
        kind, meta = obj["kind"].lower(), obj["metadata"]
        plane.kubectl("delete", kind, meta["name"], "-n", meta["namespace"], "--ignore-not-found")


def firing(prometheus: Prometheus, **labels: str) -> dict[str, Any]:
    """Wait for the one alert with these labels to fire."""

    def found() -> list[dict[str, Any]]:
        return [a for a in prometheus.alerts(UNFIXED, **labels) if a["state"] == "firing"]

    eventually(found, f"{UNFIXED} {labels} fires")
    (alert,) = found()
    return alert


def test_the_incident_pages_and_the_fix_ends_it(scene: ControlPlane, prometheus: Prometheus, run: Run) -> None:
    """The page is pending, fires, names entries, reason and runbook section, and ends when the operator may repair.

    What is left after that opens a ticket, which ends when somebody makes the edit that the message asks for.
    """
    run(foreign_entries="observe")
    began = time.time()
    assert prometheus.alerts(UNFIXED) == []

    incident.create(scene)
    page = firing(prometheus, severity="critical")
    assert prometheus.states(UNFIXED, began, severity="critical") == ["pending", "firing"]
    assert page["labels"]["reason"] == "ObserveOnly"
    text = page["annotations"]
    assert text["summary"].endswith(": 3, ObserveOnly")
    assert all(entry in text["description"] for entry in PAGED)
    assert "Why: dnsalias explain ObserveOnly." in text["description"]
    assert text["runbook_url"] == RUNBOOK
    # It takes nobody's traffic, so it is named in the ticket and not in the page.
    assert "abc/traefik-hello" not in text["description"]
    assert "abc/traefik-hello" in firing(prometheus, severity="warning")["annotations"]["description"]

    # The runbook's first step: let it repair.
    operator = run(foreign_entries="patch")
    eventually(lambda: not prometheus.alerts(UNFIXED, reason="ObserveOnly"), "the page ends")
    ticket = firing(prometheus, severity="warning")
    assert ticket["labels"]["reason"] == "WouldShadowService"
    assert "named): shop/checkout-cutom-name." in ticket["annotations"]["description"]

    # "Delete it and create it again, so that it is younger": docs/findings.md#wouldshadowservice.
    path = "/apis/networking.istio.io/v1/namespaces/shop/serviceentries"
    entry = next(o for o in incident.objects() if o["metadata"]["name"] == "checkout-cutom-name")
    scene.api.delete(f"{path}/checkout-cutom-name")
    meta = {k: v for k, v in entry["metadata"].items() if k != "creationTimestamp"}
    scene.api.create(path, {**entry, "metadata": meta})
    eventually(lambda: not prometheus.alerts(UNFIXED), "the ticket ends")
    assert operator.idle().page("/healthz")[0] == 200
