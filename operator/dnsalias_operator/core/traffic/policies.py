"""What is bound to the host of an entry, and so to the cluster that its calls take, and to no other."""

from collections.abc import Iterator

from dnsalias_operator.core.istio.clusters.rules import namespaces_with_rules, rule_for
from dnsalias_operator.core.istio.listeners import Client
from dnsalias_operator.core.istio.listeners.services import full_name
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.snapshot import Snapshot


def policy_of(world: Snapshot, client: Client, host: str, namespace: str, mesh: Mesh) -> Key | None:
    """What applies to a client's calls by that host of an entry, and to no other cluster; None where nothing does."""
    rule = rule_for(world, client, host, namespace, mesh) if namespaces_with_rules(world, host, mesh) else None
    if rule:
        return rule.key
    routed = (v for v in world.virtual_services() if v.routes)
    return next((v.key for v in routed if host in {full_name(h, v.meta.namespace, mesh) for h in v.hosts}), None)


def clients_with_rules(world: Snapshot, host: str, mesh: Mesh) -> Iterator[Client]:
    """A client for each namespace that has DestinationRules for a host, and for each kind of pod that one selects."""
    for namespace in namespaces_with_rules(world, host, mesh):
        yield Client(namespace)
        selected = (rule.workload_selector for rule in world.destination_rules_in(namespace))
        yield from (Client(namespace, labels) for labels in selected if labels)
