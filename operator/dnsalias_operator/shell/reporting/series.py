"""Every metric of the operator by name: docs/metrics.md lists them, and shell/reporting/metrics.py serves them."""

from collections.abc import Mapping
from typing import NamedTuple


class Spec(NamedTuple):
    """A metric's type, labels and meaning."""

    type: str
    labels: tuple[str, ...]
    help: str


SPECS: Mapping[str, Spec] = {
    "dnsalias_aliases": Spec("gauge", ("condition", "status", "reason"), "DnsAliases by condition, status and reason."),
    "dnsalias_serviceentries": Spec(
        "gauge",
        ("origin", "state"),
        "ServiceEntries in the operator's care. origin: generated or foreign; state: fixed, contained or unfixed.",
    ),
    "dnsalias_unfixed_serviceentries": Spec(
        "gauge",
        ("reason", "severity"),
        "ServiceEntries that lack something and were not fixed. severity critical: takes traffic not meant for it.",
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
        "1 for each object whose writes a field manager reverts again and again, up to a cap. "
        "manager: the probable one if the value was removed, unknown if nothing shows it, other beyond 20 names.",
    ),
    "dnsalias_contested_hidden": Spec("gauge", (), "Series that the cap of dnsalias_contested leaves out."),
    "dnsalias_findings": Spec(
        "gauge",
        ("code", "severity"),
        "Findings in the cluster, one for each object and port, also where `dnsalias lint` puts many into one.",
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
        "result: ok, conflict, refused, error. A write whose second look fails was not sent, but counts.",
    ),
    "dnsalias_outdated_decisions_total": Spec(
        "counter",
        ("kind",),
        "Objects that a second look before a write found changed, so that it was decided again: the watch is behind.",
    ),
    "dnsalias_drift_corrections_total": Spec(
        "counter", ("kind", "field"), "Fields that somebody had changed or removed and that the operator corrected."
    ),
    "dnsalias_events_total": Spec(
        "counter", ("result",), "Kubernetes Events. result: ok, error, or dropped: the oldest, where too many wait."
    ),
    "dnsalias_event_to_write_seconds": Spec(
        "histogram", (), "Time from the first event of a change to the end of the write that it causes."
    ),
    "dnsalias_reconcile_duration_seconds": Spec("histogram", ("kind",), "Time spent on one alias or entry."),
    "dnsalias_queue_depth": Spec("gauge", (), "Aliases and entries that are due."),
    "dnsalias_queue_delayed": Spec("gauge", (), "Aliases and entries that wait for a retry or a later time."),
    "dnsalias_queue_oldest_age_seconds": Spec("gauge", (), "How long the oldest due alias or entry has waited."),
    "dnsalias_last_event_timestamp_seconds": Spec("gauge", ("kind",), "When the watch last had an event of this kind."),
    "dnsalias_last_resync_timestamp_seconds": Spec("gauge", ("kind",), "When this kind was last listed in full."),
    "dnsalias_resync_corrections_total": Spec(
        "counter",
        ("kind", "correction"),
        "Changes that the watch had missed. correction: ghost (a deletion) or missed (anything else).",
    ),
    "dnsalias_api_requests_total": Spec(
        "counter", ("verb", "code"), "API requests by verb and status code; code 0: no answer. Without Kopf's watches."
    ),
    "dnsalias_leader": Spec(
        "gauge", (), "1 if this process may write, 0 if it is a standby; the sum over all of them is 1."
    ),
    "dnsalias_watch_restarts_total": Spec(
        "counter", (), "How often the watch ended at an unexpected answer and was started again."
    ),
    "dnsalias_objects": Spec("gauge", ("kind",), "Objects that the operator knows of, by kind."),
    "dnsalias_mesh_contradicted_settings": Spec(
        "gauge", ("setting",), "1 where a setting that is given by hand is not what the mesh itself says, else 0."
    ),
    "dnsalias_mesh_problems": Spec("gauge", (), "Values of the MeshConfig and the like that cannot be used."),
    "dnsalias_mesh_differing_revisions": Spec(
        "gauge", (), "Other revisions of istiod whose release or MeshConfig differs from the one that is assumed."
    ),
    "dnsalias_mesh_unread_objects": Spec(
        "gauge", (), "Objects that say which mesh it is, and are not there or may not be read."
    ),
    "dnsalias_missing_kinds": Spec("gauge", (), "CRDs that the operator waits for."),
    "dnsalias_synced": Spec("gauge", (), "1 once every kind has been listed; nothing is written before that."),
    "dnsalias_asyncio_tasks": Spec("gauge", (), "Tasks of the operator's event loop; a growing number is a leak."),
    "dnsalias_build_info": Spec("gauge", ("version", "python", "kopf"), "1; the labels are the versions that run."),
}
