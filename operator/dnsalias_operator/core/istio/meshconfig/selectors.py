"""What chooses namespaces in a MeshConfig: discoverySelectors and the policies of serviceEntryVisibility.

Source: LabelSelectorAsSelector in pkg/config/mesh/labelselector/labelselector.go; selectorsChanged in
pkg/kube/namespace/filter.go; CompileServiceEntryVisibility in pilot/pkg/model/serviceentry_visibility.go.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from dnsalias_operator.core.istio.meshconfig.found import got
from dnsalias_operator.model.meta import mapping
from dnsalias_operator.model.selector import Requirement

NAME_LABEL = "kubernetes.io/metadata.name"
"""The label that every Namespace has: its name."""
_OPERATORS = {"In": False, "NotIn": True, "Exists": False, "DoesNotExist": True}
PUBLIC, NAMESPACE, NONE = "PUBLIC", "NAMESPACE", "NONE"
VISIBILITIES = ("VISIBILITY_UNSPECIFIED", NONE, NAMESPACE, PUBLIC)
"""By their numbers in the API."""


class SelectorError(ValueError):
    """A selector that istiod does not accept; the message names the part."""


@dataclass(frozen=True, slots=True)
class NamespaceSelector:
    """A Kubernetes LabelSelector. Empty, it selects everything."""

    requirements: tuple[Requirement, ...]

    @classmethod
    def parse(cls, raw: object) -> Self:
        """Read ``matchLabels`` and ``matchExpressions``.

        Raises:
            SelectorError: it is none.
        """
        if not isinstance(raw, Mapping):
            raise SelectorError(f"expected a selector with matchLabels or matchExpressions, got {got(raw)}")
        return cls((*_labels(raw.get("matchLabels")), *_expressions(raw.get("matchExpressions"))))

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether a namespace with these labels is selected."""
        return all(r.matches(labels) for r in self.requirements)

    def decides(self, known: Mapping[str, str]) -> bool:
        """Whether the labels that are ``known`` settle it, where a namespace may have others as well."""
        return all(r.key in known for r in self.requirements) or any(
            r.key in known and not r.matches(known) for r in self.requirements
        )

    def __str__(self) -> str:
        return " and ".join(map(_said, self.requirements)) or "everything"


@dataclass(frozen=True, slots=True)
class Policy:
    """How far ServiceEntries are seen of namespaces that all its rules select; None: a rule that never matches."""

    visibility: str
    rules: tuple[NamespaceSelector | None, ...]


@dataclass(frozen=True, slots=True)
class EntryVisibility:
    """MeshConfig.serviceEntryVisibility: the first policy that matches counts, else the default."""

    default: str
    policies: tuple[Policy, ...]
    sidecars: bool
    """Whether sidecars follow it (``applyToSidecars``)."""

    def of(self, labels: Mapping[str, str] | None, name: str) -> str:
        """What it says of a namespace; None: its labels are not known, and where they matter the widest is taken."""
        known = {NAME_LABEL: name} if labels is None else labels
        for policy in self.policies:
            if labels is None and not all(rule is None or rule.decides(known) for rule in policy.rules):
                return PUBLIC
            if all(rule is not None and rule.matches(known) for rule in policy.rules):
                return policy.visibility
        return self.default

    def __str__(self) -> str:
        each = (f"{p.visibility} where {' and '.join(map(str, p.rules)) or 'always'}" for p in self.policies)
        told = "; ".join((*each, f"else {self.default}"))
        return told if self.sidecars else f"{told} (ambient only)"


def selected(selectors: tuple[NamespaceSelector, ...], labels: Mapping[str, str] | None, name: str) -> bool:
    """Whether istiod sees a namespace: any of the selectors matches, or there is none.

    One whose labels are not known (None) counts as seen unless no label that it may have would change the answer.
    """
    if not selectors:
        return True
    if labels is not None:
        return any(s.matches(labels) for s in selectors)
    known = {NAME_LABEL: name}
    return any(not s.decides(known) or s.matches(known) for s in selectors)


def discovery_of(raw: object) -> tuple[NamespaceSelector, ...]:
    """Read ``discoverySelectors``; raises SelectorError."""
    if not isinstance(raw, list):
        raise SelectorError(f"expected a list of selectors, got {got(raw)}")
    return tuple(map(NamespaceSelector.parse, raw))


def visibility_of(raw: object) -> EntryVisibility:
    """Read ``serviceEntryVisibility``; raises SelectorError."""
    if not isinstance(raw, Mapping):
        raise SelectorError(f"expected a mapping, got {got(raw)}")
    policies = raw.get("policies") or []
    if not isinstance(policies, list):
        raise SelectorError(f"policies: expected a list, got {got(policies)}")
    to_sidecars = raw.get("applyToSidecars", False)
    if not isinstance(to_sidecars, bool):
        raise SelectorError(f"applyToSidecars: expected true or false, got {got(to_sidecars)}")
    return EntryVisibility(_visibility(raw.get("defaultVisibility")), tuple(map(_policy, policies)), to_sidecars)


def _policy(raw: object) -> Policy:
    policy = mapping(raw)
    rules = policy.get("matchingRules") or []
    if not isinstance(rules, list):
        raise SelectorError(f"matchingRules: expected a list, got {got(rules)}")
    given = (mapping(rule).get("namespaceSelector") for rule in rules)
    parsed = tuple(None if selector is None else NamespaceSelector.parse(selector) for selector in given)
    return Policy(_visibility(policy.get("visibility")), parsed)


def _visibility(value: object) -> str:
    name = VISIBILITIES[value] if isinstance(value, int) and 0 <= value < len(VISIBILITIES) else value
    if name is None or name == VISIBILITIES[0]:
        return PUBLIC
    if name not in VISIBILITIES:
        raise SelectorError(f"expected one of {', '.join(VISIBILITIES[1:])}, got {got(value)}")
    return str(name)


def _labels(raw: object) -> Iterator[Requirement]:
    for key, value in _mapping("matchLabels", raw).items():
        if not isinstance(value, str):
            raise SelectorError(f"matchLabels.{key}: expected text, got {got(value)}; put it in quotes")
        yield Requirement(str(key), frozenset((value,)), negated=False)


def _expressions(raw: object) -> Iterator[Requirement]:
    if raw is not None and not isinstance(raw, list):
        raise SelectorError(f"matchExpressions: expected a list, got {got(raw)}")
    for each in raw or ():
        expression = mapping(each)
        key, operator = expression.get("key"), expression.get("operator")
        values = expression.get("values") or []
        if not isinstance(key, str) or not isinstance(operator, str) or operator not in _OPERATORS:
            raise SelectorError(
                f"matchExpressions: expected a key, and as operator one of {', '.join(_OPERATORS)}, got {got(operator)}"
            )
        listed = operator in ("In", "NotIn")
        if not isinstance(values, list) or not all(isinstance(v, str) for v in values) or listed != bool(values):
            raise SelectorError(f"matchExpressions: {operator} of {key} with values {got(values)}")
        yield Requirement(key, frozenset(values) if listed else None, _OPERATORS[operator])


def _mapping(what: str, raw: object) -> Mapping[Any, Any]:
    if raw is not None and not isinstance(raw, Mapping):
        raise SelectorError(f"{what}: expected a mapping, got {got(raw)}")
    return raw or {}


def _said(requirement: Requirement) -> str:
    if requirement.wanted is None:
        return f"{'not ' * requirement.negated}{requirement.key}"
    values = sorted(requirement.wanted)
    if len(values) == 1:
        return f"{requirement.key}{'!=' if requirement.negated else '='}{values[0]}"
    return f"{requirement.key} {'not ' * requirement.negated}in ({','.join(values)})"
