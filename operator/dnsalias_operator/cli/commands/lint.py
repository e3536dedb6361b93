"""`dnsalias lint`: every finding, grouped by object, or in a form for machines."""

import importlib
import os
from collections.abc import Callable
from datetime import UTC, datetime

import click

from dnsalias_operator.cli.options import ERROR, FOUND, OK, Source, with_rules, with_source
from dnsalias_operator.cli.printing import baseline as baselines
from dnsalias_operator.cli.printing.linted import Judged, Linted, Located, as_hazards, findings_in
from dnsalias_operator.cli.reading.worlds import World
from dnsalias_operator.cli.terminal import clean, count, note, tally
from dnsalias_operator.core.findings.catalog import FAULTS, runs
from dnsalias_operator.core.outcome import Finding, Severity
from dnsalias_operator.model.rules import Rules

HELP = """Find ServiceEntries that take traffic not meant for them, and other faults of entries and DnsAliases.

\b
Example:
  dnsalias lint -f manifests/ --fail-on critical
  dnsalias lint --min-severity critical
  dnsalias lint --code DA001 --code DA019
  dnsalias lint -f . --exclude 'test/**'
  dnsalias lint -f common/ --overlay envs/dev --overlay envs/prod
  dnsalias lint -f manifests/ -o html > report.html
  dnsalias lint -f manifests/ --baseline baseline.json --write-baseline

A folder with a kustomization.yaml that no other one builds on is a world of its own, and so is each --overlay
(docs/ci.md). Files that .gitignore and .dnsaliasignore leave out are not read.

With --baseline, the findings in the file are accepted: only new findings, and those that have become worse, are shown
and counted. Rows that no longer match are reported on standard error.

With --code or --min-severity, other findings are neither shown nor counted.

\b
Exit codes:
  0  no finding at or above --fail-on, or the baseline was written
  1  findings at or above --fail-on
  2  bad usage, or a path that -f names cannot be read (the rest is still checked); with --strict, any input problem
"""
FORMS = {"text": "linttext", "json": "lintjson", "sarif": "sarif", "junit": "junit", "html": "report.page"}
"""Output forms, and their modules, which are imported when needed."""
MOST_STALE = 10
"""Most rows that no longer match which are named one by one."""

EPOCH_DIGITS = 11
"""Seconds since the epoch of more digits are beyond the years that a date can have."""


@click.command(help=HELP)
@with_source
@click.option(
    "--overlay",
    "overlays",
    multiple=True,
    type=click.Path(readable=False),
    metavar="PATH",
    help="File or folder that is a world of its own, on top of what -f names; repeatable.",
)
@click.option("-o", "--output", type=click.Choice(tuple(FORMS)), default="text", show_default=True)
@click.option(
    "--fail-on",
    type=click.Choice(("critical", "warning", "info", "never")),
    default="warning",
    show_default=True,
    help="Lowest severity that makes the exit code 1; with never, no input makes it 2 either.",
)
@click.option("--strict", is_flag=True, help="Exit with 2 for any problem in the input, wherever it was found.")
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
    strict: bool,  # noqa: FBT001 (a flag)
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
    judged = findings_in(source.read_worlds(), rules)
    _report_unrendered(judged.worlds)
    divided = baselines.divide(judged.findings, rows)
    new = as_hazards(filter(wanted, divided.new))
    accepted = tuple(pair for pair in divided.accepted if wanted(pair[0]))
    linted = Linted(judged, judged.rules[0], new, accepted, baseline or "", fail_on, strict, _read(source))
    unread = any(map(linted.counts, linted.inputs.problems))
    if baseline and write_baseline:
        return _write(baseline, judged, rows, divided, unread=unread)
    _report_stale(divided, baseline or "")
    form = importlib.import_module(f"dnsalias_operator.cli.printing.{FORMS[output]}")
    click.echo(form.document(linted))
    if unread and (strict or fail_on != "never"):
        return ERROR
    return FOUND if linted.fails(linted.findings) else OK


def _read(source: Source) -> str:
    """From where, and when: by SOURCE_DATE_EPOCH (reproducible-builds.org) or the clock."""
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    usable = given.isdecimal() and len(given) <= EPOCH_DIGITS
    at = datetime.fromtimestamp(int(given), UTC) if usable else datetime.now(UTC)
    return f"{source.described()}, {at:%Y-%m-%d %H:%M} UTC"


def _report_unrendered(worlds: tuple[World, ...]) -> None:
    """What kustomize would change in worlds with findings, and what of them was not read."""
    edited = [world.name for world in worlds if world.edited and world.judged]
    if edited:
        more = f" and {len(edited) - 1} more" * (len(edited) > 1)
        note(
            f"note: patches, namespaces and the like of {edited[0]}{more} are not applied here; to check the result: "
            f"kubectl kustomize {edited[0]} | dnsalias lint -f -"
        )
    for world in worlds:
        if world.beyond and world.judged:
            beyond = ", ".join(map(os.path.relpath, world.beyond))
            note(f"note: {world.name} builds on {beyond}, which -f does not include: give that as well")


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
    path: str, judged: Judged, rows: tuple[baselines.Row, ...], divided: baselines.Division[Located], *, unread: bool
) -> int:
    if unread:
        note(f"{path}: not written, because part of the input could not be read and would be missing in it")
        return ERROR
    try:
        baselines.write(path, judged.findings, rows)
    except baselines.BaselineError as error:
        raise click.ClickException(str(error)) from error
    added, removed = len(divided.new), len(divided.stale)
    changes = tally(((added, "new"), (removed, "removed"))) or "nothing new"
    total = count(len(divided.accepted) + added, "finding")
    note(f"{path}: {total} accepted, {changes}; from now on --baseline {path} shows only other findings")
    return OK


def _report_stale(divided: baselines.Division[Located], path: str) -> None:
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
