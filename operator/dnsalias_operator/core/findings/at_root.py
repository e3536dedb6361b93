"""What in MeshConfig would keep entries from the traffic of other namespaces: one finding for a whole mesh.

Computed from the other findings, and only where a MeshConfig was read: without it nobody knows what it says already.
Source: docs/mesh.md, "What prevents the harm at its root".
"""

from collections.abc import Iterable, Iterator

from dnsalias_operator.core.findings import catalog
from dnsalias_operator.core.istio.listeners.services import PUBLIC
from dnsalias_operator.core.istio.visibility import Scope
from dnsalias_operator.core.outcome import Finding, Severity
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot

_TAKING = frozenset(
    fault.code
    for fault in (catalog.CATCH_ALL, catalog.TAKES_OVER_SERVICE, catalog.SHADOWS_SERVICE, catalog.COVERS_SERVICES)
)
"""Findings of entries that get what is meant for others."""
MOST_NAMED = 3
"""Entries that the message names at most."""


def at_root(world: Snapshot, findings: Iterable[Finding], mesh: Mesh) -> Iterator[Finding]:
    """What MeshConfig lacks, where entries among the ``findings`` do harm in namespaces that are not theirs."""
    if mesh.limits_entries is not False:
        return
    taking = dict.fromkeys(f.key for f in findings if f.code in _TAKING and f.severity is Severity.CRITICAL)
    found = (world.entry(key.namespace, key.name) for key in sorted(taking))
    entries = [entry for entry in found if entry is not None and _reaches_others(entry, mesh)]
    if mesh.since(1, 31):
        fault, why = catalog.ENTRIES_WITHOUT_LIMIT, "serviceEntryVisibility is not set for sidecars"
    else:
        entries = [entry for entry in entries if not entry.export_to and PUBLIC in mesh.default_service_export_to]
        fault, why = catalog.PUBLIC_BY_DEFAULT, "defaultServiceExportTo makes what has no exportTo public"
    if entries:
        named = ", ".join(f"{entry.meta.namespace}/{entry.meta.name}" for entry in entries[:MOST_NAMED])
        more = f" and {len(entries) - MOST_NAMED} more" * (len(entries) > MOST_NAMED)
        take = "takes" if len(entries) == 1 else "take"
        message = f"{named}{more} {take} traffic in namespaces of others, and {why}"
        yield fault.at(entries[0].key, message)


def _reaches_others(entry: ServiceEntry, mesh: Mesh) -> bool:
    scope = Scope.of_claimant(entry, mesh)
    return scope.everywhere or bool(scope.namespaces - {entry.meta.namespace})
