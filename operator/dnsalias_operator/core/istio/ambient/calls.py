"""Where a call of a client in ambient mode ends, by the records that its ztunnel has.

An address is looked up among those of services, then (from 1.30 on) among their prefixes, then among those of
workloads; what nobody has passes as plain TCP: there is no catch-all, and outboundTrafficPolicy is not read. A service
without the port, or without endpoints for it, resets. Measured with a real ztunnel (docs/ambient.md, "What a client
gets").
Source: fetch_upstream, find_upstream and fetch_service_waypoint in src/state.rs of ztunnel.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from dnsalias_operator.core.istio.ambient.records import (
    HBONE_PORT,
    GatewayAddress,
    Records,
    ServiceRecord,
    WorkloadRecord,
)
from dnsalias_operator.core.istio.ambient.slots import chosen
from dnsalias_operator.model.mesh import Mesh


class Way(StrEnum):
    """How a call leaves a client's ztunnel.

    RESET: it does not. PASSES: to the address that was dialled, as it came, by no service's record. BOTH: through a
    tunnel to some endpoints, and in plaintext to the others.
    """

    HBONE = "HBONE"
    PLAINTEXT = "plaintext"
    BOTH = "HBONE or plaintext"
    WAYPOINT = "waypoint"
    RESET = "reset"
    PASSES = "passes"


@dataclass(frozen=True, slots=True)
class End:
    """An endpoint that a call may be sent to: its address, or the name that ztunnel looks up, and the port there."""

    workload: WorkloadRecord
    host: str
    port: int

    @property
    def dialled(self) -> tuple[str, int]:
        """What ztunnel connects to."""
        return self.host, HBONE_PORT if self.workload.hbone else self.port


@dataclass(frozen=True, slots=True)
class Answer:
    """What becomes of a call where ``record`` has the address; None where no service has it."""

    record: ServiceRecord | None
    way: Way
    ends: tuple[End, ...] = ()
    waypoint: GatewayAddress | None = None
    why: str = ""


def answers(records: Records, namespace: str, address: str, port: int, mesh: Mesh) -> tuple[Answer, ...]:
    """What may become of a call to ``address`` by a client of ``namespace``; several where that is by chance."""
    if found := chosen(records.at(address), namespace, mesh):
        return tuple(by_record(records, record, port) for record in found)
    if around := chosen(prefix_around(records.with_prefix, address), namespace, mesh):
        return tuple(in_prefix(records, record, address, port) for record in around)
    return (_by_workload(records, address, port),)


def by_record(records: Records, record: ServiceRecord, port: int) -> Answer:
    """What becomes of a call that a service's record has got."""
    if record.waypoint is not None:
        return Answer(record, Way.WAYPOINT, waypoint=record.waypoint)
    if record.keeps:
        return Answer(record, Way.PASSES, why="its resolution is NONE")
    if not record.has_port(port):
        return Answer(record, Way.RESET, why=f"it has no port {port}")
    ends = tuple(
        End(workload, host, target)
        for workload in records.endpoints(record)
        if (target := workload.target_of(record, port)) is not None
        for host in (workload.addresses[:1] or (workload.hostname,))
    )
    if not ends:
        return Answer(record, Way.RESET, why=f"it has no endpoint for port {port}")
    tunnels = {end.workload.hbone for end in ends}
    way = Way.BOTH if len(tunnels) > 1 else Way.HBONE if True in tunnels else Way.PLAINTEXT
    return Answer(record, way, ends)


def prefix_around(services: Iterable[ServiceRecord], address: str) -> list[ServiceRecord]:
    """The records whose prefix around the address is the longest that there is."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return []
    held = [
        (network.prefixlen, s) for s in services for network in map(ipaddress.ip_network, s.prefixes) if ip in network
    ]
    longest = max((length for length, _ in held), default=0)
    return [s for length, s in held if length == longest]


def in_prefix(records: Records, record: ServiceRecord, address: str, port: int) -> Answer:
    """What becomes of a call that a prefix has got; ``address`` "" stands for one that is no workload's.

    A prefix keeps the endpoints that its record had when it came, which is none: endpoints come later.

    Every port is reset, and what is sent to a pod's address goes there without its tunnel.
    """
    if record.waypoint is not None or record.keeps:
        return by_record(records, record, port)
    if records.workloads_at(address):
        return Answer(record, Way.PLAINTEXT, why="the prefix hides that the address is a pod's")
    return Answer(record, Way.RESET, why="its prefix has no endpoints")


def _by_workload(records: Records, address: str, port: int) -> Answer:
    """A pod's own record before those of endpoints that have its address."""
    there = [w for w in records.workloads_at(address) if not w.host_network]
    workload = min(there, key=lambda w: ("/ServiceEntry/" in w.uid, w.uid), default=None)
    if workload is None:
        return Answer(None, Way.PASSES, why="no record has the address")
    if workload.waypoint is not None:
        return Answer(None, Way.WAYPOINT, waypoint=workload.waypoint)
    return Answer(None, Way.HBONE if workload.hbone else Way.PLAINTEXT, (End(workload, address, port),))
