"""What the checks of one entry look at (`findings`)."""

from dataclasses import dataclass

from dnsalias_operator.core.istio.visibility import Scope
from dnsalias_operator.core.outcome import EntryDecision
from dnsalias_operator.core.reasons import Reason
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Look:
    """What the checks of one entry look at. ``service`` is what it stands for, named explicitly or while in our care.

    ``counted`` as in `findings.entry_findings`.
    """

    world: Snapshot
    rules: Rules
    entry: ServiceEntry
    decision: EntryDecision | None
    service: Service | None
    counted: bool = False

    @property
    def outside(self) -> bool:
        """Whether it stands for something outside the mesh: what the sidecar resolves, and what it is called by."""
        why = self.decision.why if self.decision else None
        return why is not None and why.reason is Reason.OUTSIDE_MESH

    @property
    def scope(self) -> Scope:
        """The namespaces that it is exported to."""
        return Scope.of_claimant(self.entry, self.rules.mesh)
