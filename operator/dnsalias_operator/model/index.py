"""The indices of the snapshot: the values by which each object can be found."""

from collections.abc import Hashable, Iterator

from dnsalias_operator.model.destinationrule import DestinationRule
from dnsalias_operator.model.dnsalias import DnsAlias
from dnsalias_operator.model.kinds import Object
from dnsalias_operator.model.names import AMBIENT_LABEL, SERVICE_ANNOTATION
from dnsalias_operator.model.namespace import Namespace
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.sidecar import Sidecar
from dnsalias_operator.model.virtualservice import VirtualService


def indexed(obj: Object) -> Iterator[tuple[str, Hashable]]:
    """Each index that has the object, with the value under which it is there."""
    yield "kind", obj.key.kind
    yield "namespace", (obj.key.kind, obj.key.namespace)
    if isinstance(obj, Service):
        yield "service name", obj.meta.name
        yield from (("port", p.port) for p in obj.ports)
        yield from (("port in", (obj.meta.namespace, p.port)) for p in obj.ports)
        yield from (("address", ip) for ip in obj.cluster_ips)
        if obj.type == "ExternalName" and obj.external_name:
            yield "alias of", obj.external_name
    elif isinstance(obj, ServiceEntry):
        yield from (("host", host) for host in obj.hosts)
        yield from (("host under", host.partition(".")[2]) for host in obj.hosts)
        yield from (("port", p.number) for p in obj.ports)
        yield from (("port in", (obj.meta.namespace, p.number)) for p in obj.ports)
        yield from (("address", address) for address in obj.addresses)
        if any("/" in address for address in obj.addresses):
            yield "cidr", True
        yield from (("allocated", address) for host in obj.hosts for address in obj.allocated(host))
        yield from (("endpoint", e.address) for e in obj.endpoints)
        yield from (("owner", owner.uid) for owner in obj.meta.owners)
        if obj.workload_selector:
            yield "selecting", frozenset(obj.workload_selector.items())
        if SERVICE_ANNOTATION in obj.meta.annotations:
            yield "annotated", obj.meta.annotations[SERVICE_ANNOTATION]
    elif isinstance(obj, DnsAlias) and obj.spec:
        yield "host", obj.spec.host
        yield "host under", obj.spec.host.partition(".")[2]
        yield "service", (obj.meta.namespace, obj.spec.service_ref.name)
    elif isinstance(obj, Namespace):
        yield "dataplane mode", obj.meta.labels.get(AMBIENT_LABEL, "")
    elif isinstance(obj, Sidecar):
        yield from (("imports", namespace) for namespace in obj.imports_from)
        yield from (("egress port", e.port) for e in obj.egress if e.port is not None)
        yield from (("egress bind", e.bind) for e in obj.egress if e.bind)
    yield from _of_rule(obj)


def _of_rule(obj: Object) -> Iterator[tuple[str, Hashable]]:
    if isinstance(obj, VirtualService):
        yield from {("routed", first_label(host)) for host in obj.hosts}
    elif isinstance(obj, DestinationRule):
        yield "ruled", first_label(obj.host)


def first_label(host: str) -> str:
    """What rules are found by: a host and each of its shorter forms begin with it; of a wildcard host it is ``*``."""
    return "*" if host.startswith("*") else host.partition(".")[0].lower()
