"""What is bound to a Service's host, or to an alias' host, and what that makes of calls by the alias.

DestinationRules and the HTTP routes of VirtualServices are found by host. An alias whose calls take the Service's own
listener has what is bound to the Service; one that has a cluster of its own has what is bound to its own host.
"""

from collections.abc import Iterator

from dnsalias_operator.core.aliases.routechanges import own_route
from dnsalias_operator.core.entries.ownership import is_ours
from dnsalias_operator.core.findings import catalog
from dnsalias_operator.core.istio.clusters.rules import namespaces_with_rules, rule_for
from dnsalias_operator.core.istio.listeners import Client
from dnsalias_operator.core.istio.listeners.services import full_name
from dnsalias_operator.core.istio.listeners.unfollowed import request_rules
from dnsalias_operator.core.istio.service_names import service_host
from dnsalias_operator.core.istio.virtualservices import has_host
from dnsalias_operator.core.outcome import AliasDecision, Finding, Severity
from dnsalias_operator.core.traffic.policies import own_cluster_ports
from dnsalias_operator.model.dnsalias import DnsAlias
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.meta import mapping
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot
from dnsalias_operator.model.status import POLICIES_FOLLOWED

_RUN = "run the operator, or apply what `dnsalias render` prints"


def policies_left_out(
    world: Snapshot, alias: DnsAlias, entry: ServiceEntry, service: Service, mesh: Mesh, decided: AliasDecision
) -> Iterator[Finding]:
    """What is bound to the Service and not to the alias' host, where the entry gives the alias a cluster of its own.

    It is no more than a note where the operator's VirtualService is only still to be written.
    """
    ports = own_cluster_ports(entry, service)
    followed = any(c.type == POLICIES_FOLLOWED and c.status == "True" for c in decided.conditions)
    soon = followed and bool(decided.routed) and own_route(world, alias) is None
    if not ports or (followed and not soon):
        return
    host, theirs = entry.hosts[0], service_host(service, mesh)
    calls = f"calls by {host} to port{'s' * (len(ports) > 1)} {', '.join(map(str, ports))}"
    found: dict[Key, list[str]] = {}
    apart = {*ports} - ({*decided.routed} if not soon else set())
    for namespace in namespaces_with_rules(world, theirs, mesh) if apart else ():
        rule = rule_for(world, Client(namespace), theirs, service.meta.namespace, mesh)
        own = rule_for(world, Client(namespace), host, entry.meta.namespace, mesh)
        if rule is not None and rule.policy is not None and (own is None or own.policy is None):
            found.setdefault(rule.key, []).append(namespace)
    every = request_rules(world, service.meta.namespace, mesh, theirs)
    routing = [routes for routes in every if not has_host(routes, host, mesh)]
    if soon:
        for key in (*found, *(routes.key for routes in routing)):
            message = (
                f"{key} is bound to {service.key}, and not to {host}: {calls} go without it until the operator has "
                "written a VirtualService for the alias"
            )
            yield catalog.POLICY_LEFT_OUT.at(alias.key, message, severity=Severity.INFO, remedy=_RUN, about=key)
        return
    for key in found:
        yield catalog.POLICY_LEFT_OUT.at(
            alias.key,
            f"{key} is bound to {service.key}{_what(world, key)}, and not to {host}: {calls} have a cluster of their "
            "own, and go without it",
            remedy=f"create a DestinationRule with the same trafficPolicy for host {host} as well",
            about=key,
        )
    for routes in routing:
        yield catalog.POLICY_LEFT_OUT.at(
            alias.key,
            f"{routes.key} routes requests to {service.key}, and not those to {host}: {calls} go straight to the "
            "Service",
            remedy=f"add {host} to spec.hosts of {routes.key}",
            about=routes.key,
        )


def led_elsewhere(world: Snapshot, alias: DnsAlias, host: str, service: Service, mesh: Mesh) -> Iterator[Finding]:
    """A VirtualService that has the alias' host, and leads its requests to something else than the Service."""
    routing = request_rules(world, alias.meta.namespace, mesh, host)
    binding = [rule for rule in routing if has_host(rule, host, mesh) and not is_ours(rule, alias)]
    exact = [rule for rule in binding if host in rule.hosts]
    for rule in exact or binding:
        targets = {full_name(name, rule.meta.namespace, mesh) for name in rule.destinations}
        elsewhere = sorted(targets - {service_host(service, mesh), host})
        if elsewhere:
            yield catalog.LED_ELSEWHERE.at(
                alias.key,
                f"{rule.key} (hosts {', '.join(rule.hosts)}) routes requests to {host} to {', '.join(elsewhere)}, and "
                f"not to {service.key}",
            )


def _what(world: Snapshot, key: Key) -> str:
    """What the rule sets, in the API's words."""
    rule = world.get(key)
    policy = mapping(mapping(rule.raw.get("spec")).get("trafficPolicy")) if rule is not None else {}
    return f" ({', '.join(sorted(policy))})" if policy else ""
