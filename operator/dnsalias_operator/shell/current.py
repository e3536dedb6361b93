"""The rules that decisions are made by now: those of the settings, in the mesh as it was read last."""

from dnsalias_operator.core.istio.meshconfig import NOTHING, Found, effective
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.snapshot import Snapshot


class Current:
    """``rules`` is replaced as a whole when the mesh changes; after that everything is decided again."""

    def __init__(self, given: Rules) -> None:
        self.given = given
        self.rules = given
        self.found: Found = NOTHING

    def learn(self, found: Found, world: Snapshot) -> bool:
        """Take in what was read; whether the mesh differs from what it was."""
        self.found = found
        mesh = effective(self.given.mesh, found, world)
        if mesh == self.rules.mesh:
            return False
        self.rules = self.given.model_copy(update={"mesh": mesh})
        return True
