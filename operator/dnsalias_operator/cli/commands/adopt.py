"""`dnsalias adopt`: DnsAliases in place of other people's ServiceEntries, so that their writer can be retired."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from dnsalias_operator.cli.options import (
    ERROR,
    FOUND,
    OK,
    Source,
    as_if_all_were_read,
    unread,
    with_rules,
    with_source,
)
from dnsalias_operator.cli.printing.diff import shown
from dnsalias_operator.cli.printing.yamlwrite import dump_all
from dnsalias_operator.cli.reading.inputs import Inputs
from dnsalias_operator.cli.reading.meshread import in_mesh
from dnsalias_operator.cli.reading.problems import Place
from dnsalias_operator.cli.terminal import clean, count, note, tally
from dnsalias_operator.core.advice.adopt import Adopted, NotAdopted, candidates
from dnsalias_operator.core.advice.adopt import adopt as adopt_all
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.serviceentry import ServiceEntry

HELP = """Turn other people's ServiceEntries into DnsAlias manifests, and report which cannot be adopted and why.

Without a name it reads the entries that --repair-selector selects, or that have the annotation dnsalias.io/repair.
The manifests go to standard output or to --out, notes about them to standard error. Nothing is written to a cluster;
docs/adopt.md has the steps to retire the controller that wrote the entries. Run again, it proposes only what is
missing.

\b
Example:
  dnsalias adopt > aliases.yaml
  dnsalias adopt -f manifests/ --out aliases/
  dnsalias adopt abc/traefik-cutom-name | kubectl apply -f -

\b
Exit codes:
  0  every entry has its alias, proposed or existing
  1  some could not be adopted: see standard error
  2  bad usage, input that cannot be read, or another file of that name
"""
Result = Adopted | NotAdopted


@click.command(help=HELP)
@click.argument("entries", nargs=-1, metavar="[NAMESPACE/NAME]…")
@with_source
@click.option("-o", "--output", type=click.Choice(("yaml", "json")), default="yaml", show_default=True)
@click.option(
    "--out", type=click.Path(file_okay=False), metavar="DIR", help="Write one file per alias into this folder."
)
@with_rules
def adopt(source: Source, rules: Rules, entries: tuple[str, ...], output: str, out: str | None) -> int:
    """Print or write the manifests; the exit code."""
    inputs = source.read()
    world = inputs.snapshot()
    rules, narrow = as_if_all_were_read(source, in_mesh(inputs, rules, world))
    chosen = _named(inputs, entries) if entries else candidates(world, rules)
    results, places = adopt_all(world, chosen, rules), inputs.places()
    in_the_way = _write(Path(out), _fresh(results), places) if out else []
    if output == "json":
        click.echo(json.dumps(as_dict(results, places), indent=2, ensure_ascii=False))
    elif not out:
        for result in _fresh(results):
            click.echo("".join(_document(result, places)), nl=False)
    for line in (*in_the_way, *_told(results, places)):
        note(line)
    note(f"Assumed: {rules.assumed_mesh()}{narrow}.")
    note(_summary(results) + unread(inputs) + ".")
    if inputs.problems or in_the_way:
        return ERROR
    return FOUND if any(isinstance(r, NotAdopted) for r in results) else OK


def _named(inputs: Inputs, names: Sequence[str]) -> list[ServiceEntry]:
    world, found = inputs.snapshot(), dict[Key, ServiceEntry]()
    for name in names:
        namespace, slash, rest = name.partition("/")
        entry = world.entry(namespace, rest) if slash else None
        if entry is None:
            raise click.UsageError(f"there is no ServiceEntry {clean(name)} in what was read; expected NAMESPACE/NAME")
        found[entry.key] = entry
    return list(found.values())


def _fresh(results: Iterable[Result]) -> list[Adopted]:
    """Each alias that has to be applied, once: several entries may share it."""
    return list({r.key: r for r in reversed([*results]) if isinstance(r, Adopted) and not r.exists}.values())[::-1]


def _document(result: Adopted, places: Mapping[Key, Place]) -> Iterator[str]:
    """The manifest under a comment that says where it comes from and what changes."""
    marker, body = next(iter(dump_all([result.alias]))).split("\n", 1)
    yield f"{marker}\n# Instead of {clean(result.entry)}{_at(result.entry, places)}.\n"
    yield from (f"# Note: {clean(text)}.\n" for text in result.notes)
    yield body


def _write(folder: Path, results: Iterable[Adopted], places: Mapping[Key, Place]) -> list[str]:
    """One file for each alias; an existing file with other content stays, and is reported."""
    in_the_way = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for result in results:
            path = folder / f"{result.key.namespace}.{result.key.name}.yaml"
            text = "".join(_document(result, places))
            if not path.exists():
                path.write_text(text, encoding="utf-8")
            elif path.read_text(encoding="utf-8", errors="replace") != text:
                in_the_way.append(f"{path} exists with other content: not written; move it away and run again")
    except OSError as error:
        raise click.ClickException(f"{error.filename or folder}: {error.strerror or error}") from error
    return in_the_way


def _told(results: Iterable[Result], places: Mapping[Key, Place]) -> Iterator[str]:
    for result in results:
        what = f"{result.entry}{_at(result.entry, places)}"
        if isinstance(result, NotAdopted):
            host = f" host {result.host}" if result.host else ""
            yield f"not adopted: {what}{host}: {result.why.reason}: {result.why.message}"
            continue
        state = "has its alias already" if result.exists else "adopted"
        yield f"{state}: {what} -> {result.key}"
        for text in result.notes:
            yield f"  note: {text}"
        if result.meanwhile.status != "True":
            why = f"{result.meanwhile.reason}: {result.meanwhile.message}"
            yield f"  until the entry is gone the alias is not ready: {why}"


def _summary(results: Sequence[Result]) -> str:
    adopted = [r for r in results if isinstance(r, Adopted)]
    fresh = len(_fresh(results))
    more = tally(((len(adopted) - fresh, "there already"), (len(results) - len(adopted), "not adopted")))
    return f"{count(fresh, 'alias', 'aliases')} to apply{f'; {more}' if more else ''}"


def _at(key: Key, places: Mapping[Key, Place]) -> str:
    return f" ({clean(places[key])})" if key in places else ""


def as_dict(results: Iterable[Result], places: Mapping[Key, Place]) -> dict[str, Any]:
    """The machine form: ``aliases`` to apply or there already, ``notAdopted`` with reason and message."""
    listed = list(results)
    return {
        "aliases": [
            {
                "manifest": shown(r.alias),
                "exists": r.exists,
                "entry": _identity(r.entry, places),
                "service": f"{r.service.namespace}/{r.service.name}",
                "meanwhile": {
                    "mode": r.mode or None,
                    "ready": r.meanwhile.status,
                    "reason": r.meanwhile.reason,
                    "message": r.meanwhile.message,
                },
                "notes": list(r.notes),
            }
            for r in listed
            if isinstance(r, Adopted)
        ],
        "notAdopted": [
            {
                "entry": _identity(r.entry, places),
                "host": r.host or None,
                "reason": r.why.reason,
                "message": r.why.message,
            }
            for r in listed
            if isinstance(r, NotAdopted)
        ],
    }


def _identity(key: Key, places: Mapping[Key, Place]) -> dict[str, Any]:
    place = places.get(key)
    return {
        "namespace": key.namespace,
        "name": key.name,
        "file": place.file if place else None,
        "line": place.line if place else None,
    }
