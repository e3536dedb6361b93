"""The Grafana dashboard: `python -m tools.dashboard.document > manifests/monitoring/grafana-dashboard.json`.

Gauges are taken as `max by`: where several Pods are scraped, what they all see counts once. Where there is nothing to
count there is no series; `ZERO` then gives 0, but only where there is an operator, so that its absence never looks like
health. Counters of rare things are shown as they are: in a rate, one of them is a bump that nobody sees.
"""

import json
from itertools import count
from pathlib import Path

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as models

from tools.dashboard.objects import NOW, STATES, WHICH
from tools.dashboard.panels import SOURCE, Panel
from tools.dashboard.process import LATENCY, QUEUE, STALENESS, WRITES
from tools.dashboard.queries import CLUSTER

FILE = Path(__file__).parents[2] / "manifests" / "monitoring" / "grafana-dashboard.json"

SECTIONS: dict[str, tuple[Panel, ...]] = {
    "Now": NOW,
    "Which ones": WHICH,
    "Aliases and ServiceEntries": STATES,
    "Towards the API server": WRITES,
    "Latency": LATENCY,
    "Work that waits": QUEUE,
    "Staleness": STALENESS,
}


def build() -> dashboard.Dashboard:
    """The dashboard; its data source is chosen above it."""
    board = (
        dashboard.Dashboard("dnsalias-operator")
        .uid("dnsalias-operator")
        .description("DnsAliases, other people's ServiceEntries, and the operator.")
        .tags(["dnsalias", "istio"])
        .editable()
        .annotations([])
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .time("now-6h", "now")
        .refresh("1m")
        .timezone("browser")
        .with_variable(dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
        .with_variable(
            dashboard.QueryVariable(CLUSTER)
            .label("Cluster")
            .datasource(SOURCE)
            .query(f"label_values(dnsalias_build_info, {CLUSTER})")
            .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
            .sort(models.VariableSort.ALPHABETICAL_ASC)
            .multi(multi=True)
            .include_all(include_all=True)
            .all_value(".*")
            .current(models.VariableOption(text="All", value="$__all"))
        )
    )
    numbers = count(1)
    for title, panels in SECTIONS.items():
        board.with_row(dashboard.Row(title).id(next(numbers)))
        for panel in panels:
            board.with_panel(panel.id(next(numbers)))
    return board


def document() -> str:
    """manifests/monitoring/grafana-dashboard.json."""
    return json.dumps(build().build(), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    print(document(), end="")  # noqa: T201 (what this command is for)
