"""`dnsalias lint -o junit`: JUnit's XML, for CI systems that show test results.

There is no standard. The form is what the test reporters of Jenkins, GitLab and GitHub have in common: one suite, and
cases with a class name, a name, and at most one of failure, error and skipped.
"""

from collections.abc import Iterator
from xml.etree import ElementTree as ET

from dnsalias_operator.cli.printing.baseline import Row
from dnsalias_operator.cli.printing.linted import Linted, Located
from dnsalias_operator.cli.reading.problems import Place
from dnsalias_operator.cli.terminal import clean
from dnsalias_operator.core.findings.catalog import FAULTS
from dnsalias_operator.model.names import KIND

_PASSED = ("ServiceEntry", KIND)
_TITLES = {fault.code: fault.title for fault in FAULTS}


def document(linted: Linted) -> str:
    """The report as ASCII XML: a case for every finding, and a passed case for every entry and alias without findings.

    A Service is a case only if it has a finding. A finding fails its case if it makes the exit code 1. A milder one is
    the output of a case that passes, and one in the baseline is a skipped case. A hazard with many objects is one case.
    Input that could not be read is an error if it makes the exit code 2.
    """
    cases = [*_problems(linted), *_findings(linted), *_sound(linted)]
    totals = {
        "name": "dnsalias lint",
        "tests": str(len(cases)),
        "failures": str(sum(case.find("failure") is not None for case in cases)),
        "errors": str(sum(case.find("error") is not None for case in cases)),
        "skipped": str(sum(case.find("skipped") is not None for case in cases)),
    }
    suites = ET.Element("testsuites", totals)
    suite = ET.SubElement(suites, "testsuite", totals)
    properties = ET.SubElement(suite, "properties")
    ET.SubElement(properties, "property", name="assumed", value=clean(linted.assumptions))
    suite.extend(cases)
    ET.indent(suites)
    text: bytes = ET.tostring(suites, encoding="us-ascii", xml_declaration=True)
    return text.decode()


def _problems(linted: Linted) -> Iterator[ET.Element]:
    for problem in linted.inputs.problems:
        case = ET.Element("testcase", classname="input", name=clean(problem.file))
        if linted.counts(problem):
            error = ET.SubElement(case, "error", type="unreadable", message=clean(problem.message))
            error.text = clean(problem)
        else:
            ET.SubElement(case, "system-out").text = clean(problem)
        yield case


def _findings(linted: Linted) -> Iterator[ET.Element]:
    for finding in linted.findings:
        case = _case(finding)
        if linted.fails([finding]):
            failure = ET.SubElement(case, "failure", type=finding.code, message=clean(finding.message))
            failure.text = _text(finding)
        else:
            ET.SubElement(case, "system-out").text = _text(finding)
        yield case
    for finding, row in linted.accepted:
        case = _case(finding)
        ET.SubElement(case, "skipped", message=clean(_why(row, linted.baseline)))
        yield case


def _sound(linted: Linted) -> Iterator[ET.Element]:
    found = (*linted.every, *(finding for finding, _ in linted.accepted))
    faulty = {(finding.key, finding.beginning) for finding in found}
    sound = ((item.key, item.place) for item in linted.inputs.items if item.key and item.key.kind in _PASSED)
    for key, place in dict.fromkeys(sound):
        if (key, place) not in faulty:
            yield _placed(ET.Element("testcase", classname=clean(key), name="no findings"), place)


def _placed(case: ET.Element, place: Place | None) -> ET.Element:
    if place:
        case.set("file", clean(place.file))
        case.set("line", str(place.line))
    return case


def _case(finding: Located) -> ET.Element:
    port = f", port {finding.port}" if finding.port is not None else ""
    worlds = f" in {clean(', '.join(finding.worlds))}" if finding.worlds else ""
    objects = f", {len(finding.behind)} objects" if finding.behind else ""
    name = f"{finding.code} {_TITLES[finding.code]}{port}{objects}{worlds}"
    return _placed(ET.Element("testcase", classname=clean(finding.key), name=name), finding.place)


def _text(finding: Located) -> str:
    where = f"{clean(finding.place)}: " if finding.place else ""
    others = "".join(f"\nalso: {clean(other.key)}{_at(other)}" for other in finding.behind)
    return f"{where}{finding.severity} {clean(finding.message)}\nfix: {clean(finding.remedy)}{others}"


def _at(finding: Located) -> str:
    return f" ({clean(finding.place)})" if finding.place else ""


def _why(row: Row, baseline: str) -> str:
    return f"accepted in {baseline}" + (f": {row.note}" if row.note else "")
