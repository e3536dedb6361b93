"""Entries that list one address with one port: whose calls end at another one's server.

Sidecars bind an address and port once. HTTP is matched by Host and TLS without an address by SNI; whatever shares
anything else loses to the one that comes first (docs/istio.md, "Shared addresses").
"""

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from dnsalias_operator.core.istio.clusters import cluster_of
from dnsalias_operator.core.istio.listeners import (
    Client,
    Pods,
    Reach,
    Row,
    bound,
    owner_of,
    pod_classes,
    reach,
    sees,
    sidecar_of,
)
from dnsalias_operator.core.istio.listeners.addresses import address_forms, is_unspecified
from dnsalias_operator.core.istio.listeners.claimants import rivals
from dnsalias_operator.core.istio.listeners.services import PUBLIC, export_to
from dnsalias_operator.core.istio.listeners.visible import named_namespaces
from dnsalias_operator.core.istio.protocols import class_of, entry_protocol
from dnsalias_operator.core.traffic.backends import ends_alike
from dnsalias_operator.core.traffic.ends import FORMS, Form
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import EntryPort, ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Lost:
    """Calls to an address and port that an entry lists, which end at the server of ``winner``.

    ``forms`` are what clients send that ends there, ``where`` the namespaces of these clients.
    """

    winner: ServiceEntry
    address: str
    port: EntryPort
    forms: frozenset[Form]
    where: Reach

    @property
    def whole(self) -> bool:
        """Whether nothing that is sent to the port reaches the entry."""
        return self.forms == frozenset(FORMS[class_of(entry_protocol(self.port))])


def lost_to_entries(world: Snapshot, entry: ServiceEntry, mesh: Mesh) -> Iterator[Lost]:
    """For each address and port of the entry, the first other entry that gets its calls there.

    Not where a Service has the address and port: whoever takes them takes them from the Service (`takeover`).
    """
    for address in dict.fromkeys(map(bound, entry.addresses)):
        if not address or is_unspecified(address):
            continue
        on_port = _by_port(world, address)
        of_services = {p.port for service in world.services_at(address) for p in service.ports}
        for port in entry.ports:
            sharing = on_port.get(port.number, {}) if port.number not in of_services else {}
            if class_of(entry_protocol(port)) not in FORMS or not _met(
                world, entry, address, port.number, sharing, mesh
            ):
                continue
            if found := _lost(world, entry, address, port, sharing, mesh):
                yield found


Sharing = Mapping[Key, ServiceEntry]
"""The entries that have an address and port."""


def _by_port(world: Snapshot, address: str) -> Mapping[int, Sharing]:
    """The entries that list the address, by their ports."""

    def look() -> dict[int, dict[Key, ServiceEntry]]:
        forms = _same_networks(world, address) if "/" in address else address_forms(address)
        listing = {e.key: e for form in forms for e in world.entries_at(form)}
        found: dict[int, dict[Key, ServiceEntry]] = {}
        for key in sorted(listing):
            for port in listing[key].ports:
                found.setdefault(port.number, {})[key] = listing[key]
        return found

    return world.remembered(("entries by port", address), look)


def _same_networks(world: Snapshot, cidr: str) -> tuple[str, ...]:
    """Every way in which entries write the network."""

    def look() -> dict[str, tuple[str, ...]]:
        found: dict[str, set[str]] = {}
        for written in (a for e in world.entries_with_cidr() for a in e.addresses if "/" in bound(a)):
            found.setdefault(str(ipaddress.ip_network(written, strict=False)), set()).add(written)
        return {network: tuple(sorted(forms)) for network, forms in found.items()}

    return world.remembered("networks", look).get(str(ipaddress.ip_network(cidr, strict=False)), ())


def _met(world: Snapshot, entry: ServiceEntry, address: str, number: int, sharing: Sharing, mesh: Mesh) -> bool:
    """Whether a client may get the entry and another one that shares the address and port."""
    if len(sharing) < 2:  # noqa: PLR2004 (it and another)
        return False

    def look() -> tuple[int, dict[str, int]]:
        everywhere, named = 0, dict[str, int]()
        for other in sharing.values():
            if PUBLIC in export_to(other, mesh):
                everywhere += 1
            else:
                for namespace in named_namespaces(other, mesh):
                    named[namespace] = named.get(namespace, 0) + 1
        return everywhere, named

    everywhere, named = world.remembered(("exported", mesh, address, number), look)
    if PUBLIC in export_to(entry, mesh):
        return everywhere > 1 or bool(named)
    return everywhere > 0 or any(named[namespace] > 1 for namespace in named_namespaces(entry, mesh))


def _lost(
    world: Snapshot, entry: ServiceEntry, address: str, port: EntryPort, sharing: Sharing, mesh: Mesh
) -> Lost | None:
    first: Lost | None = None
    hit: list[Pods] = []
    listening = _listening(world, mesh, address, port.number)
    contested = any(len(rivals(host, world, mesh)) > 1 for host in entry.hosts)
    alike: dict[Key, bool] = {}
    services = world.services_at(address)
    for there in (t for t in listening if sees(entry, t.pods.client.namespace, mesh)):
        taken = {form: to for form in FORMS[class_of(entry_protocol(port))] if (to := there.taker(form, entry.hosts))}
        for to in {to for to in taken.values() if to in sharing and to != entry.key and to not in alike}:
            alike[to] = _alike(world, entry, port, sharing[to], services, mesh)
        taken = {form: to for form, to in taken.items() if not alike.get(to, True)}
        if not taken or ((contested or there.scoped) and not _gets(world, there.pods.client, entry, port, mesh)):
            continue
        hit.append(there.pods)
        winner = next(iter(taken.values()))
        forms = frozenset(form for form, to in taken.items() if to == winner)
        first = first or Lost(sharing[winner], address, port, forms, Reach(everywhere=False, namespaces=()))
    return replace(first, where=reach(world, (t.pods for t in listening), hit)) if first else None


class _Listening(NamedTuple):
    """What takes connections to an address and port for a class of clients.

    ``plain`` and ``http`` are who takes any bytes and plaintext HTTP whatever their host is, with the hostname; None
    where that is by Host or nobody. ``sni`` are the names that are told apart. ``scoped`` is whether a Sidecar applies.
    """

    pods: Pods
    plain: tuple[Key, str] | None
    http: tuple[Key, str] | None
    sni: frozenset[str]
    scoped: bool

    def taker(self, form: Form, hosts: Sequence[str]) -> Key | None:
        """Whose cluster gets what is meant for one of the hosts, where that has another hostname."""
        found = self.http if form is Form.HTTP else self.plain
        if found is None or found[1] in hosts or (form is Form.TLS and self.sni & set(hosts)):
            return None
        return found[0]


def _listening(world: Snapshot, mesh: Mesh, address: str, number: int) -> tuple[_Listening, ...]:
    """Who takes connections there, for the classes of clients that can differ."""

    def look() -> tuple[_Listening, ...]:
        dialled = address.partition("/")[0]
        every = pod_classes(world, mesh, number, address)
        return tuple(_at(pods, owner_of(world, pods.client, mesh, dialled, number), world, mesh) for pods in every)

    return world.remembered(("listening", mesh, address, number), look)


def _at(pods: Pods, rows: Sequence[Row], world: Snapshot, mesh: Mesh) -> _Listening:
    bare = [row for row in rows if not row.sni and not row.http]
    narrow = next((row for row in bare if row.cidr), None) or next(iter(bare), None)
    web = next((row for row in rows if row.http), narrow)
    sni = frozenset(name for row in rows for name in row.sni)
    scoped = sidecar_of(world, pods.client, mesh) is not None
    return _Listening(pods, _takes(narrow), _takes(web), sni, scoped)


def _takes(row: Row | None) -> tuple[Key, str] | None:
    """Whom the row leads to whatever the host is, with the hostname."""
    if row is None or row.owner is None:
        return None
    if row.route:
        private = row.route.rpartition(":")[0]
        return (row.owner, private) if private else None
    return row.owner, str(row.cluster).rpartition("|")[2]


def _gets(world: Snapshot, client: Client, entry: ServiceEntry, port: EntryPort, mesh: Mesh) -> bool:
    """Whether the client has the entry under one of its hosts."""
    found = (cluster_of(world, client, mesh, host, port.number) for host in entry.hosts)
    return any(cluster is not None and cluster.namespace == entry.meta.namespace for cluster in found)


def _alike(
    world: Snapshot, entry: ServiceEntry, port: EntryPort, other: ServiceEntry, services: Sequence[Service], mesh: Mesh
) -> bool:
    """Whether it does not matter which of the two gets the calls."""
    theirs = next(p for p in other.ports if p.number == port.number)
    return ends_alike(world, (entry, port), (other, theirs), services, mesh)
