"""Panels about the operator itself: its writes, latency, queue, and how far behind the cluster it is."""

from tools.dashboard.panels import lines
from tools.dashboard.queries import quantile, quantiles, rate

WRITES = (
    lines(
        "Writes",
        "A converged cluster gets none.",
        {"{{operation}} {{kind}}": rate('dnsalias_writes_total{result="ok"}', "operation", "kind")},
        "wps",
    ),
    lines(
        "Writes that failed",
        "conflict: decided and written again, no fault. refused, error: alert DnsAliasWriteErrors.",
        {"{{operation}} {{result}}": rate('dnsalias_writes_total{result!="ok"}', "operation", "result")},
        "wps",
    ),
    lines(
        "API requests",
        "By verb and status code, without Kopf's watches. Code 0: no answer.",
        {"{{verb}} {{code}}": rate("dnsalias_api_requests_total", "verb", "code")},
        "reqps",
    ),
)

LATENCY = (
    lines(
        "From event to write",
        "From the first event of a change to the end of the write that it causes; empty if nothing was written.",
        quantiles("dnsalias_event_to_write_seconds"),
        "s",
    ),
    lines(
        "Work on one alias or entry, p99",
        "Time spent on one alias or entry, including its writes.",
        {"{{kind}}": quantile(0.99, "dnsalias_reconcile_duration_seconds", "kind")},
        "s",
    ),
    lines(
        "Work done",
        "Aliases and entries worked on; a full list every resync_seconds makes all of them due.",
        {"{{kind}}": rate("dnsalias_reconcile_duration_seconds_count", "kind")},
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
            "differing revisions": "max(dnsalias_mesh_differing_revisions)",
            "objects not read": "max(dnsalias_mesh_unread_objects)",
        },
    ),
    lines(
        "Objects known",
        "By kind. The next full list corrects differences from the cluster.",
        {"{{kind}}": "max by (kind) (dnsalias_objects)"},
    ),
)
