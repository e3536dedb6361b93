"""What istiod tells ztunnel: services and workloads, as records of the type istio.workload.Address.

Source: pkg/workloadapi/workload.proto.
"""

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from dnsalias_operator.model.names import Key

HBONE_PORT = 15008
"""Where pods and waypoints take HBONE. Source: getGatewayAddress in pilot/pkg/serviceregistry/ambient/waypoints.go."""
CLUSTER = "Kubernetes"
"""The name of the cluster in uids, unless istiod is given another."""


@dataclass(frozen=True, slots=True)
class PortRecord:
    """A port of a service, and the container port behind it: 0 where each pod has its own by name.

    ``protocol`` is what waypoints are told, "" for one that they do not know; ztunnel does not read it.
    """

    port: int
    target: int
    protocol: str = ""


@dataclass(frozen=True, slots=True)
class GatewayAddress:
    """Where a waypoint is: a service by namespace and hostname, or an IP (``hostname`` "", then)."""

    namespace: str
    hostname: str
    address: str = ""
    port: int = HBONE_PORT


@dataclass(frozen=True, slots=True)
class ServiceRecord:
    """A service: one host of one object.

    ``addresses`` are IPs, or prefixes in CIDR form with their host bits cleared. ``canonical`` as istiod says it, from
    1.29 on. ``public`` is False where serviceEntryVisibility keeps it to its own namespace. ``keeps`` is whether calls
    go to the address that was dialled (resolution NONE, from 1.28 on). ``families`` are those of a Service.
    """

    owner: Key
    hostname: str
    addresses: tuple[str, ...]
    ports: tuple[PortRecord, ...]
    canonical: bool = False
    public: bool = True
    keeps: bool = False
    waypoint: GatewayAddress | None = None
    alt_names: tuple[str, ...] = ()
    families: str = ""

    @property
    def namespace(self) -> str:
        """Namespace of the object it was made from."""
        return self.owner.namespace

    @property
    def full_name(self) -> str:
        """Its identity: what workloads list it by."""
        return f"{self.namespace}/{self.hostname}"

    @property
    def prefixes(self) -> tuple[str, ...]:
        """Those of its addresses that are none of a single IP."""
        return tuple(a for a in self.addresses if "/" in a)

    @property
    def ips(self) -> tuple[str, ...]:
        """Its single addresses."""
        return tuple(a for a in self.addresses if "/" not in a)

    def has_port(self, port: int) -> bool:
        """Whether it has a port of that number."""
        return any(p.port == port for p in self.ports)


@dataclass(frozen=True, slots=True)
class WorkloadRecord:
    """A workload: a pod, or an inline endpoint of an entry.

    ``hostname`` is the endpoint where that is no IP: ztunnel then looks it up for each call. ``hbone`` is whether it is
    called through a tunnel, ``native`` whether it serves HBONE itself. ``services`` are the ports of each service that
    it is an endpoint of, by `ServiceRecord.full_name`.
    """

    uid: str
    namespace: str
    name: str
    addresses: tuple[str, ...] = ()
    hostname: str = ""
    hbone: bool = False
    native: bool = False
    service_account: str = ""
    node: str = ""
    canonical_name: str = ""
    canonical_revision: str = ""
    workload_name: str = ""
    healthy: bool = True
    host_network: bool = False
    waypoint: GatewayAddress | None = None
    services: Mapping[str, tuple[PortRecord, ...]] = field(default_factory=dict)

    def target_of(self, service: ServiceRecord, port: int) -> int | None:
        """The container port that is behind a port of a service; None where it serves none there."""
        listed = (p.target for p in self.services.get(service.full_name, ()) if p.port == port)
        return next(listed, None)


class Records:
    """Everything that ztunnel is told of a world. ``services`` are sorted by hostname and namespace."""

    def __init__(self, services: Iterable[ServiceRecord], workloads: Iterable[WorkloadRecord] = ()) -> None:
        self.services, self.workloads = tuple(services), tuple(workloads)
        self._named = {s.full_name: s for s in self.services}
        self._hosts: dict[str, list[ServiceRecord]] = {}
        self._ips: dict[str, list[ServiceRecord]] = {}
        self._endpoints: dict[str, list[WorkloadRecord]] = {}
        self._workloads: dict[str, list[WorkloadRecord]] = {}
        for service in self.services:
            self._hosts.setdefault(service.hostname, []).append(service)
            for ip in dict.fromkeys(service.ips):
                self._ips.setdefault(ip, []).append(service)
        for workload in self.workloads:
            for name in workload.services:
                self._endpoints.setdefault(name, []).append(workload)
            for ip in workload.addresses:
                self._workloads.setdefault(ip, []).append(workload)
        self.with_prefix = tuple(s for s in self.services if s.prefixes)

    def endpoints(self, service: ServiceRecord) -> tuple[WorkloadRecord, ...]:
        """The workloads that list the service; those that are not ready only where it keeps the address."""
        return tuple(w for w in self._endpoints.get(service.full_name, ()) if w.healthy or service.keeps)

    def named(self, namespace: str, hostname: str) -> ServiceRecord | None:
        """The record of a host that an object of that namespace has."""
        return self._named.get(f"{namespace}/{hostname}")

    def of_host(self, hostname: str) -> tuple[ServiceRecord, ...]:
        """The records of a host, one a namespace."""
        return tuple(self._hosts.get(hostname, ()))

    def at(self, address: str) -> tuple[ServiceRecord, ...]:
        """The services that have exactly this IP."""
        return tuple(self._ips.get(address, ()))

    def workloads_at(self, address: str) -> tuple[WorkloadRecord, ...]:
        """The workloads that have this IP."""
        return tuple(self._workloads.get(address, ()))


def without_masked_bits(address: str) -> str:
    """An address of an entry as istiod tells it: an IP, or a prefix with its host bits cleared; "" for what is none.

    Source: parseCidrOrIP and toNetworkAddressFromCidr in pilot/pkg/serviceregistry/ambient/ambientindex.go.
    """
    try:
        network = ipaddress.ip_network(address, strict=False)
    except ValueError:
        return ""
    if "/" not in address or network.prefixlen == network.max_prefixlen:
        return str(network.network_address)
    return str(network)


def as_canonical(record: ServiceRecord) -> ServiceRecord:
    """The record, marked."""
    return replace(record, canonical=True)
