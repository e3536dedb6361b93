"""The alerts that the chart makes follow its values; without any they are those of manifests/ (test_chart.py)."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.install.helm import Helm
from tests.monitoring import rules
from tests.monitoring.rules import Rule
from tests.monitoring.tools import tool
from tools.controlplane import build
from tools.controlplane.cluster import ControlPlane

pytestmark = pytest.mark.cluster

HOME = "https://git.example.com/dnsalias-operator/blob/main"


@pytest.fixture
def helm(control_plane: ControlPlane, tmp_path: Path) -> Helm:
    """Helm, for what changes nothing in the cluster."""
    build.ensure("helm")
    return Helm(control_plane, tmp_path)


def alerts(helm: Helm, settings: dict[str, Any] | None = None, **monitoring: str) -> list[Rule]:
    """The rules that the chart makes of these settings and values of monitoring."""
    objects = helm.rendered({"settings": settings or {}, "monitoring": {"enabled": True, **monitoring}})
    (rule,) = (obj for obj in objects if obj["kind"] == "PrometheusRule")
    return [rule for group in rule["spec"]["groups"] for rule in group["rules"]]


def one(every: list[Rule], alert: str, cause: str | None = None) -> Rule:
    """The rule of that alert and cause."""
    (found,) = (r for r in every if r["alert"] == alert and r["labels"].get("cause") == cause)
    return found


def test_limits_follow_their_settings(helm: Helm) -> None:
    """Three resyncs and half of stuck_seconds are the limits, whatever they are."""
    every = alerts(helm, {"resync_seconds": 900, "stuck_seconds": 700})
    for cause, limit in (("no-resync", "2700"), ("stuck", "350")):
        assert one(every, "DnsAliasOperatorStale", cause)["expr"].rpartition(" > ")[2] == limit


@pytest.mark.parametrize(
    ("longest", "window", "delay"),
    [(60, "10m", "15m"), (300, "10m", "15m"), (310.5, "11m", "17m"), (1800, "60m", "90m"), (86400, "2880m", "4320m")],
)
def test_the_window_of_write_errors_follows_the_longest_pause(
    helm: Helm, longest: float, window: str, delay: str
) -> None:
    """It holds two retries, the delay is longer than it, and the text tells how long it is."""
    rule = one(alerts(helm, {"backoff_max_seconds": longest}), "DnsAliasWriteErrors")
    assert f"[{window}]" in rule["expr"]
    assert rule["for"] == delay
    assert f"writes failed within {window.removesuffix('m')} minutes" in rule["annotations"]["description"]


def test_an_error_at_each_of_rare_retries_is_told(helm: Helm, tmp_path: Path) -> None:
    """With a retry every half hour, each refused, there is a ticket, which ten minutes would not show; not for one."""
    every = alerts(helm, {"backoff_max_seconds": 1800})
    # Their text is tested in tests/monitoring.
    rules.write([{**rule, "annotations": {}} for rule in every], tmp_path)

    def labels(operation: str) -> dict[str, str]:
        return {"kind": "ServiceEntry", "operation": operation, "result": "refused"}

    def series(operation: str, values: str) -> dict[str, str]:
        matchers = ",".join(f'{k}="{v}"' for k, v in labels(operation).items())
        return {"series": f"dnsalias_writes_total{{{matchers}}}", "values": values}

    firing = {"exp_labels": {**labels("repair"), "severity": "warning"}}
    case = {
        "interval": "1m",
        "input_series": [
            series("repair", " ".join(f"{n}x29" for n in range(8))),
            series("update", "0x99 1x139"),
        ],
        "alert_rule_test": [
            {"alertname": "DnsAliasWriteErrors", "eval_time": time, "exp_alerts": [firing]} for time in ("150m", "200m")
        ],
    }
    test = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": [case]}
    file = tmp_path / "rare.yaml"
    file.write_text(yaml.safe_dump(test), encoding="utf-8")
    command = [str(tool("promtool")), "test", "rules", str(file)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_alert_names_the_lease_that_is_used(helm: Helm) -> None:
    """What is to be typed is right for another Lease, too."""
    every = alerts(helm, {"lease_name": "ours", "lease_namespace": "leases"})
    told = one(every, "DnsAliasOperatorStale", "no-leader")["annotations"]["description"]
    assert "kubectl -n leases get lease ours -o yaml" in told


@pytest.mark.parametrize("url", [HOME, f"{HOME}/"])
def test_the_runbook_is_where_the_value_says(helm: Helm, url: str) -> None:
    """Every alert has a URL, of the section that it has as a path where nothing is said."""
    plain = [rule["annotations"]["runbook_url"] for rule in alerts(helm)]
    told = [rule["annotations"]["runbook_url"] for rule in alerts(helm, runbookBaseUrl=url)]
    assert plain == [rule["annotations"]["runbook_url"] for rule in rules.rules()]
    assert told == [f"{HOME}/{path}" for path in plain]


def test_prometheus_reads_what_is_made_of_other_values(helm: Helm, tmp_path: Path) -> None:
    """With each of these values set, it is a rule file still."""
    settings = {"resync_seconds": 900.5, "stuck_seconds": 700.5, "backoff_max_seconds": 400, "lease_name": "ours"}
    path = rules.write(alerts(helm, settings, runbookBaseUrl=HOME), tmp_path)
    command = [str(tool("promtool")), "check", "rules", str(path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == 0, result.stdout + result.stderr
