"""Edits of one ServiceEntry."""

import ipaddress
import re

from dnsalias_operator.core.entries.stands_for import stands_for
from dnsalias_operator.core.istio.protocols import service_protocol
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import KIND, Key
from dnsalias_operator.model.service import Service
from tests.core.remedies.bench import Bench, Raw
from tests.core.remedies.rule import Edit


def operate(bench: Bench, _: re.Match[str]) -> None:
    """Let the operator do it."""
    bench.operate()


def ask_operator(bench: Bench, _: re.Match[str]) -> None:
    """Put the entry into the operator's care, and let it do it."""
    bench.annotate(repair="true")
    bench.operate()


def set_fields(bench: Bench, match: re.Match[str]) -> None:
    """Write the addresses and endpoints that the remedy names."""
    spec: Raw = {}
    if addresses := match["addresses"]:
        spec["addresses"] = re.findall(r"'([^']+)'", addresses)
    if endpoints := match["endpoints"]:
        spec["endpoints"] = [{"address": a} for a in re.findall(r"'([^']+)'", endpoints)]
    bench.edit(spec)


def annotate_service(bench: Bench, match: re.Match[str]) -> None:
    """Say which Service it stands for: one of the message's, or else one that is made for it; care where asked for."""
    named = re.search(r"Service (\S+)/(\S+?), Service", match.string)
    service = Key("Service", *named.groups()) if named else _own_service(bench)
    bench.annotate(service=f"{service.namespace}/{service.name}")
    if 'dnsalias.io/repair: "true"' in match.string:
        bench.annotate(repair="true")
    bench.operate()


def _own_service(bench: Bench) -> Key:
    return bench.new_service(f"behind-{bench.subject.name}", bench.subject.namespace, bench.ports_alike())


def list_outside_addresses(bench: Bench, _: re.Match[str]) -> None:
    """Write an address that nobody in the cluster has, as that of a server outside."""
    bench.edit({"addresses": [bench.free_address()]})


def fix_the_one_behind(bench: Bench, match: re.Match[str]) -> None:
    """Give the other entry the address of its server; the operator then goes on by itself."""
    other = Key("ServiceEntry", match["namespace"], match["name"])
    bench.cluster.patch(other, {"spec": {"addresses": [bench.free_address()]}})
    bench.operate()


def all_tls(bench: Bench, _: re.Match[str]) -> None:
    """Give the port of the finding, or every one, the protocol TLS."""
    wanted = bench.finding.port
    bench.edit(
        {"ports": [{**p, "protocol": "TLS"} if wanted in (None, p["number"]) else p for p in bench.spec["ports"]]}
    )


def tcp_and_address(bench: Bench, _: re.Match[str]) -> None:
    """Make an HTTP_PROXY port TCP, and give the entry an address where it has none."""
    to_tcp(bench, _)
    if not bench.spec.get("addresses"):
        bench.edit({"addresses": [bench.free_address()]})


def to_tcp(bench: Bench, _: re.Match[str]) -> None:
    """Make every HTTP_PROXY port TCP; what it then lacks is the operator's."""
    ports = [{**p, "protocol": "TCP"} if p.get("protocol") == "HTTP_PROXY" else p for p in bench.spec["ports"]]
    bench.edit({"ports": ports})


def take_proxy_port_out(bench: Bench, _: re.Match[str]) -> None:
    """Remove HTTP_PROXY ports, and the entry with its last one."""
    _keep_ports(bench, [p for p in bench.spec["ports"] if p.get("protocol") != "HTTP_PROXY"])


def take_port_out(bench: Bench, match: re.Match[str]) -> None:
    """Remove the port of the message or the finding."""
    number = int(match.groupdict().get("port") or bench.finding.port or 0)
    _keep_ports(bench, [p for p in bench.spec["ports"] if p["number"] != number])


def _keep_ports(bench: Bench, ports: list[Raw]) -> None:
    if ports:
        bench.edit({"ports": ports})
    else:
        bench.cluster.delete(bench.subject)


def hide(bench: Bench, _: re.Match[str]) -> None:
    """Export it to no namespace."""
    bench.edit({"exportTo": ["~"]})


def delete(bench: Bench, _: re.Match[str]) -> None:
    """Delete it."""
    bench.cluster.delete(bench.subject)


def remove_addresses(bench: Bench, _: re.Match[str]) -> None:
    """Remove spec.addresses."""
    bench.edit({"addresses": None})


def remove_addresses_and_operate(bench: Bench, match: re.Match[str]) -> None:
    """Remove spec.addresses, and let the operator fill it in."""
    remove_addresses(bench, match)
    bench.operate()


def remove_addresses_and_ask(bench: Bench, match: re.Match[str]) -> None:
    """The same, with the entry put into the operator's care."""
    remove_addresses(bench, match)
    ask_operator(bench, match)


def recreate(bench: Bench, _: re.Match[str]) -> None:
    """Delete it and create it again."""
    bench.recreate()


def recreate_for_all(bench: Bench, match: re.Match[str]) -> None:
    """The same, exported to everybody, with the addresses that the remedy names."""
    listed = re.findall(r"'([^']+)'", match.groupdict().get("with") or "")
    bench.recreate(exportTo=["*"], **({"addresses": listed} if listed else {}))


def recreate_elsewhere(bench: Bench, _: re.Match[str]) -> None:
    """The same, with an address that no Service has."""
    bench.recreate(addresses=[bench.free_address()])


def label(bench: Bench, match: re.Match[str]) -> None:
    """Give it these labels."""
    labels = dict(pair.split(": ") for pair in match["labels"].split(", "))
    bench.cluster.patch(bench.subject, {"metadata": {"labels": labels}})


def recreate_without_addresses(bench: Bench, _: re.Match[str]) -> None:
    """The same, without addresses."""
    bench.recreate(addresses=[])
    bench.edit({"addresses": None})


def meant(bench: Bench) -> Key:
    """The Service that it stands for; where nothing says so, the one that it takes from."""
    world = bench.world
    entry = world.entry(bench.subject.namespace, bench.subject.name)
    assert entry is not None
    found = stands_for(world, entry, bench.rules).service
    if found is not None:
        return found.key
    taken = re.search(r"Service ([\w-]+)/([\w-]+)", f"{bench.finding.message} {bench.finding.remedy}")
    return Key("Service", *taken.groups()) if taken else _own_service(bench)


def protocol_of_service(bench: Bench, match: re.Match[str]) -> None:
    """Give the port the protocol of the Service that it takes from."""
    taken = re.search(r"takes? (\S+):(\d+) from Service ([\w-]+)/([\w-]+)", f"{match.string} {bench.finding.message}")
    assert taken, bench.finding.message
    number, service = int(taken[2]), bench.world.service(taken[3], taken[4])
    assert service is not None
    bench.set_port(number, protocol=_protocol(service, number))


def _protocol(service: Service, number: int) -> str | None:
    protocol = service_protocol(next(p for p in service.ports if p.port == number), Mesh()).value
    return None if protocol == "UnsupportedProtocol" else protocol


def other_address(bench: Bench, _: re.Match[str]) -> None:
    """Replace the addresses that Services have, or that hold theirs, by one that no Service has."""
    bench.edit({"addresses": [*_not_shared(bench), bench.free_address()]})


def _not_shared(bench: Bench) -> list[str]:
    ips = [ip for service in bench.world.services() for ip in service.cluster_ips]
    return [a for a in bench.spec.get("addresses", []) if not any(_within(ip, a) for ip in ips)]


def _within(ip: str, address: str) -> bool:
    return ipaddress.ip_address(ip) in ipaddress.ip_network(address, strict=False)


def take_shared_addresses_out(bench: Bench, _: re.Match[str]) -> None:
    """Remove the addresses that Services have."""
    bench.edit({"addresses": _not_shared(bench) or None})


def list_single_addresses(bench: Bench, _: re.Match[str]) -> None:
    """Replace what covers Services by a single address that none has."""
    kept = [a for a in bench.spec["addresses"] if "/" not in a and a not in ("0.0.0.0", "::")]  # noqa: S104 (data)
    bench.edit({"addresses": [*kept, bench.free_address()]})


def lead_to_service(bench: Bench, _: re.Match[str]) -> None:
    """Make the Service's DNS name the only endpoint, at the Service's own ports."""
    ports = [{n: v for n, v in p.items() if n != "targetPort"} for p in bench.spec["ports"]]
    led: Raw = {"endpoints": [{"address": dns_name(meant(bench))}], "workloadSelector": None, "ports": ports}
    bench.edit({**led, "resolution": "DNS"})


def lead_outside(bench: Bench, _: re.Match[str]) -> None:
    """Lead it to a server that is no Service."""
    bench.edit({"endpoints": [{"address": "server.outside.example"}]})


def delete_once(bench: Bench, _: re.Match[str]) -> None:
    """Delete it, and let the operator make it again."""
    bench.cluster.delete(bench.subject)
    bench.operate()


def dns_name(service: Key) -> str:
    """Its name in the cluster's DNS."""
    return f"{service.name}.{service.namespace}.svc.cluster.local"


def pods_of_service(bench: Bench, _: re.Match[str]) -> None:
    """Select the Service's own pods."""
    selector = bench.cluster.objects[meant(bench)]["spec"]["selector"]
    bench.edit(
        {
            "location": "MESH_INTERNAL",
            "resolution": "STATIC",
            "endpoints": None,
            "workloadSelector": {"labels": selector},
        }
    )


def without_target_port(bench: Bench, match: re.Match[str]) -> None:
    """Take targetPort out of the port, and what an endpoint says of it."""
    number = int(match["port"])
    ports = [
        {n: v for n, v in p.items() if n != "targetPort"} if p["number"] == number else p for p in bench.spec["ports"]
    ]
    endpoints = [{n: v for n, v in e.items() if n != "ports"} for e in bench.spec.get("endpoints", [])]
    bench.edit({"ports": ports, **({"endpoints": endpoints} if endpoints else {})})


def set_target_port(bench: Bench, match: re.Match[str]) -> None:
    """Set the targetPort that the message names."""
    bench.set_port(int(match["port"]), targetPort=int(match["target"]))


def other_host(bench: Bench, _: re.Match[str]) -> None:
    """Use a host that nobody has."""
    if bench.subject.kind == KIND:
        bench.edit({"host": "nobody-has-this.hello"})
    else:
        bench.edit({"hosts": ["nobody-has-this.hello"]})


def to_protocol(protocol: str) -> Edit:
    """Give the port of the finding a protocol."""
    return lambda bench, _: bench.set_port(bench.finding.port or 0, protocol=protocol)


def whole_label(bench: Bench, _: re.Match[str]) -> None:
    """Write wildcards as whole labels."""
    bench.edit({"hosts": [f"*.own.{h.partition('.')[2]}" if h.startswith("*") else h for h in bench.spec["hosts"]]})


def first_address_only(bench: Bench, _: re.Match[str]) -> None:
    """List the Service's first clusterIP only."""
    bench.edit({"addresses": bench.spec["addresses"][:1]})


def correct_endpoint(bench: Bench, _: re.Match[str]) -> None:
    """Lead the endpoint to a Service that exists."""
    bench.edit({"endpoints": [{"address": dns_name(_own_service(bench))}]})


def own_address(bench: Bench, _: re.Match[str]) -> None:
    """Replace the addresses by one that nobody has."""
    bench.edit({"addresses": [bench.free_address()]})


def other_port(bench: Bench, _: re.Match[str]) -> None:
    """Give the port of the finding a number that nobody has."""
    taken = {p["number"] for p in bench.spec["ports"]} | set(bench.world.ports())
    number = next(n for n in range(20000, 30000) if n not in taken)
    mine = bench.finding.port
    bench.edit({"ports": [{**p, "number": number} if p["number"] == mine else p for p in bench.spec["ports"]]})


def list_endpoints(bench: Bench, _: re.Match[str]) -> None:
    """List a server outside as its endpoint."""
    bench.edit({"endpoints": [{"address": "192.0.2.77"}]})


def select_pods(bench: Bench, _: re.Match[str]) -> None:
    """Select pods in its place."""
    bench.edit({"workloadSelector": {"labels": {"app": "behind-it"}}})


def target_of_service(bench: Bench, match: re.Match[str]) -> None:
    """Lead the port to the one that the remedy names."""
    endpoints = [{n: v for n, v in e.items() if n != "ports"} for e in bench.spec.get("endpoints", [])]
    bench.set_port(int(match["port"]), targetPort=int(match["to"]))
    bench.edit({"endpoints": endpoints})
