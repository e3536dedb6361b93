"""The part of docs/comparison.md that a run gives."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.compare.asking import PROGRAMS, Reported, files_of
from tools.compare.corpus import Case, Kind, digest, kinds
from tools.controlplane import build

PAGE = Path(__file__).parents[2] / "docs/comparison.md"
BEGIN, END = "<!-- made by `make compare`, from here -->", "<!-- to here -->"
KIALI = "https://kiali.io/docs/features/validations/"


@dataclass(frozen=True)
class Row:
    """What the programs reported of one case, by their names."""

    kind: Kind
    case: Case
    reported: Mapping[str, Reported]

    def codes(self, program: str) -> frozenset[str]:
        """What it reported of the objects at fault; where nothing is wrong, of any object."""
        found = self.reported[program]
        return frozenset[str]().union(*(found.get(at, frozenset()) for at in self.case.at or found))


def measured(folder: Path) -> list[Row]:
    """Run every program on every case; ``folder`` is scratch."""
    every = [(kind, case) for kind in kinds() for case in kind.cases]
    files = files_of([case for _, case in every], folder)
    told = {name: ask(files) for name, ask in PROGRAMS.items()}
    return [
        Row(kind, case, {name: reported[number] for name, reported in told.items()})
        for number, (kind, case) in enumerate(every)
    ]


def written(page: str, rows: Sequence[Row]) -> str:
    """The page with the part of the run put in."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + "\n".join((BEGIN, *part(rows), END)) + after


def part(rows: Sequence[Row]) -> Iterator[str]:
    """The lines of that part."""
    istio = build.required_version("istio", build.ISTIO_MODULE)
    wrong, fine = [r for r in rows if r.case.wrong], [r for r in rows if not r.case.wrong]
    yield f"<!-- corpus {digest()} -->"
    yield ""
    yield f"{len(wrong)} manifests with a fault and {len(fine)} without, Istio's tools of module {istio}."
    yield ""
    yield f"| Kind of fault | {' | '.join(f'`{name}`' for name in PROGRAMS)} | Kiali's documentation |"
    yield "|---|" + "---|" * (len(PROGRAMS) + 1)
    by_kind = list({r.kind.name: r.kind for r in wrong}.values())
    for kind in by_kind:
        cells = (_found([r for r in wrong if r.kind == kind], name) for name in PROGRAMS)
        yield f"| {kind.name} | {' | '.join(cells)} | {kind.kiali or 'no check'} |"
    totals = (f"**{sum(bool(r.codes(name)) for r in wrong)} of {len(wrong)}**" for name in PROGRAMS)
    covered = sum(bool(kind.kiali) for kind in by_kind)
    yield f"| **Found** | {' | '.join(totals)} | {covered} of {len(by_kind)} kinds |"
    false = (_found(fine, name) for name in PROGRAMS)
    yield f"| **False**: reported where nothing is wrong | {' | '.join(false)} | not run |"
    yield ""
    yield "What goes wrong, by kind:"
    yield ""
    yield from (f"- **{kind.name}.** {kind.goes_wrong}" for kind in by_kind)
    yield ""
    yield "Each manifest; a dash where the program reports nothing of the objects at fault:"
    yield ""
    yield f"| Kind | Manifest | {' | '.join(f'`{name}`' for name in PROGRAMS)} |"
    yield "|---|---|" + "---|" * len(PROGRAMS)
    for row in (*wrong, *fine):
        cells = (", ".join(sorted(row.codes(name))) or "-" for name in PROGRAMS)
        about = row.case.about if row.case.wrong else f"right: {row.case.about}"
        yield f"| {row.kind.name} | {about} | {' | '.join(cells)} |"


def _found(rows: Sequence[Row], name: str) -> str:
    hits = [r for r in rows if r.codes(name)]
    codes = sorted(frozenset[str]().union(*(r.codes(name) for r in hits)))
    return f"{len(hits)} of {len(rows)}" + (f" ({', '.join(codes)})" if codes else "")
