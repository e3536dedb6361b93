"""The figures themselves: kept, printed, and made into the page."""

from pathlib import Path

import pytest

from tools.reliability import figures
from tools.reliability.document import document
from tools.reliability.figures import Figure, kept, record
from tools.reliability.sections import SECTIONS

OF = next(iter(SECTIONS))


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "FOLDER", tmp_path)


def test_a_figure_is_kept_until_it_is_recorded_anew() -> None:
    """The latest record of a name in a section is what stands there."""
    record("Orphans", 3, "objects", OF, "0")
    record("Orphans", 0, "objects", OF, "0")
    record("Kills", 1200, "", OF)
    found = list(kept(figures.form()))
    assert [str(figure) for figure in found] == ["Orphans: 0 objects (must be 0)", "Kills: 1,200"]


def test_an_unknown_section_is_refused() -> None:
    """A figure that no page would show is a mistake."""
    with pytest.raises(KeyError):
        record("Orphans", 0, "objects", "No such section")


def test_the_page_shows_every_figure_under_its_section() -> None:
    """Title, prose and a row for each figure; sections that nobody measured are left out."""
    page = document([Figure("Orphans", 0, "objects", OF, "0"), Figure("Slowest | recovery", 1.2345, "s", OF)])
    assert f"## {OF}\n\n{SECTIONS[OF]}\n" in page
    assert "| Orphans | 0 objects | 0 |" in page
    assert "| Slowest \\| recovery | 1.23 s |  |" in page
    assert page.count("## ") == 1
