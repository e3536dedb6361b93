"""The second table of docs/equivalence.md, and the same on a terminal."""

from collections.abc import Sequence

from tools.dataplane.equivalence.callers.rows import Row
from tools.dataplane.equivalence.callers.verdict import Outcome
from tools.dataplane.equivalence.columns import aligned, counted, markdown

HEAD = ("entry", "called", "outbound policy", "DNS capture", "client imports", "plan", "before", "after", "verdict")
TITLE = "## What callers of an entry get, before and after the plan"
INTRODUCTION = """\

Every row is one call by one class of client: with the entry as its owner wrote it, and again once everything was
written that `plan` decides for this mesh with `foreign_entries: patch`. Every entry has ports of its own, so that no
row can hide what another does. Outside names resolve to a server outside of the mesh, which has no sidecar and an
address that is no Service's; names of entries that stand for a Service resolve to the Service.

- **before**, **after**: who answered. `outside` and `server` are what the entry stands for: the server outside, or the
  Service's pod. `balancer` is at another address outside by which callers know a Service; `unrelated` is what no entry
  is about.
- **client imports**: "all", or by a Sidecar "entries": the entries, and no Service but one.
- **same**: answered as before. So must be every call that means what the entry stands for.
- **hazard gone**, **hazard stays**: the entry took a call that was not its own, which without the entry ends elsewhere.
  Where it stays, the plan changes nothing, and gives the reason.
- **works now**: nobody answered before.
- **BROKEN**: somebody lost what they had.

"""


def label(row: Row) -> tuple[str, ...]:
    """The cells that say which row it is."""
    capture, imports = "on" if row.client.captured else "off", "entries" if row.client.narrow else "all"
    return row.call.case.what, row.call.how, row.policy, capture, imports


def cells(outcome: Outcome) -> tuple[str, ...]:
    """A row of the table."""
    return (*label(outcome.row), outcome.plan, outcome.before, outcome.after, outcome.word)


def text(outcomes: Sequence[Outcome]) -> str:
    """For a terminal: aligned columns."""
    return aligned(HEAD, map(cells, outcomes))


def summary(outcomes: Sequence[Outcome]) -> str:
    """How many rows came to what."""
    return counted(outcome.word for outcome in outcomes)


def section(outcomes: Sequence[Outcome]) -> str:
    """The section of the document."""
    return f"{TITLE}\n{INTRODUCTION}{summary(outcomes)}.\n\n{markdown(HEAD, map(cells, outcomes))}"
