"""What a decision about a host looks at: the alias that asks for it, in its world."""

from dataclasses import dataclass

from dnsalias_operator.core.hosts.rules import asked_scope, ceiling
from dnsalias_operator.core.istio.visibility import Scope
from dnsalias_operator.model.dnsalias import DnsAlias, DnsAliasSpec
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Claim:
    """An alias that asks for its host; whether its Service exists is not asked here."""

    world: Snapshot
    rules: Rules
    alias: DnsAlias
    spec: DnsAliasSpec

    @property
    def asked(self) -> Scope:
        """The visibility that the alias asks for, within the ceiling of its host rule; nowhere if it may not be."""
        return asked_scope(self.world, self.rules, self.alias, self.spec) or Scope(everywhere=False)

    @property
    def ceiling(self) -> str:
        """The sentence about the host rule that narrows that, "" where none does."""
        return ceiling(self.world, self.rules, self.alias, self.spec)
