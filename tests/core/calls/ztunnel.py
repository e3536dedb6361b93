"""Where a call ends that a pod in ambient mode opens: by the records that istiod gives to ztunnel.

Measured with a real ztunnel: every Service and ServiceEntry of the cluster is a record, whoever it is exported to and
whatever its location; there is no catch-all; who has an address without the port, or no endpoint, resets. An address of
two records is given to one of them by chance, and is lost to both for as long as one of them goes.
Source: workload_generator and serviceregistry/ambient in pilot/pkg, state.rs of ztunnel.
"""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

from dnsalias_operator.core.istio.lacking import DNS
from dnsalias_operator.core.istio.service_names import service_host
from dnsalias_operator.model.meta import is_ip
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import EntryPort, ServiceEntry
from tests.core.calls.allocation import allocated_to
from tests.core.calls.call import Call, End
from tests.core.calls.ground import Added, Ground, Server, nobody
from tests.core.calls.sidecar import pod_port


@dataclass(frozen=True, slots=True)
class Record:
    """A service as ztunnel is told of it."""

    host: str
    addresses: tuple[str, ...]
    obj: Service | ServiceEntry

    @property
    def key(self) -> Key:
        """The object it was made from."""
        return self.obj.key

    @property
    def rank(self) -> tuple[bool, int, Key]:
        """Which of several for one host is canonical: a Service, else the oldest."""
        return (isinstance(self.obj, ServiceEntry), self.obj.meta.created or 2**62, self.key)


class ZtunnelPaths:
    """The calls of pods in an ambient namespace, in one world."""

    def __init__(self, ground: Ground, namespace: str) -> None:
        """Records are made once."""
        self.ground, self.namespace = ground, namespace
        self._records = list(_records(ground))
        self._known: dict[Call, frozenset[End]] = {}

    def __str__(self) -> str:
        return f"an ambient pod of {self.namespace}"

    def resolve(self, name: str) -> tuple[str, ...]:
        """What ztunnel answers for a name of a record with addresses, else what the cluster's DNS does."""
        own = [r for r in self._records if r.host == name]
        chosen = min(own, key=lambda r: (r.key.namespace != self.namespace, *r.rank), default=None)
        vips = tuple(a for a in chosen.addresses if is_ip(a)) if chosen else ()
        return vips or self.ground.resolve(name)

    def knows(self, name: str) -> bool:
        """Whether ztunnel has a record of that name."""
        return any(r.host == name for r in self._records)

    def ends(self, call: Call) -> frozenset[End]:
        """Where the call may end. What it sends makes no difference."""
        if call not in self._known:
            addresses = (call.address,) if call.address else self.resolve(call.name)
            found = {end for address in addresses for end in self._ends(call, address)}
            self._known[call] = frozenset(found or {End(nobody(f"{call.name} does not resolve"), "")})
        return self._known[call]

    def _ends(self, call: Call, address: str) -> Iterator[End]:
        there = [r for r in self._records if address in r.addresses]
        if len(there) > 1:
            names = " and ".join(str(r.key) for r in there)
            yield End(nobody(f"{names} replace each other at {address}"), address, there[0].key)
        there = there or self._around(address)
        for record in there:
            for server in self._servers(call, record, address):
                yield End(server, address, record.key)
        if not there:
            yield End(self.ground.reach(address, call.port, call.wire(Added.NOTHING)), address)

    def _around(self, address: str) -> list[Record]:
        """The record with the longest prefix around the address."""
        ip = ipaddress.ip_address(address)
        prefixes = [
            (network.prefixlen, record)
            for record in self._records
            for cidr in record.addresses
            if "/" in cidr and ip in (network := ipaddress.ip_network(cidr, strict=False))
        ]
        return [max(prefixes, key=lambda p: (p[0], p[1].key))[1]] if prefixes else []

    def _servers(self, call: Call, record: Record, address: str) -> list[Server]:
        obj, port, plain = record.obj, call.port, call.wire(Added.NOTHING)
        if isinstance(obj, Service):
            return [self.ground.served(obj, port, call.wire(Added.MTLS) if obj.selector else plain)]
        own = next((p for p in obj.ports if p.number == port), None)
        if obj.resolution == "NONE":
            return [self.ground.reach(address, port, plain)]
        if own is None:
            return [nobody(f"{obj.key} has no port {port}")]
        return list(self._endpoints(call, obj, own)) or [nobody(f"{obj.key} has no endpoints")]

    def _endpoints(self, call: Call, entry: ServiceEntry, port: EntryPort) -> Iterator[Server]:
        if entry.workload_selector is not None:
            app = entry.workload_selector["app"]
            yield self.ground.pod(entry.meta.namespace, app, pod_port(port), call.wire(Added.MTLS))
        names = [e.address for e in entry.endpoints]
        if not names and entry.workload_selector is None and entry.resolution in DNS:
            names = list(entry.hosts)
        for ip in (ip for name in names for ip in self.ground.resolve(name)):
            yield self.ground.reach(ip, port.target_port or port.number, call.wire(Added.NOTHING))


def _records(ground: Ground) -> Iterator[Record]:
    """One a host; of a namespace's records for one host a Service survives, else the oldest entry."""
    listed: list[Record] = [
        Record(service_host(s, ground.mesh), s.cluster_ips, s) for s in ground.world.services() if not s.external_name
    ]
    for entry in ground.world.entries():
        listed += [Record(host, entry.addresses or allocated_to(entry), entry) for host in entry.hosts]
    kept: dict[tuple[str, str], Record] = {}
    for record in sorted(listed, key=lambda r: r.rank):
        kept.setdefault((record.key.namespace, record.host), record)
    yield from kept.values()
