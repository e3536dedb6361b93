"""The rows: a Service of one port with what is bound to it, and an alias of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tools import make
from tools.make import Raw

HOME = "policies"
"""The namespace of Services, servers and policies."""
WIDE, NARROW = "policies-client", "policies-narrow"
"""Namespaces of the clients: one that imports everything, and one whose Sidecar imports the aliases alone."""
PODS = {"app": "server"}
OUTSIDE = {"app": "outside"}
"""Labels of the servers with a sidecar, and of the one without."""
SUBSETS = [{"name": version, "labels": {"version": version}} for version in ("v1", "v2")]
OUTLIERS = {"outlierDetection": {"consecutive5xxErrors": 7, "interval": "30s"}}
TLS = {"tls": {"mode": "SIMPLE", "insecureSkipVerify": True}}
BY_HASH = {"loadBalancer": {"consistentHash": {"useSourceIp": True}}}


@dataclass(frozen=True)
class Row:
    """A Service and what is bound to it.

    Attributes:
        name: of the Service and of its alias.
        what: is bound to it, in words.
        speaks: the protocol of the calls (`ask`); ``declared`` is the Service's.
        policy: trafficPolicy of a DestinationRule for it; ``subsets`` whether that has subsets by version.
        routes: fields of a VirtualService for it.
        wild: whether somebody else's VirtualService has the alias' host by a wildcard.
        served: what the server speaks, where that is something else; ``outside`` whether it is without a sidecar.
        routing: what its alias asks for.
        reason: "True", or that of PoliciesFollowed where it is False.
        narrow: who has to answer a client in the narrow namespace, where that is somebody else.
    """

    name: str
    what: str
    speaks: str = "http"
    declared: str = "http"
    policy: Mapping[str, Any] = field(default_factory=dict, hash=False)
    subsets: bool = False
    routes: Mapping[str, Any] = field(default_factory=dict, hash=False)
    wild: bool = False
    served: str = ""
    outside: bool = False
    routing: str = "Auto"
    reason: str = "True"
    narrow: str = ""

    @property
    def number(self) -> int:
        """Its place, from 0."""
        return [row.name for row in ROWS].index(self.name)

    @property
    def port(self) -> int:
        """The Service's; every row has its own."""
        return 13000 + self.number

    @property
    def target_port(self) -> int:
        """Where the servers listen."""
        return 14000 + self.number

    @property
    def host(self) -> str:
        """The alias."""
        return f"{self.name}.{'wild' if self.wild else 'bound'}.example"

    @property
    def service_host(self) -> str:
        """The Service's own name."""
        return f"{self.name}.{HOME}.svc.cluster.local"

    def service(self) -> Raw:
        """The Service."""
        called = f"{self.declared}-p" if self.declared else "p"
        ports = [make.port(self.port, called, targetPort=self.target_port)]
        return make.service(self.name, ports=ports, namespace=HOME, selector=OUTSIDE if self.outside else PODS)

    def bound(self) -> list[Raw]:
        """What is bound to it."""
        made = []
        if self.policy or self.subsets:
            subsets = {"subsets": SUBSETS} if self.subsets else {}
            policy = {"trafficPolicy": dict(self.policy)} if self.policy else {}
            made.append(_rule("DestinationRule", self.name, host=self.service_host, **policy, **subsets))
        if self.routes:
            made.append(_rule("VirtualService", f"{self.name}-bound", hosts=[self.service_host], **self.routes))
        if self.wild:
            other = {"destination": {"host": ROWS[0].service_host, "port": {"number": ROWS[0].port}}}
            made.append(_rule("VirtualService", "wild", hosts=["*.wild.example"], http=[{"route": [other]}]))
        return made

    def alias(self) -> Raw:
        """The alias, with a cluster of its own at first."""
        return make.alias(self.name, self.host, self.name, namespace=HOME, routing="Own")


def _rule(kind: str, name: str, **spec: object) -> Raw:
    return make.manifest(make.NETWORKING, kind, name, spec, namespace=HOME)


def to(row: str, subset: str = "", **more: object) -> Raw:
    """A route to the Service of a row."""
    host = f"{row}.{HOME}.svc.cluster.local"
    return {"route": [{"destination": {"host": host, **({"subset": subset} if subset else {})}}], **more}


def requests(*routes: Raw) -> Raw:
    """HTTP routes."""
    return {"http": list(routes)}


def streams(*routes: Raw) -> Raw:
    """TCP routes."""
    return {"tcp": list(routes)}


ABORT = {"abort": {"httpStatus": 418, "percentage": {"value": 100}}}
ROWS: tuple[Row, ...] = (
    Row("plain", "nothing, routing Service", routing="Service"),
    Row("outliers", "DestinationRule: outlierDetection", policy=OUTLIERS),
    Row("hash", "DestinationRule: consistentHash", policy=BY_HASH),
    Row("origin", "DestinationRule: TLS SIMPLE", policy=TLS, served="https", outside=True),
    Row("canary", "VirtualService: to a subset", subsets=True, routes=requests(to("canary", "v2"))),
    Row("fault", "VirtualService: a fault", routes=requests(to("fault", fault=ABORT))),
    Row(
        "caller",
        "VirtualService: by namespace of the caller",
        subsets=True,
        routes=requests(to("caller", "v1", match=[{"sourceNamespace": NARROW}])),
        narrow="v1",
    ),
    Row(
        "authority",
        "VirtualService: asks for the authority",
        subsets=True,
        reason="RoutesNotFollowed",
        routes=requests(
            to("authority", "v2", match=[{"authority": {"prefix": "authority.policies"}}]), to("authority", "v1")
        ),
    ),
    Row(
        "wild",
        "VirtualService of others: the alias' host by a wildcard",
        policy=OUTLIERS,
        wild=True,
        reason="HostRouted",
    ),
    Row("grpc", "VirtualService: to a subset", "grpc", "grpc", subsets=True, routes=requests(to("grpc", "v2"))),
    Row("http2", "VirtualService: to a subset", "grpc", "http2", subsets=True, routes=requests(to("http2", "v2"))),
    Row(
        "sniffed",
        "VirtualService: to a subset",
        "http",
        "",
        subsets=True,
        routes=requests(to("sniffed", "v2")),
    ),
    Row("bytes", "VirtualService: to a subset", "tcp", "", subsets=True, routes=streams(to("bytes", "v2"))),
    Row("tcp", "VirtualService: to a subset", "tcp", "tcp", subsets=True, routes=streams(to("tcp", "v2"))),
    Row("mysql", "DestinationRule: consistentHash", "mysql", "mysql", policy=BY_HASH),
    Row("tls", "DestinationRule: outlierDetection", "tls", "tls", policy=OUTLIERS, reason="RoutesNotFollowed"),
)
"""All of them."""
