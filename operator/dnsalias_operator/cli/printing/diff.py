"""Unified diffs of objects, without the fields that only the API server writes."""

import difflib
from collections.abc import Iterator
from typing import Any

import click

from dnsalias_operator.cli.printing.yamlwrite import dump
from dnsalias_operator.cli.terminal import clean
from dnsalias_operator.model.meta import Raw, mapping

_SERVERS_OWN = ("managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "selfLink")
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def shown(raw: Raw | None) -> dict[str, Any] | None:
    """The part of an object that people write: no status, nothing that the API server sets in metadata."""
    if raw is None:
        return None
    meta = {key: value for key, value in mapping(raw.get("metadata")).items() if key not in _SERVERS_OWN}
    if _LAST_APPLIED in mapping(meta.get("annotations")):
        meta["annotations"] = {k: v for k, v in meta["annotations"].items() if k != _LAST_APPLIED}
    return {**{key: value for key, value in raw.items() if key != "status"}, "metadata": meta}


def unified(name: str, before: Raw | None, after: Raw | None) -> Iterator[str]:
    """The lines of a unified diff between two states of an object (None: absent), coloured.

    Keys are sorted on both sides, as kubectl prints them: a different order of keys is no change.
    """
    old, new = (dump(shown(raw), sort_keys=True).splitlines() if raw is not None else [] for raw in (before, after))
    from_file = f"a/{name}" if before is not None else "/dev/null"
    to_file = f"b/{name}" if after is not None else "/dev/null"
    for line in difflib.unified_diff(old, new, from_file, to_file, lineterm=""):
        line = clean(line)  # noqa: PLW2901 (the rest of the loop must not see the other)
        heading = line.startswith(("--- ", "+++ "))
        yield click.style(line, bold=True) if heading else click.style(line, fg=_COLOURS.get(line[0]))
