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

from tools.dashboard.panels import ORANGE, RED, Panel, flag, lines, number, rows

FILE = Path(__file__).parents[2] / "manifests" / "monitoring" / "grafana-dashboard.json"
ZERO = " or 0 * max(dnsalias_build_info)"
UNFIXED = "dnsalias_unfixed_serviceentries"
CATCH_ALLS = 'sum(max by (severity) (dnsalias_findings{code="DA001"}))'
NOT_READY = 'sum(max by (status, reason) (dnsalias_aliases{condition="Ready",status!="True"}))'


def _rate(metric: str, *labels: str) -> str:
    return f"sum by ({', '.join(labels)}) (rate({metric}[$__rate_interval]))"


def _quantile(q: float, metric: str, *labels: str) -> str:
    return f"histogram_quantile({q}, {_rate(f'{metric}_bucket', 'le', *labels)})"


def _quantiles(metric: str) -> dict[str, str]:
    return {f"p{q * 100:.0f}": _quantile(q, metric) for q in (0.5, 0.9, 0.99)}


NOW = (
    flag(
        "Operator",
        "Has the leading Pod listed the whole cluster? Nothing is written before that. Alerts: "
        "DnsAliasOperatorAbsent, DnsAliasOperatorStale.",
        "max(dnsalias_leader * dnsalias_synced)",
        ("not synced", "synced"),
    ),
    number(
        "Entries that take traffic",
        "Unfixed ServiceEntries of severity critical: they get connections not meant for them. "
        "Alert: DnsAliasUnfixedServiceEntry.",
        f'sum(max by (reason) ({UNFIXED}{{severity="critical"}})){ZERO}',
        bad=RED,
    ),
    number(
        "Entries to change",
        "Unfixed ServiceEntries of severity warning: contained or broken; nobody's traffic is at risk. "
        "Alert: DnsAliasUnfixedServiceEntry.",
        f'sum(max by (reason) ({UNFIXED}{{severity="warning"}})){ZERO}',
        bad=ORANGE,
    ),
    number(
        "Catch-all ports",
        "Ports of any ServiceEntry in the cluster that open a listener for any address (DA001). "
        "Alert: DnsAliasCatchAllListener.",
        f"{CATCH_ALLS}{ZERO}",
        bad=RED,
    ),
    number(
        "Aliases not ready",
        "DnsAliases whose condition Ready is not True. Alert: DnsAliasNotReady.",
        f"{NOT_READY}{ZERO}",
        bad=ORANGE,
    ),
    number(
        "Contested",
        "Entries and aliases in which somebody reverts what the operator writes. Alert: DnsAliasContested.",
        f'(sum(max by (severity) ({UNFIXED}{{reason="Contested"}})){ZERO})'
        f' + (max(dnsalias_aliases{{condition="Ready",reason="Contested"}}){ZERO})',
        bad=ORANGE,
    ),
)

WHICH = (
    rows(
        "Unfixed ServiceEntries",
        "One row per entry; if there are more than unfixed_info_cap, the worst ones. "
        "What a reason means: dnsalias explain REASON.",
        "max by (severity, namespace, name, reason) (dnsalias_unfixed_serviceentry_info)",
        ("severity", "namespace", "name", "reason"),
    ),
    rows(
        "Aliases that are not ready",
        "One row per alias. What a reason means: dnsalias explain REASON.",
        "max by (namespace, name, reason) (dnsalias_unready_alias_info)",
        ("namespace", "name", "reason"),
    ),
    rows(
        "Catch-alls, and what Envoy refuses",
        "One row per entry, in the operator's care or not. DA001: alert DnsAliasCatchAllListener. DA019: "
        "alert DnsAliasRefusedByEnvoy. All findings: dnsalias lint.",
        "max by (code, severity, namespace, name) (dnsalias_finding_info)",
        ("severity", "code", "namespace", "name"),
    ),
    rows(
        "Who reverts what is written",
        "One row per object and field manager, the probable one if the field is gone. Alert: DnsAliasContested.",
        "max by (kind, namespace, name, manager) (dnsalias_contested)",
        ("kind", "namespace", "name", "manager"),
    ),
    rows(
        "Alerts",
        "Pending and firing alerts of the operator. What each means and what to do: its runbook_url.",
        'max by (alertname, alertstate, severity, reason, cause) (ALERTS{alertname=~"DnsAlias.+"})',
        ("alertstate", "alertname", "severity", "reason", "cause"),
    ),
)

STATES = (
    lines(
        "Aliases by state",
        "DnsAliases by the reason of their condition Ready.",
        {"{{reason}}": 'max by (status, reason) (dnsalias_aliases{condition="Ready"})'},
    ),
    lines(
        "ServiceEntries by state",
        "ServiceEntries in the operator's care: generated from DnsAliases, or foreign.",
        {"{{origin}}, {{state}}": "max by (origin, state) (dnsalias_serviceentries)"},
    ),
    lines(
        "Unfixed by reason",
        "ServiceEntries that lack something and were not fixed. critical: takes traffic not meant for it.",
        {
            "{{reason}}, {{severity}}": f"max by (reason, severity) ({UNFIXED})",
            "all": f"sum(max by (reason, severity) ({UNFIXED})){ZERO}",
        },
    ),
    lines(
        "Catch-alls",
        "Ports that open a listener for any address (DA001).",
        {"catch-all ports": f"{CATCH_ALLS}{ZERO}"},
    ),
    lines(
        "Findings by code",
        "What `dnsalias lint` prints; dnsalias explain CODE explains each. Alert for DA019: DnsAliasRefusedByEnvoy.",
        {
            "{{code}}": "sum by (code) (max by (code, severity) (dnsalias_findings))",
            "all": f"sum(max by (code, severity) (dnsalias_findings)){ZERO}",
        },
    ),
    lines(
        "Corrected drift",
        "Fields that somebody had changed or removed, counted since the operator's start.",
        {
            "{{kind}} {{field}}": "sum by (kind, field) (dnsalias_drift_corrections_total)",
            "all": f"sum(dnsalias_drift_corrections_total){ZERO}",
        },
    ),
)

WRITES = (
    lines(
        "Writes",
        "A converged cluster gets none.",
        {"{{operation}} {{kind}}": _rate('dnsalias_writes_total{result="ok"}', "operation", "kind")},
        "wps",
    ),
    lines(
        "Writes that failed",
        "conflict: decided and written again, no fault. refused, error: alert DnsAliasWriteErrors.",
        {"{{operation}} {{result}}": _rate('dnsalias_writes_total{result!="ok"}', "operation", "result")},
        "wps",
    ),
    lines(
        "API requests",
        "By verb and status code, without Kopf's watches. Code 0: no answer.",
        {"{{verb}} {{code}}": _rate("dnsalias_api_requests_total", "verb", "code")},
        "reqps",
    ),
)

LATENCY = (
    lines(
        "From event to write",
        "From the first event of a change to the end of the write that it causes; empty if nothing was written.",
        _quantiles("dnsalias_event_to_write_seconds"),
        "s",
    ),
    lines(
        "Work on one alias or entry, p99",
        "Time spent on one alias or entry, including its writes.",
        {"{{kind}}": _quantile(0.99, "dnsalias_reconcile_duration_seconds", "kind")},
        "s",
    ),
    lines(
        "Work done",
        "Aliases and entries worked on; a full list every resync_seconds makes all of them due.",
        {"{{kind}}": _rate("dnsalias_reconcile_duration_seconds_count", "kind")},
        "ops",
    ),
)

QUEUE = (
    lines(
        "Leaders",
        "Pods that may write: one. None for longer than a hand-over: alert DnsAliasOperatorStale (no leader).",
        {"leaders": "sum(dnsalias_leader)", "standbys": "count(dnsalias_leader) - sum(dnsalias_leader)"},
    ),
    lines(
        "Queue",
        "due: waiting for a worker. delayed: waiting for a retry or a later time.",
        {"due": "max(dnsalias_queue_depth)", "delayed": "max(dnsalias_queue_delayed)"},
    ),
    lines(
        "Oldest due work",
        "How long the oldest due alias or entry has waited. From 300 on, half of stuck_seconds: alert "
        "DnsAliasOperatorStale.",
        {"age": "max(dnsalias_queue_oldest_age_seconds)"},
        "s",
    ),
    lines(
        "Tasks",
        "Tasks of the event loop, in the Pod that has most. A number that only grows is a leak.",
        {"tasks": "max(dnsalias_asyncio_tasks)"},
    ),
    lines(
        "Kubernetes Events",
        "Events written, by result, counted since the operator's start.",
        {"{{result}}": "sum by (result) (dnsalias_events_total)"},
    ),
)

STALENESS = (
    lines(
        "Since the last full list",
        "By kind. Three times resync_seconds (1800): alert DnsAliasOperatorStale.",
        {"{{kind}}": "time() - max by (kind) (dnsalias_last_resync_timestamp_seconds)"},
        "s",
    ),
    lines(
        "Since the last event of the watch",
        "By kind. A long time is no fault if nothing of that kind changes.",
        {"{{kind}}": "time() - max by (kind) (dnsalias_last_event_timestamp_seconds)"},
        "s",
    ),
    lines(
        "What the watch had missed",
        "Found by the full list, counted since the operator's start. ghost: a deletion; missed: anything else. "
        "missing CRDs: those that the operator waits for.",
        {
            "{{kind}} {{correction}}": "sum by (kind, correction) (dnsalias_resync_corrections_total)",
            "missing CRDs": "max(dnsalias_missing_kinds)",
        },
    ),
    lines(
        "The watch is behind",
        "Counted since the operator's start. restarted: it ended at an unexpected answer. By kind: objects "
        "that a second look before a write found changed.",
        {
            "restarted": "sum(dnsalias_watch_restarts_total)",
            "{{kind}}": "sum by (kind) (dnsalias_outdated_decisions_total)",
        },
    ),
    lines(
        "Which mesh it is",
        "Settings that contradict what was read, values that cannot be used, objects that were not read.",
        {
            "{{setting}} contradicted": "max by (setting) (dnsalias_mesh_contradicted_settings)",
            "bad values": "max(dnsalias_mesh_problems)",
            "objects not read": "max(dnsalias_mesh_unread_objects)",
        },
    ),
    lines(
        "Objects known",
        "By kind. The next full list corrects differences from the cluster.",
        {"{{kind}}": "max by (kind) (dnsalias_objects)"},
    ),
)

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
