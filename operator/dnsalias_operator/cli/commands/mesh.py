"""`dnsalias mesh`: what is known of the mesh, from where, what is assumed, and what the model does not follow."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import click

from dnsalias_operator.cli.options import ERROR, OK, Source, with_mesh, with_source
from dnsalias_operator.cli.reading.meshread import mesh_in
from dnsalias_operator.cli.terminal import clean, note
from dnsalias_operator.core.istio.meshconfig import Found, contradictions, differing, effective_rules, located
from dnsalias_operator.core.istio.meshconfig.found import BESIDE, shown
from dnsalias_operator.model.mesh import READ_ONLY, Mesh
from dnsalias_operator.model.rules import Rules

HELP = """Show what is known of the mesh: its release of Istio, its MeshConfig, and from where each value is.

\b
Example:
  dnsalias mesh
  dnsalias mesh -f manifests/
  dnsalias mesh --mesh-config istio-values.yaml

\b
In a cluster it reads three objects of the mesh's root namespace by name: the
ConfigMaps istio and istio-sidecar-injector, and the Deployment istiod. All
commands use what it shows. A setting that is given by hand wins.

\b
Exit codes:
  0  shown
  2  bad usage, or input that cannot be read
"""
SETTING, DEFAULT = "setting", "default"
_BY_NAMESPACE = ("undiscovered", "private_entries", "hidden_entries")
_WORDS = {
    "undiscovered": "Namespaces that istiod does not see",
    "private_entries": "Namespaces whose ServiceEntries are seen there only",
    "hidden_entries": "Namespaces whose ServiceEntries are seen nowhere",
}


@dataclass(frozen=True, slots=True)
class _Line:
    name: str
    value: str
    source: str


@click.command(help=HELP)
@with_source
@click.option("-o", "--output", type=click.Choice(("text", "json")), default="text", show_default=True)
@with_mesh
def mesh(source: Source, rules: Rules, output: str) -> int:
    """Print it; the exit code."""
    inputs = source.read_mesh()
    found = mesh_in(inputs, rules)
    world = inputs.snapshot()
    ruled = effective_rules(rules, found, world)
    used, revisions, found = ruled.mesh, differing(ruled, world), located(found, rules.mesh, world)
    facts = [*_facts(rules.mesh, used, found)]
    contradicted = [str(each) for each in contradictions(rules.mesh, found, world)]
    if output == "json":
        document: dict[str, Any] = {
            "facts": [{"name": line.name, "value": line.value, "from": line.source} for line in facts],
            **{name: sorted(getattr(used, name)) for name in _BY_NAMESPACE},
            "contradictions": contradicted,
            "differing": list(revisions),
            "problems": list(found.faults),
            "notFollowed": list(found.unfollowed),
            "read": list(found.read),
            "notRead": list(found.unread),
        }
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        for line in _text(facts, used, found, contradicted, revisions):
            click.echo(clean(line))
    if not found.read:
        note("note: nothing was found that says which mesh it is; settings and defaults are assumed")
    return ERROR if inputs.problems else OK


def _facts(given: Mesh, used: Mesh, found: Found) -> Iterator[_Line]:
    """Every value, with what it is from."""
    for name in Mesh.model_fields:
        fact = found.get(name)
        if name in given.model_fields_set:
            yield _Line(name, shown(getattr(given, name)), SETTING)
        elif fact is not None:
            yield _Line(name, str(fact), fact.where)
        elif name not in READ_ONLY:
            yield _Line(name, shown(getattr(used, name)), DEFAULT)
    for fact in filter(None, map(found.get, BESIDE)):
        yield _Line(fact.name, str(fact), fact.where)


def _text(
    facts: Iterable[_Line], used: Mesh, found: Found, contradicted: list[str], revisions: tuple[str, ...]
) -> Iterator[str]:
    rows = [("FACT", "VALUE", "FROM"), *((line.name, line.value or "none", line.source) for line in facts)]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for name, value, source in rows:
        yield f"{name.ljust(widths[0])}  {value.ljust(widths[1])}  {source}"
    for name in _BY_NAMESPACE:
        if listed := getattr(used, name):
            yield f"{_WORDS[name]}: {', '.join(sorted(listed))}."
    yield from (f"Contradiction: {line}." for line in contradicted)
    yield from (f"Differs: {line}. What would do harm in any of them counts." for line in revisions)
    yield from (f"Problem: {line}." for line in found.faults)
    yield from (f"Not followed by the model: {line}." for line in found.unfollowed)
    yield from (f"Not read: {line}." for line in found.unread)
