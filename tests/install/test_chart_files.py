"""What is generated of the chart is as `make chart` would write it, and the chart is of this version."""

import re
from pathlib import Path

import pytest
import yaml

from dnsalias_operator import __version__
from dnsalias_operator.settings import Settings
from tests.install.markdown import anchor, headings, links
from tools.chart.files import CHART, REPOSITORY, files
from tools.chart.values import schema


@pytest.mark.parametrize("path", sorted(files()), ids=lambda path: str(path.relative_to(CHART)))
def test_the_chart_is_made_from_its_sources(path: Path) -> None:
    """Manifests, CRD, values and their schema stand in the chart as in their sources: run `make chart`."""
    assert path.read_text(encoding="utf-8") == files()[path], "run `make chart`"


def test_no_copy_is_left_over() -> None:
    """chart/files has nothing whose source is gone."""
    assert {path for path in (CHART / "files").rglob("*") if path.is_file()} <= files().keys()


def test_the_chart_has_the_version_of_the_source() -> None:
    """What is installed from a checkout is what is built from it."""
    told = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    assert (told["version"], told["appVersion"]) == (__version__, __version__)


def test_values_refer_to_places_that_are_there() -> None:
    """values.yaml and its schema have no link of another page; what they name of the documents exists."""
    page = REPOSITORY / "docs" / "settings.md"
    anchors = {anchor(h) for h in headings(page.read_text(encoding="utf-8"))}
    for name in ("values.yaml", "values.schema.json"):
        text = (CHART / name).read_text(encoding="utf-8")
        # A pattern may look like a link.
        assert links(re.sub(r'"pattern": ".*"', "", text)) == []
        named = re.findall(r"docs/settings\.md#([\w-]+)", text)
        assert named
        assert set(named) <= anchors


def test_every_setting_is_a_value() -> None:
    """Each setting has its place in the schema and, with its meaning, in values.yaml; the chart begins by observing."""
    assert schema()["properties"]["settings"]["properties"].keys() == Settings.model_fields.keys()
    text = (CHART / "values.yaml").read_text(encoding="utf-8")
    assert all(f" {name}: " in text for name in Settings.model_fields)
    assert yaml.safe_load(text)["settings"] == {"foreign_entries": "observe"}
