"""The rules that decisions are made by now: those of the settings, in the mesh as it was read last."""

from dnsalias_operator.core.istio.meshconfig import NOTHING, Found, effective_rules
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
        rules = effective_rules(self.given, found, world)
        if (rules.mesh, rules.beside) == (self.rules.mesh, self.rules.beside):
            return False
        self.rules = rules
        return True
