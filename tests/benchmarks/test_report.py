"""Tables, JSON and docs/performance.md: every measure is on the page, and a file reads back as what was written."""

import json
from pathlib import Path

from benchmarks import report
from benchmarks.document import NOTES, document
from benchmarks.measures import MEASURES, ROWS
from benchmarks.stats import Result

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
MACHINE = {"Processor": "one", "Load when it began": "0.1"}


def test_every_row_has_measures_a_title_and_a_note() -> None:
    """No row of the table is forgotten, and nothing is measured for a row that is not there."""
    assert {m.row for m in MEASURES.values()} == set(ROWS) == set(NOTES) == set(range(1, 10))


def test_the_page_has_every_row() -> None:
    """docs/performance.md has each row's title and every measure, and says on which machine it was run."""
    page = PAGE.read_text()
    assert [title for row, (title, _) in ROWS.items() if f"## {row}. {title}\n" not in page] == []
    assert [m.what for m in MEASURES.values() if f"| {m.what} " not in page] == []
    assert "Load when it began" in page


def test_a_row_that_was_not_measured_says_so() -> None:
    """A page from half a run does not pass for a whole one."""
    page = document({"start": Result((12.0,), (10.0,))}, MACHINE)
    assert "| 12.0 s | 10.0 s | 1.20 | ≤ 1.35 x | met |" in page
    assert page.count("not measured in this run") == len(MEASURES) - 1


def test_a_smaller_run_meets_no_aim() -> None:
    """Figures of a quick look are shown as such, and are not held against the aim."""
    page = document({"start": Result((12.0,), (10.0,), note="run at 0.1 of the size")}, MACHINE)
    assert "(run at 0.1 of the size) | 12.0 s | 10.0 s | 1.20 | ≤ 1.35 x | not judged |" in page


def test_curves_are_tables() -> None:
    """A measure with a curve has a table with a column for each size."""
    page = document({"change-plan": Result((0.5,), curve=((1000.0, 0.5), (2000.0, 0.6)))}, MACHINE)
    assert "| Objects in the world | 1,000 | 2,000 |" in page
    assert "| 0.50 ms | 0.60 ms |" in page


def test_the_table_shows_the_spread_and_the_verdict() -> None:
    """Several repetitions show the least and the most; a missed aim says so."""
    shown = report.table({"burst-1000": Result((3.0, 4.0, 5.0), (2.0, 2.0, 2.0))})
    assert "4.00 s (3.00 to 5.00)" in shown
    assert shown.splitlines()[1].endswith("2.00   ≤ 1.25 x  missed")


def test_a_file_reads_back(tmp_path: Path) -> None:
    """What `write` wrote is what `read` gives, with medians and verdicts beside it for other tools."""
    results = {"start": Result((12.0,), (10.0,)), "change-plan": Result((0.5,), curve=((1000.0, 0.5),))}
    report.write(tmp_path / "one.json", results, MACHINE)
    assert report.read([tmp_path / "one.json"]) == (results, MACHINE)
    assert json.loads((tmp_path / "one.json").read_text())["results"]["start"]["met"] is True
