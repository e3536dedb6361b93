"""CONTRIBUTING.md leads to the right place: each recipe names files, and they are there."""

import re
from pathlib import Path

import pytest

from tests.install.markdown import sections

REPOSITORY = Path(__file__).parents[2]
PACKAGE = REPOSITORY / "operator" / "dnsalias_operator"
TEXT = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
RECIPES = sections(sections(TEXT, 2)["Recipes"], 3)
WANTED = [
    "A spec field",
    "A reason",
    "A finding",
    "An alert",
    "A metric",
    "A setting",
    "A kind to watch",
    "A fact about the mesh",
    "An output form",
    "A rule of Istio",
    "A release of Istio",
    "A scenario",
]
NAMED = re.compile(r"`([\w./-]*/[\w./-]*|[\w-]+\.(?:py|md|yaml))`")
"""Files and folders; `setting-NAME.yaml` and other patterns have capitals for what is to be filled in."""
FEWEST = 2


def test_there_is_a_recipe_for_each_usual_change() -> None:
    """The twelve changes that people make most, and no other, have a recipe each."""
    assert list(RECIPES) == WANTED


@pytest.mark.parametrize("recipe", WANTED)
def test_a_recipe_names_files_that_exist(recipe: str) -> None:
    """Every file and folder in a recipe is in the repository or in the package, and a recipe names some."""
    named = [path for path in NAMED.findall(RECIPES[recipe]) if not re.search("[A-Z]{4}[.]yaml", path)]
    missing = [path for path in named if not any((base / path).exists() for base in (REPOSITORY, PACKAGE))]
    assert missing == []
    assert len(named) >= FEWEST
