"""Random small worlds in which plans collide: few names, ports, hosts and addresses, every shape and every age.

What a cluster cannot hold is left out: two Services with one clusterIP, and entries that Istio's webhook refuses
outright (several hosts on a TCP port, a CIDR with DNS resolution).
"""

from typing import Any

from hypothesis import strategies as st

from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import REPAIR_ANNOTATION, SERVICE_ANNOTATION
from dnsalias_operator.model.rules import Rules
from tools.make import MANAGED

Raw = dict[str, Any]

NAMESPACES = ("abc", "data")
NAMES = ("api", "db", "web")
IPS = tuple(f"10.96.0.{n}" for n in range(1, 7))
HOSTS = ("api.hello", "db.hello", "web.hello", "api.data")
PORTS = (80, 443, 3306)
UNSPECIFIED = "0.0.0.0"  # noqa: S104 (an address in test data)

stamps = st.sampled_from((None, *(f"2026-01-01T00:00:0{n}Z" for n in range(1, 6))))
exports = st.sampled_from((None, None, None, ["*"], ["."], ["data"], ["~"]))
flags = st.booleans()
rarely = st.integers(0, 5).map(lambda n: n == 5)

rules = st.builds(
    Rules,
    mesh=st.sampled_from((*[Mesh()] * 6, Mesh(default_service_export_to=(".",)), Mesh(topology="primary"))),
    containment=st.sampled_from((True, True, False)),
    infer_service=flags,
    foreign_entries=st.sampled_from((*["patch"] * 6, "observe")),
)


@st.composite
def services(draw: st.DrawFn, key: tuple[str, str], ip: str) -> Raw:
    """A Service of that namespace and name, with that clusterIP where it has one."""
    spec: Raw = {"ports": draw(st.lists(st.sampled_from(PORTS), min_size=1, max_size=3, unique=True).flatmap(_ports))}
    shape = draw(st.sampled_from(("ip", "ip", "ip", "ip", "headless", "external")))
    if shape == "external":
        spec |= {"type": "ExternalName", "externalName": "x.example.com"}
    else:
        ip = ip if shape == "ip" else "None"
        spec |= {"clusterIP": ip, "clusterIPs": [ip]}
    if draw(flags):
        spec["selector"] = {"app": key[1]}
    export_to = draw(exports)
    notes = {} if export_to is None else {"networking.istio.io/exportTo": ",".join(export_to)}
    return made("v1", "Service", key, spec, draw(stamps), annotations=notes)


@st.composite
def _ports(draw: st.DrawFn, numbers: list[int]) -> list[Raw]:
    names = st.sampled_from(("http", "tcp", "tls", "plain", "mysql"))
    target = st.sampled_from((None, 8000, "web"))
    ports: list[Raw] = [{"name": f"{draw(names)}-{n}", "port": n, "targetPort": draw(target)} for n in numbers]
    return [{k: v for k, v in p.items() if v is not None} for p in ports]


@st.composite
def entries(draw: st.DrawFn, key: tuple[str, str], service: Raw) -> Raw:
    """Somebody else's ServiceEntry, most of them such as a dns-controller writes for that Service."""
    ports = _entry_ports(draw, service)
    resolution = draw(st.sampled_from(("DNS", "DNS", "DNS", "DNS_ROUND_ROBIN", "STATIC", "NONE")))
    spec: Raw = {
        "hosts": [draw(st.sampled_from(HOSTS))],
        "location": "MESH_INTERNAL",
        "ports": ports,
        "resolution": resolution,
        "x-unknown": {"kept": [1, {"as": "it is"}]},
    }
    if draw(rarely):
        cidrs = () if resolution.startswith("DNS") else ("10.96.0.0/24", "10.96.0.1/32", "0.0.0.0/1")
        one = st.sampled_from((*IPS, *IPS, UNSPECIFIED, "240.9.9.9", "240.241.0.5", *cidrs))
        spec["addresses"] = draw(st.lists(one, min_size=1, max_size=2, unique=True))
    if resolution.startswith("DNS") and draw(rarely):
        spec["endpoints"] = [{"address": f"{draw(st.sampled_from(NAMES))}.abc.svc.cluster.local"}]
    elif resolution == "STATIC" and draw(flags):
        spec["workloadSelector"] = {"labels": {"app": draw(st.sampled_from(NAMES))}}
    if (export_to := draw(exports)) is not None:
        spec["exportTo"] = export_to
    meta = service["metadata"]
    likely = f"{meta['namespace']}/{meta['name']}"
    notes = {SERVICE_ANNOTATION: draw(st.sampled_from((*[likely] * 4, "api", "gone")))}
    if draw(rarely):
        notes = {REPAIR_ANNOTATION: draw(st.sampled_from(("true", "false")))}
    labels = {} if draw(rarely) else MANAGED
    return made("networking.istio.io/v1", "ServiceEntry", key, spec, draw(stamps), notes, labels)


def _entry_ports(draw: st.DrawFn, service: Raw) -> list[Raw]:
    """One or two ports, most of them the Service's with its protocol."""
    declared = {"http": "HTTP", "tcp": "TCP", "tls": "TLS", "plain": None, "mysql": "MYSQL"}
    ports: list[Raw] = []
    for port in draw(st.lists(st.sampled_from(service["spec"]["ports"]), min_size=1, max_size=2, unique_by=_number)):
        protocols = (*[declared[port["name"].partition("-")[0]]] * 4, "TCP", "HTTP", None, "HTTP_PROXY")
        protocol = draw(st.sampled_from(protocols))
        number = draw(st.sampled_from(PORTS)) if draw(rarely) else port["port"]
        if all(number != p["number"] for p in ports):
            ports.append({"number": number, "name": f"p{number}"} | ({"protocol": protocol} if protocol else {}))
    return ports


def _number(port: Raw) -> int:
    return int(port["port"])


@st.composite
def aliases(draw: st.DrawFn, name: str, service: Raw) -> Raw:
    """A DnsAlias of that Service, or, rarely, of one that may not exist."""
    meta = service["metadata"]
    own = f"{name}-{meta['namespace']}.hello"
    target = draw(st.sampled_from(NAMES)) if draw(rarely) else meta["name"]
    spec: Raw = {"host": draw(st.sampled_from((own, own, *HOSTS))), "serviceRef": {"name": target}}
    if draw(flags):
        spec["endpoints"] = draw(st.sampled_from(("Auto", "Workloads", "Service")))
    if draw(rarely):
        spec["ports"] = [draw(st.sampled_from(PORTS))]
    if (export_to := draw(exports)) is not None:
        spec["exportTo"] = export_to
    return made("dnsalias.io/v1alpha1", "DnsAlias", (meta["namespace"], name), spec, draw(stamps))


@st.composite
def worlds(draw: st.DrawFn) -> list[Raw]:
    """Raw objects with distinct identities; no two Services have one clusterIP."""
    keys = st.tuples(st.sampled_from(NAMESPACES), st.sampled_from(NAMES))
    ips = draw(st.permutations(IPS))
    chosen = draw(st.lists(keys, unique=True, min_size=1, max_size=4))
    made = [draw(services(key, ip)) for key, ip in zip(chosen, ips, strict=False)]
    some = st.sampled_from(made)
    others = draw(st.lists(keys, unique=True, min_size=1, max_size=4))
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=3))
    return [
        *made,
        *(draw(entries(key, draw(some))) for key in others),
        *(draw(aliases(name, draw(some))) for name in names),
    ]


def made(
    api_version: str,
    kind: str,
    key: tuple[str, str],
    spec: Raw,
    created: str | None,
    annotations: dict[str, str] | None = None,
    labels: dict[str, str] | None = None,
) -> Raw:
    """An object of that namespace and name, with what the API server adds: a uid, and for entries who wrote what."""
    meta: Raw = {"name": key[1], "namespace": key[0], "uid": f"{kind}-{key[0]}-{key[1]}"}
    if created is not None:
        meta["creationTimestamp"] = created
    if annotations:
        meta["annotations"] = annotations
    if labels:
        meta["labels"] = labels
    if kind == "ServiceEntry":
        meta["managedFields"] = [
            {"manager": "somebody", "operation": "Update", "fieldsV1": {"f:spec": {f"f:{f}": {} for f in spec}}}
        ]
    return {"apiVersion": api_version, "kind": kind, "metadata": meta, "spec": spec}
