"""Whether a remedy does what it promises: the finding is gone, nothing else is worse, and no Service loses a call.

One fault may hide another: an entry has the first reason that applies. A remedy is followed through such reasons, with
the first edit of each, until none is left; the same one again is a fault of the remedy.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby

from dnsalias_operator.core.findings.catalog import CONTAINED
from dnsalias_operator.core.outcome import Finding, Severity
from dnsalias_operator.core.plan import lint, plan
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.rules import Rules
from tests.core.remedies.bench import Bench, settle, told
from tests.core.remedies.services import lost_calls
from tests.core.remedies.table import BY_REASON, DECISIONS, Remedy, follows_as_asked, remedies, text_of
from tests.scenarios.simulated import Cluster

Findings = tuple[Finding, ...]
STEPS = 5
"""No object has more reasons than this one behind the other."""


@dataclass(frozen=True)
class Tried:
    """One alternative of a remedy, carried out; ``faults`` are sentences of what is wrong with it."""

    finding: Finding
    text: str
    alternative: int
    faults: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.finding.code} {self.finding.key}, edit {self.alternative} of {self.text!r}: {self.faults[:2]}"


@dataclass
class Judge:
    """What is found in worlds that remedies come to; equal worlds are looked at once.

    ``known`` is what is found in the world as it is, and in what the operator makes of it without any remedy.
    """

    cluster: Cluster
    rules: Rules
    known: Findings = ()
    before: Findings = ()
    _found: dict[str, tuple[Findings, Findings]] = field(default_factory=dict)
    _lost: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Look at the world without a remedy."""
        self._world = self.cluster.snapshot()
        self.before, settled = self.found(self.cluster, self.rules)
        _, repaired = self.found(self.cluster, self.rules.model_copy(update={"foreign_entries": "patch"}))
        self.known = (*self.before, *settled, *repaired)

    def found(self, cluster: Cluster, rules: Rules) -> tuple[Findings, Findings]:
        """The findings of a world, now and once the operator's plan is carried out."""
        key = told(cluster, rules)
        if key not in self._found:
            world = cluster.snapshot()
            planned = plan(world, rules)
            later = lint(planned.after, rules)
            self._found[key] = (lint(world, rules) if planned.changes else later), later
        return self._found[key]

    def lost(self, bench: Bench) -> tuple[str, ...]:
        """The calls to Services that a remedy has taken from them."""
        key = told(bench.cluster, bench.rules)
        if key not in self._lost:
            self._lost[key] = tuple(lost_calls(self._world, bench.world, bench.rules.mesh))
        return self._lost[key]

    def bench(self, finding: Finding) -> Bench:
        """A copy of the world to try a remedy on."""
        return Bench(copy.deepcopy(self.cluster), self.rules, finding)


def tried(cluster: Cluster, rules: Rules) -> Iterator[Tried]:
    """Each alternative of the remedy of each finding of a world, carried out: one text for one object once.

    What is found only once the operator has contained an entry has its remedy carried out in the world after that.
    """
    yield from _tried(Judge(cluster, rules), lambda _: True)
    after = copy.deepcopy(cluster)
    if settle(after, rules) and any(f.code == CONTAINED.code for f in lint(after.snapshot(), rules)):
        yield from _tried(Judge(after, rules), lambda f: f.code == CONTAINED.code)


def _tried(judge: Judge, wanted: Callable[[Finding], bool]) -> Iterator[Tried]:

    def same(found: Finding) -> tuple[Key, str]:
        return found.key, text_of(found)

    for (_, text), group in groupby(sorted(filter(wanted, judge.before), key=same), key=same):
        asked = sorted(group, key=lambda f: f.order)
        rows = list(remedies(asked[0]))
        if len(rows) != 1:
            yield Tried(asked[0], text, 0, (f"{len(rows)} rules of the table have this text",))
            continue
        for number in range(len(rows[0].rule.edits)):
            faults = tuple(_Attempt(judge, asked, judge.bench(asked[0])).faults(rows[0], number))
            yield Tried(asked[0], text, number, faults)


@dataclass
class _Attempt:
    """One remedy carried out for findings that have it in common; ``about`` are the objects that it is about."""

    judge: Judge
    asked: list[Finding]
    bench: Bench
    about: set[Key] = field(default_factory=set)
    said: set[str] = field(default_factory=set)

    def faults(self, remedy: Remedy, number: int) -> Iterator[str]:
        """Carry it out, and what it uncovers; then say what is wrong with what has come of it."""
        pending: tuple[Remedy, int] | None = (remedy, number)
        for _ in range(STEPS):
            if pending is None:
                break
            self._carry_out(*pending)
            pending = self._uncovered()
        now, later = self.judge.found(self.bench.cluster, self.bench.rules)
        found = later if BY_REASON.fullmatch(self.asked[0].remedy) else (*now, *later)
        yield from (f"it is still there: {f}" for f in dict.fromkeys(found) if self._again(f))
        yield from (f"there is now {f}" for f in now if f.severity is Severity.CRITICAL and self._worse(f))
        yield from (f"there is then {f}" for f in later if self._worse(f))
        yield from self.judge.lost(self.bench)

    def _carry_out(self, remedy: Remedy, number: int) -> None:
        bench = self.bench
        self.said.add(remedy.match.string)
        bench.subject = Key("ServiceEntry", *remedy.entry.split("/")) if remedy.entry else remedy.finding.key
        bench.finding = remedy.finding
        self.about |= {bench.subject, remedy.finding.key}
        if named := remedy.match.groupdict().get("entry"):
            self.about.add(Key("ServiceEntry", *named.split("/")))
        remedy.rule.edits[number](bench, remedy.match)
        self.about |= bench.cluster.objects.keys() - self.judge.cluster.objects.keys()

    def _uncovered(self) -> tuple[Remedy, int] | None:
        """The next remedy, where the reason behind the one before shows."""
        asked = self.asked[0]
        if not (asked.code in DECISIONS or BY_REASON.fullmatch(asked.remedy) or "annotate it" in asked.remedy):
            return None
        now, _ = self.judge.found(self.bench.cluster, self.bench.rules)
        for found in now:
            if found.code in DECISIONS and found.key in self.about and not self._said_before(found):
                for remedy in remedies(found):
                    if remedy.match.string not in self.said and remedy.rule.edits:
                        return remedy, 0
        return None

    def _again(self, found: Finding) -> bool:
        if found.code in DECISIONS:
            return found.key in self.about and text_of(found) in self.said
        return any((f.code, f.key, f.port) == (found.code, found.key, found.port) for f in self.asked)

    def _said_before(self, found: Finding) -> bool:
        return any(f.key == found.key and f.message == found.message for f in self.judge.known)

    def _known(self, new: Finding) -> bool:
        """Whether it was there before, perhaps in the object that this one was taken out of."""
        moved = self.bench.subject if new.key not in self.judge.cluster.objects else new.key
        return any(
            (f.code, f.port) == (new.code, new.port)
            and f.key in (new.key, moved)
            and f.severity.rank <= new.severity.rank
            for f in self.judge.known
        )

    def _worse(self, new: Finding) -> bool:
        if self._known(new) or follows_as_asked(new, self.asked[0]):
            return False
        grave = new.severity.rank <= self.asked[0].severity.rank
        return new.severity is Severity.CRITICAL or (new.key not in self.about and grave)
