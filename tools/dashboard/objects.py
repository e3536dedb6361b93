"""Panels about aliases and entries: what is wrong now, which ones they are, and their states over time."""

from tools.dashboard.panels import ORANGE, RED, flag, lines, number, rows
from tools.dashboard.queries import ZERO

UNFIXED = "dnsalias_unfixed_serviceentries"
CATCH_ALLS = 'sum(max by (severity) (dnsalias_findings{code="DA001"}))'
NOT_READY = 'sum(max by (status, reason) (dnsalias_aliases{condition="Ready",status!="True"}))'

NOW = (
    flag(
        "Operator",
        "Has the leading Pod of every chosen cluster listed the whole cluster? Nothing is written before that. Alerts: "
        "DnsAliasOperatorAbsent, DnsAliasOperatorStale.",
        "min(max by (namespace, job) (dnsalias_leader * dnsalias_synced))",
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
        f' + (sum(max by (condition) (dnsalias_aliases{{condition="Ready",reason="Contested"}})){ZERO})',
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
