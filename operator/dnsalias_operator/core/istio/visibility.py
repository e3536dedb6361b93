"""Who sees what: exportTo of Services, ServiceEntries and DnsAliases as sets of namespaces.

Source: ServiceEntry API documentation, ``exportTo``; Istio pilot/pkg/model/push_context.go initServiceRegistry.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from dnsalias_operator.core.istio.listeners.services import export_to
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import LABEL
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry

_NAMESPACE = re.compile(LABEL)


@dataclass(frozen=True, slots=True)
class Scope:
    """A set of namespaces: all of them where ``everywhere``, else exactly ``namespaces``."""

    everywhere: bool
    namespaces: frozenset[str] = frozenset()

    @classmethod
    def of(cls, export_to: Iterable[str] | None, own: str, default: Iterable[str]) -> Self:
        """The scope of an exportTo list of an object in namespace ``own``; None takes ``default``.

        What can be no namespace's name reaches nobody: istiod reads it in a Service's annotation, and refuses it in an
        entry that we would write.
        """
        values = tuple(default if export_to is None else export_to)
        if "*" in values:
            return cls(everywhere=True)
        named = (own if value == "." else value for value in values)
        return cls(everywhere=False, namespaces=frozenset(filter(_NAMESPACE.fullmatch, named)))

    @classmethod
    def of_claimant(cls, obj: Service | ServiceEntry, mesh: Mesh) -> Self:
        """The scope of a Service or ServiceEntry, as istiod understands its exportTo."""
        return cls.of(sorted(export_to(obj, mesh)), obj.meta.namespace, ())

    def overlaps(self, other: "Scope") -> bool:
        """Whether some namespace is in both."""
        if self.everywhere:
            return other.everywhere or bool(other.namespaces)
        return bool(self.namespaces) if other.everywhere else bool(self.namespaces & other.namespaces)

    def narrowed(self, other: "Scope") -> "Scope":
        """The namespaces in both."""
        if self.everywhere:
            return other
        return self if other.everywhere else Scope(everywhere=False, namespaces=self.namespaces & other.namespaces)

    def export_to(self, own: str) -> list[str]:
        """The exportTo list that states this scope on an object in namespace ``own``."""
        if self.everywhere:
            return ["*"]
        return sorted("." if n == own else n for n in self.namespaces) or ["~"]
