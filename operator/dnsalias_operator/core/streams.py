"""HTTP ports that a Sidecar makes ports of bytes.

A Sidecar's egress listener with a port takes all its services for the protocol of that port, whatever they declare
(core/listeners/claims.py). Where that is not HTTP, an entry of HTTP ports without an address listens on the wildcard
address there, and takes connections or ends the HTTP of others.
"""

from dnsalias_operator.core.listeners import classes, listener_at
from dnsalias_operator.core.listeners.rows import WILDCARD
from dnsalias_operator.core.protocols import PortClass, class_of, entry_protocol
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot


def streams_on_wildcard(world: Snapshot, entry: ServiceEntry, mesh: Mesh) -> bool:
    """Whether some client has a chain of bytes for one of the entry's HTTP ports on the wildcard address.

    Judged without other entries and Services on purpose, as `guard.catches_all`.
    """
    for number in (p.number for p in entry.ports if class_of(entry_protocol(p)) is PortClass.HTTP):
        if not world.sidecars_with_port(number):
            continue
        sidecars = world.remembered("sidecars alone", lambda: Snapshot(world.sidecars()))
        alone = sidecars.with_changes({entry.key: entry})
        for pods in classes(alone, mesh, number):
            listener = listener_at(alone, pods.client, mesh, WILDCARD, number)
            if listener and any(row.owner and row.cluster for row in listener.rows):
                return True
    return False
