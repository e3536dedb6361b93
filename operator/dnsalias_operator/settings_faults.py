"""Messages for settings that cannot be used: the name, where it was set, its value, and what is legal."""

import difflib
from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from dnsalias_operator.model.hostrules import HostRule
from dnsalias_operator.model.names import DOMAIN_PATTERN, LABEL_PATTERN, REVISION_PATTERN
from dnsalias_operator.model.release import MODELLED, RELEASE_PATTERN
from dnsalias_operator.model.specfaults import TYPES

Fields = Mapping[str, FieldInfo]
"""The settings by their names."""

_OF_HOST_RULES = ", ".join(HostRule.model_fields)
_PATTERNS = {
    LABEL_PATTERN: "a name of lower-case letters, digits and -",
    DOMAIN_PATTERN: "a lower-case DNS name without a dot at either end",
    REVISION_PATTERN: "a revision of istiod, such as canary, or nothing",
    RELEASE_PATTERN: f"a release of Istio that is modelled ({MODELLED}), such as 1.28.10; a file needs quotes",
}
_TYPO = 0.8
"""How similar an unknown environment variable must be to a legal one to count as a misspelling of it."""


def misspelt(name: str, fields: Fields) -> bool:
    """Whether it is no setting and looks like a misspelt one."""
    return name not in fields and bool(difflib.get_close_matches(name, list(fields), n=1, cutoff=_TYPO))


def unknown(name: str, where: str, fields: Fields) -> str:
    """That there is no such setting, with the nearest one."""
    nearest = difflib.get_close_matches(name.replace("-", "_"), list(fields), n=1, cutoff=0.5)
    hint = f"; did you mean {nearest[0]}?" if nearest else f"; legal: {', '.join(fields)}"
    return f"{name} ({where}): no such setting{hint}"


def explain(
    error: ErrorDetails, layers: Mapping[str, Mapping[str, Any]], merged: Mapping[str, Any], fields: Fields
) -> str:
    """A fault that pydantic found, in one line; ``layers`` are the values by source; the first wins."""
    name = next((str(part) for part in error["loc"] if part in fields), "")
    message = error["msg"].removeprefix("Value error, ")
    if not name:
        extra = next((str(part) for part in error["loc"]), "")
        return unknown(extra, "as a flag", fields) if error["type"] == "extra_forbidden" else message
    where = next((layer for layer, values in layers.items() if name in values), "default")
    inside = error["loc"][error["loc"].index(name) + 1 :]
    if inside:
        path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in inside)
        kind = error["type"]
        messages = {"missing": "required, and not given", "extra_forbidden": f"no such field; legal: {_OF_HOST_RULES}"}
        return f"{name}{path} ({where}): {messages.get(kind, message)}"
    expected = legal(fields[name]) or TYPES.get(error["type"])
    return f"{name} ({where}): {merged.get(name)!r} is not legal: {expected or message}"


def legal(field: FieldInfo) -> str:
    """The values that a setting may have, by its type and bounds; "" if these do not limit it."""
    if get_origin(field.annotation) is Literal:
        return "expected one of " + ", ".join(map(str, get_args(field.annotation)))
    if field.annotation is bool:
        return "expected true or false"
    for m in field.metadata:
        if (pattern := getattr(m, "pattern", None)) is not None:
            return f"expected {_PATTERNS[pattern]}"
    bounds = [
        f"{words} {getattr(m, attribute)}"
        for m in field.metadata
        for attribute, words in (("ge", "at least"), ("gt", "more than"), ("le", "at most"), ("lt", "less than"))
        if hasattr(m, attribute)
    ]
    if field.annotation in (int, float):
        kind = "a whole number" if field.annotation is int else "a number"
        return " ".join(["expected", kind, ", ".join(bounds)])
    return ""
