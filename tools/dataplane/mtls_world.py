"""Random worlds in which it matters what a client sends: who is in the mesh, who asks for mTLS, who switches it off.

Pods with and without sidecars, Services and entries that lead to them, PeerAuthentications at every level and
DestinationRules wherever they can apply. Names say nothing about what an object does; labels only where Istio reads
them. The same seed gives the same world, in waves of different ages.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from dnsalias_operator.model.names import TLS_MODE_LABEL

Object = dict[str, Any]

ROOT = "istio-system"
CLIENT = "callers"
CLIENT_LABELS: Mapping[str, str] = {"app": "caller"}
NAMESPACES = (*(f"m{number}" for number in range(7)), CLIENT, ROOT)
WAVES = 3
MODES = ("UNSET", "DISABLE", "PERMISSIVE", "STRICT", None)
"""Of a PeerAuthentication; None: no ``mtls`` at all."""
TLS_MODES = ("istio",) * 5 + (None, None, "disabled", "other")
"""Of pods and endpoints; None: no label."""
PORTS = (80, 443, 8080, 9090)
PROTOCOLS = ("TCP", "TLS", "HTTP", "HTTP2", "GRPC", "MYSQL", None)
SELECTORS: Sequence[Mapping[str, str]] = ({"app": "a"}, {"app": "b"}, {"tier": "x"}, {"app": "a", "tier": "y"})
RULE_MODES = ("DISABLE", "ISTIO_MUTUAL", "ISTIO_MUTUAL", "SIMPLE")
EXPORTS = (*(None,) * 12, ["*"], ["."], [CLIENT], ["m1", CLIENT])


@dataclass
class World:
    """``waves`` are objects by age, the oldest first; ``pods`` and ``slices`` exist before them."""

    random: Random
    pods: list[Object] = field(default_factory=list)
    slices: list[Object] = field(default_factory=list)
    waves: list[list[Object]] = field(default_factory=lambda: [[] for _ in range(WAVES)])
    hosts: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    """Namespace and hostname of everything that can be called, with the waves that have an entry for it."""
    headless: set[str] = field(default_factory=set)
    """Those of headless Services: an entry of the same name would take their endpoints from them (docs)."""

    def add(self, obj: Object) -> None:
        """Give it an age."""
        self.random.choice(self.waves).append(obj)


def world(seed: int, cells: int) -> World:
    """A world with about ``cells`` callable objects, all of its choices from the seed."""
    made = World(Random(seed))  # noqa: S311
    for namespace in NAMESPACES:
        made.pods += _pods(made.random, namespace)
        for number in range(made.random.choice((0, 1, 2, 3, 4))):
            made.add(_policy(made.random, f"p{number}", namespace))
    for index in range(cells):
        namespace = made.random.choice(NAMESPACES)
        _service(made, index, namespace) if made.random.random() < 0.4 else _entries(made, index, namespace)
    for index in range(cells // 6):
        made.add(_rule(made, index))
    return made


def mesh_policy(mode: str | None) -> Object:
    """The PeerAuthentication of the mesh."""
    return _object(
        "security.istio.io/v1", "PeerAuthentication", "default", ROOT, {"mtls": {"mode": mode}} if mode else {}
    )


def _object(api_version: str, kind: str, name: str, namespace: str, spec: Object) -> Object:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def _pods(random: Random, namespace: str) -> Iterator[Object]:
    for number in range(random.choice((2, 3, 4))):
        labels = {"app": random.choice(("a", "b")) if number else "a", "tier": random.choice(("x", "y"))}
        if mode := random.choice(TLS_MODES):
            labels[TLS_MODE_LABEL] = mode
        address = f"10.244.{100 + NAMESPACES.index(namespace)}.{number + 2}"
        yield {"namespace": namespace, "name": f"w{number}", "labels": labels, "address": address}


def _policy(random: Random, name: str, namespace: str) -> Object:
    spec: Object = {}
    if mode := random.choice(MODES):
        spec["mtls"] = {"mode": mode}
    if random.random() < 0.7:
        spec["selector"] = {"matchLabels": dict(random.choice(SELECTORS))}
        if random.random() < 0.6:
            ports = random.sample((80, 443, 8080, 8443), random.choice((1, 2)))
            spec["portLevelMtls"] = {str(port): {"mode": random.choice(MODES[:-1])} for port in ports}
    elif namespace == ROOT:
        spec["selector"] = {"matchLabels": {"app": "a"}}  # the mesh's own comes and goes apart
    return _object("security.istio.io/v1", "PeerAuthentication", name, namespace, spec)


def _service(made: World, index: int, namespace: str) -> None:
    random, name = made.random, f"s{index}"
    numbers = random.sample(PORTS, random.choice((1, 1, 2)))
    ports = [
        {
            "name": f"{random.choice(('http', 'tcp', 'tls', 'x'))}-{n}",
            "port": n,
            "targetPort": random.choice((n, 8443, "web")),
        }
        for n in numbers
    ]
    spec: Object = {"ports": ports}
    if random.random() < 0.3:
        spec["clusterIP"] = "None"
        made.headless.add(f"{name}.{namespace}.svc.cluster.local")
    if random.random() < 0.75:
        spec["selector"] = dict(random.choice(SELECTORS))
    else:
        made.slices.append(_slice(made, name, namespace, ports))
    made.hosts[namespace, f"{name}.{namespace}.svc.cluster.local"] = []
    made.add(_object("v1", "Service", name, namespace, spec))


def _slice(made: World, service: str, namespace: str, ports: Sequence[Object]) -> Object:
    """The endpoints of a Service without a selector: pods of its namespace, and what is none."""
    pods = [pod for pod in made.pods if pod["namespace"] == namespace]
    chosen = [pod for pod in pods if made.random.random() < 0.4]
    endpoints = [
        {"addresses": [pod["address"]], "targetRef": {"kind": "Pod", "name": pod["name"], "namespace": namespace}}
        for pod in chosen
    ]
    if made.random.random() < 0.4:
        endpoints.append({"addresses": [f"10.1.9.{made.random.randrange(2, 9)}"]})
    metadata = {"name": f"{service}-by-hand", "namespace": namespace, "labels": {"kubernetes.io/service-name": service}}
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": metadata,
        "addressType": "IPv4",
        "endpoints": endpoints,
        "ports": [{"name": port["name"], "port": 8443, "protocol": "TCP"} for port in ports],
    }


def _entries(made: World, index: int, namespace: str) -> None:
    random, host = made.random, f"e{index}.team"
    taken = [(owner, name) for owner, name in made.hosts if name not in made.headless]
    if random.random() < 0.05 and taken:
        namespace, host = random.choice(taken)
    waves = made.hosts.setdefault((namespace, host), [])
    # Of two of one age istiod takes either for the first.
    free = [wave for wave in range(WAVES) if wave not in waves]
    for wave in random.sample(free, min(len(free), random.choice((1, 1, 1, 2)))):
        waves.append(wave)
        made.waves[wave].append(_entry(random, f"e{index}-{wave}", namespace, host, f"10.1.{wave}"))


def _entry(random: Random, name: str, namespace: str, host: str, network: str) -> Object:
    resolution = random.choice(("DNS", "DNS", "STATIC", "STATIC", "NONE", "DNS_ROUND_ROBIN", "DYNAMIC_DNS"))
    dynamic = resolution == "DYNAMIC_DNS"
    spec: Object = {
        "hosts": [f"*.{host}" if dynamic else host],
        "location": random.choice(("MESH_INTERNAL", "MESH_INTERNAL", "MESH_EXTERNAL")),
        "resolution": resolution,
        "ports": [
            _port(random, number, ("HTTP", "TLS", "HTTP2", "GRPC") if dynamic else PROTOCOLS)
            for number in random.sample(PORTS, random.choice((1, 2)))
        ],
    }
    if not dynamic:
        spec |= _endpoints(random, resolution, network)
    if export := random.choice(EXPORTS):
        spec["exportTo"] = export
    return _object("networking.istio.io/v1", "ServiceEntry", name, namespace, spec)


def _port(random: Random, number: int, protocols: Sequence[str | None]) -> Object:
    port: Object = {"number": number, "name": random.choice((f"p{number}", f"p-{number}"))}
    if protocol := random.choice(protocols):
        port["protocol"] = protocol
    if random.random() < 0.3:
        port["targetPort"] = 8443
    return port


def _endpoints(random: Random, resolution: str, network: str) -> Object:
    """What the resolution allows: none, selected pods, or listed ones of every kind."""
    if random.random() < 0.25:
        if resolution != "STATIC" and random.random() < 0.5:
            return {}
        # DNS_ROUND_ROBIN takes one endpoint of all entries for a host: there is a pod of app a in every namespace.
        robin = resolution == "DNS_ROUND_ROBIN"
        return {"workloadSelector": {"labels": dict(SELECTORS[0] if robin else random.choice(SELECTORS))}}
    count = 1 if resolution == "DNS_ROUND_ROBIN" else random.choice((1, 2, 3))
    addresses = random.sample(range(2, 100), count)
    named = resolution.startswith("DNS") and random.random() < 0.5
    return {"endpoints": [_endpoint(random, f"n{n}.nowhere" if named else f"{network}.{n}") for n in addresses]}


def _endpoint(random: Random, address: str) -> Object:
    endpoint: Object = {"address": address}
    labels = dict(random.choice(SELECTORS)) if random.random() < 0.6 else {}
    if mode := random.choice(TLS_MODES):
        labels[TLS_MODE_LABEL] = mode
    if labels:
        endpoint["labels"] = labels
    if random.random() < 0.3:
        endpoint["serviceAccount"] = "someone"
    if random.random() < 0.2:
        endpoint["ports"] = {"p80": 8443, "p8080": 80}
    return endpoint


def _rule(made: World, index: int) -> Object:
    random = made.random
    namespace, host = random.choice([*made.hosts])
    if random.random() < 0.3:
        # mostly for a tenth of the hosts: a rule for all of them would leave nothing else to see
        host = random.choice(("*.m1.svc.cluster.local", "*.team", *[f"*{host[2:]}"] * 8))
    elif host.endswith(".svc.cluster.local") and random.random() < 0.5:
        host = host.partition(".")[0]
    if random.random() < 0.4:
        namespace = random.choice((CLIENT, CLIENT, ROOT, "m0"))
    spec: Object = {"host": host}
    if random.random() < 0.9:
        spec["trafficPolicy"] = _traffic_policy(random)
    if random.random() < 0.2:
        spec["workloadSelector"] = {"matchLabels": {"app": random.choice(("caller", "other"))}}
    if export := random.choice((None, None, None, None, ["."], ["*"], [CLIENT], [namespace])):
        spec["exportTo"] = export
    return _object("networking.istio.io/v1", "DestinationRule", f"r{index}", namespace, spec)


def _traffic_policy(random: Random) -> Object:
    policy: Object = {}
    if random.random() < 0.5:
        policy["tls"] = {"mode": random.choice(RULE_MODES)}
    if random.random() < 0.25:
        policy["loadBalancer"] = {"simple": random.choice(("PASSTHROUGH", "RANDOM"))}
    if random.random() < 0.3:
        port: Object = {"port": {"number": random.choice(PORTS)}}
        if random.random() < 0.6:
            port["tls"] = {"mode": random.choice(RULE_MODES)}
        if random.random() < 0.5:
            port["loadBalancer"] = {"simple": random.choice(("PASSTHROUGH", "ROUND_ROBIN"))}
        policy["portLevelSettings"] = [port]
    return policy or {"connectionPool": {"tcp": {"maxConnections": 100}}}
