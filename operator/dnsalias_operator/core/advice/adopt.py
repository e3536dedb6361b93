"""Somebody else's ServiceEntry -> the DnsAlias that says the same, or why there is none.

Nothing is proposed that the core would not serve: each alias is decided in the world as it will be, with every adopted
entry gone and every proposed alias there.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dnsalias_operator.core.advice.adoptable import Adoption, notes, obstacle
from dnsalias_operator.core.aliases.decide import decide_alias
from dnsalias_operator.core.entries.ownership import as_written, claims_to_be_ours
from dnsalias_operator.core.entries.stands_for import stands_for
from dnsalias_operator.core.istio.visibility import Scope
from dnsalias_operator.core.outcome import Condition
from dnsalias_operator.core.reasons import Reason, Why
from dnsalias_operator.model.dnsalias import DnsAlias
from dnsalias_operator.model.meta import Raw, mapping
from dnsalias_operator.model.names import API_VERSION, KIND, REPAIR_ANNOTATION, Key
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.selector import Selector
from dnsalias_operator.model.service import Service, tcp_ports
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import LiveSnapshot, Snapshot
from dnsalias_operator.model.status import POLICIES_FOLLOWED, READY

_LATER = 2**40
"""As a creation time: later than anything that exists, so that what is proposed queues behind it."""


@dataclass(frozen=True, slots=True)
class Adopted:
    """An alias for one host of an entry.

    ``exists`` where there is one already; then ``alias`` is that one as it stands. ``meanwhile`` is its condition Ready
    as long as the entry is there, ``mode`` the alias' mode then ("" where it has to wait). ``notes`` say what changes.
    """

    entry: Key
    host: str
    alias: Raw
    service: Key
    meanwhile: Condition
    mode: str = ""
    exists: bool = False
    notes: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        """Identity of the alias."""
        meta = self.alias["metadata"]
        return Key(KIND, meta["namespace"], meta["name"])


@dataclass(frozen=True, slots=True)
class NotAdopted:
    """An entry, or one host of it, that no alias can stand for."""

    entry: Key
    host: str
    why: Why


def candidates(world: Snapshot, rules: Rules) -> list[ServiceEntry]:
    """Entries of others that the repair selector matches, or that say something of repair, opted out ones too."""
    selector = Selector.parse(rules.repair_selector)
    return [
        e
        for e in world.entries()
        if not claims_to_be_ours(e)
        and not e.meta.deleting
        and (selector.matches(e.meta.labels) or REPAIR_ANNOTATION in e.meta.annotations)
    ]


def adopt(world: Snapshot, entries: Iterable[ServiceEntry], rules: Rules) -> tuple[Adopted | NotAdopted, ...]:
    """One result for every host of every entry, sorted by entry.

    Of entries that claim one host the oldest has it, as in the mesh today. An entry of which one host cannot be adopted
    stays, and with it all of its hosts; what is proposed for the others holds beside it.
    """
    going = sorted(entries, key=lambda e: (float("inf") if e.meta.created is None else e.meta.created, e.key))
    world = world.with_changes({a.key: _aged(a, _LATER - 1) for a in world.aliases() if a.meta.created is None})
    staying = list[NotAdopted]()
    while True:
        results = _all_of(world, going, rules)
        refused = [r for r in results if isinstance(r, NotAdopted)]
        stuck = {r.entry for r in refused}
        staying += refused
        staying += (_kept_back(r) for r in results if isinstance(r, Adopted) and r.entry in stuck)
        going = [e for e in going if e.key not in stuck]
        if not stuck:
            return tuple(sorted((*results, *staying), key=lambda r: (r.entry, r.host)))


def _all_of(world: Snapshot, going: Iterable[ServiceEntry], rules: Rules) -> list[Adopted | NotAdopted]:
    """The results where all these entries go and every other one stays."""
    adoptions = [_adoption(world, entry, rules) for entry in going]
    of_host = defaultdict[str, list[Adoption]](list)
    for adoption in adoptions:
        for host in dict.fromkeys(adoption.entry.hosts):
            of_host[host].append(adoption)
    there = LiveSnapshot(world.objects(), namespaces_known=world.namespaces_known)
    gone = LiveSnapshot(world.objects(), namespaces_known=world.namespaces_known)
    for adoption in adoptions:
        gone.discard(adoption.entry.key)
    results = list[Adopted | NotAdopted]()
    for adoption in adoptions:
        for result in _of_entry(adoption, of_host, there, gone):
            results.append(result)
            if isinstance(result, Adopted) and not result.exists:
                proposed = _aged(DnsAlias.parse(result.alias), _LATER + len(results))
                there.put(proposed)
                gone.put(proposed)
    return results


def _kept_back(result: Adopted) -> NotAdopted:
    message = "the entry stays for another host of it; take that one to an entry of its own"
    return NotAdopted(result.entry, result.host, Why(Reason.SHARES_ENTRY, message))


def _aged(alias: DnsAlias, created: int) -> DnsAlias:
    return replace(alias, meta=replace(alias.meta, created=created))


def _adoption(world: Snapshot, entry: ServiceEntry, rules: Rules) -> Adoption:
    base = as_written(entry, rules)
    return Adoption(world, rules, base, stands_for(world.with_changes({entry.key: base}), base, rules))


def _of_entry(
    adoption: Adoption, of_host: Mapping[str, list[Adoption]], there: Snapshot, gone: Snapshot
) -> Iterator[Adopted | NotAdopted]:
    key = adoption.entry.key
    if not adoption.entry.hosts:
        yield NotAdopted(key, "", Why(Reason.NO_HOST, "spec.hosts is empty: it gives no name; delete it"))
    fault = obstacle(adoption)
    for host in dict.fromkeys(adoption.entry.hosts):
        found = fault or adoption.target.found
        if isinstance(found, Why):
            yield NotAdopted(key, host, found)
            continue
        together = [c for c in of_host[host] if c.target.service == found]
        yield _proposed(adoption, found, together, there, gone, host)


def _proposed(
    adoption: Adoption, service: Service, together: Iterable[Adoption], there: Snapshot, gone: Snapshot, host: str
) -> Adopted | NotAdopted:
    """``together`` are all entries that give the Service this host: one alias takes the ports of all."""
    entry = adoption.entry
    spec = _spec(adoption, service, {n for c in together for n in c.numbers}, host)
    have = next((a for a in there.aliases_for_host(host) if _is_for(a, service)), None)
    remarks = tuple(notes(adoption))
    if have is not None:
        alias, remarks = have, tuple(_differences(have, spec))
    else:
        name = _name(there, entry, host, service.meta.namespace)
        meta = {"name": name, "namespace": service.meta.namespace}
        manifest = {"apiVersion": API_VERSION, "kind": KIND, "metadata": meta, "spec": spec}
        alias = _aged(DnsAlias.parse(manifest), _LATER * 2)
    if alias.fault:
        return NotAdopted(entry.key, host, Why(Reason.INVALID, f"a DnsAlias cannot say this: {alias.fault}"))
    then = decide_alias(gone.with_changes({alias.key: alias}), alias.key, adoption.rules)
    now = decide_alias(there.with_changes({alias.key: alias}), alias.key, adoption.rules)
    if then is None or now is None:
        message = f"{alias.key} is being deleted; adopt again when it is gone"
        return NotAdopted(entry.key, host, Why(Reason.BEING_DELETED, message))
    refused = next((c for c in then.conditions if c.status != "True" and c.type != POLICIES_FOLLOWED), None)
    if refused is not None:
        message = f"{alias.key} would not be served: {refused.message}"
        return NotAdopted(entry.key, host, Why(refused.reason, message))
    ready = next(c for c in now.conditions if c.type == READY)
    exists = adoption.world.get(alias.key) is not None
    return Adopted(entry.key, host, alias.raw, service.key, ready, now.mode, exists=exists, notes=remarks)


def _is_for(alias: DnsAlias, service: Service) -> bool:
    return (
        alias.spec is not None
        and alias.meta.namespace == service.meta.namespace
        and alias.spec.service_ref.name == service.meta.name
    )


def _spec(adoption: Adoption, service: Service, numbers: Container[int], host: str) -> dict[str, Any]:
    spec: dict[str, Any] = {"host": host, "serviceRef": {"name": service.meta.name}}
    ports = [p.port for p in tcp_ports(service)]
    if any(port not in numbers for port in ports):
        spec["ports"] = [port for port in ports if port in numbers]
    home = service.meta.namespace
    scope = Scope.of_claimant(adoption.entry, adoption.rules.mesh)
    if scope != Scope.of(None, home, adoption.rules.default_export_to):
        spec["exportTo"] = scope.export_to(home)
    return spec


def _name(there: Snapshot, entry: ServiceEntry, host: str, namespace: str) -> str:
    """The entry's name, or where that is taken or has to serve several hosts, one with the host in it."""
    by_host = host.replace(".", "-")
    names = [entry.meta.name] if len(entry.hosts) == 1 else [by_host]
    names += [f"{entry.meta.name}-{by_host}", f"{entry.meta.namespace}-{entry.meta.name}-{by_host}"]

    def free(name: str) -> bool:
        taken = there.entry(namespace, name)
        return there.alias(namespace, name) is None and (taken is None or taken.key == entry.key)

    # Where all are taken the decision says so.
    return next(filter(free, names), names[-1])


def _differences(have: DnsAlias, spec: dict[str, Any]) -> Iterator[str]:
    stands = mapping(have.raw.get("spec"))
    for name in ("ports", "exportTo"):
        if stands.get(name) != spec.get(name):
            has, would = (f"{name} {m[name]}" if m.get(name) else f"no {name}" for m in (stands, spec))
            yield f"{have.key} has {has} in its spec; what the entry does would be {would}"
