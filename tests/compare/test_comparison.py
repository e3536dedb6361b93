"""docs/comparison.md: its figures are of the corpus that the repository holds, and a run gives them again."""

from pathlib import Path

import pytest

from tools.compare.asking import label
from tools.compare.corpus import digest, kinds
from tools.compare.page import BEGIN, END, PAGE, measured, written


def test_the_page_is_of_this_corpus() -> None:
    """The page names the corpus that it was made from, and has a row for every manifest: else, make compare."""
    page = PAGE.read_text(encoding="utf-8")
    made = page.partition(BEGIN)[2].partition(END)[0]
    assert f"<!-- corpus {digest()} -->" in made, "make compare"
    for kind in kinds():
        for case in kind.cases:
            assert f"| {kind.name} | {'' if case.wrong else 'right: '}{case.about} |" in made


def test_faults_are_in_objects_of_their_manifests() -> None:
    """Each kind has a name of its own; what is at fault is among the objects; each has what is right."""
    every = kinds()
    assert len({kind.name for kind in every}) == len(every)
    for kind in every:
        assert any(not case.wrong for case in kind.cases), kind.name
        for case in kind.cases:
            assert set(case.at) <= {label(raw) for raw in case.objects}, f"{kind.name}: {case.about}"


@pytest.mark.cluster
def test_a_run_gives_the_page_again(tmp_path: Path) -> None:
    """`make compare` has nothing to change."""
    page = PAGE.read_text(encoding="utf-8")
    assert written(page, measured(tmp_path)) == page, "make compare"
