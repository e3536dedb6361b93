"""The soak itself, for seconds: changes are made, figures are told, and the operator ends with nothing to do."""

import pytest

from tools.reliability.figures import form
from tools.soak.soak import soak
from tools.soak.watch import Sample, quarters, slope

pytestmark = [pytest.mark.cluster, pytest.mark.reliability]


LONG, SHORT = 3600, 20
"""Seconds of changes with and without `--torture`."""


def test_a_soak_ends_with_nothing_to_do() -> None:
    """Changes of every kind are followed by writes, after which the plan is empty and nothing more is written."""
    outcome = soak(LONG if form() == "long" else SHORT, 20, seed=1)
    outcome.record()
    assert outcome.good, outcome.figures()
    assert len(outcome.changes) >= 8
    assert {what.partition(" ")[0] for what in outcome.writes} >= {"create", "update", "delete", "repair", "status"}
    assert all(s.memory > 0 and s.tasks > 0 and s.files > 0 for s in outcome.samples)


def test_the_slope_is_that_of_the_memory() -> None:
    """Memory that grows by a tenth of a MiB a second gains 360 an hour, whatever it did at first."""
    grows = [Sample(float(at), 50 + at / 10, 10, 20) for at in range(100)]
    assert slope(grows) == pytest.approx(360)
    assert slope([Sample(float(at), 500.0 if at < 10 else 50.0, 10, 20) for at in range(100)]) == pytest.approx(0)
    assert slope([]) == 0


def test_a_quarter_has_its_own_mean() -> None:
    """Growth that ends shows as the same number at the end; a run of fewer looks has fewer quarters."""
    fills = [Sample(float(at), float(min(at, 50)), 10, 20) for at in range(100)]
    assert quarters(fills) == "12.0, 37.0, 50.0, 50.0"
    assert quarters(fills[:3]) == "0.0, 1.0, 2.0"
    assert quarters([]) == ""
