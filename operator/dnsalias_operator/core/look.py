"""What the checks of one entry look at (`findings`)."""

from dataclasses import dataclass

from dnsalias_operator.core.listeners import Pods, classes
from dnsalias_operator.core.outcome import EntryDecision, State
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Look:
    """What the checks of one entry look at. ``service`` is what it stands for, told explicitly or while in our care."""

    world: Snapshot
    rules: Rules
    entry: ServiceEntry
    decision: EntryDecision | None
    service: Service | None

    def classes(self, port: int) -> tuple[Pods, ...]:
        """The classes of clients that can differ on that port (`listeners.classes`); computed once a world."""
        question = ("classes", self.rules.mesh, port)
        if question not in self.world.memo:
            self.world.memo[question] = classes(self.world, self.rules.mesh, port)
        found: tuple[Pods, ...] = self.world.memo[question]
        return found

    @property
    def blocked(self) -> str | None:
        """The remedy where the clusterIP would do harm, None where it would not (or nothing was decided)."""
        if self.decision is None or not self.decision.selected or self.decision.state in (None, State.FIXED):
            return None
        if self.decision.reason in ("ProtocolMismatch", "WouldShadowService"):
            return f"do not set the clusterIP ({self.decision.reason}, see DA015): the operator contains the entry"
        return None
