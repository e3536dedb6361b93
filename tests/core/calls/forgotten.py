"""What ztunnel forgets when an entry gives up an address that it shares with a Service.

Measured: the record that goes takes the address along, also from the Service, until one of the Service's pods is told
again. A delete tells the pods that the entry selects, and a create those that the new one selects; a patch tells none.
"""

from dnsalias_operator.core.istio.ambient import in_ambient_mode
from dnsalias_operator.core.outcome import Change, Verb
from dnsalias_operator.model.namespace import Namespace
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot


def forgotten(world: Snapshot, change: Change) -> tuple[str, ...]:
    """The addresses of Services that ambient pods lose for as long as nothing else changes; () where there are none."""
    namespaces = (o for o in world.find("kind", "Namespace") if isinstance(o, Namespace))
    if change.key.kind != "ServiceEntry" or change.before is None:
        return ()
    if not any(in_ambient_mode(world, n.meta.name) for n in namespaces):
        return ()
    old = ServiceEntry.parse(change.before)
    new = ServiceEntry.parse(change.after) if change.after else None
    gone = {*old.addresses} - {*(new.addresses if new else ())}
    selecting = [e for e in (old, new) if e and e.workload_selector is not None]
    if change.verb in (Verb.DELETE, Verb.RECREATE) and selecting:
        return ()
    return tuple(sorted(address for address in gone if world.services_at(address)))
