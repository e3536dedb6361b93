"""Every metric of the operator by name: what docs/metrics.md lists, and what shell/reporting/metrics.py serves."""

from collections.abc import Mapping
from typing import NamedTuple


class Spec(NamedTuple):
    """A metric's type, labels and meaning."""

    type: str
    labels: tuple[str, ...]
    help: str


SPECS: Mapping[str, Spec] = {
    "dnsalias_aliases": Spec(
        "gauge", ("condition", "status", "reason"), "DnsAliases by each of their conditions, its status and reason."
    ),
    "dnsalias_serviceentries": Spec(
        "gauge",
        ("origin", "state"),
        "ServiceEntries in the operator's care. origin: generated or foreign; state: fixed, contained or unfixed.",
    ),
    "dnsalias_unfixed_serviceentries": Spec(
        "gauge",
        ("reason", "severity"),
        "ServiceEntries that lack something and were not repaired. severity critical: takes traffic not meant for it.",
    ),
    "dnsalias_unfixed_serviceentry_info": Spec(
        "gauge",
        ("namespace", "name", "reason", "severity"),
        "1 for each unfixed ServiceEntry, worst first, up to a cap.",
    ),
    "dnsalias_unfixed_serviceentry_info_hidden": Spec(
        "gauge", (), "Unfixed ServiceEntries that the cap of dnsalias_unfixed_serviceentry_info leaves out."
    ),
    "dnsalias_unready_alias_info": Spec(
        "gauge", ("namespace", "name", "reason"), "1 for each DnsAlias that is not ready, up to the same cap."
    ),
    "dnsalias_unready_alias_info_hidden": Spec(
        "gauge", (), "DnsAliases that the cap of dnsalias_unready_alias_info leaves out."
    ),
    "dnsalias_contested": Spec(
        "gauge",
        ("kind", "namespace", "name", "manager"),
        "1 for each object that the operator writes and a field manager takes back again and again, up to a cap. "
        "manager: the probable one where the value was removed, unknown where nothing tells, other beyond 20 names.",
    ),
    "dnsalias_contested_hidden": Spec("gauge", (), "Series that the cap of dnsalias_contested leaves out."),
    "dnsalias_findings": Spec(
        "gauge", ("code", "severity"), "Findings in the cluster, as `dnsalias lint` prints them."
    ),
    "dnsalias_finding_info": Spec(
        "gauge",
        ("code", "severity", "namespace", "name"),
        "1 for each ServiceEntry with a finding that has an alert (DA001, DA019), worst first, up to the same cap for "
        "each code.",
    ),
    "dnsalias_finding_info_hidden": Spec(
        "gauge", ("code",), "ServiceEntries that the cap of dnsalias_finding_info leaves out."
    ),
    "dnsalias_writes_total": Spec(
        "counter",
        ("kind", "operation", "result"),
        "Writes. operation: create, update, replace, recreate, delete, repair, status; "
        "result: ok, conflict, refused, error. One whose second look fails was not sent, and counts.",
    ),
    "dnsalias_outdated_decisions_total": Spec(
        "counter",
        ("kind",),
        "Objects found changed by a second look before a write, which was then decided anew: the watch is behind.",
    ),
    "dnsalias_drift_corrections_total": Spec(
        "counter", ("kind", "field"), "Fields that somebody had changed or removed and that were set right again."
    ),
    "dnsalias_events_total": Spec(
        "counter", ("result",), "Kubernetes Events. result: ok, error, or dropped: the oldest, where too many wait."
    ),
    "dnsalias_event_to_write_seconds": Spec(
        "histogram", (), "Time from the first news of a change to the end of the write that answers it."
    ),
    "dnsalias_reconcile_duration_seconds": Spec("histogram", ("kind",), "Time that one alias or entry was worked on."),
    "dnsalias_queue_depth": Spec("gauge", (), "Aliases and entries that are due to be worked on."),
    "dnsalias_queue_delayed": Spec("gauge", (), "Aliases and entries that wait for a retry or for their time."),
    "dnsalias_queue_oldest_age_seconds": Spec("gauge", (), "How long the oldest due piece of work has waited."),
    "dnsalias_last_event_timestamp_seconds": Spec("gauge", ("kind",), "When the watch last told of this kind."),
    "dnsalias_last_resync_timestamp_seconds": Spec("gauge", ("kind",), "When this kind was last listed in full."),
    "dnsalias_resync_corrections_total": Spec(
        "counter",
        ("kind", "correction"),
        "What the watch had not told. correction: ghost (a deletion) or missed (anything else).",
    ),
    "dnsalias_api_requests_total": Spec(
        "counter", ("verb", "code"), "API requests by verb and status code; code 0: no answer. Kopf's watches apart."
    ),
    "dnsalias_leader": Spec(
        "gauge", (), "1 where this process may write, 0 where it stands by; the sum over all of them is 1."
    ),
    "dnsalias_watch_restarts_total": Spec(
        "counter", (), "Times that the watch ended at an answer it could not use, and was begun anew."
    ),
    "dnsalias_objects": Spec("gauge", ("kind",), "Objects that the operator knows of, by kind."),
    "dnsalias_missing_kinds": Spec("gauge", (), "CRDs that the operator waits for."),
    "dnsalias_synced": Spec("gauge", (), "1 once every kind was listed; nothing is written before that."),
    "dnsalias_asyncio_tasks": Spec("gauge", (), "Tasks of the operator's event loop; a number that grows is a leak."),
    "dnsalias_build_info": Spec("gauge", ("version", "python", "kopf"), "1; the labels say what runs."),
}
