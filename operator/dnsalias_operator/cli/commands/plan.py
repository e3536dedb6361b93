"""`dnsalias plan`: what the operator would write, why, and what it would not change."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import click

from dnsalias_operator.cli.options import ERROR, FOUND, OK, Source, unread, with_rules, with_source
from dnsalias_operator.cli.printing.diff import shown, unified
from dnsalias_operator.cli.printing.yamlwrite import dump
from dnsalias_operator.cli.reading.meshread import in_mesh
from dnsalias_operator.cli.reading.problems import Place
from dnsalias_operator.cli.terminal import clean, severity, tally
from dnsalias_operator.core.outcome import (
    Change,
    Condition,
    EntryDecision,
    Plan,
    State,
    Verb,
    left_alone,
    not_served,
    unfixed,
    withheld,
)
from dnsalias_operator.core.plan import plan as decide
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.status import PROGRAMMED

HELP = """Show what the operator would write, as a diff with a reason for each change, and what stays unfixed.

Repairs of other people's entries are shown as written, which the operator does with `foreign_entries: patch` only.
Where a flag, the environment or --config say `observe`, they are shown as not written, and count for no exit code.

\b
Example:
  dnsalias plan -f manifests/
  kubectl get svc,se,dnsaliases -A -o yaml | dnsalias plan -f -

\b
Exit codes:
  0  nothing to do
  1  changes
  2  bad usage, or input that cannot be read
"""
_DOING = {
    Verb.CREATE: "to create",
    Verb.UPDATE: "to update",
    Verb.RECREATE: "to recreate",
    Verb.REPAIR: "to repair",
    Verb.REPLACE: "to replace",
    Verb.DELETE: "to delete",
}


@click.command(help=HELP)
@with_source
@click.option("-o", "--output", type=click.Choice(("text", "json", "yaml")), default="text", show_default=True)
@with_rules
def plan(source: Source, rules: Rules, output: str) -> int:
    """Print the plan; the exit code."""
    inputs = source.read()
    world = inputs.snapshot()
    rules = in_mesh(inputs, rules, world)
    decided = decide(world, rules)
    places = inputs.places()
    if output == "text":
        for line in _lines(decided, places, rules):
            click.echo(line)
        click.echo(f"Assumed: {rules.assumptions()}.")
        click.echo(_summary(decided) + unread(inputs) + ".")
    else:
        document = as_dict(decided, places)
        text = dump(document) if output == "yaml" else json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        click.echo(text, nl=False)
    if inputs.problems:
        return ERROR
    return FOUND if decided.changes else OK


def as_dict(decided: Plan, places: Mapping[Key, Place]) -> dict[str, Any]:
    """The machine form of a plan."""
    return {
        "changes": [_change(change, places) for change in decided.changes],
        "withheld": [_change(change, places) for change in withheld(decided)],
        "unfixed": [
            {
                **_identity(entry.key, places),
                "state": str(entry.state),
                "severity": entry.severity.value,
                "reason": entry.reason,
                "message": entry.message,
                "service": f"{entry.service.namespace}/{entry.service.name}" if entry.service else None,
                "inferred": entry.inferred,
            }
            for entry in unfixed(decided.entries)
        ],
        "left_alone": [
            {**_identity(entry.key, places), "reason": entry.reason, "message": entry.message}
            for entry in _untouched(decided)
        ],
        "refused": [
            {
                **_identity(alias.key, places),
                "condition": condition.type,
                "reason": condition.reason,
                "message": condition.message,
            }
            for alias, condition in not_served(decided)
        ],
    }


def _change(change: Change, places: Mapping[Key, Place]) -> dict[str, Any]:
    return {
        "verb": change.verb.value,
        **_identity(change.key, places),
        "reason": change.reason,
        "message": change.message,
        "fields": list(change.fields),
        "inferred": change.inferred,
        "before": shown(change.before),
        "after": shown(change.after),
    }


def _identity(key: Key, places: Mapping[Key, Place]) -> dict[str, Any]:
    place = places.get(key)
    return {
        "kind": key.kind,
        "namespace": key.namespace,
        "name": key.name,
        "file": place.file if place else None,
        "line": place.line if place else None,
    }


def _named(condition: Condition) -> str:
    """The word for an alias by its first False condition: an accepted alias may only be waiting for something."""
    return "unserved" if condition.type == PROGRAMMED else "refused"


def _lines(decided: Plan, places: Mapping[Key, Place], rules: Rules) -> Iterator[str]:
    for change in decided.changes:
        yield from _described(change, places, "")
    for change in withheld(decided):
        yield from _described(change, places, f"not written unless {_needed(rules)}: ")
    left = [*_left(decided, places)]
    if left:
        yield click.style("Stays unfixed:", bold=True)
        yield from left
        yield ""
    if alone := _untouched(decided):
        yield click.style("Left as it is:", bold=True)
        for entry in alone:
            yield f"  {clean(entry.key)}{_at(entry.key, places)}"
            yield f"  {'':<8} {entry.reason}: {clean(entry.message)}"
        yield ""


def _untouched(decided: Plan) -> list[EntryDecision]:
    """The entries `left_alone` for which the plan holds no change either: one that only gets endpoints is repaired."""
    changed = {change.key for change in decided.changes}
    return [entry for entry in left_alone(decided.entries) if entry.key not in changed]


def _needed(rules: Rules) -> str:
    """What settings would let the operator write what it withholds."""
    return "the whole cluster is read" if rules.namespace else "foreign_entries is patch"


def _summary(decided: Plan) -> str:
    verbs = [change.verb for change in decided.changes]
    states = [entry.state for entry in decided.entries]
    aliases = [_named(condition) for _, condition in not_served(decided)]
    left = tally(
        (
            (states.count(State.UNFIXED), "unfixed"),
            (states.count(State.CONTAINED), "contained"),
            (aliases.count("refused"), "refused"),
            (aliases.count("unserved"), "unserved"),
        )
    )
    changes = tally((verbs.count(verb), words) for verb, words in _DOING.items()) or "Nothing to do"
    return f"{changes}; then left: {left}" if left else changes


def _described(change: Change, places: Mapping[Key, Place], prefix: str) -> Iterator[str]:
    guess = " (Service inferred)" if change.inferred else ""
    heading = f"# {prefix}{change.verb} {clean(change.key)}{_at(change.key, places)}{guess}"
    yield click.style(heading, bold=True)
    yield f"# {change.reason}: {clean(change.message)}"
    yield from unified(f"{change.key.kind}/{change.key.namespace}/{change.key.name}", change.before, change.after)
    yield ""


def _left(decided: Plan, places: Mapping[Key, Place]) -> Iterator[str]:
    for entry in unfixed(decided.entries):
        state = " (contained: takes no traffic of others)" if entry.state is State.CONTAINED else ""
        guess = f" ({clean(entry.service)} inferred)" if entry.service and entry.inferred else ""
        yield f"  {severity(entry.severity)} {clean(entry.key)}{_at(entry.key, places)}{guess}{state}"
        yield f"  {'':<8} {entry.reason}: {clean(entry.message)}"
    for alias, condition in not_served(decided):
        yield f"  {click.style(f'{_named(condition):<8}', fg='yellow')} {clean(alias.key)}{_at(alias.key, places)}"
        yield f"  {'':<8} {condition.reason}: {clean(condition.message)}"


def _at(key: Key, places: Mapping[Key, Place]) -> str:
    place = places.get(key)
    return f" ({clean(place)})" if place else ""
