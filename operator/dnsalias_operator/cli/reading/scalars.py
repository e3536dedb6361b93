"""What a plain YAML scalar means to kubectl.

kubectl reads YAML 1.1 by go-yaml v2 (sigs.k8s.io/yaml): `yes`, `on` and `y` are booleans and 010 is eight, but `12:30`
is no number in base 60, a date stays text, and 1e3 is a number. Any other reading would lint
another object than the cluster gets. Source: go-yaml v2, resolve.go.
"""

import math
import re
from collections.abc import Mapping

_TRUE = ("y", "yes", "on", "true")
_FALSE = ("n", "no", "off", "false")
_NULL = ("null",)


def _spellings(words: tuple[str, ...], value: bool | None) -> dict[str, bool | None]:  # noqa: FBT001 (it is data)
    return {form: value for word in words for form in (word, word.capitalize(), word.upper())}


_WORDS: Mapping[str, bool | None] = {
    **_spellings(_TRUE, value=True),
    **_spellings(_FALSE, value=False),
    **_spellings(_NULL, None),
    "~": None,
    "": None,
}
_NO_JSON = {f"{sign}.{word}" for word in ("inf", "Inf", "INF") for sign in ("", "+", "-")} | {".nan", ".NaN", ".NAN"}
_NUMERIC = frozenset("+-.0123456789")
_INTEGER = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_LONGEST_NUMBER = 400
"""Most characters of a number; longer ones overflow a float, and Python refuses to convert thousands of digits."""
INT64 = range(-(2**63), 2**64)
"""Integers that Go keeps as such, signed or unsigned."""

Scalar = str | int | float | bool | None


def resolve(text: str) -> Scalar:
    """The value of an unquoted scalar.

    Raises:
        ValueError: an infinity or not-a-number, which no JSON and so no Kubernetes object can hold.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC or len(text) > _LONGEST_NUMBER:
        return text
    if text in _NO_JSON:
        raise ValueError(f"{text} is a number that JSON cannot express; put it in quotes if it is text")
    digits = text.replace("_", "")
    if (whole := _whole(digits)) is not None:
        return whole
    if _FLOAT.match(digits) and math.isfinite(value := float(digits)):
        return value
    return text


def _whole(digits: str) -> int | None:
    found = _INTEGER.match(digits)
    if not found:
        return None
    sign, hexadecimal, binary, octal, decimal = found.groups()
    bases = ((hexadecimal, 16), (binary, 2), (octal, 8), (decimal, 10))
    value = next(int(part, base) for part, base in bases if part)
    value = -value if sign == "-" else value
    return value if value in INT64 else None


def is_text(text: str) -> bool:
    """Whether kubectl reads ``text``, written without quotes, back as the same text."""
    try:
        return isinstance(resolve(text), str)
    except ValueError:
        return False
