"""What is wrong with a spec, in words: the mistakes that people make, and what each field expects.

The same sentences are rules of the CRD, so that the API server and the command say the same.
"""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from pydantic.config import JsonDict

from dnsalias_operator.model.similar import similar


@dataclass(frozen=True, slots=True)
class Mistake:
    """A value that people write instead of a legal one: ``pattern`` finds it (in RE2 and in Python), ``message`` helps.

    No legal value has it.
    """

    pattern: str
    message: str

    @property
    def rule(self) -> JsonDict:
        """As a validation rule of the CRD (CEL)."""
        return {"rule": f"!self.matches(r'{self.pattern}')", "message": self.message}


EXAMPLE = "service-api.hello"
HOST_MISTAKES = (
    Mistake("[A-Z]", f"host has upper-case letters; write a DNS name in lower case, such as {EXAMPLE}"),
    Mistake("[*]", f"host has a wildcard, and an alias is one name; declare a DnsAlias for each, such as {EXAMPLE}"),
    Mistake("[:/]", f"host is a URL or has a port; give the name alone, such as {EXAMPLE}, and ports in spec.ports"),
    Mistake("[.]$", f"host ends in a dot; leave it out, as in {EXAMPLE}"),
    Mistake("_", f"host has an underscore, which no DNS name of a host has; write - instead, as in {EXAMPLE}"),
    Mistake("^[-A-Za-z0-9]+$", f"host has one label; give at least two, such as {EXAMPLE}"),
)
SERVICE_MISTAKES = (
    Mistake("/", "serviceRef.name is a name alone; for a Service of another namespace declare the alias there"),
    Mistake(
        "[.]",
        "serviceRef.name is a name alone, without namespace and domain; for a Service of another namespace declare the "
        "alias there",
    ),
    Mistake("[A-Z]", "serviceRef.name has upper-case letters; a Service's name is in lower case"),
)
MISTAKES: Mapping[str, tuple[Mistake, ...]] = {"host": HOST_MISTAKES, "serviceRef.name": SERVICE_MISTAKES}
"""By the field of spec, in the order in which one of them is said."""

TYPES = {
    **dict.fromkeys(("model_type", "model_attributes_type", "dict_type"), "expected a mapping"),
    **dict.fromkeys(("tuple_type", "list_type"), "expected a list"),
    "string_type": "expected text",
}
"""Pydantic names Python's types; who writes YAML knows others."""
_EXPECTED = {
    "host": f"a lower-case DNS name of at least two labels, without wildcard or trailing dot, such as {EXAMPLE}",
    "exportTo": "'*', '.', '~' or the name of a namespace",
}
ELSEWHERE = "a DnsAlias names a Service of its own namespace; remove it, and declare the alias where the Service is"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault as pydantic reports it: where, what it says, its kind, and the value that is there."""

    loc: tuple[int | str, ...]
    message: str
    kind: str
    value: object


def explained(fault: Fault, fields: Mapping[str, Collection[str]], words: Mapping[str, Collection[str]]) -> str:
    """The field, what is expected there and what it has.

    ``fields`` has the names that are known at each path, ``words`` the values of each path that takes one of a few.
    """
    path = ".".join(map(str, fault.loc))
    where = f"spec.{path}" if path else "spec"
    if fault.kind == "missing":
        return f"{where}: required, and not given"
    if fault.kind == "string_pattern_mismatch":
        return f"{where}: {_expected(path, str(fault.value))} (got {fault.value!r})"
    if fault.kind == "extra_forbidden":
        return f"{where}: unknown field; {_instead(path, fields)}"
    if fault.kind == "enum" and path in words:
        meant = similar(fault.value, words[path]) if isinstance(fault.value, str) else ""
        which = f"; did you mean {meant}?" if meant else ""
        return f"{where}: expected {_listed(words[path])} (got {_shown(fault.value)}){which}"
    expected = TYPES.get(fault.kind) or fault.message.removeprefix("Value error, ")
    quotes = ""
    if expected == "expected text":
        value = fault.value
        quotes = "; put ~ in quotes" if value is None else "; put it in quotes" * isinstance(value, bool | int | float)
    return f"{where}: {expected} (got {_shown(fault.value)}){quotes}"


def _expected(path: str, value: str) -> str:
    made = next((m for m in MISTAKES.get(path, ()) if re.search(m.pattern, value)), None)
    if made is not None:
        return made.message
    return f"expected {_EXPECTED.get(path.partition('.')[0], 'a name of lower-case letters, digits and -')}"


def _instead(path: str, fields: Mapping[str, Collection[str]]) -> str:
    parent, _, name = path.rpartition(".")
    if path == "serviceRef.namespace":
        return ELSEWHERE
    meant = similar(name.replace("_", ""), fields.get(parent, ()))
    return f"did you mean {meant}?" if meant else "remove it"


def _listed(words: Collection[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} or {last}"


def _shown(value: object) -> str:
    """A value as YAML and JSON write it, short."""
    return repr(value) if isinstance(value, str) else json.dumps(value, default=str)[:60]
