"""Findings that are one hazard with many objects behind it, put together.

The checks say which hazard a finding is part of (`outcome.Hazard`). Decisions, metrics and baselines are about objects,
so they count each; whoever shows findings to people shows these together (docs/findings.md, "Many objects, one
hazard").
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

from dnsalias_operator.core.outcome import Finding

Each = TypeVar("Each", bound=Finding)

MOST_APART = 5
"""Findings of one hazard that are shown one by one: each then has its own message, place and remedy."""
MOST_NAMED = 3
"""Objects that the sentence about a hazard names, besides the first."""


def together(
    findings: Iterable[Each], apart: Callable[[Each], Hashable] = lambda _: None
) -> tuple[tuple[Each, ...], ...]:
    """The findings in their order, those of one hazard as one: the one that acts now is the first of them.

    A hazard has findings of one code, severity and port, for which ``apart`` says the same.
    """
    found: dict[Hashable, list[Each]] = defaultdict(list)
    for number, finding in enumerate(findings):
        hazard = finding.hazard
        same = (finding.code, finding.severity, finding.port, hazard.name, apart(finding)) if hazard else number
        found[same].append(finding)
    groups: list[tuple[Each, ...]] = []
    for some in found.values():
        if len(some) <= MOST_APART:
            groups += [(finding,) for finding in some]
        else:
            groups.append(tuple(sorted(some, key=lambda f: (f.hazard is None or not f.hazard.acts, f.order))))
    return tuple(sorted(groups, key=lambda group: group[0].order))


def message_of(group: tuple[Finding, ...]) -> str:
    """One sentence about all of them."""
    first, *others = group
    if not others:
        return first.message
    named = ", ".join(str(f.key) for f in others[:MOST_NAMED])
    left = len(others) - MOST_NAMED
    rest = f"{named} and {left} more" if left > 0 else named
    return f"{len(group)} objects: {first.message}; behind the same hazard are {rest}"


def remedy_of(group: tuple[Finding, ...]) -> str:
    """What to do about all of them."""
    remedies = {finding.remedy for finding in group}
    if len(remedies) == 1:
        return group[0].remedy
    return "each has its own remedy: `dnsalias explain NAMESPACE/NAME` and `dnsalias lint -o json` have it"
