"""Ports that a Sidecar makes ports of bytes.

A Sidecar's egress listener with a port takes all its services for the protocol of that port, whatever they declare
(core/listeners/claims.py). Where that is TCP, say, an entry of HTTP or TLS ports without an address listens on the
wildcard address there, and takes connections or ends the HTTP of others.
"""

from collections.abc import Iterator
from dataclasses import replace

from dnsalias_operator.core.lacking import without_address
from dnsalias_operator.core.listeners import classes, listener_at
from dnsalias_operator.core.listeners.rows import WILDCARD, Row
from dnsalias_operator.core.protocols import PortClass, class_of, entry_protocol
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot

Places = frozenset[tuple[str, int]]
"""Namespaces with ports."""
_SOME = "240.0.0.1"
"""Any address: judged alone, an entry shares it with nobody."""


def streams_on_wildcard(world: Snapshot, entry: ServiceEntry, mesh: Mesh) -> Places:
    """Where clients have a chain of bytes for one of the entry's HTTP ports on the wildcard address."""
    http = {p.number for p in entry.ports if class_of(entry_protocol(p)) is PortClass.HTTP}
    return frozenset((name, port) for port in http for name, row in _rows(world, entry, mesh, port) if row.cluster)


def caught_by_sidecars(world: Snapshot, entry: ServiceEntry, mesh: Mesh) -> Places:
    """Where, for clients of a Sidecar, any connection to one of the entry's ports is the entry's."""
    found = ((name, p.number, row) for p in entry.ports for name, row in _rows(world, entry, mesh, p.number))
    return frozenset((name, port) for name, port, row in found if row.match_all and row.cluster)


def told_apart_by_address(world: Snapshot, entry: ServiceEntry, mesh: Mesh) -> Places:
    """Where a Sidecar gives an entry without an address any connection, and would not if it had one.

    Not where the Sidecar binds the wildcard address itself.
    """
    caught = caught_by_sidecars(world, entry, mesh) if without_address(entry) else frozenset[tuple[str, int]]()
    return caught - caught_by_sidecars(world, replace(entry, addresses=(_SOME,)), mesh) if caught else caught


def _rows(world: Snapshot, entry: ServiceEntry, mesh: Mesh, number: int) -> Iterator[tuple[str, Row]]:
    """The entry's chains on the wildcard address where Sidecars have egress listeners of that port, by namespace.

    Judged without other entries and Services on purpose, as `guard.catches_all`.
    """
    if not world.sidecars_with_port(number):
        return
    sidecars = world.remembered("sidecars alone", lambda: Snapshot(world.sidecars()))
    alone = sidecars.with_changes({entry.key: entry})
    for pods in classes(alone, mesh, number):
        listener = listener_at(alone, pods.client, mesh, WILDCARD, number)
        yield from ((pods.client.namespace, row) for row in listener.rows if row.owner) if listener else ()
