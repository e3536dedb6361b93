"""What the API server itself can refuse of a host: the settings' host policy as a ValidatingAdmissionPolicy.

Only what depends on the host and its namespace alone. Whether a Service or an older alias has the name, and the public
suffixes (thousands), are known to the operator alone; it judges everything once more, so that this adds an early answer
and takes nothing away. Source: Kubernetes, Validating Admission Policy; CEL's language definition for the literals.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from dnsalias_operator.core.hosts.names import reserved_names
from dnsalias_operator.core.reasons import Reason
from dnsalias_operator.model.hostrules import ANY, HostRule
from dnsalias_operator.model.names import GROUP, PLURAL, VERSION
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.selector import Requirement, Selector

API_VERSION = "admissionregistration.k8s.io/v1"
NAME = f"{PLURAL}.{GROUP}"


def admission(rules: Rules) -> list[dict[str, Any]]:
    """The policy and its binding, as the API server takes them."""
    return [
        {
            "apiVersion": API_VERSION,
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": NAME},
            "spec": {
                "failurePolicy": "Fail",
                "matchConstraints": {
                    "resourceRules": [
                        {
                            "apiGroups": [GROUP],
                            "apiVersions": [VERSION],
                            "operations": ["CREATE", "UPDATE"],
                            "resources": [PLURAL],
                        }
                    ]
                },
                # An object from before this policy stays editable: the operator says what is wrong with it.
                "matchConditions": [
                    {
                        "name": "host-is-new",
                        "expression": "request.operation == 'CREATE' || object.spec.host != oldObject.spec.host",
                    }
                ],
                "variables": list(_variables(rules)),
                "validations": list(_validations(rules)),
            },
        },
        {
            "apiVersion": API_VERSION,
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": NAME},
            "spec": {"policyName": NAME, "validationActions": ["Deny"]},
        },
    ]


def _variables(rules: Rules) -> Iterator[dict[str, str]]:
    yield {"name": "host", "expression": "object.spec.host"}
    if not rules.host_rules:
        return
    # The first that covers the host is the longest.
    suffixes = sorted(_by_suffix(rules), key=lambda s: (-len(s), s))
    covering = f"{_literal(suffixes)}.filter(s, {_under('s')})"
    yield {"name": "covering", "expression": covering}
    yield {"name": "suffix", "expression": "variables.covering.size() > 0 ? variables.covering[0] : ''"}
    if any(rule.namespace_selector for rule in rules.host_rules):
        labels = "has(namespaceObject.metadata.labels) ? namespaceObject.metadata.labels : {}"
        yield {"name": "labels", "expression": labels}


def _validations(rules: Rules) -> Iterator[dict[str, str]]:
    for suffix, meaning in reserved_names(rules.mesh):
        why = f" is reserved: {suffix} belongs to {meaning}; choose another host"
        yield _validation(f"!({_under(_literal(suffix))})", Reason.HOST_RESERVED, why)
    if not rules.internationalized_hosts:
        why = " has a label in IDNA form, which people may take for another name; use plain letters"
        yield _validation("!variables.host.matches(r'(^|\\.)..--')", Reason.HOST_INTERNATIONALIZED, why)
    if rules.host_default == "deny":
        why = " is under no suffix of host_rules, and host_default is deny; have the settings give it to this namespace"
        yield _validation("variables.suffix != ''" if rules.host_rules else "false", Reason.HOST_NOT_ALLOWED, why)
    for suffix, numbered in _by_suffix(rules).items():
        if any(ANY in rule.namespaces for _, rule in numbered):
            continue
        allowed = " || ".join(f"({_names(rule)})" for _, rule in numbered)
        holders = " and ".join(dict.fromkeys(rule.holders for _, rule in numbered))
        why = f" is not for this namespace: host_rules[{numbered[0][0]}] (suffix {suffix}) gives it to {holders}"
        yield _validation(f"variables.suffix != {_literal(suffix)} || {allowed}", Reason.HOST_NOT_ALLOWED, why)


def _validation(expression: str, reason: str, why: str) -> dict[str, str]:
    """One check; the message is the operator's, in one line that begins with the condition's reason."""
    message = f"{_literal(f'{reason}: host ')} + variables.host + {_literal(why)}"
    kind = "Forbidden" if reason == Reason.HOST_NOT_ALLOWED else "Invalid"
    return {"expression": expression, "messageExpression": message, "reason": kind}


def _by_suffix(rules: Rules) -> dict[str, list[tuple[int, HostRule]]]:
    found: dict[str, list[tuple[int, HostRule]]] = {}
    for number, rule in enumerate(rules.host_rules):
        for suffix in dict.fromkeys(rule.suffixes):
            found.setdefault(suffix, []).append((number, rule))
    return found


def _under(suffix: str) -> str:
    """Whether the host is the suffix or a name under it; ``suffix`` is an expression."""
    return f"variables.host == {suffix} || variables.host.endsWith('.' + {suffix})"


def _names(rule: HostRule) -> str:
    """Whether the rule names the request's namespace."""
    selector = Selector.parse(rule.namespace_selector).requirements
    by_name = f"request.namespace in {_literal(rule.namespaces)}" if rule.namespaces else ""
    by_label = " && ".join(map(_meets, selector))
    return " || ".join(filter(None, (by_name, by_label))) or "false"


def _meets(requirement: Requirement) -> str:
    key = _literal(requirement.key)
    there = f"{key} in variables.labels"
    if requirement.wanted is not None:
        there = f"({there} && variables.labels[{key}] in {_literal(sorted(requirement.wanted))})"
    return f"!({there})" if requirement.negated else there


def _literal(value: str | Iterable[str]) -> str:
    """A string or a list of strings in CEL: JSON's escapes are among CEL's."""
    return json.dumps(value if isinstance(value, str) else list(value))
