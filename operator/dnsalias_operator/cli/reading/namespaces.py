"""A namespace that was asked for: whether anything of the input is in it, and which one may be meant."""

import difflib
from collections.abc import Iterable

import click

from dnsalias_operator.cli.reading.inputs import Inputs
from dnsalias_operator.cli.terminal import clean, note
from dnsalias_operator.model.meta import mapping, text
from dnsalias_operator.model.rules import Rules

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


def check_namespace(name: str, inputs: Inputs, rules: Rules) -> None:
    """Report a namespace of --from that nothing is in; one that a cluster does not have is bad usage."""
    why = no_such(name, inputs, rules.mesh.root_namespace)
    if why and inputs.namespaces_known:
        raise click.UsageError(f"--from: the cluster has no {why}")
    if why:
        note(f"warning: --from: nothing in the input is in {why}; the answer is for a namespace that has no objects")
