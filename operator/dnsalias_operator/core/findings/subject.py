"""What the checks of one entry look at (`findings`)."""

from dataclasses import dataclass

from dnsalias_operator.core.outcome import EntryDecision, State
from dnsalias_operator.core.reasons import Reason
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Look:
    """What the checks of one entry look at. ``service`` is what it stands for, told explicitly or while in our care.

    ``counted`` as in `findings.entry_findings`.
    """

    world: Snapshot
    rules: Rules
    entry: ServiceEntry
    decision: EntryDecision | None
    service: Service | None
    counted: bool = False

    @property
    def blocked(self) -> str | None:
        """The remedy where the clusterIP would do harm, None where it would not (or nothing was decided)."""
        if self.decision is None or not self.decision.selected or self.decision.state in (None, State.FIXED):
            return None
        if self.decision.reason in (Reason.PROTOCOL_MISMATCH, Reason.WOULD_SHADOW_SERVICE, Reason.WOULD_SHADOW_ENTRY):
            return f"do not set the clusterIP ({self.decision.reason}, see DA015): the operator contains the entry"
        return None
