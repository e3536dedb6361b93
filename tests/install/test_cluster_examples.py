"""The examples for several clusters: what they set is what the chart takes."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from dnsalias_operator.settings import Settings
from tools.chart.values import Values

EXAMPLES = Path(__file__).parents[2] / "examples" / "clusters"
FILES = sorted(EXAMPLES.rglob("*.yaml"))


def documents(path: Path) -> list[dict[str, Any]]:
    """The objects of a file."""
    return [dict(each) for each in yaml.safe_load_all(path.read_text(encoding="utf-8"))]


def values(obj: dict[str, Any]) -> dict[str, Any] | None:
    """The values of the chart that an object gives, None where it gives none."""
    spec: dict[str, Any] = obj["spec"]
    if obj["kind"] == "ApplicationSet":
        spec = {"values": spec["template"]["spec"]["source"].get("helm", {}).get("valuesObject")}
    found = spec.get("values")
    return dict(found) if found else None


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_the_values_are_the_charts(path: Path) -> None:
    """Each file installs the operator once, with values and settings that the chart and the operator accept."""
    (given,) = (found for obj in documents(path) if (found := values(obj)))
    made = Values.model_validate({name: value for name, value in given.items() if name != "settings"})
    assert made.image.repository == "REGISTRY/dnsalias-operator"
    assert Settings(**given["settings"]).foreign_entries == "observe"


def test_no_topology_is_set_for_all() -> None:
    """One manifest is for all clusters, which may differ in it."""
    assert len(FILES) == 2
    for obj in (o for path in FILES for o in documents(path)):
        assert "topology" not in (values(obj) or {}).get("settings", {})
