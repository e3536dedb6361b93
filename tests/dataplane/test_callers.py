"""What is repaired keeps working for everybody who called it: real traffic, before and after the plan was written.

Under REGISTRY_ONLY, where a call that no entry takes is refused; ``make equivalence`` does the whole table.
"""

import pytest

from tools.dataplane.equivalence import table as document
from tools.dataplane.equivalence.callers import table
from tools.dataplane.equivalence.callers.entries import CASES
from tools.dataplane.equivalence.callers.rows import CLIENTS, Row, calls, product
from tools.dataplane.equivalence.callers.scene import run
from tools.dataplane.equivalence.callers.verdict import BROKEN, NOBODY, Outcome

SHORT = ("REGISTRY_ONLY",)
DOCUMENTED = {tuple(row[:5]): row[5:] for row in document.rows_of(document.parts()[1])}
"""Plan, answers and verdict, by what says which row it is."""


def test_the_document_has_every_call_and_nobody_lost_anything() -> None:
    """docs/equivalence.md is of all rows, and none is broken."""
    assert set(DOCUMENTED) == {table.label(row) for row in product()}
    words = {row[-1] for row in DOCUMENTED.values()}
    assert words == {"same", "hazard gone", "hazard stays", "works now"}


def test_a_hazard_stays_only_with_a_reason() -> None:
    """Where an entry goes on taking what is not its own, the plan changes nothing and says why."""
    plans = [row[0] for row in DOCUMENTED.values() if row[-1] == "hazard stays"]
    assert plans
    assert {plan.partition(", ")[0] for plan in plans} == {"no change"}
    assert all(plan.partition(", ")[2] for plan in plans)


def test_every_entry_has_a_caller() -> None:
    """Each is reached by its name by some class of client, so that there is something to lose."""
    own = [row for row in product() if row.call.own and row.call.to == row.call.case.host]
    answered = {row.call.case.name: set[str]() for row in own}
    for row in own:
        answered[row.call.case.name].add(DOCUMENTED[table.label(row)][1])
    assert all(answers - {NOBODY} for answers in answered.values())


@pytest.mark.parametrize(
    ("own", "alone", "before", "after", "word"),
    [
        (True, "", "server", "server", "same"),
        (True, "", "server", "other", BROKEN),
        (True, "", "server", NOBODY, BROKEN),
        (True, "", NOBODY, NOBODY, "same"),
        (True, "", NOBODY, "server", "works now"),
        (False, "other", "server", "other", "hazard gone"),
        (False, NOBODY, "server", NOBODY, "hazard gone"),
        (False, "other", "server", NOBODY, "hazard stays"),
        (False, "other", "other", "other", "same"),
        (False, "other", "other", "server", BROKEN),
        (False, NOBODY, NOBODY, "server", BROKEN),
    ],
)
def test_whoever_had_an_answer_keeps_it(*, own: bool, alone: str, before: str, after: str, word: str) -> None:
    """A call of the entry is judged by what it got before, any other one by what it gets without the entry."""
    call = next(call for call in calls(CASES[0]) if call.own is own)
    assert Outcome(Row(call, CLIENTS[0], "ALLOW_ANY"), alone, before, after, "").word == word


@pytest.fixture(scope="module")
def outcomes(data_plane: None) -> dict[Row, Outcome]:  # noqa: ARG001
    """The rows of one policy, called in one mesh; the table is printed."""
    found = run(SHORT)
    print(f"\n{table.text(found)}\n{table.summary(found)}")  # noqa: T201 (the table is what people look for in the log)
    return {outcome.row: outcome for outcome in found}


@pytest.mark.cluster
@pytest.mark.dataplane
@pytest.mark.parametrize("row", product(SHORT), ids=lambda row: "-".join(table.label(row)))
def test_a_call_ends_as_documented(row: Row, outcomes: dict[Row, Outcome]) -> None:
    """Who answers before and after, what the plan does, and the verdict are those of docs/equivalence.md."""
    assert table.cells(outcomes[row])[5:] == tuple(DOCUMENTED[table.label(row)])
