"""The name that was probably meant, among those there are."""

import difflib
from collections.abc import Iterable

MOST = 200
"""Among more names nothing is guessed: comparing takes time for each, and a guess is worth none."""
_ALIKE = 0.75


def similar(word: str, known: Iterable[str]) -> str:
    """The name of ``known`` most like ``word``, in any order of them; "" where none is, or there are too many."""
    names = {name.lower(): name for name in sorted(set(known), reverse=True)}
    if len(names) > MOST:
        return ""
    near = difflib.get_close_matches(word.lower(), sorted(names), 1, _ALIKE)
    return names[near[0]] if near else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` (did you mean X?)`, or nothing."""
    near = similar(word, known)
    return f" (did you mean {near}?)" if near else ""
