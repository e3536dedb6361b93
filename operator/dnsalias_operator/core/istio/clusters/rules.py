"""Which DestinationRule applies to a client's cluster, and what becomes of several for one host.

Source: setDestinationRules, destinationRule and getExportedDestinationRuleFromNamespace in
pilot/pkg/model/push_context.go; mergeDestinationRule in pilot/pkg/model/destination_rule.go; MostSpecificHostMatch and
ResolveShortnameToFQDN in pilot/pkg/model/config.go; DestinationRule in pilot/pkg/model/sidecar.go. Subsets are left
out: only VirtualServices lead to them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from dnsalias_operator.core.istio.listeners import Client
from dnsalias_operator.core.istio.listeners.imports import covers
from dnsalias_operator.core.istio.listeners.services import PRIVATE, PUBLIC, full_name
from dnsalias_operator.model.destinationrule import DestinationRule, TrafficPolicy
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.snapshot import Snapshot

NOTHING = TrafficPolicy()


@dataclass(frozen=True, slots=True)
class Rule:
    """Rules for one host merged into one. ``key`` is that of the rule whose policy it is."""

    key: Key
    selector: Mapping[str, str] | None
    export_to: frozenset[str]
    policy: TrafficPolicy | None

    def at(self, port: int) -> TrafficPolicy:
        """The policy of a port: its own settings replace those of the host as a whole."""
        policy = self.policy or NOTHING
        return next((own for number, own in policy.ports if number == port), policy)

    def tls_mode(self, port: int) -> str | None:
        """The TLS mode by which endpoints are judged, which a port without one takes from the host.

        Source: trafficPolicyTLSModeForPort in pilot/pkg/xds/endpoints/mtls_checker.go.
        """
        policy = self.policy or NOTHING
        own = (settings.tls for number, settings in policy.ports if number == port and settings.tls)
        tls = next(own, policy.tls)
        return tls.mode if tls else None


def rule_for(snapshot: Snapshot, client: Client, hostname: str, namespace: str, mesh: Mesh) -> Rule | None:
    """The rule that a client has for the service of that hostname in ``namespace``, or None.

    The first of these that has rules for the host: the client's namespace, the service's, the root namespace; what the
    latter two do not export to the client does not count. Within one the most specific host counts. Of several rules
    for one host, one that selects the client goes first. Namespaces that istiod does not discover have none.
    """
    own = client.namespace
    applies = _private if own == mesh.root_namespace else _local
    found = _matching(hostname, filter(applies, _rules(snapshot, own, mesh)), mesh)
    for other in (namespace, mesh.root_namespace):
        if not found:
            exported = _matching(hostname, (r for r in _rules(snapshot, other, mesh) if not _private(r)), mesh)
            found = [r for r in exported if not r.export_to or r.export_to & {PUBLIC, own}]
    chosen = (r for r in found if r.selector is not None and r.key.namespace == own)
    selected = next((r for r in chosen if r.selector is not None and r.selector.items() <= client.labels.items()), None)
    return selected or next((r for r in reversed(found) if r.selector is None), None)


def namespaces_with_rules(snapshot: Snapshot, hostname: str, mesh: Mesh) -> tuple[str, ...]:
    """The namespaces that have rules for a hostname, sorted: their clients may send something else than others do."""
    about = snapshot.destination_rules_about(hostname)
    found = {r.meta.namespace for r in about if covers(full_name(r.host, r.meta.namespace, mesh), hostname)}
    return tuple(sorted(found))


def _rules(snapshot: Snapshot, namespace: str, mesh: Mesh) -> list[DestinationRule]:
    """The rules of a namespace as they are gone through: those that select pods, then the oldest, first."""
    return sorted(snapshot.destination_rules_in(namespace), key=_age) if mesh.discovers(namespace) else []


def _age(rule: DestinationRule) -> tuple[bool, bool, int, str]:
    return (rule.workload_selector is None, rule.meta.created is None, rule.meta.created or 0, rule.meta.name)


def _export_to(rule: DestinationRule) -> frozenset[str]:
    """A rule that selects pods is private, whatever it says."""
    return frozenset(rule.export_to if rule.workload_selector is None else (PRIVATE,))


def _local(rule: DestinationRule) -> bool:
    """Whether clients of its own namespace get it."""
    targets = _export_to(rule)
    return not targets or bool(targets & {PUBLIC, PRIVATE, rule.meta.namespace})


def _private(rule: DestinationRule) -> bool:
    """Whether only they get it."""
    return _export_to(rule) in (frozenset((PRIVATE,)), frozenset((rule.meta.namespace,)))


def _matching(hostname: str, rules: Iterable[DestinationRule], mesh: Mesh) -> list[Rule]:
    """The merged rules for the most specific host that stands for the hostname."""
    by_host: dict[str, list[Rule]] = {}
    for rule in rules:
        _merge(by_host.setdefault(full_name(rule.host, rule.meta.namespace, mesh), []), rule)
    if hostname in by_host:
        return by_host[hostname]
    name = hostname.removeprefix("*")
    wild = [host for host in by_host if host.startswith("*") and name.endswith(host[1:])]
    return by_host[min(wild, key=lambda host: (-len(host), host))] if wild else []


def _merge(merged: list[Rule], rule: DestinationRule) -> None:
    """Add a rule to those for the same host, as istiod does, its oversights included.

    A policy is taken over where there is none yet. The rule stands for itself unless one is there that has its
    exportTo, a smaller one, or its selector.
    """
    targets, selector = _export_to(rule), rule.workload_selector
    apart = True
    for place, other in enumerate(merged):
        apart = targets != other.export_to
        if apart and not (other.export_to and targets >= other.export_to):
            continue
        if selector is not None and other.selector is not None and dict(selector) != dict(other.selector):
            apart = True
            continue
        if (selector is None) == (other.selector is None):
            apart = False
        if other.policy is None and rule.policy is not None:
            merged[place] = replace(other, policy=rule.policy, key=rule.key)
    if apart:
        merged.append(Rule(rule.key, selector, targets, rule.policy))
