"""The whole page: its verdict, and the values of its template."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

import click
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dnsalias_operator import __version__
from dnsalias_operator.cli.printing import baseline
from dnsalias_operator.cli.printing.diff import unified
from dnsalias_operator.cli.printing.linted import Linted, Located
from dnsalias_operator.cli.printing.report import words
from dnsalias_operator.cli.printing.report.drawing import drawings
from dnsalias_operator.cli.printing.report.ports import Port, World, ports
from dnsalias_operator.cli.terminal import clean, count
from dnsalias_operator.core.findings.catalog import TITLES
from dnsalias_operator.core.findings.hazards import together
from dnsalias_operator.core.istio.listeners import Client, unfollowed
from dnsalias_operator.core.outcome import Change, Finding, Plan, Severity, not_served, unfixed, withheld
from dnsalias_operator.core.plan import lint, plan
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.snapshot import Snapshot

MOST_SAME = 4
"""Lines of a listener table that are shown although the plan does not change them; the others are counted."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The head of the page: how bad it is (a CSS class), one sentence, and one on what comes next."""

    kind: str
    title: str
    text: str


def document(linted: Linted) -> str:
    """The page, as ASCII: the same in any encoding. The same input gives the same bytes.

    Plan and drawings are for one world; if there are several, the page has only the findings.
    """
    world, mesh = linted.judged.snapshot or Snapshot(), linted.rules.mesh
    alone = linted.judged.snapshot is not None
    decided = plan(world, linted.rules)
    after = _left_after(linted, decided) if alone else linted.every
    left = [group[0] for group in together(after)]
    now, then = World(world, mesh, linted.every), World(decided.after, mesh, after)
    shown = ports(now, then, [change.key for change in decided.changes]) if alone else []
    hosts = _hosts_of(decided.after)
    environment = Environment(
        loader=PackageLoader("dnsalias_operator.cli.printing.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    text = environment.get_template("page.html").render(
        version=__version__,
        verdict=verdict(linted, decided, shown, left),
        severities=[
            (s.value, *(sum(f.severity is s for f in some) for some in (linted.findings, left))) for s in Severity
        ],
        objects=len(linted.inputs.items),
        linted=linted,
        ports=shown,
        drawings=lambda port, then: drawings(port, hosts, then=then),
        words=words,
        hosts=hosts,
        same=MOST_SAME,
        findings=_by_object(linted.findings),
        titles=TITLES,
        decided=decided,
        left=_left(decided),
        withheld=withheld(decided),
        diff=_diff,
        assumed=linted.rules.assumed_mesh(),
        not_modelled=_not_modelled(world, linted, shown),
        count=count,
    )
    return text.encode("ascii", "xmlcharrefreplace").decode()


def _shown(value: object) -> object:
    """What the template prints: untrusted text without control characters and direction overrides."""
    return value if isinstance(value, Markup) else clean(value)


def verdict(linted: Linted, decided: Plan, shown: Iterable[Port], after: Iterable[Finding]) -> Verdict:
    """The most important fact, in one line."""
    taken = [port.number for port in shown if port.taking]
    waiting = [port.number for port in shown if port.waiting]
    found = Counter(finding.severity for finding in linted.findings)
    then = _next(linted, decided, Counter(finding.severity for finding in after))
    # A catch-all that only its own namespace gets is a warning.
    bad = Severity.CRITICAL if found[Severity.CRITICAL] else Severity.WARNING
    if taken:
        text = "Connections go to entries that they are not meant for: they are answered by the wrong server, or reset."
        return Verdict(bad, f"Traffic on {_listed(taken)} goes to the wrong destination", f"{text} {then}")
    if waiting:
        text = "They take no traffic now, but will as soon as something else changes."
        return Verdict(bad, f"Catch-alls wait on {_listed(waiting)}", f"{text} {then}")
    if found:
        worst = min(found, key=lambda severity: severity.rank)
        title = count(found[worst], f"{worst} finding") if worst is not Severity.INFO else "Nothing is wrong"
        return Verdict(worst.value, title, f"No entry takes every connection to a port. {then}")
    accepted = f" beyond what {linted.baseline} accepts" if linted.accepted else ""
    nothing = f"No entry and no alias has a finding{accepted}."
    if linted.inputs.problems:
        return Verdict("warning", "Nothing found in what was read", nothing)
    return Verdict("good", "Nothing found", nothing)


def _listed(numbers: list[int]) -> str:
    *most, last = map(str, numbers)
    return f"ports {', '.join(most)} and {last}" if most else f"port {last}"


def _next(linted: Linted, decided: Plan, after: Counter[Severity]) -> str:
    if linted.judged.snapshot is None:
        return "There are several worlds: run lint on one of them alone to see what the operator would write there."
    writes, left, kept_back = len(decided.changes), sum(after.values()), len(withheld(decided))
    if not writes:
        why = f" ({count(kept_back, 'repair')} withheld: observe only)" if kept_back else ""
        return f"The operator would write nothing{why}: each finding says what to do."
    rest = f"leaves {count(left, 'finding')} to you" if left else "leaves nothing to do"
    grave = f", {after[Severity.CRITICAL]} of them critical" if after[Severity.CRITICAL] else ""
    return f"The operator's plan fixes this with {count(writes, 'write')} and {rest}{grave}."


def _left_after(linted: Linted, decided: Plan) -> tuple[Finding, ...]:
    """Findings of the world after the plan, without those that are accepted."""
    rows = [row for _, row in linted.accepted]
    return baseline.divide(lint(decided.after, linted.rules), rows).new


def _hosts_of(world: Snapshot) -> words.Hosts:
    def hosts(key: Key) -> str:
        entry = world.entry(key.namespace, key.name) if key.kind == "ServiceEntry" else None
        return ", ".join(entry.hosts) if entry else ""

    return hosts


def _by_object(findings: Iterable[Located]) -> list[tuple[Severity, list[tuple[Key, list[Located]]]]]:
    """Findings by severity, and within by document; both in the order of the core, worst first."""
    grouped = []
    for severity, some in groupby(findings, key=lambda finding: finding.severity):
        documents = groupby(some, key=lambda finding: (finding.key, finding.beginning, finding.worlds))
        grouped.append((severity, [(key, list(same)) for (key, *_), same in documents]))
    return grouped


def _left(decided: Plan) -> list[tuple[Key, str, str]]:
    """What the plan does not fix: object, reason, and the message with what to do."""
    entries = [(entry.key, entry.reason, entry.message) for entry in unfixed(decided.entries)]
    aliases = [(alias.key, condition.reason, condition.message) for alias, condition in not_served(decided)]
    return entries + aliases


def _diff(change: Change) -> list[tuple[str, str]]:
    """Lines of a change's diff, each with the CSS class of its sign."""
    kinds = {"+": "added", "-": "removed", "@": "place"}
    name = f"{change.key.kind}/{change.key.namespace}/{change.key.name}"
    lines = [click.unstyle(line) for line in unified(name, change.before, change.after)][2:]
    return [(kinds.get(line[:1], "same"), line) for line in lines]


def _not_modelled(world: Snapshot, linted: Linted, shown: Iterable[Port]) -> list[str]:
    """What predictions leave out for the ports that are shown, for a namespace without rules of its own."""
    client = Client("", stands_for_others=True)
    found = (line for port in shown for line in unfollowed(world, client, linted.rules.mesh, port.number))
    return list(dict.fromkeys(found))
