"""What a ServiceEntry of somebody else lacks, and the smallest patch that gives it that.

Every decision starts from the entry as its owners wrote it (our own fields taken off), so that a reason that is gone
takes its patch along. Source: docs/istio.md, "Shared addresses", "Traffic under mTLS", and
"Validation and server-side apply".
"""

from dataclasses import dataclass, replace
from typing import Any

from dnsalias_operator.core.entries.containment import containment_address
from dnsalias_operator.core.entries.dependents import is_public, others_in_need, own_callers
from dnsalias_operator.core.entries.destination import lost_requests
from dnsalias_operator.core.entries.ownership import as_written, patched_fields
from dnsalias_operator.core.entries.stands_for import StandsFor, outside, stands_for
from dnsalias_operator.core.entries.unfixed import (
    caught,
    first_at_pods,
    given_before,
    matched_by_sni,
    narrowed,
    no_address,
    not_read,
    plaintext_endpoints,
    stale,
    takes,
    takes_anyway,
)
from dnsalias_operator.core.istio.lacking import lacks_addresses, lacks_endpoints, not_repairable, without_address
from dnsalias_operator.core.istio.listeners import entries_binding
from dnsalias_operator.core.istio.listeners.addresses import is_unspecified
from dnsalias_operator.core.istio.service_names import addresses_to_share, service_host
from dnsalias_operator.core.reasons import Reason, Why
from dnsalias_operator.core.traffic.catch_all import catches, catches_all, matched_by_address
from dnsalias_operator.core.traffic.takeover import Moved, as_oldest_if_unknown, moved, takes_away
from dnsalias_operator.core.traffic.takeover_of_entries import ousted
from dnsalias_operator.model.mesh import under
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import Endpoint, ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Fix:
    """What our manager should own in the entry, None for a field it should not.

    ``why`` says what is left wrong; ``contained`` where the addresses are a containment address.
    """

    addresses: tuple[str, ...] | None
    endpoints: tuple[str, ...] | None
    why: Why | None = None
    contained: bool = False
    target: StandsFor | None = None

    @property
    def fields(self) -> dict[str, Any]:
        """The part of ``spec`` that our manager applies."""
        out: dict[str, Any] = {}
        if self.addresses is not None:
            out["addresses"] = list(self.addresses)
        if self.endpoints is not None:
            out["endpoints"] = [{"address": a} for a in self.endpoints]
        return out


def fix(world: Snapshot, entry: ServiceEntry, rules: Rules) -> Fix:
    """What to own in the entry. ``world`` holds the entry as it is now; the entry itself may be patched already."""
    if world.get(entry.key) is entry:
        return world.remembered(("fix", entry.key, rules), lambda: _complete(world, entry, rules))
    return _complete(world, entry, rules)


def _complete(world: Snapshot, entry: ServiceEntry, rules: Rules) -> Fix:
    base = as_written(entry, rules)
    wanted = _fix(world, entry, base, rules)
    taking = takes_anyway(patched(base, wanted), rules.mesh)
    settled = wanted.why and wanted.why.reason in (Reason.NOT_REPAIRABLE, Reason.NOT_READ_HERE)
    if taking is None or settled:
        return wanted
    # It comes before any other reason: what fixes that one leaves the catch-all.
    return replace(wanted, why=taking)


def _fix(world: Snapshot, entry: ServiceEntry, base: ServiceEntry, rules: Rules) -> Fix:
    rest = world.with_changes({entry.key: base})
    target = stands_for(rest, base, rules)
    if kept := given_before(rest, entry, rules):
        return _as_it_is(entry, target, kept)
    if done := _left_alone(rest, base, target, rules):
        return done
    service = target.found
    if isinstance(service, Why):
        by_sidecar = None if lacks_addresses(base) else caught(rest, base, rules.mesh)
        return _contain(rest, entry, base, rules, target, by_sidecar or service)
    if fault := narrowed(base) or no_address(rest, base, service, rules):
        return _contain(rest, entry, base, rules, target, fault)
    wanted = Fix(
        addresses=addresses_to_share(service, rules.mesh) if lacks_addresses(base) else None,
        endpoints=(service_host(service, rules.mesh),) if lacks_endpoints(base) else None,
        target=target,
    )
    lost = lost_requests(rest, patched(base, wanted), service, rules.mesh)
    if lost:
        # The host itself may resolve to what has that port: an endpoint of ours would take that away.
        wanted = replace(wanted, endpoints=None)
    if fault := _harm(rest, base, wanted, service, rules):
        return _contain(rest, entry, base, rules, target, fault)
    # Missing endpoints are added beside a stale address of the owner's, which keeps the entry unfixed.
    why = stale(base, target) or lost or (plaintext_endpoints(base, service, rules.mesh) if wanted.endpoints else None)
    why = why or first_at_pods(base, service)
    return replace(wanted, why=why or (None if wanted.fields else matched_by_sni(base, service)))


def _harm(world: Snapshot, base: ServiceEntry, wanted: Fix, service: Service, rules: Rules) -> Why | None:
    """What the patch would take from a Service, from another entry or from the entry's own callers; or leave wrong.

    It is asked of every revision of istiod.
    """
    for each in rules.of_each_revision():
        if why := _harm_in(world, base, wanted, service, each):
            return why if each.mesh is rules.mesh else replace(why, message=under(each.mesh, why.message))
    return None


def _harm_in(world: Snapshot, base: ServiceEntry, wanted: Fix, service: Service, rules: Rules) -> Why | None:
    after = patched(base, wanted)
    taken = _moved(world, after, rules)
    if taken is None and wanted.addresses:
        taken = _ousted(world, after, rules)
    if taken is not None:
        return takes(base, service, taken, already=not wanted.addresses)
    changed = wanted.addresses or wanted.endpoints
    if changed and (cut := own_callers(world, base, after, service, rules)):
        remedy = "declare a DnsAlias instead, and delete the entry"
        if cut.policy:
            remedy = "list in spec.addresses what the host resolves to for its clients"
        elif is_public(base):
            remedy = "list in spec.addresses what the host resolves to, or use a host of the mesh's own"
        message = f"with the clusterIP, {cut.describe(base.key)}; {remedy}"
        return Why(Reason.WOULD_CUT_OFF_CALLERS, message)
    if wanted.addresses and (needed := others_in_need(world, base, after, rules)):
        return needed
    return caught(world, after, rules.mesh)


def _moved(world: Snapshot, after: ServiceEntry, rules: Rules) -> Moved | None:
    """Whose traffic the patched entry would take if no other entry had its address from us.

    What was given to one is no reason to give it to another, or to take it away: the two would undo each other.
    """
    others = {e.key: as_written(e, rules) for e in _patched_beside(world, after)}
    bare = world.with_changes(others)
    return moved(*_without_and_with(bare, after), after, rules.mesh)


def _ousted(world: Snapshot, after: ServiceEntry, rules: Rules) -> Moved | None:
    """Which entry's listener at the address the patched one would take.

    Where two have the address only from us and each would take the other's listener, the older has it, as in istiod:
    were it the one that came first to us, the same objects would end differently from one day to the next.
    """
    younger = {e.key: e for e in _patched_beside(world, after) if _age(after) < _age(e)}
    rest = world
    for _ in range(len(younger) + 1):
        found = ousted(*_without_and_with(rest, after), after, rules.mesh)
        rival = younger.pop(found.loser, None) if found else None
        beside = rest.with_changes({after.key: after})
        if rival is None or not ousted(*_without_and_with(beside, rival), rival, rules.mesh):
            return found
        rest = rest.with_changes({rival.key: as_written(rival, rules)})
    return None


def _without_and_with(world: Snapshot, entry: ServiceEntry) -> tuple[Snapshot, Snapshot]:
    return world.with_changes({entry.key: None}), as_oldest_if_unknown(world, entry)


def _patched_beside(world: Snapshot, after: ServiceEntry) -> list[ServiceEntry]:
    """Other entries that have one of its addresses from us."""
    others = (e for a in after.addresses for e in entries_binding(world, a) if e.key != after.key)
    return [e for e in others if "addresses" in patched_fields(e)]


def _age(entry: ServiceEntry) -> tuple[int, Key]:
    return entry.meta.created or 0, entry.key


def patched(base: ServiceEntry, wanted: Fix) -> ServiceEntry:
    """The entry as it will be."""
    return replace(
        base,
        addresses=base.addresses if wanted.addresses is None else wanted.addresses,
        endpoints=base.endpoints if wanted.endpoints is None else tuple(Endpoint(address=a) for a in wanted.endpoints),
    )


def _left_alone(world: Snapshot, base: ServiceEntry, target: StandsFor, rules: Rules) -> Fix | None:
    """The verdict on an entry that gets no patch: it lacks nothing, or what it lacks is not ours to give."""
    if forbidden := not_repairable(base):
        return Fix(None, None, Why(Reason.NOT_REPAIRABLE, forbidden), target=target)
    if any(is_unspecified(a) for a in base.addresses):
        remedy = "remove it there" if target.service else "list there the addresses that its clients dial"
        message = f"spec.addresses {list(base.addresses)} is set by its owner and acts as no address; {remedy}"
        return Fix(None, None, Why(Reason.ADDRESS_SET_BY_OWNER, message), target=target)
    resolved_outside = target.reason is Reason.OUTSIDE_MESH
    if lacks_addresses(base) or (lacks_endpoints(base) and not resolved_outside) or catches(world, base, rules.mesh):
        unread = not_read(rules.mesh)
        return Fix(None, None, unread, target=target) if unread else None
    if taken := takes_away(world, base, rules.mesh):
        return Fix(None, None, takes(base, target.service, taken, already=True), target=target)
    why = stale(base, target)
    if why is None and target.service is not None:
        why = lost_requests(world, base, target.service, rules.mesh) or first_at_pods(base, target.service)
    why = why or matched_by_sni(base, target.service)
    return Fix(None, None, why, target=target)


def _contain(
    world: Snapshot,
    entry: ServiceEntry,
    base: ServiceEntry,
    rules: Rules,
    target: StandsFor,
    why: Why,
) -> Fix:
    """Give a catch-all an address of its own; anything else, and what that does not contain, stays as it is written.

    So does one that stands for nothing that is known to be in the mesh, and one whose own callers would be lost.
    """
    unfixed = Fix(None, None, why, target=target)
    if not _containable(world, base, target, rules):
        return unfixed
    if not rules.containment:
        return _keep(world, entry, target, unfixed, why)
    address = containment_address(world, entry, rules)
    service, endpoints = target.service, None
    if service and not service.headless and service.type != "ExternalName" and lacks_endpoints(base):
        led = Fix((address,), (service_host(service, rules.mesh),))
        # As in a fix: what the host resolves to may have a port that the Service has not.
        endpoints = None if lost_requests(world, patched(base, led), service, rules.mesh) else led.endpoints
    contained = Fix((address,), endpoints, why, contained=True, target=target)
    hindrance = "" if address else f"no address is free in {rules.containment_range}"
    if address and service:
        after = patched(base, contained)
        cut = own_callers(world, base, after, service, rules)
        hindrance = f"it is not contained: {cut.describe(base.key)}" if cut else ""
    if not hindrance and (needed := others_in_need(world, base, patched(base, contained), rules)):
        return replace(unfixed, why=needed)
    return replace(unfixed, why=replace(why, message=f"{why.message}; and {hindrance}")) if hindrance else contained


def _containable(world: Snapshot, base: ServiceEntry, target: StandsFor, rules: Rules) -> bool:
    """Whether the entry is a catch-all that an address of its own would contain, and nobody could miss.

    Of one that stands for nothing known in the mesh nobody can say what its callers dial; one that keeps the
    destination answers at no address of ours; one that is matched by SNI would be narrowed.
    """
    points = target.service is not None or target.named is not None
    unknown = not points and (bool(outside(world, base)) or target.reason is Reason.NO_SERVICE)
    if unknown or base.resolution == "NONE" or narrowed(base) or not without_address(base):
        return False
    if not catches(world, base, rules.mesh) or takes_anyway(base, rules.mesh):
        return False
    return bool(catches_all(base, rules.mesh) or matched_by_address(world, base, rules.mesh))


def _as_it_is(entry: ServiceEntry, target: StandsFor, why: Why) -> Fix:
    """What is in the entry from us stays in it."""
    ours = patched_fields(entry)
    endpoints = tuple(e.address for e in entry.endpoints) if "endpoints" in ours else None
    return Fix(entry.addresses if "addresses" in ours else None, endpoints, why, target=target)


def _keep(world: Snapshot, entry: ServiceEntry, target: StandsFor, unfixed: Fix, why: Why) -> Fix:
    """Without containment, an address that we patched in stays while no Service has it: better stale than catch-all."""
    if "addresses" not in patched_fields(entry) or any(world.services_at(a) for a in entry.addresses):
        return unfixed
    message = f"{why.message}; it keeps {', '.join(entry.addresses)} so that it takes no other traffic"
    return _as_it_is(entry, target, Why(Reason.STALE_ADDRESS, message))
