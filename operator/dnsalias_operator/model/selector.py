"""Kubernetes label selectors in their string form (API documentation: labels and selectors)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

_NAME = r"[A-Za-z0-9](?:[-A-Za-z0-9_./]*[A-Za-z0-9])?"
_SET = re.compile(rf"^({_NAME})\s+(in|notin)\s+\(([^()]*)\)$")
_EQUALITY = re.compile(rf"^({_NAME})\s*(==|=|!=)\s*({_NAME}|)$")
_EXISTS = re.compile(rf"^(!?)\s*({_NAME})$")
_COMMA = re.compile(r",(?![^()]*\))")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One of its parts. ``wanted`` are the values of the label, None: any. ``negated``: what must not be."""

    key: str
    wanted: frozenset[str] | None
    negated: bool

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels meet it."""
        # As in Kubernetes, != and notin also match objects without the label.
        found = self.key in labels and (self.wanted is None or labels[self.key] in self.wanted)
        return found != self.negated


@dataclass(frozen=True, slots=True)
class Selector:
    """A conjunction of requirements on labels. Empty, it matches nothing: a blank setting repairs nothing."""

    requirements: tuple[Requirement, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``a=b,c!=d,e in (f,g),h,!i``.

        Raises:
            ValueError: a part is none of these forms; the message names the part.
        """
        return cls(tuple(_requirement(part.strip()) for part in _COMMA.split(text) if part.strip()))

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels is selected."""
        return bool(self.requirements) and all(r.matches(labels) for r in self.requirements)


def _requirement(part: str) -> Requirement:
    if found := _SET.match(part):
        values = frozenset(v.strip() for v in found[3].split(","))
        return Requirement(found[1], values, found[2] == "notin")
    if found := _EQUALITY.match(part):
        return Requirement(found[1], frozenset((found[3],)), found[2] == "!=")
    if found := _EXISTS.match(part):
        return Requirement(found[2], None, found[1] == "!")
    raise ValueError(f"label selector: cannot read {part!r}; expected key=value, key!=value, key in (a,b), key or !key")
