"""`dnsalias lint -o sarif`: SARIF 2.1.0, for code scanning and editors.

The form follows "Static Analysis Results Interchange Format (SARIF) Version 2.1.0" (OASIS); its sections are
named where something is not obvious.
"""

import hashlib
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dnsalias_operator import __version__
from dnsalias_operator.cli.printing.baseline import Fingerprint, Row
from dnsalias_operator.cli.printing.linted import Linted, Located
from dnsalias_operator.cli.printing.pages import PagesMissingError, address, pages
from dnsalias_operator.cli.reading.problems import STDIN, Place, Problem
from dnsalias_operator.cli.terminal import clean
from dnsalias_operator.core.findings.catalog import FAULTS
from dnsalias_operator.core.findings.fault import Fault
from dnsalias_operator.core.outcome import Severity

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
FINGERPRINT = "dnsaliasFinding/v1"
"""Name and version of the fingerprint; a change of its computation needs a new version (section 3.27.17)."""
MOST_LOCATIONS = 100
"""Of one result; code scanning takes no more into account."""
_LEVELS = {Severity.CRITICAL: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_ROOT = "%SRCROOT%"
_INDEX = {fault.code: index for index, fault in enumerate(FAULTS)}


def document(linted: Linted) -> str:
    """The log as ASCII JSON, the same in every encoding."""
    run = {
        "tool": {"driver": _driver()},
        # The reader sets the folder that paths are relative to (section 3.14.14).
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The folder in which dnsalias was run."}}},
        "invocations": [_invocation(linted)],
        "columnKind": "unicodeCodePoints",
        "results": _results(linted),
        "properties": {"assumed": linted.assumptions},
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _driver() -> dict[str, Any]:
    return {"name": "dnsalias", "semanticVersion": __version__, "version": __version__, "rules": [*map(_rule, FAULTS)]}


def _rule(fault: Fault) -> dict[str, Any]:
    words = fault.title.replace("'", "").replace("-", " ").split()
    return {
        "id": fault.code,
        "name": "".join(word[0].upper() + word[1:] for word in words),
        "shortDescription": {"text": fault.title},
        "fullDescription": {"text": f"{fault.title}. Remedy: {fault.remedy}."},
        "help": _help(fault),
        "helpUri": address(fault.code, fault.title),
        "defaultConfiguration": {"level": _LEVELS[fault.severity]},
        "properties": {"tags": ["istio", "networking"]},
    }


def _help(fault: Fault) -> dict[str, str]:
    """The page of docs/findings.md, which code scanning shows with each result, as text and as Markdown."""
    try:
        (page,) = pages(fault.code)
    except PagesMissingError:
        return {"text": fault.remedy}
    return {"text": page.text, "markdown": page.text}


def _results(linted: Linted) -> list[dict[str, Any]]:
    """New and accepted findings; with a baseline, each is marked as one of them (section 3.27.23)."""
    rows: list[tuple[Located, Row | None]] = [(finding, None) for finding in linted.findings]
    results = []
    for finding, row in (*rows, *linted.accepted):
        result = _result(finding)
        if linted.baseline:
            result["suppressions"] = [_suppression(row, linted.baseline)] if row else []
        results.append(result)
    return results


def _suppression(row: Row, baseline: str) -> dict[str, Any]:
    return {"kind": "external", "status": "accepted", "justification": row.note or f"accepted in {clean(baseline)}"}


def _result(finding: Located) -> dict[str, Any]:
    port = f" port {finding.port}" if finding.port is not None else ""
    message = f"{finding.key}{port}: {finding.message}. Fix: {finding.remedy}."
    return {
        "ruleId": finding.code,
        "ruleIndex": _INDEX[finding.code],
        "level": _LEVELS[finding.severity],
        # Square brackets would be read as links to related locations (section 3.11.6); names may hold any text.
        "message": {"text": clean(message).replace("[", "\\[").replace("]", "\\]")},
        # The hazard is gone once all of them are changed (section 3.27.12).
        "locations": [_location(each) for each in (finding.behind or (finding,))[:MOST_LOCATIONS]],
        "partialFingerprints": {FINGERPRINT: fingerprint(finding)},
        "properties": {
            "severity": finding.severity.value,
            "port": finding.port,
            "objects": len(finding.behind) or 1,
            "remedy": clean(finding.remedy),
            "worlds": [*map(clean, finding.worlds)],
        },
    }


def fingerprint(finding: Located) -> str:
    """The same for the same fault of the same object, wherever the object is in the files (64 hexadecimal digits).

    One that stands for a hazard with many objects has the hazard's: the same whichever objects come and go.
    """
    identity: object = Fingerprint.of(finding)
    if finding.behind and finding.hazard:
        identity = ("hazard", finding.code, finding.port, finding.hazard.name)
    return hashlib.sha256(json.dumps(identity).encode()).hexdigest()


def _location(finding: Located) -> dict[str, Any]:
    kind, namespace, name = (clean(part) for part in finding.key)
    logical = {"name": name, "fullyQualifiedName": f"{kind} {namespace}/{name}", "kind": "resource"}
    return {**_physical(finding.place), "logicalLocations": [logical]}


def _physical(place: Place | None) -> dict[str, Any]:
    if place is None or place.file == STDIN:
        return {}
    region = {"region": {"startLine": place.line}} if place.line else {}
    return {"physicalLocation": {"artifactLocation": _artifact(place.file), **region}}


def _artifact(file: str) -> dict[str, str]:
    """Relative to the working folder if the file is in it, as code scanning requires; otherwise absolute."""
    path = Path(file).absolute()
    try:
        return {"uri": quote(path.relative_to(Path.cwd()).as_posix()), "uriBaseId": _ROOT}
    except ValueError:
        return {"uri": path.as_uri()}


def _invocation(linted: Linted) -> dict[str, Any]:
    """Reports input that could not be read: a log without results must not look like a clean one."""
    problems = linted.inputs.problems
    notifications = [_notification(problem, counts=linted.counts(problem)) for problem in problems]
    reported = {"toolExecutionNotifications": notifications} if notifications else {}
    return {"executionSuccessful": not any(map(linted.counts, problems)), **reported}


def _notification(problem: Problem, *, counts: bool) -> dict[str, Any]:
    place = Place(problem.file, problem.line)
    return {
        "level": "error" if counts else "warning",
        "message": {"text": clean(problem).replace("[", "\\[").replace("]", "\\]")},
        "locations": [physical] if (physical := _physical(place)) else [],
    }
