"""The ground under a mesh: what names resolve to without it, and who answers at an address, with no sidecar between.

What the cluster's DNS, kube-proxy, pods and servers outside do. It is the truth that no object states: a `Truth` comes
with each world.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from dnsalias_operator.core.istio.clusters import of_workload
from dnsalias_operator.core.istio.protocols import PortClass, class_of, service_protocol
from dnsalias_operator.core.istio.service_names import service_host
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.meta import is_ip, mapping, mappings, text
from dnsalias_operator.model.peerauthentication import MtlsMode
from dnsalias_operator.model.service import Service, ServicePort
from dnsalias_operator.model.snapshot import Snapshot

CONTAINER_PORTS = {"web": 8081}
"""Ports that every pod names."""
POD_PREFIX, OUTSIDE_PREFIXES = "10.244.", ("192.0.2.", "198.51.100.", "203.0.113.")


@dataclass(frozen=True, slots=True)
class Truth:
    """What is so, whatever objects say.

    ``names`` are the addresses that the cluster's DNS answers for a host that is no Service's own name. ``stands_for``
    are namespace and name of the Service that a host means, for those that mean one. ``fronts`` are addresses outside
    that lead to a Service of the cluster (a load balancer in front of it that Kubernetes does not know by address).
    ``pods`` are namespace and `app` label of the pods at an address.
    """

    names: Mapping[str, tuple[str, ...]]
    stands_for: Mapping[str, tuple[str, str]]
    fronts: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    pods: Mapping[str, tuple[str, str]] = field(default_factory=dict)


class Added(StrEnum):
    """What is put around the bytes of an application on their way."""

    NOTHING = "nothing"
    MTLS = "mTLS"
    TLS = "TLS"


class Bytes(StrEnum):
    """What an application sends first."""

    HTTP = "HTTP"
    TLS = "TLS"
    OTHER = "bytes"


@dataclass(frozen=True, slots=True)
class Wire:
    """What arrives: the application's bytes, and what was put around them."""

    sends: Bytes
    added: Added

    @property
    def first(self) -> Bytes:
        """What a server sees, whose sidecar takes mTLS off."""
        return Bytes.TLS if self.added is Added.TLS else self.sends


@dataclass(frozen=True, slots=True)
class Server:
    """Who answers a call: pods, endpoints of a Service without selector, or a server outside, on a port of its own.

    ``gets`` is what decides whether it understands the bytes: mTLS that a pod's sidecar takes off is nothing to it.
    ``why`` tells people how nobody came to answer.
    """

    who: str
    port: int = 0
    gets: Added = Added.NOTHING
    why: str = field(default="", compare=False)

    def __str__(self) -> str:
        wrapped = f" ({self.gets} added)" if self.gets is not Added.NOTHING else ""
        return f"{self.who}:{self.port}{wrapped}" if self.port else f"{self.who} ({self.why})"


def nobody(why: str) -> Server:
    """The call is refused, reset, or never arrives."""
    return Server("nobody", why=why)


NOBODY = nobody("")


class Ground:
    """A world's ground. The objects matter for Services and PeerAuthentications alone."""

    def __init__(self, world: Snapshot, truth: Truth, mesh: Mesh) -> None:
        """What stands in ``world``, and what is true in it."""
        self.world, self.truth, self.mesh = world, truth, mesh
        self.services = {service_host(s, mesh): s for s in world.services()}
        self._at = {ip: s for s in world.services() for ip in service_addresses(s, truth)}

    def resolve(self, name: str) -> tuple[str, ...]:
        """What the cluster's DNS answers."""
        if is_ip(name):
            return (name,)
        if service := self.services.get(name):
            return service.cluster_ips or self._pod_addresses(service)
        return self.truth.names.get(name, ())

    def reach(self, address: str, port: int, sent: Wire) -> Server:
        """Who answers what is sent to that address and port."""
        if service := self._at.get(address):
            return self.served(service, port, sent)
        if pods := self.truth.pods.get(address):
            return self.pod(*pods, port, sent)
        if address.startswith(OUTSIDE_PREFIXES):
            return Server(f"outside {address}", port, sent.added)
        return nobody(f"nothing is at {address}")

    def served(self, service: Service, port: int, sent: Wire) -> Server:
        """Who answers for a port of a Service."""
        own = next((p for p in service.ports if p.port == port and p.protocol == "TCP"), None)
        if own is None:
            return nobody(f"{service.key} has no port {port}")
        target = container_port(own.target_port or own.port)
        if service.selector:
            return self.pod(service.meta.namespace, service.selector["app"], target, sent)
        if sent.first not in spoken(own, self.mesh):
            return nobody(f"{service.key} does not speak {sent.first} on {port}")
        return Server(f"endpoints of {service.meta.namespace}/{service.meta.name}", target, sent.added)

    def pod(self, namespace: str, app: str, port: int, sent: Wire) -> Server:
        """Whether pods of that label answer on a port of theirs."""
        own = {"app": app}
        listening = [
            spoken(p, self.mesh)
            for service in self.world.services_in(namespace)
            if service.selector == own
            for p in service.ports
            if container_port(p.target_port or p.port) == port
        ]
        if not listening:
            return nobody(f"pods {namespace}/{app} do not listen on {port}")
        demand = of_workload(self.world, namespace, own, port, self.mesh)
        if demand.mode is MtlsMode.STRICT and sent.added is not Added.MTLS:
            return nobody(f"pods {namespace}/{app} take mTLS only")
        if all(sent.first not in languages for languages in listening):
            return nobody(f"pods {namespace}/{app} do not speak {sent.first} on {port}")
        return Server(f"pods {namespace}/{app}", port, Added.TLS if sent.added is Added.TLS else Added.NOTHING)

    def _pod_addresses(self, service: Service) -> tuple[str, ...]:
        own = (service.meta.namespace, service.selector.get("app", ""))
        return tuple(ip for ip, pods in self.truth.pods.items() if service.headless and pods == own)


def spoken(port: ServicePort, mesh: Mesh) -> frozenset[Bytes]:
    """What a server understands: what its Service's port declares; anything where that is bytes or nothing."""
    match class_of(service_protocol(port, mesh)):
        case PortClass.HTTP:
            return frozenset((Bytes.HTTP,))
        case PortClass.TLS:
            return frozenset((Bytes.TLS,))
        case _:
            return frozenset(Bytes)


def container_port(target: int | str) -> int:
    """The number of a container port; 0, where nobody listens, for a name that pods do not have."""
    return target if isinstance(target, int) else CONTAINER_PORTS.get(target, 0)


def service_addresses(service: Service, truth: Truth) -> tuple[str, ...]:
    """Every address that leads to the Service: clusterIPs, those of its load balancer, and what stands before it."""
    own = (service.meta.namespace, service.meta.name)
    fronts = (ip for ip, there in truth.fronts.items() if there == own)
    return (*service.cluster_ips, *balancer_addresses(service), *fronts)


def balancer_addresses(service: Service) -> tuple[str, ...]:
    """The addresses of the Service's load balancer, which kube-proxy serves as it does clusterIPs."""
    ingress = mappings(mapping(mapping(service.raw.get("status")).get("loadBalancer")).get("ingress"))
    return tuple(ip for i in ingress if (ip := text(i.get("ip"))))
