"""A namespace that was asked for: whether anything of the input is in it, and which one may be meant."""

import difflib
from collections.abc import Iterable

from dnsalias_operator.cli.reading.inputs import Inputs
from dnsalias_operator.cli.terminal import clean
from dnsalias_operator.model.meta import mapping, text

ALWAYS = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})
"""Namespaces that every cluster has, whatever is in the input. Source: the API server creates them."""


def namespaces(inputs: Inputs) -> frozenset[str]:
    """Every namespace that exists by the input: as an object, or because an object is in it."""
    found = set[str]()
    for item in inputs.items:
        if item.key and item.key.kind == "Namespace":
            found.add(item.key.name)
        else:
            found.add(item.key.namespace if item.key else text(mapping(item.raw.get("metadata")).get("namespace")))
    return frozenset(found - {""})


def meant(name: str, known: Iterable[str]) -> str:
    """` (did you mean X?)` with the nearest names, or nothing."""
    near = difflib.get_close_matches(name, sorted(known), 2)
    return f" (did you mean {' or '.join(map(clean, near))}?)" if near else ""


def no_such(name: str, inputs: Inputs, *others: str) -> str:
    """The name and which one may be meant, where nothing of the input is in that namespace; "" where something is.

    ``others`` are namespaces that exist whatever the input has.
    """
    known = namespaces(inputs)
    if name in known or name in ALWAYS or name in others:
        return ""
    return f"namespace {clean(name)}{meant(name, known)}"
