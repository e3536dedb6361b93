"""Arithmetic of samples; pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.measures import Measure


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one measure: a sample a repetition, ours and the reference's, in the unit of the measure."""

    ours: tuple[float, ...]
    reference: tuple[float, ...] = ()
    note: str = ""
    curve: tuple[tuple[float, float], ...] = field(default=())

    @property
    def value(self) -> float:
        """The median of ours."""
        return median(self.ours)

    @property
    def against(self) -> float | None:
        """The median of the reference, None where there is none."""
        return median(self.reference) if self.reference else None

    @property
    def ratio(self) -> float | None:
        """Ours over the reference, of the medians; None where there is nothing to divide by."""
        return self.value / self.against if self.against else None


def met(measure: Measure, result: Result) -> bool | None:
    """Whether the aim is met; None where there is no aim, or nothing to judge it by."""
    if measure.at_most is None:
        return None
    judged = result.ratio if measure.of == "ratio" else result.value
    return None if judged is None else judged <= measure.at_most


def percentile(samples: Sequence[float], percent: float) -> float:
    """The smallest sample that at least ``percent`` of a hundred of them do not exceed.

    Raises:
        ValueError: there are no samples, or ``percent`` is not above 0 and at most 100.
    """
    if not samples or not 0 < percent <= 100:
        raise ValueError(f"no percentile {percent} of {len(samples)} samples")
    return sorted(samples)[math.ceil(len(samples) * percent / 100) - 1]


def bucket_percentile(buckets: Sequence[tuple[float, float]], percent: float) -> float:
    """The upper bound of the histogram bucket in which the percentile lies.

    ``buckets`` are upper bounds with cumulative counts, rising, as Prometheus has them.

    Raises:
        ValueError: nothing was counted.
    """
    total = buckets[-1][1] if buckets else 0
    if not total:
        raise ValueError("nothing was counted")
    return next(bound for bound, count in buckets if count >= total * percent / 100)
