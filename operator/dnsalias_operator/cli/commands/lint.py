"""`dnsalias lint`: every finding, grouped by object, or in a form for machines."""

import importlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby

import click

from dnsalias_operator.cli.options import ERROR, FOUND, OK, Source, unread, with_rules, with_source
from dnsalias_operator.cli.printing import baseline as baselines
from dnsalias_operator.cli.printing.linted import Linted
from dnsalias_operator.cli.reading.inputs import Inputs
from dnsalias_operator.cli.reading.problems import Place
from dnsalias_operator.cli.terminal import clean, count, note, severity, tally
from dnsalias_operator.core.findings.catalog import FAULTS, runs
from dnsalias_operator.core.outcome import Finding, Severity
from dnsalias_operator.core.plan import lint as findings_in
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.rules import Rules

HELP = """Find ServiceEntries that take traffic not meant for them, and other faults of entries and DnsAliases.

\b
Example:
  dnsalias lint -f manifests/ --fail-on critical
  dnsalias lint --min-severity critical
  dnsalias lint --code DA001 --code DA019
  dnsalias lint -f manifests/ -o html > report.html
  dnsalias lint -f manifests/ --baseline baseline.json --write-baseline

With --baseline, the findings in the file are accepted: only new findings, and those that have become worse, are shown
and counted. Rows that no longer match are reported on standard error.

With --code or --min-severity, other findings are neither shown nor counted.

\b
Exit codes:
  0  no finding at or above --fail-on, or the baseline was written
  1  findings at or above --fail-on
  2  bad usage, or input that cannot be read (the rest is still checked)
"""
FORMS = {"text": "", "json": "", "sarif": "sarif", "junit": "junit", "html": "report.page"}
"""Output forms, and the modules of those that have one, which are imported when needed."""
MOST_STALE = 10
"""Most rows that no longer match which are named one by one."""


@click.command(help=HELP)
@with_source
@click.option("-o", "--output", type=click.Choice(tuple(FORMS)), default="text", show_default=True)
@click.option(
    "--fail-on",
    type=click.Choice(("critical", "warning", "info", "never")),
    default="warning",
    show_default=True,
    help="Lowest severity that makes the exit code 1.",
)
@click.option(
    "--min-severity",
    type=click.Choice(tuple(severity.value for severity in Severity)),
    default=Severity.INFO.value,
    show_default=True,
    help="Lowest severity that is shown.",
)
@click.option("--code", "codes", multiple=True, metavar="DA…", help="Only findings of this code; repeatable.")
@click.option("--baseline", type=click.Path(readable=False), metavar="FILE", help="Findings that are accepted for now.")
@click.option("--write-baseline", is_flag=True, help="Write the current findings to that file instead of showing them.")
@with_rules
def lint(
    source: Source,
    rules: Rules,
    output: str,
    fail_on: str,
    min_severity: str,
    codes: tuple[str, ...],
    baseline: str | None,
    write_baseline: bool,  # noqa: FBT001 (a flag)
) -> int:
    """Print the findings; the exit code."""
    wanted = _filter(min_severity, codes)
    if write_baseline and (codes or min_severity != Severity.INFO.value):
        raise click.UsageError("--write-baseline writes all findings; leave out --code and --min-severity")
    rows = _rows(baseline, write_baseline)
    inputs = source.read()
    findings = findings_in(inputs.snapshot(), rules)
    divided = baselines.divide(findings, rows)
    if baseline and write_baseline:
        return _write(baseline, inputs, findings, rows, divided)
    _report_stale(divided, baseline or "")
    new = tuple(filter(wanted, divided.new))
    accepted = tuple(pair for pair in divided.accepted if wanted(pair[0]))
    linted = Linted(inputs, rules, inputs.places(), new, accepted, baseline or "", fail_on)
    _show(linted, output)
    if inputs.problems:
        return ERROR
    return FOUND if linted.fails(linted.findings) else OK


def _show(linted: Linted, output: str) -> None:
    if FORMS[output]:
        form = importlib.import_module(f"dnsalias_operator.cli.printing.{FORMS[output]}")
        click.echo(form.document(linted))
    elif output == "json":
        document = {"findings": [as_dict(finding, linted.places.get(finding.key)) for finding in linted.findings]}
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        for line in _lines(linted.findings, linted.places):
            click.echo(line)
        click.echo(f"Assumed: {linted.rules.mesh.assumptions()}.")
        click.echo(_summary(linted) + unread(linted.inputs) + ".")


def _filter(min_severity: str, codes: tuple[str, ...]) -> Callable[[Finding], bool]:
    """Whether a finding is to be shown."""
    least, asked = Severity(min_severity), {code.upper() for code in codes}
    known = sorted(fault.code for fault in FAULTS)
    if unknown := sorted(asked.difference(known)):
        raise click.UsageError(f"--code {clean(unknown[0])}: there is no such finding; the codes are {runs(known)}")
    return lambda finding: finding.severity.rank <= least.rank and (not asked or finding.code in asked)


def _rows(path: str | None, writing: bool) -> tuple[baselines.Row, ...]:  # noqa: FBT001 (a flag)
    if path is None:
        if writing:
            raise click.UsageError("--write-baseline needs --baseline FILE: the file to write")
        return ()
    try:
        return baselines.read(path, may_be_new=writing)
    except baselines.BaselineError as error:
        raise click.ClickException(str(error)) from error


def _write(
    path: str,
    inputs: Inputs,
    findings: Iterable[Finding],
    rows: tuple[baselines.Row, ...],
    divided: baselines.Division,
) -> int:
    if inputs.problems:
        note(f"{path}: not written, because part of the input could not be read and would be missing in it")
        return ERROR
    try:
        baselines.write(path, findings, rows)
    except baselines.BaselineError as error:
        raise click.ClickException(str(error)) from error
    added, removed = len(divided.new), len(divided.stale)
    changes = tally(((added, "new"), (removed, "removed"))) or "nothing new"
    total = count(len(divided.accepted) + added, "finding")
    note(f"{path}: {total} accepted, {changes}; from now on --baseline {path} shows only other findings")
    return OK


def _report_stale(divided: baselines.Division, path: str) -> None:
    """Rows that no longer match: as long as they stay, the same fault can come back unnoticed."""
    worse = {baselines.Fingerprint.of(finding): finding.severity for finding in divided.new}
    for row in divided.stale[:MOST_STALE]:
        if row.fingerprint in worse:
            now = worse[row.fingerprint]
            note(f"{path}: {row.fingerprint} was accepted as {row.severity} and is now {now}, so it is shown")
        else:
            note(f"{path}: {row.fingerprint} is no longer found; remove the row, or write the baseline again")
    if len(divided.stale) > MOST_STALE:
        note(f"{path}: {len(divided.stale) - MOST_STALE} more rows no longer match; write the baseline again")


def as_dict(finding: Finding, place: Place | None) -> dict[str, object]:
    """The machine form of a finding; ``port``, ``file`` and ``line`` are null if they are not known."""
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


def _lines(findings: Iterable[Finding], places: Mapping[Key, Place]) -> Iterator[str]:
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


def _summary(linted: Linted) -> str:
    severities = [finding.severity for finding in linted.findings]
    counts = tally((severities.count(severity), severity.value) for severity in Severity)
    found = f"{count(len(severities), 'finding')}: {counts}" if severities else "No findings"
    accepted = f" and {len(linted.accepted)} accepted in {clean(linted.baseline)}" if linted.accepted else ""
    return f"{found}{accepted}, in {count(len(linted.inputs.items), 'object')}"
