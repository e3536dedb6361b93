"""Who may have a host: the rule whose suffix is the longest that covers it, as DNS delegates a zone.

A namespace that a rule for `pay.hello` does not name has no names under pay.hello, whatever a rule for `hello` says.
Rules with one and the same suffix add up.
"""

from dataclasses import dataclass

from dnsalias_operator.core.hosts.names import under_suffix
from dnsalias_operator.core.istio.visibility import Scope
from dnsalias_operator.model.dnsalias import DnsAlias, DnsAliasSpec
from dnsalias_operator.model.hostrules import ANY, HostRule, some
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.selector import Selector
from dnsalias_operator.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Ruling:
    """Whether the host may be had, and by which rule.

    ``fault`` says why not and what to do, "" where it may. ``rule`` is None and ``name`` "" where no suffix covers the
    host; else ``name`` is the rule's place in the settings with the suffix that decided.
    """

    fault: str = ""
    rule: HostRule | None = None
    name: str = ""


def ruling(world: Snapshot, rules: Rules, host: str, namespace: str) -> Ruling:
    """What the settings say of an alias in ``namespace`` with that host."""
    suffix = max((s for rule in rules.host_rules for s in rule.suffixes if under_suffix(host, s)), key=len, default="")
    if not suffix:
        return Ruling() if rules.host_default == "allow" else Ruling(_uncovered(world, rules, host, namespace))
    deciding = [(n, rule) for n, rule in enumerate(rules.host_rules) if suffix in rule.suffixes]
    for number, rule in deciding:
        if _names(world, rule, namespace):
            return Ruling(rule=rule, name=f"host_rules[{number}] (suffix {suffix})")
    number, rule = deciding[0]
    name = f"host_rules[{number}] (suffix {suffix})"
    holders = " and ".join(dict.fromkeys(rule.holders for _, rule in deciding))
    unread = _unread(world, deciding, namespace)
    why = f"host {host} is not for namespace {namespace}: {name} gives it to {holders}{unread}"
    return Ruling(f"{why}; {_remedy(world, rules, namespace)}", rule, name)


def asked_scope(world: Snapshot, rules: Rules, alias: DnsAlias, spec: DnsAliasSpec) -> Scope | None:
    """The namespaces that an alias asks to be seen in, within the ceiling of its rule; None where it may not be."""
    namespace = alias.meta.namespace
    found = ruling(world, rules, spec.host, namespace)
    if found.fault:
        return None
    asked = Scope.of(spec.export_to, namespace, rules.default_export_to)
    return asked if found.rule is None else asked.narrowed(Scope.of(found.rule.export_to, namespace, ()))


def ceiling(world: Snapshot, rules: Rules, alias: DnsAlias, spec: DnsAliasSpec) -> str:
    """The sentence about a rule that takes visibility from the alias, "" where none does."""
    found = ruling(world, rules, spec.host, alias.meta.namespace)
    asked = Scope.of(spec.export_to, alias.meta.namespace, rules.default_export_to)
    if found.rule is None or asked_scope(world, rules, alias, spec) in (asked, None):
        return ""
    return f"{found.name} limits exportTo to {', '.join(found.rule.export_to)}"


def _names(world: Snapshot, rule: HostRule, namespace: str) -> bool:
    if ANY in rule.namespaces or namespace in rule.namespaces:
        return True
    known = world.namespace(namespace)
    return known is not None and Selector.parse(rule.namespace_selector).matches(known.meta.labels)


def _unread(world: Snapshot, deciding: list[tuple[int, HostRule]], namespace: str) -> str:
    """What a reader has to know where labels are asked for and none were read."""
    if world.namespace(namespace) is not None or not any(rule.namespace_selector for _, rule in deciding):
        return ""
    return f" (the labels of namespace {namespace} are not known here: its Namespace was not read)"


def _uncovered(world: Snapshot, rules: Rules, host: str, namespace: str) -> str:
    return f"host {host} is under no suffix of host_rules, and host_default is deny; {_remedy(world, rules, namespace)}"


def _remedy(world: Snapshot, rules: Rules, namespace: str) -> str:
    given = [suffix for rule in rules.host_rules if _names(world, rule, namespace) for suffix in rule.suffixes]
    settings = f"have the settings give it to namespace {namespace}"
    return f"choose {f'one under {some(dict.fromkeys(given))}' if given else 'another host'}, or {settings}"
