"""The expressions of the installed dashboard, and the names in them."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from tools.dashboard.document import FILE
from tools.dashboard.queries import CLUSTER, ZERO, by_cluster, selected

OF_A_FLEET = {CLUSTER}
"""A label that a fleet's Prometheus gives its series, and the operator has not."""
RATE_INTERVAL = "5m"
"""What stands for Grafana's `$__rate_interval`, which depends on the time that is looked at."""
_METRIC = re.compile(r"\b(dnsalias_\w+)(?:\{([^}]*)\})?")
_MATCHER = re.compile(r"(\w+)(?:=~|!=|!~|=)\"")
_GROUPED = re.compile(r"\bby \(([^)]*)\)")
_LEGEND = re.compile(r"\{\{(\w+)\}\}")


class Expression(NamedTuple):
    """One query: the panel that shows it, the legend of its series ("" in tables and numbers), what is asked."""

    panel: str
    legend: str
    text: str

    def bare(self) -> str:
        """The expression as Prometheus reads it, without what stands in for series that are not there."""
        text = self.text.replace(selected(ZERO), "").replace(by_cluster(ZERO), "")
        return Expression(self.panel, self.legend, text).whole()

    def whole(self) -> str:
        """The expression as Prometheus reads it."""
        return self.text.replace("$__rate_interval", RATE_INTERVAL).replace("$cluster", ".*")

    def metrics(self) -> dict[str, set[str]]:
        """Metrics asked for, as the operator's documentation names them, each with the labels it is matched by."""
        found: dict[str, set[str]] = {}
        for name, matchers in _METRIC.findall(self.text):
            documented = re.sub(r"_(bucket|count|sum)$", "", name)
            found.setdefault(documented, set()).update({*_MATCHER.findall(matchers)} - OF_A_FLEET)
        return found

    def labels(self) -> set[str]:
        """Labels that the series are to have: those of the legend, or else those that are grouped by."""
        return set(_LEGEND.findall(self.legend)) - OF_A_FLEET

    def grouped(self) -> set[str]:
        """Labels that anything is grouped by."""
        return {label.strip() for labels in _GROUPED.findall(self.text) for label in labels.split(",")} - OF_A_FLEET


def panels() -> list[dict[str, Any]]:
    """Every panel of the installed dashboard, rows included, as Grafana reads them."""
    return list(json.loads(FILE.read_text(encoding="utf-8"))["panels"])


def expressions() -> list[Expression]:
    """Every query of the installed dashboard."""
    return list(_expressions())


def _expressions() -> Iterator[Expression]:
    for panel in panels():
        for target in panel.get("targets", ()):
            yield Expression(panel["title"], target.get("legendFormat", ""), target["expr"])
