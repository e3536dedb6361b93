"""The VirtualService by which an alias takes its Service's cluster, or why it has one of its own.

The entry gives the name, the ports and the addresses; the VirtualService leads calls of the host, port by port, to the
Service's own host. So what is bound to the Service applies to them. Source: docs/istio.md, "An alias and its Service's
cluster".
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dnsalias_operator.core.aliases.case import Case
from dnsalias_operator.core.aliases.follow import NotFollowedError, Routes, followed, straight
from dnsalias_operator.core.entries.ownership import alias_label, is_ours, owner_reference, route_names
from dnsalias_operator.core.istio.ambient import ambient_clients
from dnsalias_operator.core.istio.clusters.rules import Rule, rule_for
from dnsalias_operator.core.istio.listeners.services import full_name
from dnsalias_operator.core.istio.protocols import PortClass, class_of, entry_protocol
from dnsalias_operator.core.istio.service_names import service_host
from dnsalias_operator.core.istio.virtualservices import has_host, rules_of_host, scope_of_rule
from dnsalias_operator.core.outcome import Condition
from dnsalias_operator.core.reasons import Reason, Why
from dnsalias_operator.core.traffic.policies import clients_with_rules, imported_alone, own_cluster_ports
from dnsalias_operator.model.dnsalias import Routing
from dnsalias_operator.model.names import ALIAS_LABEL, ISTIO_API_VERSION, MANAGED_BY_LABEL, OWN_MANAGER
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.status import POLICIES_FOLLOWED
from dnsalias_operator.model.virtualservice import MESH_GATEWAY, VirtualService

_AS_REQUESTS = frozenset({PortClass.HTTP, PortClass.UNSET})
_AS_BYTES = frozenset({PortClass.TCP, PortClass.UNSET})


@dataclass(frozen=True, slots=True)
class Route:
    """What is decided about one alias.

    ``manifest`` is that of the VirtualService, None where there is to be none. ``ports`` are those that it leads to the
    Service's cluster. ``condition`` is PoliciesFollowed, None where nothing is bound to the Service that the alias
    could be without.
    """

    manifest: dict[str, Any] | None = None
    ports: tuple[int, ...] = ()
    condition: Condition | None = None


NOWHERE = Route()


@dataclass(frozen=True, slots=True)
class _Bound:
    """What sidecars apply to calls of the Service's host, and to those of the alias' host, besides our own."""

    rules: tuple[Rule, ...]
    routes: tuple[VirtualService, ...]
    own_rules: tuple[Rule, ...]
    own_routes: tuple[VirtualService, ...]

    def __str__(self) -> str:
        return ", ".join(map(str, (*(rule.key for rule in self.rules), *(rule.key for rule in self.routes))))


def routing_of(case: Case) -> Routing:
    """What the alias asks for, or the settings for it."""
    return case.spec.routing or Routing(case.rules.default_routing)


def routed(case: Case, service: Service, entry: ServiceEntry, *, ours: bool = True) -> Route:
    """The route of an alias that ``entry`` serves; ``ours`` is whether that one is made by this operator."""
    bound, wanted = _bound(case, service), routing_of(case)
    ports = own_cluster_ports(entry, service)
    if (bound.rules or bound.routes) and imported_alone(case.world, entry, service, case.rules.mesh):
        ports = tuple(port.number for port in entry.ports)
    if not ports:
        return NOWHERE  # its calls take the Service's own listener
    if bound.own_routes:
        return _by_others(case, service, bound)
    missed = bool(bound.rules and not bound.own_rules) or bool(bound.routes)
    if wanted is not Routing.SERVICE and not missed:
        return NOWHERE
    if wanted is Routing.OWN or not ours:
        return _unfollowed(_own_cluster(case, bound, ours=ours))
    if hindered := _hindered(case, service, bound, wanted):
        return _unfollowed(hindered)
    return _to_service(case, service, entry, ports, bound)


def _to_service(case: Case, service: Service, entry: ServiceEntry, ports: tuple[int, ...], bound: _Bound) -> Route:
    classes = {p.number: class_of(entry_protocol(p)) for p in entry.ports if p.number in ports}
    http = tuple(number for number, kind in classes.items() if kind in _AS_REQUESTS)
    tcp = tuple(number for number, kind in classes.items() if kind in _AS_BYTES)
    led = tuple(sorted({*http, *tcp}))
    if not led:
        return _unfollowed(_by_sni(case, ports)) if bound.rules or bound.routes else NOWHERE
    host = service_host(service, case.rules.mesh)
    routes, fault = straight(host, http, tcp), ""
    try:
        if bound.routes:
            routes = followed(_the_one(case, bound.routes), host, http, tcp, case.rules.mesh)
    except NotFollowedError as error:
        fault = str(error)
    calls = f"calls by {case.spec.host} to {_listed(led)} take the cluster of {service.key}"
    if fault:
        named = ", ".join(str(rule.key) for rule in bound.routes)
        why = Why(Reason.ROUTES_NOT_FOLLOWED, f"{calls}, but not the routes of {named}: {fault}")
    elif len(led) < len(ports):
        why = _by_sni(case, tuple(sorted({*ports} - {*led})))
    else:
        applies = f", where {bound} applies" if bound.rules or bound.routes else ""
        why = Why(Reason.POLICIES_FOLLOWED, f"{calls}{applies}")
    status = "True" if why.reason is Reason.POLICIES_FOLLOWED else "False"
    manifest = _manifest(case, entry, routes)
    return Route(manifest, led, Condition(POLICIES_FOLLOWED, status, why.reason, why.message))


def _the_one(case: Case, rules: tuple[VirtualService, ...]) -> VirtualService:
    """The VirtualService that every client of the alias has for the Service.

    Raises:
        NotFollowedError: there is more than one, or some clients have none.
    """
    if len(rules) > 1:
        raise NotFollowedError(f"there are {len(rules)}, and which one a request meets first is not the alias' to say")
    if case.scope.narrowed(scope_of_rule(rules[0])) != case.scope:
        raise NotFollowedError(f"its exportTo ({', '.join(rules[0].export_to)}) leaves out clients of the alias")
    return rules[0]


def _manifest(case: Case, entry: ServiceEntry, routes: Routes) -> dict[str, Any]:
    alias = case.alias
    meta: dict[str, Any] = {
        "name": _name(case),
        "namespace": alias.meta.namespace,
        "labels": {MANAGED_BY_LABEL: OWN_MANAGER, ALIAS_LABEL: alias_label(alias.meta.name)},
    }
    if alias.meta.uid:
        meta["ownerReferences"] = [owner_reference(alias)]
    spec: dict[str, Any] = {"hosts": [case.spec.host], "gateways": [MESH_GATEWAY]}
    spec["exportTo"] = list(case.scope.export_to(entry.meta.namespace))
    spec |= {kind: list(part) for kind, part in (("http", routes.http), ("tcp", routes.tcp)) if part}
    return {"apiVersion": ISTIO_API_VERSION, "kind": "VirtualService", "metadata": meta, "spec": spec}


def _bound(case: Case, service: Service) -> _Bound:
    mesh, alias = case.rules.mesh, case.alias
    theirs = service_host(service, mesh)
    return _Bound(
        tuple(_rules(case, theirs, service.meta.namespace)),
        tuple(r for r in rules_of_host(case.world, theirs, mesh) if scope_of_rule(r).overlaps(case.scope)),
        tuple(_rules(case, case.spec.host, alias.meta.namespace)),
        tuple(
            rule
            for rule in rules_of_host(case.world, case.spec.host, mesh)
            if not is_ours(rule, alias) and scope_of_rule(rule).overlaps(case.scope)
        ),
    )


def _rules(case: Case, host: str, namespace: str) -> Iterator[Rule]:
    """The DestinationRules that some client has for calls of a host, each once."""
    seen = set()
    for client in clients_with_rules(case.world, host, case.rules.mesh):
        rule = rule_for(case.world, client, host, namespace, case.rules.mesh)
        if rule is not None and rule.policy is not None and rule.key not in seen:
            seen.add(rule.key)
            yield rule


def _by_others(case: Case, service: Service, bound: _Bound) -> Route:
    """VirtualServices of others have the alias' host: nothing is written, and it is said where they lead it."""
    mesh, theirs = case.rules.mesh, service_host(service, case.rules.mesh)
    for rule in bound.own_routes:
        targets = {full_name(name, rule.meta.namespace, mesh) for name in rule.destinations}
        named = f"{rule.key} (hosts {', '.join(rule.hosts)}) routes calls by {case.spec.host}"
        if not has_host(rule, theirs, mesh) and targets - {theirs}:
            astray = f"{named} to {', '.join(sorted(targets))}; what is bound to {service.key} does not apply there"
            return _unfollowed(Why(Reason.HOST_ROUTED, astray))
        if left := [str(other.key) for other in bound.routes if other.key != rule.key]:
            straight = f"{named} as well, without what {', '.join(left)} does; add the host to its hosts instead"
            return _unfollowed(Why(Reason.HOST_ROUTED, straight))
    if not bound.rules and not bound.routes:
        return NOWHERE
    named = ", ".join(str(rule.key) for rule in bound.own_routes)
    message = f"{named} leads calls by {case.spec.host} to the cluster of {service.key}"
    return Route(condition=Condition(POLICIES_FOLLOWED, "True", Reason.POLICIES_FOLLOWED, message))


def _hindered(case: Case, service: Service, bound: _Bound, wanted: Routing) -> Why | None:
    """Why no VirtualService may be written that leads to the Service's cluster."""
    world, alias = case.world, case.alias
    if keeps := _keeps_destination(service, bound):
        message = f"{keeps}, so that a call goes on to the address that was dialled, which may be the alias' own"
        return Why(Reason.KEEPS_DESTINATION, message)
    if not _name(case):
        named = " and ".join(route_names(alias.meta.name))
        message = f"VirtualServices {named} of namespace {alias.meta.namespace} exist and are not ours; rename one"
        return Why(Reason.ROUTE_NAME_TAKEN, message)
    if wanted is Routing.SERVICE:
        return None
    if bound.own_rules:
        named = ", ".join(str(rule.key) for rule in bound.own_rules)
        message = f"{named} is bound to {case.spec.host}, whose calls keep a cluster of their own for it ({bound})"
        return Why(Reason.OWN_CLUSTER, f"{message}; set spec.routing to Service to have those of {service.key}")
    if about := ambient_clients(world, case.rules.mesh):
        return Why(Reason.OWN_CLUSTER, f"{about}, who apply no VirtualService; set spec.routing to Service ({bound})")
    return None


def _name(case: Case) -> str:
    """The name of our VirtualService: that of the one there, else the first that nobody has; "" where none is left."""
    alias, names = case.alias, route_names(case.alias.meta.name)
    there = {name: case.world.virtual_service(alias.meta.namespace, name) for name in names}
    ours = (name for name, found in there.items() if found is not None and is_ours(found, alias))
    return next(ours, "") or next((name for name, found in there.items() if found is None), "")


def _keeps_destination(service: Service, bound: _Bound) -> str:
    """Why the Service's cluster has no endpoints of its own, "" where it has."""
    if service.headless:
        return f"{service.key} is headless"
    for rule in bound.rules:
        policies = (rule.policy, *(policy for _, policy in rule.policy.ports)) if rule.policy else ()
        if any(policy.passthrough for policy in policies):
            return f"{rule.key} has the load balancer PASSTHROUGH"
    return ""


def _own_cluster(case: Case, bound: _Bound, *, ours: bool) -> Why:
    fix = "set spec.routing to Service or Auto"
    if not ours:
        fix = "delete that entry, and the operator makes one"
    what = "routing is Own" if ours else "an entry of somebody else serves the alias"
    message = f"{what}: calls by {case.spec.host} have a cluster of their own, and go without {bound}; {fix}"
    return Why(Reason.OWN_CLUSTER, message)


def _by_sni(case: Case, ports: tuple[int, ...]) -> Why:
    message = (
        f"calls by {case.spec.host} to {_listed(ports)} are TLS and may have a cluster of their own: a VirtualService "
        "would take those with one SNI, and reset all others"
    )
    return Why(Reason.ROUTES_NOT_FOLLOWED, message)


def _unfollowed(why: Why) -> Route:
    return Route(condition=Condition(POLICIES_FOLLOWED, "False", why.reason, why.message))


def _listed(ports: tuple[int, ...]) -> str:
    return f"port{'s' * (len(ports) > 1)} {', '.join(map(str, ports))}"
