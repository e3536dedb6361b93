"""Who calls an entry today, and whether a change leaves them where they are.

An entry's callers are the clients whose calls by one of its hosts reach its cluster. A call is sent to what the host
resolves to for the client (docs/istio.md, "Names and DNS"), or to an address of the Service that the entry
stands for. Callers of an entry that is matched by SNI or Host may dial any address, so that an address would narrow
what it serves: nothing here asks about them, they are why such an entry gets none.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

from dnsalias_operator.core.istio.clusters import ClientTls, Sent, cluster_of, sends
from dnsalias_operator.core.istio.listeners import (
    Client,
    clients_that_matter,
    entries_binding,
    holds,
    pod_classes,
    sees,
)
from dnsalias_operator.core.istio.listeners.addresses import exact_addresses, is_unspecified
from dnsalias_operator.core.istio.listeners.families import addresses_of
from dnsalias_operator.core.istio.listeners.rows import BLACKHOLE
from dnsalias_operator.core.istio.listeners.scope import scope_of
from dnsalias_operator.core.istio.protocols import CATCHING, PortClass, class_of, entry_protocol, parse
from dnsalias_operator.core.istio.service_names import service_host
from dnsalias_operator.core.traffic.backends import by_own_name, leads_to
from dnsalias_operator.core.traffic.catch_all import alone_with_sidecars
from dnsalias_operator.core.traffic.ends import FORMS, Call, End, Form, end_of
from dnsalias_operator.core.traffic.policies import clients_with_rules, policy_of
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
    before: Snapshot,
    after: Snapshot,
    old: ServiceEntry,
    new: ServiceEntry,
    service: Service,
    mesh: Mesh,
    *,
    public: bool = False,
    known: Iterable[str] = (),
) -> CutOff | None:
    """The first call that the change of an entry from ``old`` to ``new`` takes from it, or None.

    ``before`` holds the one, ``after`` the other; ``service`` is what the entry stands for. ``public`` is whether its
    hosts may resolve to an address outside that no object names: they are under a public suffix. ``known`` are
    addresses that are dialled whether or not a name resolves to them.
    """
    addresses = (*dialled(old, service, mesh), *((unclaimed(before),) if public and not mesh.dns_capture else ()))
    by_itself = frozenset(known)
    addresses = tuple(dict.fromkeys((*addresses, *sorted(by_itself))))
    expected = {old.expected_address(host) for host in old.hosts}
    if service.headless and (cut := _cut_off_at_pods(before, old, new, service, mesh)):
        return cut
    alone = alone_with_sidecars(before, old)
    for port in (p for p in old.ports if not _by_host_alone(before, p, mesh)):
        clients = _clients(before, after, alone, old, port.number, addresses, mesh)
        for form in _forms(before, port):
            for address, client, host in product(addresses, clients, old.hosts):
                was = end_of(before, client, mesh, Call(host, address, port.number, form))
                if not _reaches(was, old, host):
                    continue
                there = address if address in by_itself else _dialled_after(address, new, mesh)
                now = end_of(after, client, mesh, Call(host, there, port.number, form))
                if _reaches(now, old, host) and now.address == was.address:
                    continue
                to = "the address that istiod allocates" if address in expected else address
                if policy := policy_of(before, client, host, old.meta.namespace, mesh):
                    return CutOff(host, to, port.number, str(client), policy)
                if not _same_service(before, client, mesh, old, port, service, was, now):
                    return CutOff(host, to, port.number, str(client))
    return None


def _forms(world: Snapshot, port: EntryPort) -> tuple[Form, ...]:
    """What callers of a port may send: by its protocol, and by those of Sidecars' egress listeners with its number."""
    egress = (e for sidecar in world.sidecars_with_port(port.number) for e in sidecar.egress if e.port == port.number)
    classes = (class_of(entry_protocol(port)), *(class_of(parse(e.protocol)) for e in egress))
    return tuple(dict.fromkeys(form for each in classes for form in FORMS.get(each, ())))


def _reaches(end: End, entry: ServiceEntry, host: str) -> bool:
    """Whether a call by that host is taken by the entry's cluster, which entries of one host share."""
    return end.owner == entry.key or (end.cluster is not None and end.cluster.hostname == host)


def _by_host_alone(world: Snapshot, port: EntryPort, mesh: Mesh) -> bool:
    """Whether calls to the port are found by their Host wherever they are sent, so that no address changes their end.

    HTTP listens on the wildcard address, but where a Sidecar has an egress listener of that port. With DNS capture an
    address of the entry is what its callers dial, and somebody else may listen there.
    """
    if mesh.dns_capture or world.sidecars_with_port(port.number):
        return False
    return class_of(entry_protocol(port)) is PortClass.HTTP


def _cut_off_at_pods(
    world: Snapshot, old: ServiceEntry, new: ServiceEntry, service: Service, mesh: Mesh
) -> CutOff | None:
    """The first port of an entry for a headless Service whose calls end elsewhere once it has an address; or None.

    The name leads to pods, whose addresses nobody here knows. Without the entry a call goes on to the pod and the port
    that were dialled, without what is bound to the entry's host; and not for clients that may only call what they see,
    and do not see the Service.
    """
    if old.addresses == new.addresses:
        return None
    own = {p.port: p.target_port for p in service.ports}
    alone = alone_with_sidecars(world, old)
    for port in (p for p in old.ports if class_of(entry_protocol(p)) in CATCHING):
        led = by_own_name(old, port) or leads_to(world, old, port, service, mesh)
        if not led or port.target_port not in (0, port.number) or own.get(port.number) not in (None, port.number):
            return CutOff(old.hosts[0] if old.hosts else "", "a pod's address", port.number, "any namespace")
        for client in (
            c for c in _clients(world, world, alone, old, port.number, (), mesh) if sees(old, c.namespace, mesh)
        ):
            bound_to = ((host, policy_of(world, client, host, old.meta.namespace, mesh)) for host in old.hosts)
            if found := next(((host, policy) for host, policy in bound_to if policy), None):
                return CutOff(found[0], "a pod's address", port.number, str(client), found[1])
            blocked = scope_of(world, client, mesh).fall_through == BLACKHOLE
            if blocked and cluster_of(world, client, mesh, service_host(service, mesh), port.number) is None:
                return CutOff(old.hosts[0] if old.hosts else "", "a pod's address", port.number, str(client))
    return None


def unclaimed(world: Snapshot) -> str:
    """An address that stands for those outside that no object names; "" where objects have all that it tries.

    It tries those of documentation: nobody answers there, and a CIDR that covers all of them covers the outside.
    """
    tried = (f"{network}.{n}" for network in ("203.0.113", "198.51.100", "192.0.2") for n in range(1, 255))
    free = (a for a in tried if not world.services_at(a) and not entries_binding(world, a))
    listed = [a for e in world.entries_with_cidr() for a in e.addresses if not is_unspecified(a)]
    return next((a for a in free if not holds(listed, (a,))), "")


def _clients(
    before: Snapshot,
    after: Snapshot,
    alone: Snapshot,
    entry: ServiceEntry,
    port: int,
    addresses: Iterable[str],
    mesh: Mesh,
) -> list[Client]:
    """The clients that can differ: by who has the addresses, by who gets the entry, and by rules for its hosts.

    ``alone`` holds just the entry and Sidecars. Where another entry of ``after`` has one of its hosts, that one's own
    namespace gets that one.
    """
    found = [pods.client for pods in pod_classes(alone, mesh, port)]
    found += [c for address in addresses for c in clients_that_matter(before, mesh, port, address)]
    found += [client for host in entry.hosts for client in clients_with_rules(before, host, mesh)]
    others = (e for host in entry.hosts for e in after.entries_for_host(host) if e.key != entry.key)
    found += [Client(e.meta.namespace) for e in others]
    return list({(c.namespace, *sorted(c.labels.items())): c for c in found}.values())


def dialled(entry: ServiceEntry, service: Service, mesh: Mesh) -> tuple[str, ...]:
    """What the hosts of an entry resolve to, and the other addresses by which its Service is known.

    With DNS capture a sidecar answers with the entry's own addresses, or with istiod's; else the cluster's DNS leads
    the name of an entry that stands for a Service to that Service (docs/istio.md, "Names and DNS").
    """
    own = (a for host in entry.hosts for binds in addresses_of(entry, host, mesh) for a in binds)
    captured = [a for a in own if "/" not in a and not is_unspecified(a)] if mesh.dns_capture else []
    return tuple(dict.fromkeys((*captured, *service.addresses)))


def _dialled_after(address: str, new: ServiceEntry, mesh: Mesh) -> str:
    """The address that whoever dialled ``address`` by the name dials once the entry is changed."""
    captured = exact_addresses(new)
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
    plain = was.cluster is None or _in_plaintext(sends(world, client, mesh, was.cluster))
    if now.owner == service.key:
        # Of pods that it selects the Service knows the mTLS as well; of endpoints that others list it knows none.
        # What a DestinationRule of its host adds is nothing that these calls had.
        tls = sends(world, client, mesh, now.cluster).tls if now.cluster else ClientTls.PLAINTEXT
        had = sends(world, client, mesh, was.cluster).tls if was.cluster else ClientTls.PLAINTEXT
        if tls is ClientTls.TLS and had is not ClientTls.TLS:
            return False
        return bool(service.selector) or (plain and tls in (ClientTls.PLAINTEXT, ClientTls.BY_ENDPOINT))
    if now.owner is not None or now.address not in service.addresses:
        return False
    # It goes on without a cluster: as it came, in plaintext.
    return plain


def _in_plaintext(sent: Sent) -> bool:
    """Whether nothing is added to the bytes for any endpoint that the cluster may have."""
    by_endpoint = sent.tls is ClientTls.BY_ENDPOINT and not sent.mtls and not sent.cluster.pods
    return sent.tls is ClientTls.PLAINTEXT or by_endpoint
