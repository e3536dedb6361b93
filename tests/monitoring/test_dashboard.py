"""The dashboard as it is installed, without a cluster; test_troubles.py evaluates it."""

import json
import re
from typing import Any

from dnsalias_operator.shell.reporting.series import SPECS
from tests.monitoring import rules
from tests.monitoring.expressions import expressions, panels
from tools.dashboard.document import FILE, document

WIDTH = 24
"""Columns of Grafana's grid."""
ABOUT_CAPS = {name for name in SPECS if name.endswith("_hidden")}


def cells(panel: dict[str, Any]) -> set[tuple[int, int]]:
    """The cells of the grid that a panel covers."""
    grid = panel["gridPos"]
    columns, lines = range(grid["x"], grid["x"] + grid["w"]), range(grid["y"], grid["y"] + grid["h"])
    return {(x, y) for x in columns for y in lines}


def test_the_file_is_what_the_source_says() -> None:
    """manifests/monitoring/grafana-dashboard.json is made by `python -m tools.dashboard.document`."""
    assert FILE.read_text(encoding="utf-8") == document()


def test_it_asks_after_metrics_and_labels_that_exist() -> None:
    """No panel asks for a metric, a matcher or a group that the operator does not have."""
    for expression in expressions():
        known = {"alertname", "alertstate", "cause", "le", "namespace", "job"}.union(
            *(SPECS[m].labels for m in expression.metrics())
        )
        for metric, matched in expression.metrics().items():
            assert matched <= set(SPECS[metric].labels), expression
        if "ALERTS" not in expression.text:
            assert expression.grouped() <= known, expression
        assert expression.labels() <= expression.grouped(), expression


def test_it_shows_every_metric() -> None:
    """What the operator counts can be looked at; the caps of the lists apart, of which the lists themselves tell."""
    shown = {metric for expression in expressions() for metric in expression.metrics()}
    assert shown == set(SPECS) - ABOUT_CAPS


def test_every_query_is_about_the_chosen_clusters() -> None:
    """Each series is chosen by the variable, each group keeps the cluster, and each line has it in its legend."""
    for expression in expressions():
        series = re.findall(r"\b(?:dnsalias_\w+|ALERTS)\b(.{0,20})", expression.text)
        assert series, expression
        assert [rest for rest in series if not rest.startswith('{cluster=~"$cluster"')] == [], expression
        assert all(group.startswith("cluster") for group in re.findall(r"by \(([^)]*)", expression.text)), expression
        assert not expression.legend or "{{cluster}}" in expression.legend, expression
    (variable,) = (v for v in json.loads(document())["templating"]["list"] if v["name"] == "cluster")
    assert (variable["includeAll"], variable["allValue"], variable["multi"]) == (True, ".*", True)


def test_it_leads_to_every_alert() -> None:
    """Each alert is named by the panel that shows what it is about, and none that there is not."""
    told = " ".join(panel.get("description", "") for panel in panels()).replace(",", " ").replace(".", " ").split()
    assert {word for word in told if word.startswith("DnsAlias") and word != "DnsAliases"} == {
        rule["alert"] for rule in rules.rules()
    }


def test_panels_are_laid_out() -> None:
    """Every panel has a number of its own, a title, an explanation, the chosen data source, and room of its own."""
    every = panels()
    assert sorted({panel["id"] for panel in every}) == list(range(1, len(every) + 1))
    covered = [cell for panel in every for cell in cells(panel)]
    assert len(covered) == len(set(covered))
    assert all(0 <= x < WIDTH for x, _ in covered)
    for panel in (p for p in every if p["type"] != "row"):
        assert panel["title"]
        assert panel["description"]
        assert panel["datasource"]["uid"] == "${datasource}"
    titles = [panel["title"] for panel in every]
    assert len(titles) == len(set(titles))
