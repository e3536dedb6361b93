"""The entries that are called, and what is behind each: a server outside of the mesh, or a Service."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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
        name: of the entry, and of its Service.
        what: the entry, in words.
        speaks: what its callers send: a kind of ``ask``; the protocol of its port is of that.
        spec: fields of the entry's spec.
        service: "older" or "younger" than the entry: the Service behind it; "": a server outside of the mesh.
        led: whether the entry's endpoint is that Service.
        originates: whether a DestinationRule of its host has the callers' sidecars originate TLS.
        beside: whether it has a second port, of TCP.
        known: whether clients that import entries only import this one's Service too.
        number: its place: ports and addresses come from it, so that no case can hide what another does.
    """

    name: str
    what: str
    speaks: str
    spec: Mapping[str, Any] = field(default_factory=dict, hash=False)
    service: str = ""
    led: bool = False
    originates: bool = False
    beside: bool = False
    known: bool = False
    number: int = 0

    @property
    def protocol(self) -> str:
        """Of the entry's port."""
        return {"http": "HTTP", "tls": "TLS"}.get(self.speaks, "TCP")

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

    def spoken(self) -> list[tuple[int, str]]:
        """Its ports, each with what callers send."""
        return [(self.port, self.speaks), *([(self.second_port, "tcp")] if self.beside else [])]

    def served(self) -> list[tuple[int, str]]:
        """Its ports, each with what is sent to what is behind it, which speaks that: a kind of ``answers``."""
        return [(number, "tls" if self.originates else kind) for number, kind in self.spoken()]

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


_CASES = (
    Case("none-tcp", "outside host, TCP, NONE", "tcp", {**_EXTERNAL, "resolution": "NONE"}),
    Case("dns-tcp", "outside host, TCP, DNS", "tcp", _EXTERNAL),
    Case("static-tcp", "outside host, TCP, STATIC", "tcp", {**_EXTERNAL, "resolution": "STATIC", "endpoints": _SERVER}),
    Case("origin", "outside host, TCP, DNS, TLS by DestinationRule", "tcp", _EXTERNAL, originates=True),
    Case("none-tls", "outside host, TLS, NONE", "tls", {**_EXTERNAL, "resolution": "NONE"}),
    Case("dns-tls", "outside host, TLS, DNS", "tls", _EXTERNAL),
    Case("sni", "Service by TLS, matched by SNI", "tls", service="older", led=True),
    Case("two", "Service by TLS, and by TCP on a second port", "tls", service="older", led=True, beside=True),
    Case("http", "Service by HTTP, matched by Host", "http", service="older", led=True),
    Case("incident", "Service by TCP", "tcp", service="older"),
    Case("mysql", "Service by TCP, the server speaks first", "mysql", service="older", led=True),
    Case("vault", "Service by TCP, TLS by DestinationRule", "tcp", service="older", led=True, originates=True),
    Case("late", "Service by TCP, younger than the entry", "tcp", service="younger"),
    Case("known", "Service by TCP, younger, known to every client", "tcp", service="younger", known=True),
)
CASES = tuple(replace(case, number=number) for number, case in enumerate(_CASES))
"""Every entry of the table."""


def names() -> str:
    """Lines of CoreDNS: outside names have the server's address, names of Services' entries lead to the Services."""
    outside = " ".join(case.host for case in CASES if not case.service)
    led = (f"rewrite stop name exact {c.host} {c.service_host} answer auto" for c in CASES if c.service)
    return "\n    ".join([f"hosts {{\n        {SERVER} {outside}\n        fallthrough\n    }}", *led])
