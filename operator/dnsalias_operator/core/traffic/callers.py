"""Who calls an entry today, and whether a change leaves them where they are.

An entry's callers are the clients whose calls by one of its hosts reach its cluster. A call is sent to what the host
resolves to for the client (docs/istio.md, "Names and DNS"), or to an address of the Service that the entry
stands for. Callers of an entry that is told apart by SNI or Host may dial any address, so that an address would narrow
what it serves: nothing here asks about them, they are why such an entry gets none.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from dnsalias_operator.core.istio.clusters import ClientTls, Sent, sends
from dnsalias_operator.core.istio.clusters.rules import namespaces_with_rules, rule_for
from dnsalias_operator.core.istio.listeners import Client, bound, clients_that_matter
from dnsalias_operator.core.istio.listeners.services import full_name
from dnsalias_operator.core.istio.protocols import class_of, entry_protocol
from dnsalias_operator.core.traffic.backends import by_own_name, leads_to
from dnsalias_operator.core.traffic.ends import FORMS, Call, End, end_of
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import EntryPort, ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class CutOff:
    """A call that reaches the entry today, and after a change ends elsewhere, or without what is bound to its host.

    ``policy`` is the DestinationRule or VirtualService of the host that would no longer apply, None where the call
    itself is lost; ``to`` is the address that was dialled before.
    """

    host: str
    to: str
    port: int
    client: str
    policy: Key | None = None

    def describe(self, entry: Key) -> str:
        """One sentence for people."""
        if self.policy:
            return (
                f"calls to {self.host}:{self.port} by {self.to} would pass {entry} by, and with it {self.policy}, "
                f"which is bound to its host (seen from {self.client})"
            )
        return (
            f"calls to {self.host}:{self.port} that clients send to {self.to} reach {entry} today, and would no longer "
            f"(seen from {self.client})"
        )


def cut_off(
    before: Snapshot, after: Snapshot, old: ServiceEntry, new: ServiceEntry, service: Service, mesh: Mesh
) -> CutOff | None:
    """The first call that the change of an entry from ``old`` to ``new`` takes from it, or None.

    ``before`` holds the one, ``after`` the other; ``service`` is what the entry stands for.
    """
    for port in old.ports:
        for form in FORMS.get(class_of(entry_protocol(port)), ()):
            for address, client in _callers(before, old, port, service, mesh):
                for host in old.hosts:
                    was = end_of(before, client, mesh, Call(host, address, port.number, form))
                    if was.owner != old.key:
                        continue
                    there = _dialled_after(address, new, mesh)
                    now = end_of(after, client, mesh, Call(host, there, port.number, form))
                    if now.owner == old.key and now.address == was.address:
                        continue
                    if policy := policy_of(before, client, host, old.meta.namespace, mesh):
                        return CutOff(host, address, port.number, str(client), policy)
                    if not _same_service(before, client, mesh, old, port, service, was, now):
                        return CutOff(host, address, port.number, str(client))
    return None


def policy_of(world: Snapshot, client: Client, host: str, namespace: str, mesh: Mesh) -> Key | None:
    """What applies to a client's calls by that host of an entry, and to no other cluster; None where nothing does."""
    rule = rule_for(world, client, host, namespace, mesh) if namespaces_with_rules(world, host, mesh) else None
    if rule:
        return rule.key
    routed = (v for v in world.virtual_services() if v.routes)
    return next((v.key for v in routed if host in {full_name(h, v.meta.namespace, mesh) for h in v.hosts}), None)


def _callers(
    world: Snapshot, entry: ServiceEntry, port: EntryPort, service: Service, mesh: Mesh
) -> Iterator[tuple[str, Client]]:
    """The addresses that callers dial, each with the clients that can differ there."""
    for address in dialled(entry, service, mesh):
        for client in clients_that_matter(world, mesh, port.number, address):
            yield address, client


def dialled(entry: ServiceEntry, service: Service, mesh: Mesh) -> tuple[str, ...]:
    """What the hosts of an entry resolve to, and the other addresses by which its Service is known.

    With DNS capture a sidecar answers with the entry's own addresses; else the cluster's DNS leads the name of an entry
    that stands for a Service to that Service (docs/istio.md, "Names and DNS").
    """
    captured = tuple(a for a in map(bound, entry.addresses or entry.auto_addresses) if a and "/" not in a)
    return tuple(dict.fromkeys((*(captured if mesh.dns_capture else ()), *service.addresses)))


def _dialled_after(address: str, new: ServiceEntry, mesh: Mesh) -> str:
    """The address that whoever dialled ``address`` by the name dials once the entry is changed."""
    captured = [a for a in map(bound, new.addresses) if a and "/" not in a]
    return address if not mesh.dns_capture or not captured or address in captured else captured[0]


def _same_service(
    world: Snapshot,
    client: Client,
    mesh: Mesh,
    entry: ServiceEntry,
    port: EntryPort,
    service: Service,
    was: End,
    now: End,
) -> bool:
    """Whether the call reaches the Service as it did by the entry: the same pods, with nothing lost on the way."""
    if not by_own_name(entry, port) and not leads_to(world, entry, port, service, mesh):
        return False
    if now.owner == service.key:
        return True
    if now.owner is not None or now.address not in service.addresses:
        return False
    # It goes on without a cluster: as it came, in plaintext.
    return was.cluster is None or _in_plaintext(sends(world, client, mesh, was.cluster))


def _in_plaintext(sent: Sent) -> bool:
    """Whether nothing is added to the bytes for any endpoint that the cluster may have."""
    by_endpoint = sent.tls is ClientTls.BY_ENDPOINT and not sent.mtls and not sent.cluster.pods
    return sent.tls is ClientTls.PLAINTEXT or by_endpoint
