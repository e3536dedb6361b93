"""`dnsalias lint`: every finding, grouped by object."""

import json
from collections.abc import Iterable, Mapping
from itertools import groupby

import click

from dnsalias_operator.cli.options import ERROR, FOUND, OK, Source, unread, with_rules, with_source
from dnsalias_operator.cli.problems import Place
from dnsalias_operator.cli.terminal import clean, count, severity, tally
from dnsalias_operator.core.outcome import Finding, Severity
from dnsalias_operator.core.plan import lint as findings_in
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.rules import Rules

HELP = """Find what ServiceEntries and DnsAliases do to the mesh that nobody meant.

\b
Example:
  dnsalias lint -f manifests/ --fail-on critical

\b
Exit codes:
  0  no finding at or above --fail-on
  1  findings at or above --fail-on
  2  bad usage, or input that cannot be read (the rest is still checked)
"""


@click.command(help=HELP)
@with_source
@click.option("-o", "--output", type=click.Choice(("text", "json")), default="text", show_default=True)
@click.option(
    "--fail-on",
    type=click.Choice(("critical", "warning", "info", "never")),
    default="warning",
    show_default=True,
    help="Least severity that makes the exit code 1.",
)
@with_rules
def lint(source: Source, rules: Rules, output: str, fail_on: str) -> int:
    """Print the findings; the exit code."""
    inputs = source.read()
    findings = findings_in(inputs.snapshot(), rules)
    places = inputs.places()
    if output == "json":
        document = {"findings": [as_dict(finding, places.get(finding.key)) for finding in findings]}
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        for line in _lines(findings, places):
            click.echo(line)
        click.echo(f"Assumed: {rules.mesh.assumptions()}.")
        click.echo(_summary(findings, len(inputs.items)) + unread(inputs) + ".")
    if inputs.problems:
        return ERROR
    return FOUND if fails(findings, fail_on) else OK


def fails(findings: Iterable[Finding], fail_on: str) -> bool:
    """Whether any finding is at least as bad as ``fail_on``, a severity or ``never``."""
    return fail_on != "never" and any(f.severity.rank <= Severity(fail_on).rank for f in findings)


def as_dict(finding: Finding, place: Place | None) -> dict[str, object]:
    """The machine form of a finding; ``port``, ``file`` and ``line`` are null where they are not known."""
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "kind": finding.key.kind,
        "namespace": finding.key.namespace,
        "name": finding.key.name,
        "port": finding.port,
        "message": finding.message,
        "remedy": finding.remedy,
        "file": place.file if place else None,
        "line": place.line if place else None,
    }


def _lines(findings: Iterable[Finding], places: Mapping[Key, Place]) -> Iterable[str]:
    # Objects in the order of their worst finding, as the core sorts findings.
    first: dict[Key, int] = {}
    for index, finding in enumerate(findings):
        first.setdefault(finding.key, index)
    by_object = sorted(findings, key=lambda finding: first[finding.key])
    for key, group in groupby(by_object, key=lambda finding: finding.key):
        place = places.get(key)
        where = f"{clean(place)}: " if place else ""
        yield where + click.style(clean(key), bold=True)
        for finding in group:
            port = f" port {finding.port}:" if finding.port is not None else ""
            yield f"  {severity(finding.severity)} {finding.code}{port} {clean(finding.message)}"
            yield f"  {'':<8} {click.style('fix:', fg='green')} {clean(finding.remedy)}"
        yield ""


def _summary(findings: Iterable[Finding], objects: int) -> str:
    severities = [finding.severity for finding in findings]
    counts = tally((severities.count(severity), severity.value) for severity in Severity)
    found = f"{count(len(severities), 'finding')}: {counts}" if severities else "No findings"
    return f"{found}, in {count(objects, 'object')}"
