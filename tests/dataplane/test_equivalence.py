"""The alias equals the Service, and the fix hurts nobody: real traffic, through the running operator.

Every two values of any two columns meet in these rows, and the shapes of HTTP aliases under mTLS are all there;
``make equivalence`` does the whole product.
"""

from dataclasses import replace
from typing import Any

import pytest

from tools.dataplane.equivalence import table
from tools.dataplane.equivalence.rows import Row, chosen, pairs, pairwise, product
from tools.dataplane.equivalence.scene import run
from tools.dataplane.equivalence.seen import Outcome, Seen
from tools.dataplane.equivalence.verdict import Verdict, judge


def test_every_pair_of_values_is_tried() -> None:
    """CI's rows leave out no two values of two columns, and are a small part of the whole."""
    everything = {pair for row in product() for pair in pairs(row)}
    assert {pair for row in pairwise() for pair in pairs(row)} == everything
    assert set(pairwise()) <= set(chosen())
    assert len(chosen()) < len(product()) / 5


def test_every_row_has_names_of_its_own() -> None:
    """Names and ports come from a row's number, so no two rows share one."""
    assert [row.number for row in product()] == list(range(len(product())))


def test_the_document_has_the_whole_product_and_nothing_broken() -> None:
    """docs/equivalence.md is of all rows, each OK or REFUSED with a reason."""
    documented = table.documented()
    assert documented.keys() == {table.label(row) for row in product()}
    assert {word.split(" ")[0] for word in documented.values()} == {"OK", "REFUSED"}
    assert all(len(word.split(" ")) == 2 for word in documented.values() if word != "OK")


def seen(pod: str = "strict-all/in-mesh", **fields: Any) -> Seen:  # noqa: ANN401
    """What is seen where one pod answers everything."""
    good = {"answers": [{"pod": pod}], "errors": []}
    return replace(Seen(service=good, address=good, public=good, alias=good, service_mtls=(2, 2)), **fields)


@pytest.mark.parametrize(
    ("after", "reason", "word"),
    [
        (seen(), "", "OK"),
        (seen(), "Because", "REFUSED Because"),
        (seen(alias={"answers": [], "errors": ["reset"]}), "", "BROKEN alias: reset"),
        (seen(alias={"answers": [], "errors": ["reset"]}), "Because", "REFUSED Because"),
        (seen(alias={"answers": [{"pod": "public"}], "errors": []}), "", "BROKEN alias: wrong answer"),
        (seen(public={"answers": [], "errors": ["reset"]}), "Because", "BROKEN public server: reset"),
        (
            seen(address={"answers": [{"pod": "other"}], "errors": []}),
            "",
            "BROKEN Service by clusterIP: another answer",
        ),
        (seen(service_mtls=(2, 0)), "", "BROKEN Service's mTLS: mTLS, then plaintext"),
        (seen(client={"cluster": "other"}), "", "BROKEN client: cluster"),
        (seen(servers={"in-mesh": {"inbound identity": "other"}}), "", "BROKEN pod in-mesh: inbound identity"),
    ],
)
def test_whatever_is_hurt_is_broken(after: Seen, reason: str, word: str) -> None:
    """A reason excuses an alias that does not work, and nothing else."""
    before = seen(client={"cluster": "own"}, servers={"in-mesh": {"inbound identity": "own"}})
    base = replace(after, client=after.client or before.client, servers=after.servers or before.servers)
    row = Row("tcp", "STRICT", "all", "Service", "Workloads", "generated")
    assert judge(Outcome(row, before, base, reason)).word == word


@pytest.fixture(scope="module")
def verdicts(data_plane: None) -> dict[Row, Verdict]:  # noqa: ARG001
    """CI's rows, tried together in one mesh with one operator; the table is printed."""
    found = [judge(outcome) for outcome in run(chosen())]
    print(f"\n{table.text(found)}\n{table.summary(found)}")  # noqa: T201 (the table is what people look for in the log)
    return {verdict.outcome.row: verdict for verdict in found}


@pytest.mark.cluster
@pytest.mark.dataplane
@pytest.mark.parametrize("row", chosen(), ids=lambda row: "-".join(table.label(row)))
class TestRow:
    """What is held of each row."""

    def test_nothing_is_hurt(self, row: Row, verdicts: dict[Row, Verdict]) -> None:
        """The Service, its pods and an unrelated server are as they were before the alias."""
        assert verdicts[row].harm == ()

    def test_the_alias_works_or_the_operator_says_why_not(self, row: Row, verdicts: dict[Row, Verdict]) -> None:
        """A row is OK or REFUSED for the reason that the document tells."""
        verdict = verdicts[row]
        assert verdict.word == table.documented()[table.label(row)], verdict.outcome.message

    def test_what_the_operator_makes_of_workloads_always_works(self, row: Row, verdicts: dict[Row, Verdict]) -> None:
        """A generated entry of the Service's own pods, which is what Auto makes, is never refused; nor any TCP port."""
        if row.origin == "generated" and (row.endpoints == "Workloads" or row.protocol not in ("http", "grpc")):
            assert verdicts[row].word == "OK"
            assert verdicts[row].works
