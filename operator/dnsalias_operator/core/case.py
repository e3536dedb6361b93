"""What a decision about one alias looks at, and the form of a refusal."""

from dataclasses import dataclass

from dnsalias_operator.core.generate import chosen_ports
from dnsalias_operator.core.hostpolicy import ceiling, reach
from dnsalias_operator.core.visibility import Scope
from dnsalias_operator.model.dnsalias import DnsAlias, DnsAliasSpec
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.service import Service, ServicePort
from dnsalias_operator.model.snapshot import Snapshot

ACCEPTED = "Accepted"
RESOLVED_REFS = "ResolvedRefs"
PROGRAMMED = "Programmed"
READY = "Ready"


@dataclass(frozen=True, slots=True)
class Refusal:
    """The condition that turns False, its reason (one word of a closed list), and what was found and what to do."""

    condition: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Case:
    """What the checks look at. ``scope`` is the alias' visibility, never wider than the Service's."""

    world: Snapshot
    rules: Rules
    alias: DnsAlias
    spec: DnsAliasSpec
    service: Service | None

    @property
    def ports(self) -> tuple[ServicePort, ...]:
        """The Service's TCP ports that the alias asks for."""
        return chosen_ports(self.spec, self.service)[0] if self.service else ()

    @property
    def asked(self) -> Scope:
        """The visibility that the alias asks for, within the ceiling of its host rule; nowhere if it may not be."""
        return reach(self.world, self.rules, self.alias, self.spec) or Scope(everywhere=False)

    @property
    def ceiling(self) -> str:
        """The sentence that tells of the host rule that narrows that, "" where none does."""
        return ceiling(self.world, self.rules, self.alias, self.spec)

    @property
    def scope(self) -> Scope:
        """The visibility that it gets."""
        if self.service is None:
            return self.asked
        return self.asked.narrowed(Scope.of_claimant(self.service, self.rules.mesh))
