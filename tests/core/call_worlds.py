"""Random small worlds with callers: hosts inside and outside of the mesh, and everything that decides where calls end.

What a host means is drawn first (`Truth`), and objects then agree with it: an entry of others for a host that means a
Service leads there, one for a host outside leads outside or through a Service on the way. Nothing that a cluster cannot
hold: no two Services have an address in common, and no entry is one that Istio's webhook refuses.
"""

import json
from dataclasses import dataclass
from typing import Any

import yaml
from hypothesis import strategies as st

from dnsalias_operator.core.plan import plan
from dnsalias_operator.model.kinds import KINDS, Object
from dnsalias_operator.model.names import AMBIENT_LABEL, REPAIR_ANNOTATION, SERVICE_ANNOTATION
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.snapshot import Snapshot
from tests.core.call_names import (
    CLIENTS,
    FRONTED,
    INSIDE,
    OUTSIDE,
    OWN,
    PODS,
    PORTS,
    SERVERS,
    exports,
    half,
    key_of,
    meshes,
    seldom,
    stamps,
)
from tests.core.call_policies import policies
from tests.core.calls.ground import Truth
from tests.core.calls.kept import ELSEWHERE
from tests.core.plan_worlds import NAMES, NAMESPACES, Raw, made, rarely
from tools.make import MANAGED


@dataclass(frozen=True, repr=False)
class World:
    """Objects, what is true beside them, and what the operator is told."""

    raws: tuple[Raw, ...]
    truth: Truth
    rules: Rules

    def snapshot(self) -> Snapshot:
        """The objects, parsed."""
        return Snapshot(map(parsed, self.raws), namespaces_known=True)

    def __repr__(self) -> str:
        """All of it as YAML, for a report: objects first, then what is true and what the mesh is told."""
        truth = {"names": self.truth.names, "standsFor": self.truth.stands_for, "fronts": self.truth.fronts}
        beside = {"truth": truth, "mesh": self.rules.mesh.model_dump(mode="json")}
        listed = [json.loads(json.dumps(raw)) for raw in (*self.raws, beside)]
        return "\n" + yaml.safe_dump_all(listed, sort_keys=False)


def parsed(raw: Raw) -> Object:
    """The typed view of a raw object."""
    return KINDS[raw["kind"]].parse(raw)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A world, sometimes one in which an operator has been at work before Namespaces and mesh became what they are."""
    rules = Rules(mesh=draw(meshes), foreign_entries="patch")
    services = draw(_services())
    truth = _truth(draw, services)
    entries = draw(_entries(services, truth))
    raws = [*services, *entries, *draw(_aliases(services, truth, entries))]
    if draw(seldom):
        plain = Snapshot(map(parsed, raws), namespaces_known=True)
        before = Rules(mesh=rules.mesh.model_copy(update={"dns_capture": False}))
        raws = [dict(_stamped(o)) for o in plan(plain, before).after.objects()]
    raws += draw(policies(services, entries))
    ambient = draw(st.sampled_from((*[()] * 4, ("clients",), ("abc",), ("data", "clients"))))
    raws += [_namespace(name, ambient=name in ambient) for name in CLIENTS]
    return World(tuple(raws), truth, rules)


# Services, and what names mean.


@st.composite
def _services(draw: st.DrawFn) -> list[Raw]:
    keys = draw(
        st.lists(st.tuples(st.sampled_from(NAMESPACES), st.sampled_from(NAMES)), unique=True, min_size=1, max_size=3)
    )
    return [draw(_service(key, number)) for number, key in enumerate(keys, 1)]


@st.composite
def _service(draw: st.DrawFn, key: tuple[str, str], number: int) -> Raw:
    listed = draw(st.lists(st.sampled_from(PORTS), min_size=1, max_size=2, unique=True))
    ip = "None" if draw(seldom) else f"10.96.0.{number}"
    spec: Raw = {"clusterIP": ip, "clusterIPs": [ip], "ports": [draw(_service_port(n)) for n in listed]}
    if not draw(seldom):
        spec["selector"] = {"app": key[1]}
    export_to = draw(exports)
    notes = {} if export_to is None or draw(half) else {"networking.istio.io/exportTo": ",".join(export_to)}
    raw = made("v1", "Service", key, spec, draw(stamps), annotations=notes)
    if ip != "None" and draw(rarely):
        spec["type"] = "LoadBalancer"
        raw["status"] = {"loadBalancer": {"ingress": [{"ip": f"10.97.0.{number}"}]}}
    return raw


@st.composite
def _service_port(draw: st.DrawFn, number: int) -> Raw:
    name = draw(st.sampled_from(("tcp", "tcp", "http", "https", "plain")))
    target = draw(st.sampled_from((None, None, 8000 + number, "web")))
    return {"name": f"{name}-{number}", "port": number, "protocol": "TCP"} | ({"targetPort": target} if target else {})


def _truth(draw: st.DrawFn, services: list[Raw]) -> Truth:
    """What each host means: for one inside a Service, and which address of it the cluster's DNS answers."""
    names: dict[str, tuple[str, ...]] = {host: (ip,) for host, ip in OUTSIDE.items()}
    names[ELSEWHERE] = ("192.0.2.9",)
    stands_for: dict[str, tuple[str, str]] = {}
    fronts: dict[str, tuple[str, str]] = {}
    for host in INSIDE:
        service = draw(st.sampled_from(services))
        namespace, name = stands_for[host] = key_of(service)
        listed = [ip for ip in service["spec"]["clusterIPs"] if ip != "None"]
        listed = listed or [ip for ip, pods in PODS.items() if pods == (namespace, name)]
        if balancers := service.get("status", {}).get("loadBalancer", {}).get("ingress", []):
            listed = [draw(st.sampled_from((listed[0], balancers[0]["ip"])))]
        elif service["spec"]["clusterIP"] != "None" and host in FRONTED and draw(half):
            front = f"203.0.113.{100 + len(fronts)}"
            fronts[front] = (namespace, name)
            listed = [front]
        names[host] = tuple(listed)
    return Truth(names, stands_for, fronts, PODS)


# ServiceEntries of others.


AFTERWARDS = "2026-01-02T00:00:00Z"
"""When aliases are declared: an entry that comes for an alias' host later is its own owner's doing."""


@st.composite
def _entries(draw: st.DrawFn, services: list[Raw], truth: Truth) -> list[Raw]:
    keys = draw(
        st.lists(
            st.tuples(st.sampled_from(NAMESPACES), st.sampled_from((*NAMES, "ext"))),
            unique=True,
            min_size=1,
            max_size=3,
        )
    )
    found = []
    for key in keys:
        host = draw(st.sampled_from((*INSIDE, *OUTSIDE)))
        there = truth.stands_for.get(host)
        if there is None:
            found.append(draw(_outside(key, host, services)))
        else:
            service = next(s for s in services if key_of(s) == there)
            found.append(draw(_inside((draw(st.sampled_from((there[0], there[0], key[0]))), key[1]), host, service)))
    return list({key_of(raw): raw for raw in found}.values())


@st.composite
def _inside(draw: st.DrawFn, key: tuple[str, str], host: str, service: Raw) -> Raw:
    """One for a host that means that Service, most of them such as a dns-controller writes."""
    namespace, name = key_of(service)
    full, notes = f"{name}.{namespace}.svc.cluster.local", {}
    spec: Raw = {"hosts": [host], "location": "MESH_INTERNAL", "ports": _entry_ports(draw, service)}
    shape = draw(st.sampled_from(("bare", "bare", "led", "led", "pods", "inline", "none")))
    if shape in ("bare", "none"):
        # An owner who says so of a name knows that it leads to the Service itself.
        notes = {} if host in FRONTED else {SERVICE_ANNOTATION: f"{namespace}/{name}"}
        spec["resolution"] = "NONE" if shape == "none" else "DNS"
    elif shape == "led":
        labels = {"labels": {"security.istio.io/tlsMode": "istio"}} if draw(rarely) else {}
        spec |= {"resolution": "DNS", "endpoints": [{"address": full} | labels]}
    elif shape == "pods" and key[0] == namespace and "selector" in service["spec"]:
        spec |= {"resolution": "STATIC", "workloadSelector": {"labels": dict(service["spec"]["selector"])}}
        notes = {SERVICE_ANNOTATION: name}
    else:
        ip = service["spec"]["clusterIP"]
        ip = next(a for a, pods in PODS.items() if pods == (namespace, name)) if ip == "None" else ip
        spec |= {"resolution": "STATIC", "endpoints": [{"address": ip}]}
        notes = {SERVICE_ANNOTATION: f"{namespace}/{name}"}
    if draw(rarely):
        given = [a for a in (service["spec"]["clusterIP"], OWN, "10.96.0.1") if a != "None"]
        spec["addresses"] = [draw(st.sampled_from(given))]
    return draw(_entry(key, spec, notes))


@st.composite
def _outside(draw: st.DrawFn, key: tuple[str, str], host: str, services: list[Raw]) -> Raw:
    """One for a host outside: with its server, with others, or with a Service that is on the way there."""
    shape = draw(st.sampled_from(("none", "none", "bare", "bare", "led", "static", "way")))
    spec: Raw = {
        "hosts": [host],
        "location": "MESH_EXTERNAL",
        "ports": _entry_ports(draw, draw(st.sampled_from(services))),
    }
    if shape == "none":
        spec["resolution"] = "NONE"
    elif shape == "bare":
        spec["resolution"] = "DNS"
    elif shape == "static":
        listed = draw(st.lists(st.sampled_from((OUTSIDE[host], *SERVERS)), min_size=1, max_size=2, unique=True))
        spec |= {"resolution": "STATIC", "endpoints": [{"address": ip} for ip in listed]}
    elif shape == "led":
        spec |= {"resolution": "DNS", "endpoints": [{"address": draw(st.sampled_from((*OUTSIDE, *SERVERS)))}]}
    else:
        namespace, name = key_of(draw(st.sampled_from(services)))
        spec |= {"resolution": "DNS", "endpoints": [{"address": f"{name}.{namespace}.svc.cluster.local"}]}
    if draw(seldom):
        spec["location"] = "MESH_INTERNAL"
        key = (key[0], "ext")
    if draw(rarely):
        cidrs = ("198.51.100.0/24",) if spec["resolution"] in ("NONE", "STATIC") else ()
        spec["addresses"] = [draw(st.sampled_from((OUTSIDE[host], *OUTSIDE.values(), OWN, *cidrs)))]
    return draw(_entry(key, spec, {}))


@st.composite
def _entry(draw: st.DrawFn, key: tuple[str, str], spec: Raw, notes: dict[str, str]) -> Raw:
    if (export_to := draw(exports)) is not None:
        spec["exportTo"] = export_to
    if draw(rarely):
        notes = {**notes, REPAIR_ANNOTATION: draw(st.sampled_from(("true", "false")))}
    labels = {} if draw(rarely) else MANAGED
    return made("networking.istio.io/v1", "ServiceEntry", key, spec, draw(stamps), notes, labels)


def _entry_ports(draw: st.DrawFn, service: Raw) -> list[Raw]:
    """One or two ports, most of them the Service's with its protocol."""
    declared = {"http": "HTTP", "tcp": "TCP", "https": "HTTPS", "plain": None}
    found: list[Raw] = []
    for number in draw(st.lists(st.sampled_from(PORTS), min_size=1, max_size=2, unique=True)):
        own = next((p for p in service["spec"]["ports"] if p["port"] == number), None)
        usual = declared[own["name"].partition("-")[0]] if own else "TCP"
        protocol = draw(st.sampled_from((usual, usual, usual, "TCP", "TLS", "HTTP", None)))
        port: Raw = {"number": number, "name": f"p{number}"} | ({"protocol": protocol} if protocol else {})
        if own and isinstance(own.get("targetPort"), int) and "selector" in service["spec"] and draw(rarely):
            port["targetPort"] = own["targetPort"]
        found.append(port)
    return found


# Aliases.


@st.composite
def _aliases(draw: st.DrawFn, services: list[Raw], truth: Truth, entries: list[Raw]) -> list[Raw]:
    """For the Service that a host means, or, for a host that entries of other namespaces have, for another one."""
    found: dict[tuple[str, str], Raw] = {}
    held: dict[str, set[str]] = {}
    for entry in entries:
        held.setdefault(entry["spec"]["hosts"][0], set()).add(key_of(entry)[0])
    for name in draw(st.lists(st.sampled_from(("one", "two")), unique=True)):
        host = draw(st.sampled_from(sorted({*INSIDE, *held})))
        namespace, service = truth.stands_for.get(host, ("", ""))
        if host in held and (not namespace or draw(rarely)):
            namespace, service = key_of(draw(st.sampled_from(services)))
        if namespace in held.get(host, ()) and (namespace, service) != truth.stands_for.get(host):
            continue  # it would say of that entry what is not so
        spec: Raw = {"host": host, "serviceRef": {"name": service}}
        if (export_to := draw(exports)) is not None:
            spec["exportTo"] = export_to
        if draw(rarely):
            spec["endpoints"] = draw(st.sampled_from(("Workloads", "Service")))
        if draw(rarely):
            spec["ports"] = [draw(st.sampled_from(PORTS))]
        found[namespace, name] = made("dnsalias.io/v1alpha1", "DnsAlias", (namespace, name), spec, AFTERWARDS)
    return list(found.values())


def _namespace(name: str, *, ambient: bool) -> Raw:
    labels = {AMBIENT_LABEL: "ambient"} if ambient else {}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def _stamped(obj: Object) -> Any:  # noqa: ANN401 (a raw object)
    """The object as an API server has it: what a plan has made is younger than the rest."""
    if obj.meta.created is not None or not obj.meta.namespace:
        return obj.raw
    return {**obj.raw, "metadata": {**obj.raw["metadata"], "creationTimestamp": "2026-01-02T00:00:00Z"}}
