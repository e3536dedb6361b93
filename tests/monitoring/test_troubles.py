"""An operator in every trouble that alerts and dashboard are about, scraped by a real Prometheus."""

import math
from collections.abc import Iterator
from typing import Any

import pytest

from dnsalias_operator.shell.reporting.series import SPECS
from tests.cluster.conftest import Objects
from tests.monitoring.conftest import Run, port
from tests.monitoring.expressions import Expression, expressions
from tests.monitoring.prometheus import Prometheus
from tools.controlplane.api import MERGE, ApiError
from tools.controlplane.waiting import eventually
from tools.running.operator_process import Operator

pytestmark = pytest.mark.cluster

FREEZE = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: freeze}
spec:
  matchConstraints:
    resourceRules:
      - {apiGroups: [networking.istio.io], apiVersions: ["*"], operations: [UPDATE], resources: [serviceentries]}
  validations:
    - {expression: "object.metadata.name != 'frozen'", message: this entry is frozen}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: freeze}
spec: {policyName: freeze, validationActions: [Deny]}
"""


@pytest.fixture(scope="module")
def frozen(space: Objects) -> Iterator[None]:
    """An entry without addresses that an admission policy lets nobody change."""
    space.service("frozen", 6379)
    space.foreign("frozen", "frozen.cutom-name", 6379)
    space.plane.kubectl("apply", "-f", "-", stdin=FREEZE)
    path = f"{space.path('serviceentries', 'frozen')}?dryRun=All"

    def in_force() -> bool:
        try:
            space.plane.api.request("PATCH", path, {"metadata": {"annotations": {"tried": "yes"}}}, MERGE)
        except ApiError as error:
            return "this entry is frozen" in str(error)
        return False

    eventually(in_force, "the policy is in force")
    yield
    space.plane.kubectl("delete", "-f", "-", stdin=FREEZE)


@pytest.fixture(scope="module")
def troubled(run: Run, space: Objects, frozen: None) -> Operator:  # noqa: ARG001
    """An operator with one alias that works, and one of each kind of trouble."""
    # So often because a rate is of what happens while Prometheus looks on.
    operator = run(resync_seconds="2")
    space.service("web", 443)
    space.alias("web", "web.hello", "web")
    space.becomes_ready("web")
    # Drift: somebody hides the entry from others.
    space.patch("serviceentries", "web", {"spec": {"exportTo": ["."]}})
    # Contained: the Service that it stands for does not exist.
    space.foreign("stray", "stray.cutom-name", 7777)
    space.patch("serviceentries", "stray", {"metadata": {"annotations": {"dnsalias.io/service": "stray"}}})
    # Contested from the start, since its owner holds the field; so is the alias that it would serve.
    space.service("held", 3306)
    space.foreign("held", "held.cutom-name", 3306, addresses=[])
    space.alias("held", "held.cutom-name", "held")
    space.alias("lost", "lost.hello", "no-such-service")
    # Envoy takes no SNI of which a part of a label is a wildcard.
    space.foreign("refused", "*api.hello", 7443, "TLS", resolution="NONE")
    return operator


ALERTS: list[tuple[str, dict[str, str], str]] = [
    ("DnsAliasUnfixedServiceEntry", {"severity": "critical", "reason": "Contested"}, "monitored/held"),
    ("DnsAliasUnfixedServiceEntry", {"severity": "critical", "reason": "WriteRefused"}, "monitored/frozen"),
    ("DnsAliasUnfixedServiceEntry", {"severity": "warning", "reason": "ServiceNotFound"}, "monitored/stray"),
    ("DnsAliasContested", {"kind": "ServiceEntry"}, "monitored/held"),
    ("DnsAliasContested", {"kind": "DnsAlias"}, "monitored/held"),
    ("DnsAliasNotReady", {"reason": "ServiceNotFound"}, "monitored/lost"),
    ("DnsAliasWriteErrors", {"operation": "repair", "result": "refused"}, "monitored/frozen"),
    ("DnsAliasCatchAllListener", {}, "monitored/held"),
    ("DnsAliasRefusedByEnvoy", {}, "monitored/refused"),
]


@pytest.mark.parametrize(("name", "labels", "named"), ALERTS, ids=[f"{n}-{'-'.join(v.values())}" for n, v, _ in ALERTS])
@pytest.mark.usefixtures("troubled")
def test_an_alert_fires_and_names_what_it_is_about(
    prometheus: Prometheus, name: str, labels: dict[str, str], named: str
) -> None:
    """What the operator really counts makes the alert fire, with the object's name in its text."""

    def firing() -> list[dict[str, Any]]:
        return [a for a in prometheus.alerts(name, **labels) if a["state"] == "firing"]

    eventually(firing, f"{name} fires")
    (alert,) = firing()
    eventually(lambda: named in firing()[0]["annotations"]["description"], f"{named} is named")
    assert alert["annotations"]["runbook_url"] == f"docs/runbook.md#{name.lower()}"


def test_an_operator_that_is_gone_is_missed_and_one_that_is_back_is_not(
    prometheus: Prometheus, troubled: Operator
) -> None:
    """DnsAliasOperatorAbsent fires once there are no metrics, and ends when they are back."""
    assert prometheus.alerts("DnsAliasOperatorAbsent") == []
    prometheus.scrape()

    def states() -> list[str]:
        return [a["state"] for a in prometheus.alerts("DnsAliasOperatorAbsent")]

    eventually(lambda: states() == ["firing"], "the alert fires")
    prometheus.scrape(port(troubled))
    eventually(lambda: states() == [], "the alert ends")


@pytest.mark.parametrize("expression", expressions(), ids=lambda e: f"{e.panel}-{e.legend}")
@pytest.mark.usefixtures("troubled")
def test_a_panel_shows_something(prometheus: Prometheus, expression: Expression) -> None:
    """Every query of the dashboard has series, each with the labels of its legend: without what fills in for none."""

    def shown() -> bool:
        found = prometheus.query(expression.bare())
        return any(not math.isnan(sample.value) for sample in found)

    eventually(shown, f"{expression.bare()} gives a value")
    found = prometheus.query(expression.bare())
    assert [sample for sample in found if not expression.labels() <= sample.labels.keys()] == []


@pytest.mark.usefixtures("troubled")
def test_prometheus_knows_every_metric(prometheus: Prometheus) -> None:
    """Whatever the documentation names has been scraped under that name."""
    eventually(lambda: documented() <= prometheus.metrics(), "every metric is known")


def documented() -> set[str]:
    """The names of docs/metrics.md as Prometheus has them."""
    return {f"{name}_count" if spec.type == "histogram" else name for name, spec in SPECS.items()}
