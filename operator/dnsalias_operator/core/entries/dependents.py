"""Who would miss something if an entry got an address: its own callers, and others that its listener serves."""

from dnsalias_operator.core.entries.ownership import as_written, claims_to_be_ours, patched_fields
from dnsalias_operator.core.entries.unfixed import misleads, uncovers, unserves
from dnsalias_operator.core.hosts.names import public_suffix
from dnsalias_operator.core.reasons import Why
from dnsalias_operator.core.traffic.callers import CutOff, cut_off
from dnsalias_operator.core.traffic.catch_all import uncovered, unserved
from dnsalias_operator.core.traffic.shared_name import misled
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot


def is_public(base: ServiceEntry) -> bool:
    """Whether a host of the entry is under a public suffix."""
    return any(map(public_suffix, base.hosts))


def own_callers(
    world: Snapshot, base: ServiceEntry, after: ServiceEntry, service: Service, rules: Rules
) -> CutOff | None:
    """The first call that the change from ``base`` to ``after`` takes from the entry, or None.

    Not one that it has got only since we patched another entry: were that a reason, each of two catch-alls would be
    left alone once the other is contained, and neither would stay so.
    """
    beside, public = world.with_changes({after.key: after}), is_public(base)
    # What stands before a Service is dialled by its address as well, whatever the sidecar makes of the name.
    known = service.outer_ips
    found = cut_off(world, beside, base, after, service, rules.mesh, public=public, known=known)
    others = _rivals(world, base) if found else []
    patched = {o.key: as_written(o, rules) for o in others if "addresses" in patched_fields(o)}
    if not patched:
        return found
    bare = world.with_changes(patched)
    return cut_off(bare, beside, base, after, service, rules.mesh, public=public, known=known)


def others_in_need(world: Snapshot, base: ServiceEntry, after: ServiceEntry, rules: Rules) -> Why | None:
    """Who is led astray by an address of the entry's, or needs its chain for HTTP on the wildcard address."""
    beside = world.with_changes({after.key: after})
    if led := misled(world, after, rules.mesh):
        return misleads(led)
    if other := uncovered(world, beside, base, rules.mesh):
        return uncovers(*other)
    other = unserved(world, beside, base, _has_ours, rules.mesh)
    return unserves(*other) if other else None


def _has_ours(entry: ServiceEntry) -> bool:
    """Whether the addresses of an entry are from us."""
    return "addresses" in patched_fields(entry) or claims_to_be_ours(entry)


def _rivals(world: Snapshot, base: ServiceEntry) -> list[ServiceEntry]:
    """Entries that share a port with it."""
    same_port = (o for p in base.ports for o in world.claimants(p.number))
    return [o for o in same_port if isinstance(o, ServiceEntry) and o.key != base.key]
