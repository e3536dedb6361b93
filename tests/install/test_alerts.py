"""The alerts speak of metrics that exist, and each has its section in the runbook."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from dnsalias_operator.core.catalog import CATCH_ALL
from dnsalias_operator.core.outcome import Severity
from dnsalias_operator.settings import Settings
from dnsalias_operator.shell.metrics import SPECS
from tests.install.markdown import anchor, sections

REPOSITORY = Path(__file__).parents[2]
RULES = REPOSITORY / "manifests" / "monitoring" / "prometheusrule.yaml"
RUNBOOK = REPOSITORY / "docs" / "runbook.md"
SELECTOR = re.compile(r"(dnsalias_\w+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r"(\w+)=(?:\"([^\"]*)\"|%q)")


def rules() -> list[dict[str, Any]]:
    """Every alerting rule."""
    loaded = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    return [rule for group in loaded["spec"]["groups"] for rule in group["rules"]]


def queries() -> list[str]:
    """Every expression, those inside of annotations too."""
    inside = [q for r in rules() for text in r["annotations"].values() for q in re.findall(r'printf "([^}]*}?)', text)]
    return [rule["expr"] for rule in rules()] + inside


def test_metrics_and_labels_exist() -> None:
    """No alert is silent for asking after a metric or a label that the operator does not have."""
    found = [(name, labels) for query in queries() for name, labels in SELECTOR.findall(query)]
    assert {name for name, _ in found} >= {"dnsalias_unfixed_serviceentry_info", "dnsalias_findings"}
    for name, labels in found:
        assert name in SPECS
        assert {label for label, _ in MATCHER.findall(labels)} <= set(SPECS[name].labels)
    grouped = [(m[1], m[2]) for q in queries() if (m := re.search(r"by \(([^)]*)\) \((dnsalias_\w+)", q))]
    assert grouped
    for labels, name in grouped:
        assert {label.strip() for label in labels.split(",")} <= set(SPECS[name].labels)


def test_values_asked_for_exist() -> None:
    """Severities and codes are written as the operator writes them; no severity of unfixed entries is left out."""
    asked = [(k, v) for q in queries() for _, labels in SELECTOR.findall(q) for k, v in MATCHER.findall(labels) if v]
    assert {v for k, v in asked if k == "code"} == {CATCH_ALL.code}
    severities = {v for k, v in asked if k == "severity"}
    # info is never the severity of an unfixed entry: core/entries.py.
    assert severities == {s.value for s in Severity} - {"info"}


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: f"{rule['alert']}-{rule['expr'][:40]}")
def test_an_alert_says_how_bad_it_is_and_where_to_read_on(rule: dict[str, Any]) -> None:
    """Every rule has a severity, a delay, a summary, a description, and a link to a section that is there."""
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert rule["for"]
    assert {"summary", "description", "runbook_url"} <= rule["annotations"].keys()
    path, _, section = rule["annotations"]["runbook_url"].partition("#")
    assert REPOSITORY / path == RUNBOOK
    assert section == anchor(rule["alert"])


def test_the_runbook_has_a_section_for_each_alert_and_no_other() -> None:
    """A section of the runbook says of each alert what it means, how to see it, and what to do."""
    text = RUNBOOK.read_text(encoding="utf-8")
    told = [name for name in sections(text, 2) if name.startswith("DnsAlias")]
    assert sorted(told) == sorted({rule["alert"] for rule in rules()})
    for name in told:
        parts = sections(sections(text, 2)[name], 3)
        assert list(parts) == ["What it means", "How to see it", "What to do"]


def test_limits_follow_the_settings_they_stand_for() -> None:
    """The alerts on age allow for what the operator does by default: three resyncs, and work before it is stuck."""
    limits = {
        rule["labels"].get("cause"): float(rule["expr"].rpartition(" > ")[2]) for rule in rules() if ">" in rule["expr"]
    }
    assert limits["no-resync"] == 3 * Settings().resync_seconds
    assert limits["stuck"] == Settings().stuck_seconds
