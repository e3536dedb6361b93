"""Random worlds of ambient mode: whatever Services, entries, pods and waypoints an API server could hold."""

from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random

from tools import make

NAMESPACES = ("a", "b", "c")
APPS = ("pay", "web", "db")
HOSTS = ("one.hello", "two.hello", "*.wild.hello", "pay.a.svc.cluster.local", "web.b.svc.cluster.local", "db.c")
ADDRESSES = (
    "10.96.1.1",
    "240.241.0.1",
    "240.241.0.2/32",
    "198.51.100.7/24",
    "0.0.0.0/0",
    "2001:db8::1",
    "2001:db8::/64",
)
ENDPOINTS = ("10.244.0.1", "192.0.2.7", "pay.a.svc.cluster.local", "db.example.com", "2001:db8::7")
NAMES = ("http-x", "tcp", "grpc", "tls-y", "https", "mysql", "h", "grpc-web", "http2", "")
PROTOCOLS = ("HTTP", "http2", "GRPC", "TCP", "TLS", "HTTPS", "MYSQL", "UDP", "GRPC-Web", None)
WAYPOINTS = ("way", "none", "missing", "other")
START = 1_700_000_000


def world(seed: int) -> list[make.Raw]:
    """The objects of one world, as an API server returns them; no two are of one age."""
    random = Random(seed)  # noqa: S311 (no secret)
    made = [
        *_namespaces(random),
        *_gateways(random),
        *_services(random),
        *_entries(random),
        *_pods(random),
    ]
    ages = random.sample(range(1000), len(made))
    for raw, age in zip(made, ages, strict=True):
        raw["metadata"]["creationTimestamp"] = datetime.fromtimestamp(START + age, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return made


def _namespaces(random: Random) -> Iterator[make.Raw]:
    for name in NAMESPACES:
        labels = {"kubernetes.io/metadata.name": name, **_waypoint(random)}
        if random.random() < 0.6:
            labels["istio.io/dataplane-mode"] = "ambient"
        yield make.manifest("v1", "Namespace", name, {}, meta={"labels": labels})


def _waypoint(random: Random) -> dict[str, str]:
    if random.random() < 0.6:
        return {}
    labels = {"istio.io/use-waypoint": random.choice(WAYPOINTS)}
    if random.random() < 0.5:
        labels["istio.io/use-waypoint-namespace"] = random.choice(NAMESPACES)
    return labels


def _gateways(random: Random) -> Iterator[make.Raw]:
    for name in ("way", "other"):
        for namespace in NAMESPACES:
            if random.random() < 0.4:
                continue
            allowed = random.choice(
                (
                    {"from": "All"},
                    {"from": "Same"},
                    {"from": "Selector", "selector": {"matchLabels": {"kubernetes.io/metadata.name": "a"}}},
                    None,
                )
            )
            listener = {"name": "mesh", "port": 15008, "protocol": "HBONE"}
            if allowed is not None:
                listener["allowedRoutes"] = {"namespaces": allowed}
            spec = {"gatewayClassName": "istio-waypoint", "listeners": [listener]}
            traffic = random.choice((None, "service", "workload", "all", "none"))
            labels = {"istio.io/waypoint-for": traffic} if traffic else {}
            address = random.choice(
                (
                    [{"type": "Hostname", "value": f"{name}.{namespace}.svc.cluster.local"}],
                    [{"type": "IPAddress", "value": "10.96.9.9"}],
                    [],
                )
            )
            gateway = make.manifest(
                "gateway.networking.k8s.io/v1", "Gateway", name, spec, namespace=namespace, meta={"labels": labels}
            )
            yield {**gateway, "status": {"addresses": address}}


def _services(random: Random) -> Iterator[make.Raw]:
    for number, (namespace, name) in enumerate((n, s) for n in NAMESPACES for s in APPS):
        if random.random() < 0.35:
            continue
        ports: list[make.Raw] = []
        for place in range(random.randint(1, 3)):
            port = make.port(7000 + place, random.choice(NAMES) or f"p{place}")
            port["targetPort"] = random.choice((8000 + place, "web", "adm", 7000 + place))
            port["protocol"] = random.choice(("TCP", "TCP", "TCP", "UDP"))
            if random.random() < 0.2:
                port["appProtocol"] = random.choice(("http", "kubernetes.io/h2c", "tcp", "odd"))
            ports.append(port)
        spec: make.Raw = {"selector": {"app": random.choice(APPS)}} if random.random() < 0.85 else {}
        kind = random.random()
        if kind < 0.1:
            spec |= {"clusterIP": "None"}
        elif kind < 0.15:
            spec |= {"type": "ExternalName", "externalName": "db.example.com"}
        elif kind < 0.3:
            spec |= {
                "clusterIPs": [f"10.96.1.{number + 1}", f"2001:db8:1::{number + 1}"],
                "ipFamilies": ["IPv4", "IPv6"],
            }
        else:
            spec |= {"clusterIP": f"10.96.1.{number + 1}", "ipFamilies": ["IPv4"]}
        labels = _waypoint(random)
        if random.random() < 0.1:
            labels["gateway.istio.io/managed"] = "istio.io-mesh-controller"
        yield make.service(name, namespace=namespace, ports=ports, meta={"labels": labels}, **spec)


def _entries(random: Random) -> Iterator[make.Raw]:
    for number in range(random.randint(3, 9)):
        hosts = random.sample(HOSTS, random.randint(1, 2))
        spec = {**_targets(random), **_sometimes(random)}
        made = make.entry(
            f"e{number}",
            *hosts,
            namespace=random.choice(NAMESPACES),
            ports=_entry_ports(random),
            meta=_marks(random),
            **spec,
        )
        if "addresses" not in spec:
            values = [{"host": host, "value": f"240.240.0.{number + 1}"} for host in hosts if not host.startswith("*")]
            made["status"] = {"addresses": values}
        yield made


def _targets(random: Random) -> make.Raw:
    """Where an entry leads."""
    resolution = random.choice(("STATIC", "STATIC", "DNS", "DNS_ROUND_ROBIN", "NONE"))
    spec: make.Raw = {"resolution": resolution, "location": random.choice(("MESH_INTERNAL", "MESH_EXTERNAL"))}
    if resolution != "NONE" and random.random() < 0.5:
        spec["workloadSelector"] = {"labels": {"app": random.choice(APPS)}}
    elif resolution != "NONE" and random.random() < 0.8:
        spec["endpoints"] = list(_endpoints(random))
    return spec


def _sometimes(random: Random) -> make.Raw:
    """Fields that some entries have."""
    spec: make.Raw = {}
    if random.random() < 0.7:
        spec["addresses"] = random.sample(ADDRESSES, random.randint(1, 2))
    if random.random() < 0.3:
        spec["exportTo"] = random.choice((["."], ["~"], ["b"], ["*"]))
    if random.random() < 0.2:
        spec["subjectAltNames"] = ["spiffe://cluster.local/ns/a/sa/x"]
    return spec


def _entry_ports(random: Random) -> list[make.Raw]:
    ports = []
    for place, own in enumerate(("web", "adm")[: random.randint(1, 2)]):
        name = random.choice((own, f"tcp{place}", f"q{place}"))
        target = {"targetPort": 9000} if random.random() < 0.5 else {}
        ports.append(make.entry_port(7000 + place, random.choice(PROTOCOLS), name, **target))
    return ports


def _marks(random: Random) -> make.Raw:
    """Labels and annotations that istiod reads of an entry."""
    labels, annotations = _waypoint(random), {}
    if random.random() < 0.15:
        labels["networking.istio.io/enable-autoallocate-ip"] = random.choice(("false", "False", "true"))
    if random.random() < 0.15:
        labels["networking.istio.io/tunnel"] = "http"
    if random.random() < 0.15:
        annotations["ambient.istio.io/redirection"] = "enabled"
    return {"labels": labels, "annotations": annotations}


def _endpoints(random: Random) -> Iterator[make.Raw]:
    for address in random.sample(ENDPOINTS, random.randint(1, 2)):
        endpoint: make.Raw = {"address": address}
        if random.random() < 0.3:
            endpoint["ports"] = {random.choice(("web", "tcp0")): 9100}
        if random.random() < 0.3:
            endpoint["serviceAccount"] = "pay"
        if labels := _waypoint(random):
            endpoint["labels"] = labels
        yield endpoint


def _pods(random: Random) -> Iterator[make.Raw]:
    for number, namespace in enumerate(NAMESPACES * 3):
        labels = {"app": random.choice(APPS)}
        if random.random() < 0.2:
            labels["version"] = "v2"
        if random.random() < 0.15:
            labels["networking.istio.io/tunnel"] = "http"
        if random.random() < 0.2:
            labels["gateway.networking.k8s.io/gateway-name"] = "way"
        annotations = {"ambient.istio.io/redirection": "enabled"} if random.random() < 0.6 else {}
        ports = [
            {"name": name, "containerPort": 8100 + place, "protocol": random.choice(("TCP", "TCP", "UDP"))}
            for place, name in enumerate(("web", "adm"))
        ]
        listed = random.sample(ports, random.randint(0, 2))
        spec = {"serviceAccountName": "pay", "nodeName": "node-1", "containers": [{"name": "c", "ports": listed}]}
        phase = random.choice(("Running", "Running", "Running", "Pending", "Succeeded", "Failed"))
        status: make.Raw = {
            "phase": phase,
            "conditions": [{"type": "Ready", "status": random.choice(("True", "False"))}],
        }
        if random.random() < 0.9:
            status |= {"podIP": f"10.244.1.{number + 1}", "podIPs": [{"ip": f"10.244.1.{number + 1}"}]}
        pod = make.manifest(
            "v1", "Pod", f"p{number}", spec, namespace=namespace, meta={"labels": labels, "annotations": annotations}
        )
        yield {**pod, "status": status}
