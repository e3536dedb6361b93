"""A Lease that the operator cannot have: Prometheus tells it, and the runbook's steps end it."""

import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from tests.install.markdown import sections
from tests.monitoring.conftest import port
from tests.monitoring.prometheus import Prometheus
from tools.controlplane.cluster import ControlPlane
from tools.controlplane.waiting import eventually
from tools.running import identity
from tools.running.operator_process import Operator

pytestmark = pytest.mark.cluster

STALE = "DnsAliasOperatorStale"
RUNBOOK = Path(__file__).parents[2] / "docs" / "runbook.md"
LEASES = f"/apis/coordination.k8s.io/v1/namespaces/{identity.NAMESPACE}/leases"
HOLDER = "a-laptop_0123456789ab"


def commands() -> list[list[str]]:
    """The commands of the alert's section that are about the Lease."""
    section = sections(RUNBOOK.read_text(encoding="utf-8"), 2)[STALE]
    lines = re.findall(r"^ *(kubectl .* lease .*)$", section, flags=re.MULTILINE)
    return [shlex.split(line, comments=True) for line in lines]


@pytest.fixture
def candidate(plane: ControlPlane, prometheus: Prometheus, tmp_path: Path) -> Iterator[Operator]:
    """An operator that may use the Lease, which somebody who is gone has for an hour; scraped."""
    kubeconfig = identity.install(plane)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    spec = {"holderIdentity": HOLDER, "leaseDurationSeconds": 3600, "acquireTime": now, "renewTime": now}
    plane.api.create(LEASES, {"metadata": {"name": identity.ACCOUNT}, "spec": spec})
    settings = {"leader_election": "true", "lease_namespace": identity.NAMESPACE, "lease_retry_seconds": "0.4"}
    with Operator(plane, kubeconfig, tmp_path, settings) as operator:
        operator.ready()
        prometheus.scrape(port(operator))
        yield operator
        assert operator.bugs() == []
    prometheus.scrape()
    plane.api.delete(f"{LEASES}/{identity.ACCOUNT}")


def causes(prometheus: Prometheus) -> set[str]:
    """The causes for which the alert fires now."""
    return {a["labels"]["cause"] for a in prometheus.alerts(STALE) if a["state"] == "firing"}


def test_a_lease_of_somebody_who_is_gone_is_told_and_given_free(
    candidate: Operator, plane: ControlPlane, prometheus: Prometheus
) -> None:
    """The Pod is ready and healthy all the while; the alert says that nobody leads; the runbook's step ends it."""
    eventually(lambda: "no-leader" in causes(prometheus), "the alert fires")
    assert causes(prometheus) == {"no-leader"}
    assert [candidate.page(path)[0] for path in ("/readyz", "/healthz")] == [200, 200]
    assert candidate.said(message="standby: another operator leads", holder=HOLDER)
    # What a standby serves: itself, and nothing of the cluster.
    assert candidate.metric("dnsalias_synced") == candidate.metric("dnsalias_leader") == 0
    assert "dnsalias_last_resync_timestamp_seconds{" not in candidate.page("/metrics")[1]

    look, free = commands()
    shown = yaml.safe_load(plane.kubectl(*look[1:]))
    assert shown["spec"]["holderIdentity"] == HOLDER
    plane.kubectl(*free[1:])
    eventually(lambda: candidate.metric("dnsalias_leader") == 1, "the candidate leads")
    eventually(lambda: prometheus.alerts(STALE) == [], "the alert ends")
