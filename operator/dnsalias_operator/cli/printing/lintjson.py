"""`dnsalias lint -o json`: for scripts. docs/lint.schema.json describes it, key by key."""

import json
from collections import Counter

from dnsalias_operator import __version__
from dnsalias_operator.cli.printing.linted import Linted, Located
from dnsalias_operator.cli.printing.pages import address
from dnsalias_operator.cli.reading.problems import Place, Problem, Skipped
from dnsalias_operator.cli.reading.worlds import parts
from dnsalias_operator.core.findings.catalog import TITLES
from dnsalias_operator.core.outcome import Finding, Severity

VERSION = 1
"""Of the form. A version may get new keys; existing keys keep name and meaning."""
_SKIPPED = {
    Skipped.NO_OBJECT: "noObject",
    Skipped.IGNORED: "ignored",
    Skipped.PART: "kustomizationParts",
    Skipped.SPECIAL: "noFile",
}


def document(linted: Linted) -> str:
    """The whole report as JSON."""
    inputs = linted.inputs
    severities = Counter(finding.severity for finding in linted.findings)
    skipped = Counter((*inputs.skipped, *(Skipped.PART for _ in parts(inputs))))
    report = {
        "version": VERSION,
        "tool": {"name": "dnsalias", "version": __version__},
        "assumptions": linted.assumptions,
        "findings": [_located(finding) for finding in linted.findings],
        "problems": [_problem(problem, counts=linted.counts(problem)) for problem in inputs.problems],
        "skipped": {
            **{key: skipped[reason] for reason, key in _SKIPPED.items()},
            "otherKinds": sum(item.typed is None for item in inputs.items),
        },
        "summary": {
            "findings": len(linted.findings),
            **{severity.value: severities[severity] for severity in Severity},
            "accepted": len(linted.accepted),
            "problems": len(inputs.problems),
            "objects": len(inputs.items),
            "worlds": len(linted.judged.worlds),
        },
    }
    return json.dumps(report, indent=2, ensure_ascii=False)


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
        "url": address(finding.code, TITLES[finding.code]),
        "file": place.file if place else None,
        "line": place.line if place else None,
    }


def _located(finding: Located) -> dict[str, object]:
    return {
        **as_dict(finding, finding.place),
        "worlds": list(finding.worlds),
        "count": len(finding.behind) or 1,
        "objects": [as_dict(each, each.place) for each in finding.behind],
    }


def _problem(problem: Problem, *, counts: bool) -> dict[str, object]:
    return {
        "file": problem.file,
        "line": problem.line or None,
        "column": problem.column or None,
        "message": problem.message,
        "counts": counts,
    }
