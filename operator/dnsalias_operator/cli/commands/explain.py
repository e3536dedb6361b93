"""`dnsalias explain`: everything about one alias, entry or Service, or the page of a finding or reason."""

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import click

from dnsalias_operator.cli.options import ERROR, OK, Source, as_if_all_were_read, with_rules, with_source
from dnsalias_operator.cli.printing import pages
from dnsalias_operator.cli.printing.ambientrows import answer_as_dict
from dnsalias_operator.cli.printing.lintjson import as_dict as finding_as_dict
from dnsalias_operator.cli.printing.rows import as_dict as row_as_dict
from dnsalias_operator.cli.printing.storytext import lines_of
from dnsalias_operator.cli.reading.meshread import in_mesh
from dnsalias_operator.cli.reading.namespaces import meant
from dnsalias_operator.cli.reading.problems import Place
from dnsalias_operator.cli.terminal import clean, on_terminal, rendered
from dnsalias_operator.core.advice.story import Story, story
from dnsalias_operator.core.entries.ownership import live_owner
from dnsalias_operator.core.entries.serves_alias import corresponds
from dnsalias_operator.core.findings.catalog import runs
from dnsalias_operator.core.reasons import Reason
from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.names import KIND, Key
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.snapshot import Snapshot

HELP = """Show everything about one DnsAlias, ServiceEntry or Service, or explain a finding or a reason.

For an object it shows the Service, the entry, who gets the connections to each address and port and from where, what
is bound to it and what of that stops at the alias, what is wrong, how the name resolves, and what to do. WHAT is
NAMESPACE/NAME, with the kind before it if an alias and an entry have the same name; or a host; or a finding's code; or
a reason of a condition, of an unfixed entry or of a write.

\b
Example:
  dnsalias explain abc/service-api
  dnsalias explain serviceentry abc/traefik-cutom-name -f manifests/
  dnsalias explain traefik.cutom-name       who has this host?
  dnsalias explain service abc/pay          what is bound to it?
  dnsalias explain DA004
  dnsalias explain WouldShadowService

\b
Exit codes:
  0  explained
  2  bad usage, no such object, or input that cannot be read
"""
_KINDS = {word: kind for kind in (KIND, "ServiceEntry", "Service") for word in KINDS[kind].words}
_EXPECTED = "expected [KIND] NAMESPACE/NAME, a host, a finding's code such as DA004, or a reason"


@click.command(help=HELP)
@click.argument("what", nargs=-1, required=True, metavar="WHAT")
@with_source
@click.option("-o", "--output", type=click.Choice(("text", "json")), default="text", show_default=True)
@with_rules
def explain(source: Source, rules: Rules, what: tuple[str, ...], output: str) -> int:
    """Print the page or the story; the exit code."""
    if len(what) == 1 and "/" not in what[0] and (found := _pages(what[0])):
        _print_pages(found, output)
        return OK
    kind, word = _subject(what)
    inputs = source.read()
    world, places = inputs.snapshot(), inputs.places()
    rules, narrow = as_if_all_were_read(source, in_mesh(inputs, rules, world))
    found_story = story(world, _key(world, kind, word, rules), rules)
    if found_story is None:
        raise click.UsageError(f"{clean(word)} was deleted while it was read; try again")
    if output == "json":
        click.echo(json.dumps(as_dict(found_story, places), indent=2, ensure_ascii=False))
    else:
        for line in lines_of(found_story, places, rules.mesh):
            click.echo(line)
        click.echo(f"Assumed: {rules.assumptions()}{narrow}.")
    return ERROR if inputs.problems else OK


def _pages(word: str) -> tuple[pages.Page, ...]:
    try:
        found = pages.pages(word)
        # Names and hosts are in lower case: such a word can only be a code.
        if not found and re.fullmatch(r"(?i:da)\d+", word):
            raise click.UsageError(f"there is no finding {clean(word)}; the codes are {runs(pages.codes())}")
        if not found and word[:1].isupper():
            reasons = {reason.lower(): reason for reason in Reason}
            near = [reasons[name] for name in difflib.get_close_matches(word.lower(), reasons, 3)]
            hint = f"did you mean {' or '.join(near)}?" if near else "docs/conditions.md has all of them"
            raise click.UsageError(f"there is no reason {clean(word)}; {hint}")
    except pages.PagesMissingError as error:
        raise click.ClickException(str(error)) from error
    return found


def _print_pages(found: Iterable[pages.Page], output: str) -> None:
    if output == "json":
        listed = [{"title": p.title, "part": p.part, "file": f"docs/{p.file}", "text": p.body} for p in found]
        click.echo(json.dumps({"pages": listed}, indent=2, ensure_ascii=False))
        return
    for number, page in enumerate(found):
        where = f"{page.part}, docs/{page.file}" if ":" not in page.title else f"docs/{page.file}"
        click.echo("\n" * bool(number) + click.style(page.title, bold=True) + f" ({where})\n")
        click.echo(rendered(page.text) if on_terminal() else page.text)


def _subject(what: tuple[str, ...]) -> tuple[str, str]:
    """The kind that was given ("" for any) and the word that names the object."""
    *kinds, word = what
    if len(kinds) > 1 or (kinds and kinds[0].lower() not in _KINDS):
        named = (
            f"{clean(kinds[0])} is neither DnsAlias nor ServiceEntry nor Service"
            if len(kinds) == 1
            else "too many words"
        )
        raise click.UsageError(f"{named}; {_EXPECTED}")
    return _KINDS[kinds[0].lower()] if kinds else "", word


def _key(world: Snapshot, kind: str, word: str, rules: Rules) -> Key:
    """The one object that is meant.

    Raises:
        click.UsageError: there is none, or several; the message lists what there is.
    """
    found = [k for k in _named(world, word) if kind in ("", k.kind)]
    if len(found) > 1:
        found = [k for k in found if not _serves_one_of(world, k, found, rules)]
    if len(found) == 1:
        return found[0]
    if found:
        listed = "\n".join(f"  dnsalias explain {k.kind.lower()} {clean(f'{k.namespace}/{k.name}')}" for k in found)
        raise click.UsageError(f"{clean(word)} can mean {len(found)} objects; give one of:\n{listed}")
    namespace, slash, name = word.partition("/")
    if slash and kind in ("", "Service") and (service := world.service(namespace, name)):
        return service.key
    what = f"{kind or 'DnsAlias or ServiceEntry'} {clean(word)}"
    kinds = (kind,) if kind else (KIND, "ServiceEntry")
    every = [o.key for each in kinds for o in world.find("kind", each)]
    known = {f"{k.namespace}/{k.name}" for k in every} if slash else {k.name for k in every}
    raise click.UsageError(f"there is no {what} in what was read{meant(word, known)}; {_EXPECTED}")


def _named(world: Snapshot, word: str) -> list[Key]:
    namespace, slash, name = word.partition("/")
    if slash:
        both = (Key(KIND, namespace, name), Key("ServiceEntry", namespace, name))
        return [key for key in both if world.get(key)]
    by_host = [*(a.key for a in world.aliases_for_host(word)), *(e.key for e in world.entries_for_host(word))]
    every = (*(a.key for a in world.aliases()), *(e.key for e in world.entries()))
    return by_host or [key for key in every if key.name == word]


def _serves_one_of(world: Snapshot, key: Key, others: Iterable[Key], rules: Rules) -> bool:
    """Whether it is an entry that serves one of the aliases: the story of the alias includes it."""
    entry = world.entry(key.namespace, key.name) if key.kind == "ServiceEntry" else None
    if entry is None:
        return False
    owner = live_owner(world, entry)
    aliases = (world.alias(k.namespace, k.name) for k in others if k.kind == KIND)
    return any(alias and (alias == owner or corresponds(world, alias, entry, rules)) for alias in aliases)


def as_dict(of: Story, places: Mapping[Key, Place]) -> dict[str, Any]:
    """The machine form of a story."""
    place = places.get(of.key)
    return {
        "kind": of.key.kind,
        "namespace": of.key.namespace,
        "name": of.key.name,
        "file": place.file if place else None,
        "line": place.line if place else None,
        "summary": of.summary,
        "hosts": list(of.hosts),
        "service": _service(of),
        "entry": _entry(of),
        "names": [
            {"host": n.host, "answered": list(n.answered), "rewrite": n.rewrite, "notes": list(n.notes)}
            for n in of.names
        ],
        "traffic": [
            {
                "address": a.address,
                "port": a.port,
                "from": str(a.where),
                "rows": [{**row_as_dict(row), "owner": str(row.owner) if row.owner else None} for row in a.rows],
            }
            for a in of.answers
        ],
        "ambient": {
            "answers": [
                {
                    "address": a.address,
                    "port": a.port,
                    "from": a.namespace or None,
                    "byChance": len(a.ends) > 1,
                    "ends": [answer_as_dict(end) for end in a.ends],
                }
                for a in of.ambient.answers
            ],
            "names": [{"host": host, "addresses": list(addresses)} for host, addresses in of.ambient.names],
        },
        "notModelled": list(of.not_followed),
        "policies": [
            {
                "kind": b.key.kind,
                "namespace": b.key.namespace,
                "name": b.key.name,
                "what": b.what,
                "host": b.host or None,
                "clients": b.clients,
                "stopsAt": [f"{k.namespace}/{k.name}" for k in b.stops],
            }
            for b in of.bound
        ],
        "conditions": [
            {"type": c.type, "status": c.status, "reason": c.reason, "message": c.message} for c in of.conditions
        ],
        "findings": [{**finding_as_dict(f, places.get(f.key)), "cured": of.fixes(f)} for f in of.findings],
        "changes": [{"verb": c.verb.value, "object": str(c.key), "reason": c.reason} for c in of.changes],
        "withheld": [{"verb": c.verb.value, "object": str(c.key), "reason": c.reason} for c in of.withheld],
        "steps": list(of.steps),
    }


def _service(of: Story) -> dict[str, Any] | None:
    if of.named is None:
        return None
    return {
        "namespace": of.named.namespace,
        "name": of.named.name,
        "exists": of.service is not None,
        "inferred": of.inferred,
        "clusterIPs": list(of.service.cluster_ips) if of.service else [],
    }


def _entry(of: Story) -> dict[str, Any] | None:
    if of.entry is None:
        return None
    return {
        "namespace": of.entry.meta.namespace,
        "name": of.entry.meta.name,
        "mode": of.mode or None,
        "state": str(of.state) if of.state else None,
        "addresses": list(of.entry.addresses),
    }
