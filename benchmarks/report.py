"""Results as a table for people and as JSON for tools; pure but for the writing of the file."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.measures import MEASURES
from benchmarks.stats import Result, met

COLUMNS = ("#", "Measure", "Ours", "Reference", "Ratio", "Aim", "")
_UNITS = {"s": " s", "ms": " ms", "MiB": " MiB", "%": " %", "ratio": "", "writes": "", "pushes": "", "events": ""}


def line(name: str, result: Result) -> tuple[str, ...]:
    """The cells of one measure, in the order of `COLUMNS`."""
    measure = MEASURES[name]
    aim = ""
    if measure.at_most is not None:
        limit = f"{measure.at_most:g}"
        aim = f"≤ {limit} x" if measure.of == "ratio" else f"≤ {limit}{_UNITS[measure.unit]}"
    reached = met(measure, result)
    # A smaller run says nothing about an aim that is set for the whole size.
    verdict = "" if reached is None else "not judged" if result.note else "met" if reached else "missed"
    return (
        str(measure.row),
        f"{measure.what} ({result.note})" if result.note else measure.what,
        _samples(result.ours, measure.unit),
        _samples(result.reference, measure.unit),
        "" if result.ratio is None else f"{result.ratio:.2f}",
        aim,
        verdict,
    )


def table(results: Mapping[str, Result]) -> str:
    """Text with aligned columns, in the order of the measures."""
    rows = [COLUMNS, *(line(name, results[name]) for name in MEASURES if name in results)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows)


def as_dict(results: Mapping[str, Result], machine: Mapping[str, str]) -> dict[str, Any]:
    """What a JSON file holds: the machine, and under its name each result with its medians and the verdict."""
    return {
        "machine": dict(machine),
        "results": {
            name: {
                **asdict(result),
                "unit": MEASURES[name].unit,
                "value": result.value,
                "against": result.against,
                "ratio": result.ratio,
                "met": met(MEASURES[name], result),
            }
            for name, result in results.items()
        },
    }


def write(path: Path, results: Mapping[str, Result], machine: Mapping[str, str]) -> None:
    """Write the JSON file of one benchmark."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(as_dict(results, machine), indent=2) + "\n")


def read(paths: Iterable[Path]) -> tuple[dict[str, Result], dict[str, str]]:
    """The results of several files together, and the machine of the last one."""
    results: dict[str, Result] = {}
    machine: dict[str, str] = {}
    for path in paths:
        document = json.loads(path.read_text())
        machine = document["machine"]
        for name, fields in document["results"].items():
            curve = tuple((x, y) for x, y in fields["curve"])
            results[name] = Result(tuple(fields["ours"]), tuple(fields["reference"]), fields["note"], curve)
    return results, machine


def number(value: float, unit: str) -> str:
    """A value with its unit, three digits where it is small."""
    digits = 0 if unit in ("writes", "pushes", "events") or abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}{_UNITS[unit]}"


def _samples(samples: tuple[float, ...], unit: str) -> str:
    """The median, and the least and the most where there are several."""
    if not samples:
        return ""
    shown = number(Result(samples).value, unit)
    if len(samples) == 1:
        return shown
    return f"{shown} ({number(min(samples), 'ratio')} to {number(max(samples), 'ratio')})"
