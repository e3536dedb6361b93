"""What one run of `dnsalias lint` found: the input of every output form."""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

from dnsalias_operator.cli.printing.baseline import Row
from dnsalias_operator.cli.reading.inputs import Inputs, Item
from dnsalias_operator.cli.reading.meshread import by_revision, complaints, mesh_in, rules_in
from dnsalias_operator.cli.reading.problems import Place, Problem
from dnsalias_operator.cli.reading.worlds import World, readings, worlds
from dnsalias_operator.cli.terminal import note
from dnsalias_operator.core.findings.hazards import message_of, remedy_of, together
from dnsalias_operator.core.outcome import Finding, Severity
from dnsalias_operator.core.plan import lint
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Located(Finding):
    """A finding with its position.

    ``place`` is that of the port that it is about, or of the object; ``beginning`` is always that of the object. Both
    are None for an object of a cluster. ``worlds`` are the names of the worlds in which it is found; the world of files
    that are part of no kustomization and no `--overlay` has none. ``behind`` are the findings of all objects behind a
    hazard for which this one stands: its message and remedy are about all of them (`as_hazards`). () for one object.
    """

    place: Place | None = None
    beginning: Place | None = None
    worlds: tuple[str, ...] = ()
    behind: tuple["Located", ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """Every finding in every world of ``inputs``, worst first.

    ``snapshot`` is the only world, with one document of each object; None if there are several.
    """

    inputs: Inputs
    worlds: tuple[World, ...]
    findings: tuple[Located, ...]
    snapshot: Snapshot | None
    rules: tuple[Rules, ...]
    """In the mesh as it is: of each world that differs in that, the first one's first."""


@dataclass(frozen=True, slots=True)
class Linted:
    """What is shown of ``judged``, and the ``rules`` that were used.

    ``read`` says from where and when, for a report that outlives its cluster.
    ``findings`` has one finding for a hazard with many objects, ``every`` that of each object.
    ``accepted`` are the findings that have a row in the baseline (``baseline``: its path, "" for none). They are not in
    ``findings`` and do not affect the exit code. ``fail_on`` is a severity or ``never``; with ``strict`` every problem
    counts.
    """

    judged: Judged
    rules: Rules
    findings: tuple[Located, ...]
    accepted: tuple[tuple[Located, Row], ...]
    baseline: str
    fail_on: str
    strict: bool
    read: str = ""

    @property
    def every(self) -> tuple[Located, ...]:
        """What is shown, object by object, in the order of findings."""
        return tuple(each for finding in self.findings for each in finding.behind or (finding,))

    @property
    def inputs(self) -> Inputs:
        """What was read."""
        return self.judged.inputs

    @property
    def assumptions(self) -> str:
        """What was assumed of the mesh; of several worlds each line that differs."""
        return "; or: ".join(dict.fromkeys(each.assumed_mesh() for each in self.judged.rules))

    def fails(self, findings: Iterable[Finding]) -> bool:
        """Whether any of these findings is at least as bad as ``fail_on``."""
        if self.fail_on == "never":
            return False
        return any(finding.severity.rank <= Severity(self.fail_on).rank for finding in findings)

    def counts(self, problem: Problem) -> bool:
        """Whether the problem makes the exit code 2: its file was named, or all problems count."""
        return problem.named or self.strict


def findings_in(inputs: Inputs, rules: Rules) -> Judged:
    """Look at every world; the same finding of the same document in several worlds is one."""
    found: dict[tuple[Finding, Place | None], tuple[Item, list[str]]] = {}
    every, snapshots, used = worlds(inputs), list[Snapshot](), list[Rules]()
    meshes = [mesh_in(inputs, rules, world.items) for world in every]
    told = dict.fromkeys(line for mesh in meshes for line in complaints(mesh, rules.mesh, Snapshot()))
    for world, mesh in zip(every, meshes, strict=True):
        for reading in readings(world, namespaces_known=inputs.namespaces_known):
            snapshots = [*snapshots[:1], reading.snapshot]
            told |= dict.fromkeys(complaints(mesh, rules.mesh, reading.snapshot))
            ruled = rules_in(mesh, rules, reading.snapshot)
            used += [] if ruled in used else [ruled]
            told |= dict.fromkeys(by_revision(ruled, reading.snapshot))
            for finding in lint(reading.snapshot, ruled, reading.judged):
                item = reading.judged[finding.key]
                _, named = found.setdefault((finding, item.place), (item, []))
                named += [world.name] * (bool(world.name) and world.name not in named)
    for line in told:
        note(line)
    located = [_located(finding, item, named) for (finding, _), (item, named) in found.items()]
    one = (snapshots or [inputs.snapshot()])[0] if len(snapshots) <= 1 else None
    return Judged(inputs, every, tuple(sorted(located, key=_order)), one, tuple(used or [rules]))


def as_hazards(findings: Iterable[Located]) -> tuple[Located, ...]:
    """The findings in their order; many of one hazard, in the same worlds, are one that stands for all."""
    return tuple(map(_as_one, together(findings, lambda finding: finding.worlds)))


def _as_one(group: tuple[Located, ...]) -> Located:
    if len(group) == 1:
        return group[0]
    return replace(group[0], message=message_of(group), remedy=remedy_of(group), behind=group)


def _located(finding: Finding, item: Item, worlds: Iterable[str]) -> Located:
    copied = {field.name: getattr(finding, field.name) for field in fields(Finding)}
    return Located(**copied, place=item.place_of(finding.port), beginning=item.place, worlds=tuple(worlds))


def _order(finding: Located) -> tuple[object, ...]:
    at = finding.beginning
    return (*finding.order, at.file if at else "", at.line if at else 0)
