"""Entries of one namespace that have a host in common: what each one's ports, addresses and endpoints come to.

istiod files what has one hostname in one namespace together: one of them is made into clusters, those that are like it
add their ports, the endpoints of all are one set whatever exportTo says, and DNS capture answers with the addresses of
all (docs/istio.md, "One host").
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from dnsalias_operator.core.istio.clusters import Cluster, cluster_of
from dnsalias_operator.core.istio.listeners import Client, Pods, Reach, pod_classes, reach, sees
from dnsalias_operator.core.istio.listeners.contested import merges, services_named
from dnsalias_operator.core.istio.listeners.families import addresses_of
from dnsalias_operator.core.istio.listeners.rows import WILDCARD
from dnsalias_operator.core.istio.listeners.scope import scope_of
from dnsalias_operator.core.istio.listeners.services import Resolution, service_key
from dnsalias_operator.core.istio.protocols import ADDRESS_BOUND, class_of, entry_protocol
from dnsalias_operator.core.traffic.catch_all import alone_with_sidecars
from dnsalias_operator.core.traffic.ends import FORMS, Call, end_of
from dnsalias_operator.core.traffic.ports_alike import ports_alike
from dnsalias_operator.model.lookups import Claimant
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.serviceentry import EntryPort, ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot

MOST = 50
"""Of more entries of one namespace with one host no effect is told."""
MOST_COMPARED = 10_000
"""Nor where more would have to be compared: every entry of a kind of port with all the others and their addresses."""


class Effect(StrEnum):
    """What becomes of a port of one of them.

    NO_CLUSTER: it has a listener, and nothing behind it. EMPTY: its cluster has no endpoint. STRANGERS: its calls go to
    endpoints of an entry that the client is not given too, POOLED: to those of one that it is given. MIXED: its name is
    answered with addresses that do not serve it. OVERRULED: another one's protocol or resolution counts. MERGED: it is
    a port of the one service that they make.
    """

    NO_CLUSTER = "no cluster"
    EMPTY = "empty"
    STRANGERS = "strangers"
    MIXED = "mixed"
    POOLED = "pooled"
    OVERRULED = "overruled"
    MERGED = "merged"


@dataclass(frozen=True, slots=True)
class Fate:
    """One effect on a port of an entry, for clients in ``where``.

    ``by`` are the others that make it so. ``addresses`` are those that do not serve the port, ``answered`` how many the
    name is answered with; ``certain`` is whether nobody answers there.
    """

    effect: Effect
    port: int
    by: tuple[Key, ...]
    where: Reach
    addresses: tuple[str, ...] = ()
    answered: int = 0
    certain: bool = True


def fates(world: Snapshot, entry: ServiceEntry, host: str, mesh: Mesh) -> tuple[Fate, ...]:
    """What comes of the entry's ports for that host of it, by port and effect."""
    question = ("one host", mesh, host, entry.meta.namespace)
    group = world.remembered(question, lambda: _group(world, host, entry.meta.namespace, mesh))
    if len(group) > MOST or (len(group) == 1 and not _bare(entry)):
        return ()

    def look() -> dict[Key, tuple[Fate, ...]]:
        alone = alone_with_sidecars(world, *group)
        alike = ports_alike(alone, group, mesh)
        return fates_of_all(alone, host, group, alike, mesh) if _compared(group, alike) <= MOST_COMPARED else {}

    return world.remembered((*question, "fates"), look).get(entry.key, ())


def _compared(group: Sequence[Claimant], alike: Iterable[Sequence[int]]) -> int:
    """How many comparisons `fates_of_all` makes, about; of the endpoints of an entry many are compared at once."""
    entries = [o for o in group if isinstance(o, ServiceEntry)]
    each = sum(1 + len(e.addresses) + len(e.endpoints) // 16 for e in entries)
    numbers = [{p.number for p in e.ports} for e in entries]
    return each * sum(first in of_one for first, *_ in alike for of_one in numbers)


def _bare(entry: ServiceEntry) -> bool:
    """Whether an entry alone has no endpoint."""
    return entry.resolution == "STATIC" and not entry.endpoints and entry.workload_selector is None


def _group(world: Snapshot, host: str, namespace: str, mesh: Mesh) -> tuple[Claimant, ...]:
    found: list[Claimant] = [e for e in world.entries_for_host(host) if e.meta.namespace == namespace]
    key = service_key(host, mesh)
    service = world.service(key.namespace, key.name) if key and key.namespace == namespace else None
    return (*found, service) if service else tuple(found)


def fates_of_all(
    alone: Snapshot, host: str, group: Sequence[Claimant], alike: Iterable[Sequence[int]], mesh: Mesh
) -> dict[Key, tuple[Fate, ...]]:
    """What comes of the ports of all entries of a host and namespace; ``alone`` holds these, a Service and Sidecars.

    Of the numbers that are ``alike`` (`ports_alike`) one is asked for all of them.
    """
    entries = [o for o in group if isinstance(o, ServiceEntry)]
    found: dict[Key, list[Fate]] = {}
    for number, *same in alike:
        every = pod_classes(alone, mesh, number)
        hits: dict[tuple[Key, Effect, tuple[Key, ...], tuple[str, ...], int, bool], list[Pods]] = {}
        for pods in every:
            for key, fate in _of_client(alone, host, entries, number, pods.client, mesh):
                hits.setdefault((key, *fate), []).append(pods)
        for (key, effect, by, addresses, answered, certain), hit in hits.items():
            where = reach(alone, every, hit)
            first = Fate(effect, number, by, where, addresses, answered, certain)
            found.setdefault(key, []).extend((first, *(replace(first, port=other) for other in same)))
    return {key: tuple(sorted(of_one, key=lambda fate: fate.port)) for key, of_one in found.items()}


_Told = tuple[Effect, tuple[Key, ...], tuple[str, ...], int, bool]


def _of_client(
    alone: Snapshot,
    host: str,
    entries: Sequence[ServiceEntry],
    number: int,
    client: Client,
    mesh: Mesh,
) -> Iterator[tuple[Key, _Told]]:
    """What comes of the port for one client, for each of the entries that it gets with that port."""
    given = _given(alone, client, mesh, host, number)
    cluster = cluster_of(alone, client, mesh, host, number)
    for entry in (e for e in entries if e.key in given):
        port = next((p for p in entry.ports if p.number == number), None)
        if port is None or class_of(entry_protocol(port)) not in FORMS:
            continue
        others = tuple(key for key in given if key != entry.key)
        if cluster is None:
            if others:
                yield entry.key, (Effect.NO_CLUSTER, others[:1], (), 0, True)
            continue
        if cluster.resolution is Resolution.OTHER and not cluster.inline and not cluster.pods:
            yield entry.key, (Effect.EMPTY, (), (), 0, True)
        if told := _among(alone, entry, port, cluster, others):
            yield entry.key, told
        if cluster.service.key == entry.key:
            yield from ((entry.key, told) for told in _pool(alone, entries, cluster, client, mesh))
        if mesh.dns_capture and class_of(entry_protocol(port)) in ADDRESS_BOUND:
            yield from ((entry.key, told) for told in _mixed(alone, host, port, client, mesh))


def _given(alone: Snapshot, client: Client, mesh: Mesh, host: str, number: int) -> dict[Key, None]:
    """Who of them the client gets, the one that is made into clusters first."""
    egress = scope_of(alone, client, mesh).on(number)
    return dict.fromkeys(u.key for e in egress for u in services_named(host, alone, e, mesh))


def _among(
    alone: Snapshot, entry: ServiceEntry, port: EntryPort, cluster: Cluster, others: tuple[Key, ...]
) -> _Told | None:
    """Whether what the port says counts, beside the others; None where they leave one another alone."""
    decider, spoken = cluster.service, class_of(cluster.protocol)
    if decider.key != entry.key:
        resolved = not isinstance(decider, ServiceEntry) or decider.resolution != entry.resolution
        if resolved or spoken is not class_of(entry_protocol(port)):
            return Effect.OVERRULED, (decider.key,), (), 0, True
    alike = tuple(key for key in others if merges(entry, alone.get(key)))
    return (Effect.MERGED, alike, (), 0, True) if alike else None


def _pool(
    alone: Snapshot, entries: Sequence[ServiceEntry], cluster: Cluster, client: Client, mesh: Mesh
) -> Iterator[_Told]:
    """The endpoints that others add to an entry's cluster."""
    own = cluster.service
    strangers: list[Key] = []
    known: list[Key] = []
    for other in (e for e in entries if e.key != own.key):
        if not _adds(alone, cluster, other, client, mesh):
            continue
        (known if sees(other, client.namespace, mesh) else strangers).append(other.key)
    if strangers:
        yield Effect.STRANGERS, tuple(strangers), (), 0, True
    if known:
        yield Effect.POOLED, tuple(known), (), 0, True


def _adds(alone: Snapshot, cluster: Cluster, other: ServiceEntry, client: Client, mesh: Mesh) -> bool:
    if cluster.resolution is Resolution.PASSTHROUGH:
        return False  # calls go on to the address that was dialled
    without = alone.remembered(("without", other.key), lambda: alone.with_changes({other.key: None}))
    left = cluster_of(without, client, mesh, cluster.hostname, cluster.port)
    if left is None or left.service.key != cluster.service.key:
        return False
    there = {(w.address, w.port) for w in cluster.inline} != {(w.address, w.port) for w in left.inline}
    own = cluster.service.workload_selector if isinstance(cluster.service, ServiceEntry) else None
    chosen = other.workload_selector is not None and dict(other.workload_selector) != dict(own or {})
    return there or (chosen and any(p.number == cluster.port for p in other.ports))


def _mixed(alone: Snapshot, host: str, port: EntryPort, client: Client, mesh: Mesh) -> Iterator[_Told]:
    """The addresses that a sidecar answers the host with, and that lead the port nowhere or past the entry.

    Source: BuildNameTable in pkg/dns/server/name_table.go: those of every service of the hostname.
    """
    answered: dict[str, ServiceEntry] = {}
    for key in _given(alone, client, mesh, host, port.number):
        entry = alone.get(key)
        if not isinstance(entry, ServiceEntry):
            return  # the Service's alone
        for binds in addresses_of(entry, host, mesh):
            answered.update((a, entry) for a in binds[:1] if a != WILDCARD and "/" not in a)
    astray = []
    for address, entry in answered.items():
        calls = (Call(host, address, port.number, form) for form in FORMS[class_of(entry_protocol(port))])
        ends = [end_of(alone, client, mesh, call) for call in calls]
        if any(end.cluster is None or end.cluster.hostname != host for end in ends):
            nobody = address in entry.allocated(host) or any(end.blocked for end in ends)
            astray.append((address, entry.key, nobody))
    if astray:
        addresses, by = tuple(a for a, _, _ in astray), tuple(dict.fromkeys(key for _, key, _ in astray))
        yield Effect.MIXED, by, addresses, len(answered), all(nobody for _, _, nobody in astray)
