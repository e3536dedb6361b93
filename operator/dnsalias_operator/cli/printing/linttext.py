"""`dnsalias lint` for people: findings by object, what was assumed and skipped, and a summary."""

from collections import Counter
from collections.abc import Iterator
from itertools import groupby

import click

from dnsalias_operator.cli.printing.linted import Linted, Located
from dnsalias_operator.cli.reading.problems import Place, Skipped
from dnsalias_operator.cli.reading.worlds import parts
from dnsalias_operator.cli.terminal import clean, count, severity, tally
from dnsalias_operator.core.outcome import Severity
from dnsalias_operator.model.names import Key

_Document = tuple[Key, Place | None, tuple[str, ...]]


def document(linted: Linted) -> str:
    """The report, as lines."""
    return "\n".join(_lines(linted))


def _lines(linted: Linted) -> Iterator[str]:
    # Documents in the order of their worst finding, as the core sorts findings.
    first: dict[_Document, int] = {}
    for index, finding in enumerate(linted.findings):
        first.setdefault(_of(finding), index)
    for (key, place, worlds), group in groupby(sorted(linted.findings, key=lambda f: first[_of(f)]), key=_of):
        where = f"{clean(place)}: " if place else ""
        among = f" (in {clean(', '.join(worlds))})" if worlds and len(linted.judged.worlds) > 1 else ""
        yield where + click.style(clean(key), bold=True) + among
        for finding in group:
            yield from _finding(finding)
        yield ""
    skipped = Counter((*linted.inputs.skipped, *(Skipped.PART for _ in parts(linted.inputs))))
    if skipped:
        yield f"Skipped: {tally((skipped[why], why.value) for why in Skipped)}."
    yield f"Assumed: {linted.assumptions}."
    yield f"{_summary(linted)}."


def _of(finding: Located) -> _Document:
    return finding.key, finding.beginning, finding.worlds


def _finding(finding: Located) -> Iterator[str]:
    port = f" port {finding.port}:" if finding.port is not None else ""
    yield f"  {severity(finding.severity)} {finding.code}{port} {clean(finding.message)}"
    yield f"  {'':<8} {click.style('fix:', fg='green')} {clean(finding.remedy)}"
    if finding.place != finding.beginning:
        yield f"  {'':<8} at:  {clean(finding.place)}"


def _summary(linted: Linted) -> str:
    severities = [finding.severity for finding in linted.findings]
    counts = tally((severities.count(severity), severity.value) for severity in Severity)
    found = f"{count(len(severities), 'finding')}: {counts}" if severities else "No findings"
    accepted = f" and {len(linted.accepted)} accepted in {clean(linted.baseline)}" if linted.accepted else ""
    worlds = len(linted.judged.worlds)
    of = f" of {worlds} worlds" if worlds > 1 else ""
    problems = len(linted.inputs.problems)
    unread = f" ({count(problems, 'problem')} in the input, see above)" if problems else ""
    return f"{found}{accepted}, in {count(len(linted.inputs.items), 'object')}{of}{unread}"
