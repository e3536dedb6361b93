"""Edits of DnsAliases, and of what stands around them."""

import re

from dnsalias_operator.core.hosts.rules import asked_scope
from dnsalias_operator.core.istio.protocols import PortClass, class_of, service_protocol
from dnsalias_operator.model.hostrules import HostRule
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import Key
from tests.core.calls.ground import CONTAINER_PORTS
from tests.core.remedies.around import with_subject
from tests.core.remedies.bench import Bench
from tests.core.remedies.rule import Edit
from tools import make


def endpoints(value: str) -> Edit:
    """Set spec.endpoints."""
    return lambda bench, _: bench.edit({"endpoints": value})


def on_entry(edit: Edit) -> Edit:
    """Carry out an edit on the entry that the message is about."""

    def there(bench: Bench, match: re.Match[str]) -> None:
        with_subject(bench, Key("ServiceEntry", *match["entry"].split("/")), edit, match)

    return there


def distinct_target_ports(bench: Bench, _: re.Match[str]) -> None:
    """Keep the name for one of the Service's target ports, and write the others as the number that it stands for."""
    first, *others = bench.ports_of(bench.service)
    ports = [first, *({**p, "targetPort": CONTAINER_PORTS[p["targetPort"]]} for p in others)]
    bench.cluster.patch(bench.service, {"spec": {"ports": ports}})


def one_of_the_ports(bench: Bench, match: re.Match[str]) -> None:
    """List one of the ports that share a target port."""
    ports = [p["port"] for p in bench.ports_of(bench.service) if p.get("targetPort") == match["name"]]
    bench.edit({"ports": ports[:1]})


def limit_to(*, http: bool) -> Edit:
    """Limit spec.ports to those of HTTP, or to the others."""

    def limited(bench: Bench, _: re.Match[str]) -> None:
        service = bench.world.service(bench.service.namespace, bench.service.name)
        assert service is not None
        ports = [p.port for p in service.ports if (class_of(service_protocol(p, Mesh())) is PortClass.HTTP) == http]
        bench.edit({"ports": ports})

    return limited


def limit_ports(bench: Bench, match: re.Match[str]) -> None:
    """Limit spec.ports to others than the one of the message."""
    numbers = [p["port"] for p in bench.ports_of(bench.service)]
    bench.edit({"ports": [n for n in numbers if n != int(match["port"])]})


def service_port_tcp(bench: Bench, match: re.Match[str]) -> None:
    """Give the Service's port the appProtocol tcp."""
    number = int(match["port"])
    ports = [{**p, "appProtocol": "tcp"} if p["port"] == number else p for p in bench.ports_of(bench.service)]
    bench.cluster.patch(bench.service, {"spec": {"ports": ports}})


def service_gets_tcp_port(bench: Bench, _: re.Match[str]) -> None:
    """Add a TCP port to the Service."""
    ports = [*bench.ports_of(bench.service), make.port(9099, "tcp-more")]
    bench.cluster.patch(bench.service, {"spec": {"ports": ports}})


def ports_that_exist(bench: Bench, _: re.Match[str]) -> None:
    """Name ports that the Service has."""
    bench.edit({"ports": [p["port"] for p in bench.ports_of(bench.service) if p.get("protocol", "TCP") == "TCP"]})


def delete_holder(bench: Bench, match: re.Match[str]) -> None:
    """Delete the older alias."""
    bench.cluster.delete(Key("DnsAlias", *match["holder"].split("/")))


def host_under(bench: Bench, match: re.Match[str]) -> None:
    """Choose a host under a suffix that the message offers."""
    bench.edit({"host": f"nobody-has-this.{match['suffix']}"})


def settings_allow(bench: Bench, _: re.Match[str]) -> None:
    """Have the settings give the host to the namespace, and not take it from others."""
    more = HostRule(suffixes=(bench.spec["host"],), namespaces=("*",))
    bench.rules = bench.rules.model_copy(update={"host_rules": (*bench.rules.host_rules, more)})


def example_host(bench: Bench, match: re.Match[str]) -> None:
    """Use the example of the message."""
    bench.edit({"host": match["example"]})


def rename(bench: Bench, _: re.Match[str]) -> None:
    """Create the alias under another name, and delete this one."""
    raw = bench.raw
    meta = {"name": f"{raw['metadata']['name']}-renamed", "namespace": raw["metadata"]["namespace"]}
    bench.cluster.delete(bench.subject)
    bench.cluster.create({**raw, "metadata": meta})


def delete_entry_of_name(bench: Bench, match: re.Match[str]) -> None:
    """Delete the entry of the message."""
    bench.cluster.delete(Key("ServiceEntry", *match["entry"].split("/")))


def delete_once(bench: Bench, match: re.Match[str]) -> None:
    """Delete the entry of the message and let the operator make it again."""
    delete_entry_of_name(bench, match)
    bench.operate()


def export_to_all(bench: Bench, _: re.Match[str]) -> None:
    """Export the alias to everybody."""
    bench.edit({"exportTo": ["*"]})


def alias_as_service(bench: Bench, _: re.Match[str]) -> None:
    """Widen the alias to where its Service is exported."""
    noted = bench.cluster.objects[bench.service]["metadata"].get("annotations", {})
    bench.edit({"exportTo": noted.get("networking.istio.io/exportTo", ".").split(",")})


def service_as_alias(bench: Bench, _: re.Match[str]) -> None:
    """Export the Service to where the alias is to be seen."""
    alias = bench.world.alias(bench.subject.namespace, bench.subject.name)
    assert alias is not None
    assert alias.spec is not None
    scope = asked_scope(bench.world, bench.rules, alias, alias.spec)
    assert scope is not None
    wanted = ",".join(sorted(scope.namespaces)) or "*"
    note = {"networking.istio.io/exportTo": wanted}
    bench.cluster.patch(bench.service, {"metadata": {"annotations": note}})


def refer_to_another(bench: Bench, _: re.Match[str]) -> None:
    """Refer to a Service that exists and has an address."""
    made = bench.new_service("another-service", bench.subject.namespace, [make.port(9098, "tcp")])
    bench.edit({"serviceRef": {"name": made.name}, "ports": None})


def create_service(bench: Bench, _: re.Match[str]) -> None:
    """Create the Service."""
    of_host = [p.number for e in bench.world.entries_for_host(bench.spec["host"]) for p in e.ports]
    asked = [p for p in bench.spec.get("ports", []) if isinstance(p, int)] or of_host or [9098]
    ports = [make.port(n, f"tcp-{n}") for n in asked]
    bench.new_service(bench.service.name, bench.service.namespace, ports)


def add_port(bench: Bench, match: re.Match[str]) -> None:
    """Add the Service's port to the entry."""
    number = int(match["port"])
    bench.edit({"ports": [*bench.spec["ports"], make.entry_port(number, _spoken(bench, number), f"added-{number}")]})


def _spoken(bench: Bench, number: int) -> str:
    """The protocol of the port that the alias' Service has."""
    alias = bench.world.alias(bench.finding.key.namespace, bench.finding.key.name)
    assert alias is not None
    assert alias.spec is not None
    service = bench.world.service(alias.meta.namespace, alias.spec.service_ref.name)
    assert service is not None
    return service_protocol(next(p for p in service.ports if p.port == number), Mesh()).value


def without_host(bench: Bench, match: re.Match[str]) -> None:
    """Take hosts out of spec.hosts."""
    gone = match["hosts"].split(", ")
    bench.edit({"hosts": [h for h in bench.spec["hosts"] if h not in gone]})


def not_hidden(bench: Bench, _: re.Match[str]) -> None:
    """Take "~" out of spec.exportTo."""
    bench.edit({"exportTo": None})


def resolution(value: str) -> Edit:
    """Set spec.resolution."""
    return lambda bench, _: bench.edit({"resolution": value})


def same_rule_for_the_host(bench: Bench, match: re.Match[str]) -> None:
    """Create a rule like the Service's for the alias' host."""
    _same_rule(bench, match["rule"], match["host"])


def rule_of_the_service_for_the_host(bench: Bench, match: re.Match[str]) -> None:
    """The same, with the rule that the finding's message begins with."""
    _same_rule(bench, _named(bench, "DestinationRule"), match["host"])


def host_into_routes(bench: Bench, match: re.Match[str]) -> None:
    """Add the alias' host to the VirtualService's."""
    key = Key("VirtualService", *match["rule"].split("/"))
    hosts = bench.cluster.objects[key]["spec"]["hosts"]
    bench.cluster.patch(key, {"spec": {"hosts": [*hosts, match["host"]]}})


def for_gateways_alone(bench: Bench, _: re.Match[str]) -> None:
    """Take the gateway mesh out of the VirtualService that the finding's message begins with."""
    key = Key("VirtualService", *_named(bench, "VirtualService").split("/"))
    bound = bench.cluster.objects[key]["spec"].get("gateways", [])
    bench.cluster.patch(key, {"spec": {"gateways": [g for g in bound if g != "mesh"] or ["edge/gateway"]}})


def _same_rule(bench: Bench, rule: str, host: str) -> None:
    namespace, name = rule.split("/")
    there = bench.cluster.objects[Key("DestinationRule", namespace, name)]
    metadata = {"name": f"{name}-alias", "namespace": namespace}
    bench.cluster.create({**there, "metadata": metadata, "spec": {**there["spec"], "host": host}})


def _named(bench: Bench, kind: str) -> str:
    found = re.match(rf"{kind} (\S+/\S+)", bench.finding.message)
    assert found, bench.finding.message
    return found[1]
