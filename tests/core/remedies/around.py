"""Edits of what stands around a ServiceEntry: other entries, Services, aliases, Sidecars and rules."""

import copy
import re
from typing import Any

from dnsalias_operator.core.istio.protocols import entry_protocol
from dnsalias_operator.model.names import Key
from tests.core.remedies.bench import Bench, Raw
from tests.core.remedies.entries import dns_name, meant, take_port_out
from tests.core.remedies.rule import Edit
from tools import make


def take_port_out_of_other(bench: Bench, match: re.Match[str]) -> None:
    """Remove the port from the other entry of the message."""
    with_subject(bench, Key("ServiceEntry", *match["other"].split("/")), take_port_out, match)


def with_subject(bench: Bench, subject: Key, edit: Edit, match: re.Match[str]) -> None:
    """Carry out an edit on another object."""
    before, bench.subject = bench.subject, subject
    edit(bench, match)
    bench.subject = before


def http_at_sidecar(bench: Bench, match: re.Match[str]) -> None:
    """Give the egress port of that namespace's Sidecars the protocol HTTP."""
    number = int(match["port"])
    for key, raw in list(bench.cluster.objects.items()):
        if key.kind != "Sidecar" or key.namespace not in (match["namespace"], "istio-system"):
            continue
        egress = copy.deepcopy(raw["spec"]["egress"])
        for listener in egress:
            if listener.get("port", {}).get("number") == number:
                listener["port"]["protocol"] = "HTTP"
        bench.cluster.patch(key, {"spec": {"egress": egress}})


def let_pass(bench: Bench, _: re.Match[str]) -> None:
    """Add the alias' host to the Gateway's hosts."""
    for key, raw in list(bench.cluster.objects.items()):
        if key.kind == "Gateway":
            servers = [{**s, "hosts": [*s["hosts"], bench.spec["host"]]} for s in raw["spec"]["servers"]]
            bench.cluster.patch(key, {"spec": {"servers": servers}})


def import_both(bench: Bench, match: re.Match[str]) -> None:
    """Import the Service in the Sidecars of the namespace as well, on its own host line."""
    service = bench.service
    for key, raw in list(bench.cluster.objects.items()):
        if key.kind == "Sidecar" and key.namespace in (match["seen"], "istio-system"):
            egress = copy.deepcopy(raw["spec"]["egress"])
            for listener in egress:
                listener["hosts"] = [*listener["hosts"], f"{service.namespace}/{dns_name(service)}"]
            bench.cluster.patch(key, {"spec": {"egress": egress}})
    annotations = {"networking.istio.io/exportTo": None}
    bench.cluster.patch(service, {"metadata": {"annotations": annotations}})


def service_gets_port(bench: Bench, match: re.Match[str]) -> None:
    """Add the port to the Service that the entry stands for."""
    number = int(match.groupdict().get("target") or bench.finding.port or 0)
    entry = bench.world.entry(bench.subject.namespace, bench.subject.name)
    assert entry is not None
    own = next((entry_protocol(p).value.lower() for p in entry.ports if p.number == number), "http")
    ports = [*bench.ports_of(bench.service), make.port(number, f"added-{number}", appProtocol=own)]
    bench.cluster.patch(bench.service, {"spec": {"ports": ports}})


def behind_gets_port(bench: Bench, match: re.Match[str]) -> None:
    """Add the port to the Service that the message names."""
    named = re.search(r"of Service ([\w-]+)/([\w-]+)", bench.finding.message)
    assert named
    service, number = Key("Service", *named.groups()), int(match["target"])
    ports = [*bench.ports_of(service), make.port(number, f"tcp-{number}")]
    bench.cluster.patch(service, {"spec": {"ports": ports}})


def service_gets_address(bench: Bench, _: re.Match[str]) -> None:
    """Give the Service a clusterIP."""
    ip = bench.free_address("10.96.251")
    bench.cluster.patch(bench.service, {"spec": {"clusterIP": ip, "clusterIPs": [ip], "type": None}})


def keep_this_claim(bench: Bench, _: re.Match[str]) -> None:
    """Delete the other entries and aliases of the host."""
    for key in _rivals(bench):
        if key in bench.cluster.objects:
            bench.cluster.delete(key)


def keep_another_claim(bench: Bench, _: re.Match[str]) -> None:
    """Delete this one."""
    bench.cluster.delete(bench.subject)


def claim_at_home(bench: Bench, _: re.Match[str]) -> None:
    """Export each of the claims to its own namespace alone."""
    for key in (bench.subject, *_rivals(bench)):
        bench.cluster.patch(key, {"spec": {"exportTo": ["."]}})


def both_without_address(bench: Bench, _: re.Match[str]) -> None:
    """Take the addresses out of this entry and the other one of the message."""
    for key in (bench.subject, *_rivals(bench)):
        bench.cluster.patch(key, {"spec": {"addresses": None}})


def external_name_instead(bench: Bench, match: re.Match[str]) -> None:
    """Delete the entry, and make the Service an alias of the server."""
    endpoints = bench.spec.get("endpoints") or [{"address": "server.outside.example"}]
    bench.cluster.delete(bench.subject)
    spec = {"type": "ExternalName", "externalName": endpoints[0]["address"], "clusterIP": None, "clusterIPs": None}
    bench.cluster.patch(Key("Service", *match["service"].split("/")), {"spec": spec})


def _rivals(bench: Bench) -> list[Key]:
    listed = re.findall(r"ServiceEntry ([\w-]+)/([\w.-]+?)(?=[ ,)])", bench.finding.message)
    return [Key("ServiceEntry", *named) for named in listed if Key("ServiceEntry", *named) != bench.subject]


def host_to_one_entry_of_dns(bench: Bench, _: re.Match[str]) -> None:
    """Keep one entry with one endpoint for each of its hosts."""
    world = bench.world
    for host in bench.spec["hosts"]:
        for other in world.entries_for_host(host):
            if other.key != bench.subject:
                bench.cluster.delete(other.key)
    if endpoints := bench.spec.get("endpoints"):
        bench.edit({"endpoints": endpoints[:1]})


def resolution_dns(bench: Bench, _: re.Match[str]) -> None:
    """Set resolution DNS in every entry of the hosts."""
    world = bench.world
    for host in bench.spec["hosts"]:
        for other in world.entries_for_host(host):
            bench.cluster.patch(other.key, {"spec": {"resolution": "DNS"}})


def tls_by_rule(bench: Bench, _: re.Match[str]) -> None:
    """Give its host a DestinationRule with TLS."""
    spec = {"host": bench.spec["hosts"][0], "trafficPolicy": {"tls": {"mode": "SIMPLE"}}}
    made = make.manifest(
        "networking.istio.io/v1", "DestinationRule", "with-tls", spec, namespace=bench.subject.namespace
    )
    bench.cluster.create(made)


def create_endpoint_service(bench: Bench, _: re.Match[str]) -> None:
    """Create the Service that the endpoint names."""
    named = re.search(r"names Service ([\w-]+)/([\w-]+)", bench.finding.message)
    assert named
    bench.new_service(named[2], named[1], bench.ports_alike())


def create_named_service(bench: Bench, match: re.Match[str]) -> None:
    """Create the Service that does not exist."""
    ports = [make.port(p["number"], f"tcp-{p['number']}") for p in bench.spec.get("ports", [])]
    bench.new_service(match["name"], match["namespace"], ports or [make.port(80, "http")])


def declare_alias(bench: Bench, _: re.Match[str]) -> None:
    """Delete it, and declare a DnsAlias for each of its hosts beside its Service."""
    service, hosts = meant(bench), bench.spec["hosts"]
    bench.cluster.delete(bench.subject)
    for number, host in enumerate(hosts):
        if not bench.world.aliases_for_host(host):
            made = make.alias(f"{bench.subject.name}-{number}-alias", host, service.name, namespace=service.namespace)
            bench.cluster.create(made)
    bench.operate()


def own_entry_for_http(bench: Bench, _: re.Match[str]) -> None:
    """Take the HTTP ports to an entry of their own, without an address."""
    raw = copy.deepcopy(bench.raw)
    http = [p for p in raw["spec"]["ports"] if p.get("protocol") in ("HTTP", "HTTP2", "GRPC")]
    _split(bench, raw, {"ports": http}, {"ports": [p for p in raw["spec"]["ports"] if p not in http]})


def _split(bench: Bench, raw: Raw, moved: Raw, left: Raw) -> None:
    spec: dict[str, Any] = {n: v for n, v in raw["spec"].items() if n != "addresses"}
    kept = {n: raw["metadata"][n] for n in ("namespace", "labels", "annotations") if n in raw["metadata"]}
    meta = {**kept, "name": f"{raw['metadata']['name']}-apart"}
    bench.cluster.create({**raw, "metadata": meta, "spec": {**spec, **moved}})
    bench.edit(left)


def own_entry_for_host(bench: Bench, match: re.Match[str]) -> None:
    """Take a host to an entry of its own."""
    raw, host = copy.deepcopy(bench.raw), match["host"]
    _split(bench, raw, {"hosts": [host]}, {"hosts": [h for h in raw["spec"]["hosts"] if h != host]})


def own_entry_for_port(bench: Bench, match: re.Match[str]) -> None:
    """Take a port to an entry of its own."""
    raw, number = copy.deepcopy(bench.raw), int(match["port"])
    ports = raw["spec"]["ports"]
    mine = [p for p in ports if p["number"] == number]
    _split(bench, raw, {"ports": mine}, {"ports": [p for p in ports if p["number"] != number]})


def ports_into_first(bench: Bench, _: re.Match[str]) -> None:
    """Take the ports over into the entry that the message names first, and delete this one."""
    first = _rivals(bench)[0]
    ports = _together(bench.cluster.objects[first], bench.raw)
    bench.cluster.patch(first, {"spec": {"ports": ports}})
    bench.cluster.delete(bench.subject)


def ports_into_one(bench: Bench, _: re.Match[str]) -> None:
    """Take the ports of the others over into this entry, and delete them."""
    others = _rivals(bench)
    bench.edit({"ports": _together(bench.raw, *(bench.cluster.objects[key] for key in others))})
    for key in others:
        bench.cluster.delete(key)


def endpoints_into_one(bench: Bench, match: re.Match[str]) -> None:
    """The same with the endpoints."""
    others = (bench.subject, *_rivals(bench))
    bench.edit({"endpoints": [e for key in others for e in bench.cluster.objects[key]["spec"].get("endpoints", [])]})
    ports_into_one(bench, match)


def _together(*entries: Raw) -> list[Raw]:
    """The ports of all of them, each number and name once."""
    found: dict[int, Raw] = {}
    for port in (p for raw in entries for p in raw["spec"]["ports"]):
        found.setdefault(port["number"], {**port, "name": f"p-{port['number']}"})
    return list(found.values())


def same_addresses(bench: Bench, _: re.Match[str]) -> None:
    """List one address in this entry and in the others of the message."""
    addresses = [bench.free_address()]
    for key in (bench.subject, *_rivals(bench)):
        bench.cluster.patch(key, {"spec": {"addresses": addresses}})


def attach_to_entry(bench: Bench, match: re.Match[str]) -> None:
    """Name the entry in the policy."""
    key = Key("AuthorizationPolicy", *match["policy"].split("/"))
    refs = copy.deepcopy(bench.cluster.objects[key]["spec"]["targetRefs"])
    refs.append({"group": "networking.istio.io", "kind": "ServiceEntry", "name": match["name"]})
    bench.cluster.patch(key, {"spec": {"targetRefs": refs}})


def to_namespace(bench: Bench, match: re.Match[str]) -> None:
    """Move it into the namespace of the pods."""
    raw = copy.deepcopy(bench.raw)
    bench.cluster.delete(bench.subject)
    bench.cluster.create({**raw, "metadata": {"name": raw["metadata"]["name"], "namespace": match["namespace"]}})


def other_namespace(bench: Bench, _: re.Match[str]) -> None:
    """Move it into a namespace where the host is nobody's."""
    raw = copy.deepcopy(bench.raw)
    bench.cluster.delete(bench.subject)
    bench.cluster.create({**raw, "metadata": {"name": raw["metadata"]["name"], "namespace": "moved-there"}})
