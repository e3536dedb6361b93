"""One host in several entries, by what comes of it: checks of `findings`, computed from `traffic.one_host`."""

from collections.abc import Iterator

from dnsalias_operator.core.findings import catalog, remedies
from dnsalias_operator.core.findings.subject import Look
from dnsalias_operator.core.istio.listeners.services import PUBLIC, export_to
from dnsalias_operator.core.istio.listeners.visible import named_namespaces
from dnsalias_operator.core.istio.visibility import Scope
from dnsalias_operator.core.outcome import Finding, Severity
from dnsalias_operator.core.traffic.one_host import Effect, Fate, fates
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot

MOST_NAMED = 3
"""Entries that a message names at most."""
_OF_ITS_OWN = frozenset({Effect.NO_CLUSTER, Effect.STRANGERS, Effect.POOLED, Effect.MIXED})
"""Effects that have a finding other than `claimed_twice`."""


def sends_nowhere(look: Look) -> Iterator[Finding]:
    """A port with a listener and nothing behind it: no cluster, or one without endpoints."""
    for host, fate in _fates(look, Effect.NO_CLUSTER, Effect.EMPTY):
        fails = f"every call to {host}:{fate.port} fails"
        if fate.effect is Effect.EMPTY:
            message = f"{fails}: resolution {look.entry.resolution}, and there is no endpoint for the port"
            remedy = None
        else:
            first = look.world.get(fate.by[0])
            unlike = _unlike(look.entry, first) if isinstance(first, ServiceEntry) else ""
            message = (
                f"{fails}: sidecars listen and have no cluster for it, since {fate.by[0]} has the host and does not "
                f"take its ports in{unlike}"
            )
            remedy = remedies.NO_CLUSTER if isinstance(first, ServiceEntry) else catalog.NAMED_AS_SERVICE.remedy
        message = f"{message}, for clients in {fate.where}"
        yield catalog.SENDS_NOWHERE.at(look.entry.key, message, port=fate.port, remedy=remedy)


def mixed_addresses(look: Look) -> Iterator[Finding]:
    """With DNS capture, a name that is answered with addresses of which some do not serve the port."""
    for host, fate in _fates(look, Effect.MIXED):
        astray = "fail" if fate.certain else "pass the entry by"
        message = (
            f"sidecars answer {host} with {fate.answered} addresses, and {len(fate.addresses)} of them "
            f"({', '.join(fate.addresses[:MOST_NAMED])} of {_named(fate.by)}) do not serve port {fate.port}: calls to "
            f"these {astray}, for clients in {fate.where}"
        )
        severity = Severity.CRITICAL if fate.certain else Severity.WARNING
        yield catalog.MIXED_ADDRESSES.at(look.entry.key, message, port=fate.port, severity=severity)


def shared_endpoints(look: Look) -> Iterator[Finding]:
    """A port whose calls go to the endpoints of other entries as well."""
    for host, fate in _fates(look, Effect.STRANGERS, Effect.POOLED):
        strangers = fate.effect is Effect.STRANGERS
        unseen = ", which is not exported to them" if strangers else ""
        message = (
            f"calls to {host}:{fate.port} go to the endpoints of {_named(fate.by)} too{unseen}: those of one host and "
            f"namespace are one set, for clients in {fate.where}"
        )
        severity = None if strangers else Severity.WARNING
        remedy = None if strangers else remedies.POOLED
        yield catalog.SHARED_ENDPOINTS.at(look.entry.key, message, port=fate.port, severity=severity, remedy=remedy)


def claimed_twice(look: Look) -> Iterator[Finding]:
    """A host that other entries have too: in other namespaces that meet this one, or harmlessly in its own."""
    entry, world, mesh = look.entry, look.world, look.rules.mesh
    for host in entry.hosts:
        found = fates(world, entry, host, mesh)
        near = [] if any(f.effect in _OF_ITS_OWN for f in found) else [f for f in found if f.effect in _IN_ONE]
        far = _elsewhere(world, entry, host, mesh)
        overruled = [f for f in near if f.effect is Effect.OVERRULED and f.by[0].kind == "ServiceEntry"]
        if far:
            same = all(_same(entry, other) for other in far) and not overruled
            told = "whichever a pod gets, they say the same" if same else "which one a pod gets depends on age"
            message = f"host {host} is claimed by {_named([e.key for e in far])} too; {told}"
            severity = Severity.INFO if same else Severity.WARNING
            yield catalog.HOST_CLAIMED_TWICE.at(entry.key, message, severity=severity)
        elif overruled:
            message = (
                f"host {host} is claimed by {_named(overruled[0].by)} too, which comes first: for port "
                f"{overruled[0].port} its protocol and resolution count, and not what this entry says"
            )
            yield catalog.HOST_CLAIMED_TWICE.at(entry.key, message, remedy=remedies.ONE_ENTRY)
        elif merged := [key for f in near if f.effect is Effect.MERGED for key in f.by if key.kind == "ServiceEntry"]:
            message = (
                f"host {host} is claimed by {_named(merged)} too; sidecars make one service with all ports of them"
            )
            yield catalog.HOST_CLAIMED_TWICE.at(entry.key, message, severity=Severity.INFO, remedy=remedies.ONE_ENTRY)


_IN_ONE = frozenset({Effect.OVERRULED, Effect.MERGED})


def _fates(look: Look, *effects: Effect) -> Iterator[tuple[str, Fate]]:
    for host in look.entry.hosts:
        for fate in fates(look.world, look.entry, host, look.rules.mesh):
            if fate.effect in effects and fate.where:
                yield host, fate


def _named(keys: tuple[Key, ...] | list[Key]) -> str:
    every = list(dict.fromkeys(keys))
    more = f" and {len(every) - MOST_NAMED} more" if len(every) > MOST_NAMED else ""
    return ", ".join(map(str, every[:MOST_NAMED])) + more


def _unlike(entry: ServiceEntry, other: ServiceEntry) -> str:
    """In what the two differ that must be equal for istiod to put their ports together (`contested.merges`)."""
    differ = {
        "resolution": entry.resolution != other.resolution,
        "labels": dict(entry.meta.labels) != dict(other.meta.labels),
        "workloadSelector": dict(entry.workload_selector or {}) != dict(other.workload_selector or {}),
        "exportTo": set(entry.export_to or ()) != set(other.export_to or ()),
    }
    named = " and ".join(field for field, differs in differ.items() if differs)
    return f" (they differ in {named})" if named else ""


def _elsewhere(world: Snapshot, entry: ServiceEntry, host: str, mesh: Mesh) -> list[ServiceEntry]:
    """The entries of other namespaces with that host that some client may get besides."""
    everybody = world.entries_for_host(host)
    if len(everybody) == 1 or not _meets(world, entry, host, mesh):
        return []
    mine = Scope.of_claimant(entry, mesh)
    others = (e for e in everybody if e.meta.namespace != entry.meta.namespace)
    return [e for e in others if Scope.of_claimant(e, mesh).overlaps(mine)]


def _meets(world: Snapshot, entry: ServiceEntry, host: str, mesh: Mesh) -> bool:
    """Whether another entry of the host may be exported to a namespace that this one is exported to, at little cost."""

    def look() -> tuple[int, dict[str, int]]:
        everywhere, named = 0, dict[str, int]()
        for other in world.entries_for_host(host):
            if PUBLIC in export_to(other, mesh):
                everywhere += 1
            for namespace in named_namespaces(other, mesh):
                named[namespace] = named.get(namespace, 0) + 1
        return everywhere, named

    everywhere, named = world.remembered(("exported of host", mesh, host), look)
    if PUBLIC in export_to(entry, mesh):
        return len(named) > 1 or everywhere > 1
    return everywhere > 0 or any(named[namespace] > 1 for namespace in named_namespaces(entry, mesh))


def _same(entry: ServiceEntry, other: ServiceEntry) -> bool:
    """Whether it does not matter which of two entries of different namespaces a pod gets."""

    def said(e: ServiceEntry) -> tuple[object, ...]:
        return e.addresses, set(e.ports), e.location, e.resolution, e.endpoints

    selects = entry.workload_selector is not None or other.workload_selector is not None
    return not selects and said(entry) == said(other)
