"""The arithmetic of the benchmarks: nothing here measures anything."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.measures import Measure
from benchmarks.stats import Result, bucket_percentile, met, percentile

SAMPLES = st.lists(st.floats(0, 1e6), min_size=1, max_size=50)


@given(SAMPLES, st.floats(0.1, 100))
def test_a_percentile_is_a_sample_that_enough_do_not_exceed(samples: list[float], percent: float) -> None:
    """It is one of the samples, enough of them are at most it, and too few are below it."""
    found = percentile(samples, percent)
    assert found in samples
    assert sum(s <= found for s in samples) >= len(samples) * percent / 100
    assert sum(s < found for s in samples) < len(samples) * percent / 100


@pytest.mark.parametrize(("samples", "percent"), [([], 50), ([1.0], 0), ([1.0], 101)])
def test_no_percentile_of_nothing(samples: list[float], percent: float) -> None:
    """Without samples, or of no share of them, there is none."""
    with pytest.raises(ValueError, match="no percentile"):
        percentile(samples, percent)


def test_a_percentile_of_a_histogram_is_the_bound_of_its_bucket() -> None:
    """Cumulative buckets give the upper bound of the first one that holds enough."""
    buckets = [(0.01, 0.0), (0.05, 60.0), (0.1, 98.0), (float("inf"), 100.0)]
    assert bucket_percentile(buckets, 50) == 0.05
    assert bucket_percentile(buckets, 98) == 0.1
    assert bucket_percentile(buckets, 99) == float("inf")
    with pytest.raises(ValueError, match="nothing was counted"):
        bucket_percentile([(1.0, 0.0)], 50)


def test_the_ratio_is_of_the_medians() -> None:
    """One repetition that something else slowed down does not decide."""
    assert Result((1.0, 2.0, 90.0), (4.0, 4.0, 1.0)).ratio == 0.5
    assert Result((1.0,)).ratio is None
    assert Result((1.0,), (0.0,)).ratio is None


@pytest.mark.parametrize(
    ("measure", "result", "expected"),
    [
        (Measure(1, "", "s", "ratio", 1.25), Result((5.0,), (4.0,)), True),
        (Measure(1, "", "s", "ratio", 1.25), Result((5.1,), (4.0,)), False),
        (Measure(1, "", "s", "ratio", 1.25), Result((5.1,)), None),
        (Measure(1, "", "writes", "value", 0), Result((0.0,)), True),
        (Measure(1, "", "writes", "value", 0), Result((1.0,)), False),
        (Measure(1, "", "s"), Result((1.0,)), None),
    ],
)
def test_an_aim_is_met_or_missed_or_there_is_none(measure: Measure, result: Result, expected: bool | None) -> None:  # noqa: FBT001
    """An aim on the ratio needs a reference, one on the value none."""
    assert met(measure, result) is expected
