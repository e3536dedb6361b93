"""What is bound to a Service, and to an alias' own host: rules, routes, and policies of the pods.

Source: docs/findings.md, "DA028: Policy of the Service stops at the alias"; docs/istio.md, "What a sidecar sends".
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from dnsalias_operator.core.findings.catalog import POLICY_LEFT_OUT
from dnsalias_operator.core.istio.clusters import namespaces_with_rules, of_pods
from dnsalias_operator.core.istio.clusters.rules import rule_for
from dnsalias_operator.core.istio.listeners import Client
from dnsalias_operator.core.istio.listeners.imports import covers
from dnsalias_operator.core.istio.listeners.unfollowed import request_rules
from dnsalias_operator.core.istio.service_names import service_host
from dnsalias_operator.core.outcome import Finding
from dnsalias_operator.model.authorizationpolicy import AuthorizationPolicy
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.meta import mapping
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.snapshot import Snapshot

ANYBODY = ""
"""As a namespace: any that has no rules of its own."""


@dataclass(frozen=True, slots=True)
class Bound:
    """One object that is bound to a host or to pods.

    ``what`` says what it does, in the API's words. ``host`` is the one that it is bound to, "" where it is the pods'.
    ``clients`` says whose calls it is about, "" for everybody's. ``stops`` are the aliases whose calls go without it.
    """

    key: Key
    what: str
    host: str = ""
    clients: str = ""
    stops: tuple[Key, ...] = ()


def bound_to(
    world: Snapshot, service: Service, hosts: Iterable[str], found: Iterable[Finding], mesh: Mesh
) -> tuple[Bound, ...]:
    """What is bound to the Service and to the ``hosts`` of its aliases.

    ``found`` are the findings of these aliases: what stops at one is said there, and decided nowhere else.
    """
    stops: dict[Key, list[Key]] = {}
    for finding in found:
        if finding.code == POLICY_LEFT_OUT.code and finding.about is not None:
            stops.setdefault(finding.about, []).append(finding.key)
    namespace, listed = service.meta.namespace, tuple(dict.fromkeys(hosts))
    told: list[Bound] = []
    for host in (service_host(service, mesh), *listed):
        told += _rules(world, host, namespace, mesh, stops)
        told += (
            Bound(rule.key, "routes requests", host, stops=tuple(stops.get(rule.key, ())))
            for rule in request_rules(world, namespace, mesh, host)
        )
    told += _mtls(world, service, mesh)
    told += _authorization(world, service, listed, mesh)
    return tuple(told)


def _rules(world: Snapshot, host: str, namespace: str, mesh: Mesh, stops: Mapping[Key, list[Key]]) -> Iterator[Bound]:
    """DestinationRules, each with the namespaces of the clients that have it."""
    own = [n for n in namespaces_with_rules(world, host, mesh) if n not in (mesh.root_namespace, namespace)]
    for_each = {client: rule_for(world, Client(client), host, namespace, mesh) for client in (ANYBODY, namespace, *own)}
    keys = {rule.key: [c for c, r in for_each.items() if r and r.key == rule.key] for rule in for_each.values() if rule}
    for key, clients in sorted(keys.items()):
        others = sorted(for_each.keys() - {*clients, ANYBODY})
        if ANYBODY in clients:
            where = f"those in namespace {', '.join(others)} have another" if others else ""
        else:
            where = f"only those in namespace {', '.join(sorted(clients))}"
        yield Bound(key, _policy(world, key), host, where, tuple(stops.get(key, ())))


def _policy(world: Snapshot, key: Key) -> str:
    rule = world.get(key)
    spec = mapping(rule.raw.get("spec")) if rule is not None else {}
    parts = [*sorted(mapping(spec.get("trafficPolicy"))), *(["subsets"] if spec.get("subsets") else [])]
    return ", ".join(parts) or "sets nothing"


def _mtls(world: Snapshot, service: Service, mesh: Mesh) -> Iterator[Bound]:
    """PeerAuthentications of the pods: whoever calls them, by whatever name."""
    found = of_pods(world, service.meta.namespace, service.selector, None, mesh) if service.selector else ()
    yield from sorted({Bound(d.by, str(d.mode)) for d in found if d.by}, key=lambda b: (b.key, b.what))


def _authorization(world: Snapshot, service: Service, hosts: Iterable[str], mesh: Mesh) -> Iterator[Bound]:
    """AuthorizationPolicies of the pods, and what they ask of the Host header."""
    if not service.selector:
        return
    for namespace in dict.fromkeys((mesh.root_namespace, service.meta.namespace)):
        for policy in world.authorization_policies_in(namespace):
            if mesh.discovers(namespace) and _may_be_for(policy, service):
                yield Bound(policy.key, "; ".join(_told(policy, hosts)))


def _may_be_for(policy: AuthorizationPolicy, service: Service) -> bool:
    """Whether it may apply to the Service's pods, or to their waypoint; of the pods' labels some are not known."""
    if policy.targets:
        return policy.meta.namespace == service.meta.namespace and policy.covers_service(service.meta.name)
    return all(service.selector.get(name, value) == value for name, value in policy.selector.items())


def _told(policy: AuthorizationPolicy, hosts: Iterable[str]) -> Iterator[str]:
    yield policy.action
    if policy.targets:
        yield "at a waypoint of the Service"
    if policy.hosts:
        yield f"asks for the Host {', '.join(policy.hosts)}"
        unnamed = [host for host in hosts if not any(_matches(pattern, host) for pattern in policy.hosts)]
        if unnamed:
            yield f"no rule of it names {', '.join(unnamed)}"


def _matches(pattern: str, host: str) -> bool:
    """A Host header may have a port, and a pattern a wildcard at either end."""
    name = pattern.partition(":")[0]
    return host.startswith(name[:-1]) if name.endswith("*") else covers(name, host)
