"""A Namespace as the core sees it."""

from dataclasses import dataclass, field
from typing import Self

from dnsalias_operator.model.meta import ObjectMeta, Raw, empty
from dnsalias_operator.model.names import Key


@dataclass(frozen=True, slots=True)
class Namespace:
    """A Namespace: only its labels matter here (ambient mode, selectors)."""

    meta: ObjectMeta
    raw: Raw = field(default_factory=empty, compare=False, repr=False)

    @property
    def key(self) -> Key:
        """Identity."""
        return Key("Namespace", "", self.meta.name)

    @classmethod
    def parse(cls, raw: Raw) -> Self:
        """Read a Namespace; total over any mapping."""
        return cls(ObjectMeta.parse(raw), raw)
