"""What is bound to a Service applies to calls by its alias: real traffic, through the running operator."""

import pytest

from tools.dataplane.equivalence import table as document
from tools.dataplane.equivalence.policies import table
from tools.dataplane.equivalence.policies.rows import ROWS, Row
from tools.dataplane.equivalence.policies.scene import BROKEN, Outcome, run

DOCUMENTED = {tuple(row[:3]): row[3:] for row in document.rows_of(document.parts()[2])}
"""Who answers, the condition and the verdict, by what says which row it is."""


def test_the_document_has_every_policy_and_none_is_lost_in_silence() -> None:
    """docs/equivalence.md is of all rows; each is the same as the Service, or the condition names why not."""
    assert set(DOCUMENTED) == {table.label(row) for row in ROWS}
    assert {row[-1].partition(":")[0] for row in DOCUMENTED.values()} == {"same", "said"}


def test_rows_have_names_of_their_own() -> None:
    """No two share a Service, and so a port or a host, nor the cells that say which they are."""
    assert len({row.name for row in ROWS}) == len({table.label(row) for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize(
    ("alias", "cluster", "followed", "word"),
    [
        ("v2", "outbound|13004|v2|canary.policies.svc.cluster.local", "True", "same"),
        ("v2", "outbound|13004||canary.bound.example", "True", BROKEN),
        ("v1, v2", "outbound|13004||canary.policies.svc.cluster.local", "True", BROKEN),
        ("v1, v2", "outbound|13004||canary.bound.example", "", BROKEN),
        ("v1, v2", "outbound|13004||canary.bound.example", "OwnCluster", "said: OwnCluster"),
    ],
)
def test_an_alias_is_judged_by_answers_and_cluster(alias: str, cluster: str, followed: str, word: str) -> None:
    """Only the condition excuses another answer or another cluster than the Service's."""
    (row,) = (row for row in ROWS if row.name == "canary")
    assert Outcome(row, "v2", "v1, v2", alias, alias, (cluster,), followed, 0).word == word


@pytest.fixture(scope="module")
def outcomes(data_plane: None) -> dict[Row, Outcome]:  # noqa: ARG001
    """All rows, tried together in one mesh with one operator; the table is printed."""
    found = run()
    print(f"\n{table.text(found)}\n{table.summary(found)}")  # noqa: T201 (the table is what people look for in the log)
    return {outcome.row: outcome for outcome in found}


@pytest.mark.cluster
@pytest.mark.dataplane
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
class TestRow:
    """What is held of each row."""

    def test_it_ends_as_documented(self, row: Row, outcomes: dict[Row, Outcome]) -> None:
        """Who answers by which name, the condition and the verdict are those of docs/equivalence.md."""
        assert table.cells(outcomes[row])[3:] == tuple(DOCUMENTED[table.label(row)])
        assert outcomes[row].followed == row.reason

    def test_no_call_fails_while_the_routing_changes(self, row: Row, outcomes: dict[Row, Outcome]) -> None:
        """Neither by the Service's name nor by the alias, there and back."""
        assert outcomes[row].failed == 0
