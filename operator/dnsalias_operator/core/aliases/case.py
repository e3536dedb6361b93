"""What a decision about one alias looks at: its claim to a host, and its Service."""

from dataclasses import dataclass

from dnsalias_operator.core.hosts.claim import Claim
from dnsalias_operator.core.istio.visibility import Scope
from dnsalias_operator.model.dnsalias import chosen_ports
from dnsalias_operator.model.service import Service, ServicePort


@dataclass(frozen=True, slots=True)
class Case(Claim):
    """A claim with the Service that the alias names, None where there is none."""

    service: Service | None

    @property
    def ports(self) -> tuple[ServicePort, ...]:
        """The Service's TCP ports that the alias asks for."""
        return chosen_ports(self.spec, self.service)[0] if self.service else ()

    @property
    def scope(self) -> Scope:
        """The visibility that the alias gets: what it asks for, never wider than the Service's."""
        if self.service is None:
            return self.asked
        return self.asked.narrowed(Scope.of_claimant(self.service, self.rules.mesh))
