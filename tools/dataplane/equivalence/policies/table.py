"""The third table of docs/equivalence.md, and the same on a terminal."""

from collections.abc import Sequence

from tools.dataplane.equivalence.columns import aligned, counted, markdown
from tools.dataplane.equivalence.policies.rows import Row
from tools.dataplane.equivalence.policies.scene import Outcome

HEAD = (
    "port",
    "calls",
    "bound to the Service",
    "Service answers",
    "routing Own",
    "alias answers",
    "PoliciesFollowed",
    "verdict",
)
TITLE = "## What is bound to the Service, and calls by its alias"
INTRODUCTION = """\

Every row is a Service of two pods, v1 and v2, under STRICT, with what is bound to it by its own name, and an alias:
first with `routing: Own`, then with Auto (the first row: Service). PoliciesFollowed is the condition of the alias then.

- **same**: the alias is answered as the Service is, from a client that imports everything and from one whose Sidecar
  imports the alias alone, and its calls take the Service's cluster, or a subset of it.
- **said**: that is not so for every client, and the condition names why.
- **BROKEN**: that is not so, and nobody says it.

While the routing of all aliases changed to Own and back, both names were called all the time: no call failed.

"""


def label(row: Row) -> tuple[str, ...]:
    """The cells that say which row it is."""
    return (row.declared or "no protocol", row.speaks, row.what)


def cells(outcome: Outcome) -> tuple[str, ...]:
    """A row of the table."""
    return (*label(outcome.row), outcome.service, outcome.own, outcome.alias, outcome.followed or "-", outcome.word)


def text(outcomes: Sequence[Outcome]) -> str:
    """For a terminal: aligned columns."""
    return aligned(HEAD, map(cells, outcomes))


def summary(outcomes: Sequence[Outcome]) -> str:
    """How many rows came to what."""
    return counted(outcome.word for outcome in outcomes)


def section(outcomes: Sequence[Outcome]) -> str:
    """The section of the document."""
    return f"{TITLE}\n{INTRODUCTION}{summary(outcomes)}.\n\n{markdown(HEAD, map(cells, outcomes))}"
