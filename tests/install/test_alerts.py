"""The alerts speak of metrics that exist, and each has its section in the runbook."""

import re
from pathlib import Path
from typing import Any

import pytest

from dnsalias_operator.core.outcome import Severity
from dnsalias_operator.model.status import READY
from dnsalias_operator.settings import Settings
from dnsalias_operator.shell.reporting.metrics import NAMED, Metrics
from dnsalias_operator.shell.reporting.series import SPECS
from dnsalias_operator.shell.working.verdicts import OURS
from tests.install.markdown import anchor, sections
from tests.monitoring.rules import name as named
from tests.monitoring.rules import rules

REPOSITORY = Path(__file__).parents[2]
RUNBOOK = REPOSITORY / "docs" / "runbook.md"
SELECTOR = re.compile(r"(dnsalias_\w+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r"(\w+)(=|!=|=~)(?:\"([^\"]*)\"|%q)")
README = REPOSITORY / "README.md"
QUERY = re.compile(r'query (?:\(printf )?"((?:[^"\\]|\\.)*)"')

OF_THE_TARGET = ("cluster", "namespace", "job")
"""Labels that Prometheus gives to what it scrapes, where a metric has none of that name."""


def queries() -> list[str]:
    """Every expression, those inside of annotations too."""
    inside = [q for r in rules() for text in r["annotations"].values() for q in QUERY.findall(text)]
    return [rule["expr"] for rule in rules()] + [q.replace('\\"', '"') for q in inside]


def matchers() -> list[tuple[str, str, str]]:
    """Label, operator and value ("" where a template gives it) of each matcher in each expression."""
    return [m for q in queries() for _, labels in SELECTOR.findall(q) for m in MATCHER.findall(labels)]


def test_metrics_and_labels_exist() -> None:
    """No alert is silent for asking after a metric or a label that the operator does not have."""
    found = [(name, labels) for query in queries() for name, labels in SELECTOR.findall(query)]
    assert {name for name, _ in found} >= {"dnsalias_unfixed_serviceentry_info", "dnsalias_findings"}
    for name, labels in found:
        assert name in SPECS
        assert {label for label, _, _ in MATCHER.findall(labels)} <= {*SPECS[name].labels, *OF_THE_TARGET}
    grouped = [m for q in queries() for m in re.findall(r"by \(([^)]*)\) \((?:\w+\()?\s*(dnsalias_\w+)", q)]
    assert len(grouped) >= len(rules())
    for labels, name in grouped:
        assert {label.strip() for label in labels.split(",")} <= {*SPECS[name].labels, *OF_THE_TARGET}


def test_values_asked_for_exist() -> None:
    """What is asked for is written as the operator writes it; no severity of unfixed entries is left out."""
    asked = {(label, value) for label, _, value in matchers() if value}
    assert {v for k, v in asked if k == "code"} == set(NAMED)
    # info is never the severity of an unfixed entry: core/entries/decide.py.
    assert {v for k, v in asked if k == "severity"} == {s.value for s in Severity} - {"info"}
    assert {one for k, v in asked if k == "reason" for one in v.split("|")} <= OURS
    assert {v for k, v in asked if k == "condition"} == {READY}
    assert {v for k, v in asked if k == "status"} == {"True"}
    results = Metrics().exposition().decode()
    for value in (v for k, result in asked if k == "result" for v in result.split("|")):
        assert f'result="{value}"' in results


@pytest.mark.parametrize("rule", rules(), ids=named)
def test_an_alert_says_how_bad_it_is_and_where_to_read_on(rule: dict[str, Any]) -> None:
    """Every rule has a severity, a delay, a summary, a description, and a link to a section that is there."""
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert rule["for"]
    assert {"summary", "description", "runbook_url"} <= rule["annotations"].keys()
    path, _, section = rule["annotations"]["runbook_url"].partition("#")
    assert REPOSITORY / path == RUNBOOK
    assert section == anchor(rule["alert"])


@pytest.mark.parametrize("rule", [r for r in rules() if not r["alert"].startswith("DnsAliasOperator")], ids=named)
def test_an_alert_about_objects_names_them(rule: dict[str, Any]) -> None:
    """Whoever is paged reads which entries or aliases it is about; only alerts about the operator itself have none."""
    asked = [SELECTOR.findall(q)[0][0] for q in QUERY.findall(rule["annotations"]["description"])]
    assert [metric for metric in asked if {"namespace", "name"} <= set(SPECS[metric].labels)]


@pytest.mark.parametrize("rule", rules(), ids=named)
def test_what_an_alert_says_needs_no_checkout(rule: dict[str, Any]) -> None:
    """Its text names commands, not files of this repository: only runbook_url does, which can be made a URL."""
    assert [text for key, text in rule["annotations"].items() if "docs/" in text and key != "runbook_url"] == []


def test_the_readme_lists_every_alert_with_its_severities() -> None:
    """The table of alerts in README.md is that of the rules."""
    table = re.findall(r"^\| (DnsAlias\w+) \| (\w+) \|", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(table) == sorted({(rule["alert"], rule["labels"]["severity"]) for rule in rules()})


def test_the_runbook_has_a_section_for_each_alert_and_no_other() -> None:
    """A section of the runbook says of each alert what it means, how to see it, and what to do."""
    text = RUNBOOK.read_text(encoding="utf-8")
    told = [name for name in sections(text, 2) if name.startswith("DnsAlias")]
    assert sorted(told) == sorted({rule["alert"] for rule in rules()})
    for name in told:
        parts = sections(sections(text, 2)[name], 3)
        assert list(parts) == ["What it means", "How to see it", "What to do"]


def test_limits_follow_the_settings_they_stand_for() -> None:
    """The alerts on age allow for what the operator does by default: three resyncs, and half of what is stuck."""
    limits = {rule["labels"].get("cause"): rule["expr"].rpartition(" > ")[2] for rule in rules()}
    assert float(limits["no-resync"]) == 3 * Settings().resync_seconds
    assert float(limits["stuck"]) == Settings().stuck_seconds / 2


def test_an_error_that_comes_again_and_again_leaves_no_gap() -> None:
    """The window of DnsAliasWriteErrors holds two retries, and a single error leaves it before the delay is over."""
    (rule,) = (rule for rule in rules() if rule["alert"] == "DnsAliasWriteErrors")
    window = 60 * int(re.findall(r"\[(\d+)m\]", rule["expr"])[0])
    assert 2 * Settings().backoff_max_seconds <= window < 60 * int(rule["for"].removesuffix("m"))
