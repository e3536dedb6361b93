"""The entries that are called, and what is behind each: a server outside of the mesh, or a Service."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tools import make
from tools.make import Raw

HOME = "entries"
"""The namespace of the entries and their Services."""
SERVER = "203.0.113.8"
"""What outside names resolve to, by the cluster's DNS: a server with no sidecar."""
BALANCER = "203.0.113.9"
"""An address outside by which a Service is known too, as that of a load balancer; what is there is not the Service."""
UNRELATED = "203.0.113.7"
"""A server that no entry is about."""
PODS = {"app": "server"}
_EXTERNAL = {"location": "MESH_EXTERNAL"}
_SERVER = [{"address": SERVER}]


@dataclass(frozen=True)
class Case:
    """An entry in the operator's care, and what is behind it.

    Attributes:
        number: its place, from 0: ports and addresses come from it, so that no case can hide what another does.
        name: of the entry, and of its Service.
        what: the entry, in words.
        protocol: of its port.
        speaks: what its callers send: a kind of ``ask``.
        spec: fields of the entry's spec.
        service: "older" or "younger" than the entry: the Service behind it; "": a server outside of the mesh.
        led: whether the entry's endpoint is that Service.
        originates: whether a DestinationRule of its host has the callers' sidecars originate TLS.
        beside: whether it has a second port, of TCP.
    """

    number: int
    name: str
    what: str
    protocol: str
    speaks: str
    spec: Mapping[str, Any] = field(default_factory=dict, hash=False)
    service: str = ""
    led: bool = False
    originates: bool = False
    beside: bool = False

    @property
    def port(self) -> int:
        """Of the entry, of its Service and of every server."""
        return 20000 + self.number

    @property
    def second_port(self) -> int:
        """Of the entry that has one, of its Service and server."""
        return 21000 + self.number

    @property
    def host(self) -> str:
        """The entry's."""
        return f"{self.name}.cutom-name" if self.service else f"{self.name}.outside.example"

    @property
    def service_host(self) -> str:
        """The Service's own name."""
        return f"{self.name}.{HOME}.svc.cluster.local"

    @property
    def address(self) -> str:
        """Of the Service, or of the server outside."""
        return f"10.96.77.{self.number + 1}" if self.service else SERVER

    @property
    def cluster(self) -> str:
        """The entry's, in a sidecar."""
        return f"outbound|{self.port}||{self.host}"

    def served(self) -> list[tuple[int, str]]:
        """The ports of its server, each with what it speaks: a kind of ``answers``."""
        first = self.port, "tls" if self.originates else self.speaks
        return [first, *([(self.second_port, "tcp")] if self.beside else [])]

    def entry(self) -> Raw:
        """As its owner wrote it."""
        spec = {**self.spec, **({"endpoints": [{"address": self.service_host}]} if self.led else {})}
        meta = {"annotations": {"dnsalias.io/service": self.name}} if self.service else {}
        ports = [make.entry_port(self.port, self.protocol)]
        ports += [make.entry_port(self.second_port, "TCP", "second")] if self.beside else []
        return make.foreign(self.name, self.host, ports=ports, namespace=HOME, meta=meta, **spec)

    def made_service(self) -> Raw:
        """The Service."""
        ports = [make.port(number, f"{kind}-p") for number, kind in self.served()]
        return make.service(self.name, ports=ports, ip=self.address, namespace=HOME, selector=PODS)

    def rule(self) -> Raw:
        """The DestinationRule of the host."""
        spec = {"host": self.host, "trafficPolicy": {"tls": {"mode": "SIMPLE", "sni": self.host}}}
        spec["trafficPolicy"]["tls"]["insecureSkipVerify"] = True  # type: ignore[index]
        return make.manifest(make.NETWORKING, "DestinationRule", self.name, spec, namespace=HOME)


CASES = (
    Case(0, "none-tcp", "outside host, TCP, NONE", "TCP", "tcp", {**_EXTERNAL, "resolution": "NONE"}),
    Case(1, "dns-tcp", "outside host, TCP, DNS", "TCP", "tcp", _EXTERNAL),
    Case(
        2,
        "static-tcp",
        "outside host, TCP, STATIC",
        "TCP",
        "tcp",
        {**_EXTERNAL, "resolution": "STATIC", "endpoints": _SERVER},
    ),
    Case(3, "origin", "outside host, TCP, DNS, TLS by DestinationRule", "TCP", "tcp", _EXTERNAL, originates=True),
    Case(4, "none-tls", "outside host, TLS, NONE", "TLS", "tls", {**_EXTERNAL, "resolution": "NONE"}),
    Case(5, "dns-tls", "outside host, TLS, DNS", "TLS", "tls", _EXTERNAL),
    Case(6, "sni", "Service by TLS, told apart by SNI", "TLS", "tls", service="older", led=True),
    Case(7, "http", "Service by HTTP, told apart by Host", "HTTP", "http", service="older", led=True),
    Case(8, "incident", "Service by TCP", "TCP", "tcp", service="older"),
    Case(9, "mysql", "Service by TCP, the server speaks first", "TCP", "mysql", service="older", led=True),
    Case(10, "late", "Service by TCP, younger than the entry", "TCP", "tcp", service="younger"),
    Case(
        11, "vault", "Service by TCP, TLS by DestinationRule", "TCP", "tcp", service="older", led=True, originates=True
    ),
)
"""Every entry of the table."""
