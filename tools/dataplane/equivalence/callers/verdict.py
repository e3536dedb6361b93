"""What a row comes to: nothing changed, a hazard is gone or stays, or somebody lost what they had."""

from dataclasses import dataclass
from typing import Any

from tools.dataplane.equivalence.callers.rows import Row

NOBODY = "nobody"
BROKEN = "BROKEN"


@dataclass(frozen=True)
class Outcome:
    """What came of a row.

    Attributes:
        row: the call.
        alone: who answered when there was no entry.
        before: who did with the entry as its owner wrote it.
        after: who did once the plan was written.
        plan: what the plan does with the entry.
    """

    row: Row
    alone: str
    before: str
    after: str
    plan: str

    @property
    def word(self) -> str:
        """The verdict.

        A call that means the entry must be answered as before, and one that nobody answered may be. Any other one is
        right where it is answered as if there were no entry; what is right must stay so.
        """
        if self.row.call.own:
            return "same" if self.after == self.before else "works now" if self.before == NOBODY else BROKEN
        if self.before == self.alone:
            return "same" if self.after == self.alone else BROKEN
        return "hazard gone" if self.after == self.alone else "hazard stays"


def answered(asked: dict[str, Any]) -> str:
    """Who answered, and whether its sidecar saw mTLS; see ``ask``."""
    who = sorted({f"{one['pod']}{' by mTLS' if one.get('identity') else ''}" for one in asked["answers"]})
    return " or ".join([*who, *([NOBODY] if asked["errors"] else [])])
