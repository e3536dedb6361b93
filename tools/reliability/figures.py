"""Where figures are kept: one small JSON file each in build/reliability, so that runs and workers do not collide."""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from tools.reliability.sections import SECTIONS

FOLDER = Path(__file__).parents[2] / "build" / "reliability"
Form = Literal["short", "long"]


@dataclass(frozen=True)
class Figure:
    """One number with its meaning.

    Attributes:
        name: what was counted or measured, such as "Writes at which the operator was killed".
        value: the number, or a few words where it is none.
        unit: of the value, in the plural, "" where the name says it.
        of: the section of docs/reliability.md that it stands in.
        must: what a test holds it to, such as "0"; empty where it is only told.
    """

    name: str
    value: float | str
    unit: str
    of: str
    must: str = ""

    def __str__(self) -> str:
        must = f" (must be {self.must})" if self.must else ""
        return f"{self.name}: {shown(self.value)} {self.unit}".rstrip() + must


def shown(value: float | str) -> str:
    """A value for people: thousands apart, at most two decimals."""
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}".rstrip("0").rstrip(".")


def record(name: str, value: float | str, unit: str, of: str, must: str = "") -> Figure:
    """Keep a figure; the run prints it at its end. A later record of the same name replaces it.

    Raises:
        KeyError: ``of`` is no section of `sections.SECTIONS`.
    """
    SECTIONS[of]
    figure = Figure(name, value, unit, of, must)
    path = folder(form()) / f"{_slug(of)}.{_slug(name)}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps(asdict(figure), indent=1) + "\n")
    fresh.replace(path)
    return figure


def kept(of_form: Form, since: float = 0) -> Iterator[Figure]:
    """The figures that stand there, by section and then in the order in which they were recorded.

    Args:
        of_form: of short or of long runs.
        since: only those recorded after this time (seconds since the epoch).
    """
    files = [(path.stat().st_mtime, path) for path in folder(of_form).glob("*.json")]
    figures = [Figure(**json.loads(path.read_text())) for at, path in sorted(files) if at >= since]
    order = list(SECTIONS)
    yield from sorted((f for f in figures if f.of in SECTIONS), key=lambda f: order.index(f.of))


def folder(of_form: Form) -> Path:
    """Where figures of that form are kept."""
    return FOLDER / of_form


def form() -> Form:
    """Whether this is a long run: the plugin tells workers and helpers by environment."""
    return "long" if os.environ.get(LONG) else "short"


LONG = "RELIABILITY_LONG"
"""Set for a run with `--torture`."""


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
