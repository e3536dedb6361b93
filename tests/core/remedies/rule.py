"""Rules of the table: a pattern of the whole text of a remedy, and the edits that it asks for."""

import re
from collections.abc import Callable
from typing import NamedTuple

from tests.core.remedies.bench import Bench

Edit = Callable[[Bench, re.Match[str]], None]


class Rule(NamedTuple):
    """A pattern of the whole text, and an edit for each alternative. ``why`` is set where objects need none."""

    pattern: re.Pattern[str]
    edits: tuple[Edit, ...]
    why: str = ""


def rule(pattern: str, *edits: Edit, why: str = "") -> Rule:
    """A rule."""
    return Rule(re.compile(pattern), edits, why)
