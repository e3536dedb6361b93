"""`dnsalias lint -o sarif` and `-o junit`: what CI systems read, held by a schema and by readers of others."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import jsonschema
import pytest
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase

from dnsalias_operator.cli.printing.pages import DOCUMENTATION
from dnsalias_operator.core.findings.catalog import FAULTS
from tests.cli.conftest import CLEAN, INCIDENT, Invoke
from tests.install.markdown import anchor, headings
from tests.schemas import conforms, schema

FINDINGS = Path(__file__).parents[2] / "docs" / "findings.md"

HOSTILE = 'x\\e[31m]](https://evil.example) <b>&amp;\\"\\u202e\\u0000\\ufffe'
"""As YAML writes it in double quotes: a colour, a link, markup, an override of direction, what XML forbids."""


def sarif(invoke: Invoke, *arguments: str | Path, stdin: str = "") -> dict[str, Any]:
    """The run of a SARIF log that conforms."""
    result = invoke("lint", "-o", "sarif", *arguments, stdin=stdin)
    document = json.loads(result.stdout)
    conforms(document, "sarif-2.1.0")
    (run,) = document["runs"]
    return dict(run)


def junit(invoke: Invoke, *arguments: str | Path, stdin: str = "") -> list[TestCase]:
    """The cases of a JUnit report, after a look at its totals."""
    report = JUnitXml.fromstring(invoke("lint", "-o", "junit", *arguments, stdin=stdin).stdout.encode())
    (suite,) = report
    cases = list(suite)
    told = (suite.tests, suite.failures, suite.errors, suite.skipped)
    kinds = [outcome(case) for case in cases]
    assert told == (len(cases), kinds.count(Failure), kinds.count(Error), kinds.count(Skipped))
    assert told == (report.tests, report.failures, report.errors, report.skipped)
    return cases


def outcome(case: TestCase) -> type[object] | None:
    """What became of a case; None: it passed."""
    for only in case.result:
        return type(only)
    return None


def test_the_schema_refuses_what_is_no_sarif() -> None:
    """The schema in use is that of 2.1.0, and it refuses a wrong level."""
    assert schema("sarif-2.1.0")["properties"]["version"]["enum"] == ["2.1.0"]
    wrong = {"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x"}}, "results": [{"level": "critical"}]}]}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schema("sarif-2.1.0"))


def test_sarif_tells_every_finding_with_its_place(invoke: Invoke, incident: Path) -> None:
    """Rule, level, message with the remedy, file and line, and the object as a logical location."""
    run = sarif(invoke, "-f", incident)
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [fault.code for fault in FAULTS]
    assert [(r["ruleId"], r["level"]) for r in run["results"]] == [
        ("DA001", "error"),
        ("DA002", "warning"),
        ("DA003", "warning"),
    ]
    anchors = {anchor(title) for title in headings(FINDINGS.read_text(encoding="utf-8"))}
    for rule in run["tool"]["driver"]["rules"]:
        page, _, fragment = rule["helpUri"].partition("#")
        assert page == f"{DOCUMENTATION}/findings.md"
        assert fragment in anchors
    (catch_all, *_) = run["tool"]["driver"]["rules"]
    assert (
        "**What to do.** The remedy in the finding is what the operator itself would do"
        in catch_all["help"]["markdown"]
    )
    first = run["results"][0]
    assert run["tool"]["driver"]["rules"][first["ruleIndex"]]["id"] == "DA001"
    assert first["message"]["text"].startswith("ServiceEntry abc/traefik-cutom-name port 443: listens on 0.0.0.0:443")
    assert " Fix: " in first["message"]["text"]
    (location,) = first["locations"]
    assert location["physicalLocation"]["region"] == {"startLine": 28}
    assert location["logicalLocations"][0]["fullyQualifiedName"] == "ServiceEntry abc/traefik-cutom-name"
    assert run["invocations"] == [{"executionSuccessful": True}]


def test_sarif_paths_are_relative_to_the_working_folder(
    invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As code scanning asks for, with what a URI forbids encoded; a file outside of it is absolute."""
    inside = tmp_path / "here" / "mesh files" / "50%.yaml"
    outside = tmp_path / "there.yaml"
    inside.parent.mkdir(parents=True)
    inside.write_text(INCIDENT)
    outside.write_text(INCIDENT)
    monkeypatch.chdir(tmp_path / "here")
    for file in ("mesh files/50%.yaml", inside):
        artifact = place_of(sarif(invoke, "-f", file))
        assert artifact == {"uri": "mesh%20files/50%25.yaml", "uriBaseId": "%SRCROOT%"}
    artifact = place_of(sarif(invoke, "-f", outside))
    assert unquote(urlparse(artifact["uri"]).path) == str(outside)
    assert "uriBaseId" not in artifact


def place_of(run: dict[str, Any]) -> dict[str, Any]:
    """Where the first result is."""
    return dict(run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"])


def test_sarif_fingerprints_survive_what_does_not_matter(invoke: Invoke) -> None:
    """Lines that move and messages that change leave them; another object or port is another finding."""
    marks = fingerprints(invoke, INCIDENT)
    assert len(set(marks)) == len(marks) == 3
    assert (
        fingerprints(invoke, "# moved\n\n" + INCIDENT.replace("clusterIP: 10.96.0.10", "clusterIP: 10.96.0.77"))
        == marks
    )
    assert fingerprints(invoke, INCIDENT.replace("number: 443", "number: 444"))[0] not in marks
    assert set(fingerprints(invoke, INCIDENT.replace("name: traefik-cutom-name", "name: other"))).isdisjoint(marks)


def fingerprints(invoke: Invoke, world: str) -> list[str]:
    """Fingerprint of each finding in the world."""
    return [r["partialFingerprints"]["dnsaliasFinding/v1"] for r in sarif(invoke, "-f", "-", stdin=world)["results"]]


def test_sarif_of_a_clean_world_has_no_results(invoke: Invoke) -> None:
    """An empty list, which tells code scanning that what was there is mended."""
    assert sarif(invoke, "-f", "-", stdin=CLEAN)["results"] == []


def test_sarif_says_where_input_was_not_read(invoke: Invoke, tmp_path: Path) -> None:
    """The run did not succeed, and the log says where; standard error says so too, and the exit code is 2."""
    path = tmp_path / "broken.yaml"
    path.write_text("a: b: c\n")
    run = sarif(invoke, "-f", path)
    (invocation,) = run["invocations"]
    (told,) = invocation["toolExecutionNotifications"]
    assert not invocation["executionSuccessful"]
    assert told["locations"][0]["physicalLocation"]["region"] == {"startLine": 1}
    assert invoke("lint", "-f", path, "-o", "sarif").exit_code == 2
    nowhere = sarif(invoke, "-f", "/nowhere.yaml")["invocations"][0]["toolExecutionNotifications"]
    assert "region" not in nowhere[0]["locations"][0]["physicalLocation"]


def test_a_problem_that_decides_nothing_is_a_notice(invoke: Invoke, incident: Path) -> None:
    """A broken file in a folder: a warning in SARIF and output in JUnit; with --strict, a failure in both."""
    (incident.parent / "broken.yaml").write_text("kind: Service\napiVersion: v1\na: b: c\n")
    folder = incident.parent
    for flags, succeeded, level, kind in (((), True, "warning", None), (("--strict",), False, "error", Error)):
        (invocation,) = sarif(invoke, "-f", folder, *flags)["invocations"]
        (notification,) = invocation["toolExecutionNotifications"]
        assert (invocation["executionSuccessful"], notification["level"]) == (succeeded, level)
        (case,) = (case for case in junit(invoke, "-f", folder, *flags) if case.classname == "input")
        assert outcome(case) is kind


def test_the_same_finding_in_two_worlds_is_two_results(invoke: Invoke, tmp_path: Path) -> None:
    """Each names its world, in both forms."""
    for name in ("dev", "prod"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "kustomization.yaml").touch()
        (tmp_path / name / "all.yaml").write_text(INCIDENT)
    results = [r for r in sarif(invoke, "-f", tmp_path)["results"] if r["ruleId"] == "DA001"]
    assert [r["properties"]["worlds"] for r in results] == [[f"{tmp_path}/dev"], [f"{tmp_path}/prod"]]
    names = [case.name for case in junit(invoke, "-f", tmp_path) if case.name.startswith("DA001")]
    assert names == [f"DA001 Catch-all listener, port 443 in {tmp_path}/{name}" for name in ("dev", "prod")]


def test_sarif_tells_accepted_findings_apart(invoke: Invoke, incident: Path, tmp_path: Path) -> None:
    """With a baseline every result says whether it is suppressed, and by whose word."""
    row = {"code": "DA001", "kind": "ServiceEntry", "namespace": "abc", "name": "traefik-cutom-name", "port": 443}
    path = tmp_path / "baseline.json"
    path.write_text(json.dumps({"version": 1, "findings": [{**row, "severity": "critical", "note": "until May"}]}))
    results = sarif(invoke, "-f", incident, "--baseline", path)["results"]
    told = {r["ruleId"]: [s["justification"] for s in r["suppressions"]] for r in results}
    assert told == {"DA001": ["until May"], "DA002": [], "DA003": []}


def test_junit_fails_the_cases_that_fail_the_run(invoke: Invoke, incident: Path) -> None:
    """One case for each finding, one that passes for each object without any; --fail-on decides for both."""
    cases = junit(invoke, "-f", incident)
    assert [(case.classname, case.name, outcome(case)) for case in cases] == [
        ("ServiceEntry abc/traefik-cutom-name", "DA001 Catch-all listener, port 443", Failure),
        ("ServiceEntry abc/traefik-cutom-name", "DA002 Lacks addresses", Failure),
        ("ServiceEntry abc/traefik-cutom-name", "DA003 Lacks endpoints", Failure),
        ("DnsAlias abc/service-api", "no findings", None),
    ]
    milder = junit(invoke, "-f", incident, "--fail-on", "critical")
    assert [outcome(case) for case in milder] == [Failure, None, None, None]
    assert "spec.addresses is not set" in milder[1].system_out
    assert not any(map(outcome, junit(invoke, "-f", incident, "--fail-on", "never")))


def test_junit_has_a_case_for_a_service_only_if_it_has_a_finding(invoke: Invoke) -> None:
    """Services are read to judge entries; one that is a catch-all itself fails like an entry."""
    assert junit(invoke, "-f", "-", stdin=CLEAN) == []
    external = (
        "---\napiVersion: v1\nkind: Service\nmetadata: {name: database, namespace: abc}\n"
        "spec: {type: ExternalName, externalName: db.example.com, ports: [{name: tcp, port: 5432}]}\n"
    )
    (case,) = junit(invoke, "-f", "-", "--istio-version", "1.20.8", stdin=CLEAN + external)
    assert (case.classname, outcome(case)) == ("Service abc/database", Failure)
    assert case.name.startswith("DA031 ")


def test_junit_tells_file_line_message_and_remedy(invoke: Invoke, incident: Path) -> None:
    """What a person needs stands in the failure itself."""
    text = invoke("lint", "-f", incident, "-o", "junit").stdout
    assert f'file="{incident}" line="28"' in text
    (failure,) = junit(invoke, "-f", incident)[0].result
    assert failure.type == "DA001"
    assert failure.message.startswith("listens on 0.0.0.0:443")
    assert f"{incident}:28: critical" in failure.text
    assert "\nfix: " in failure.text


def test_junit_reports_unreadable_input_and_accepted_findings(invoke: Invoke, incident: Path, tmp_path: Path) -> None:
    """Unread input is an error, so that the report is never green; what a baseline accepts is skipped."""
    baseline = tmp_path / "baseline.json"
    invoke("lint", "-f", incident, "--baseline", baseline, "--write-baseline")
    cases = junit(invoke, "-f", incident, "-f", "/nowhere.yaml", "--baseline", baseline)
    assert [(case.classname, outcome(case)) for case in cases] == [
        ("input", Error),
        *[("ServiceEntry abc/traefik-cutom-name", Skipped)] * 3,
        ("DnsAlias abc/service-api", None),
    ]


def test_hostile_names_stay_text(invoke: Invoke) -> None:
    """Whatever an object is called: both forms stay well formed and ASCII, and nothing in them is a link or markup."""
    world = INCIDENT.replace("name: traefik-cutom-name", f'name: "{HOSTILE}"')
    (result, *_) = sarif(invoke, "-f", "-", stdin=world)["results"]
    assert "\\[31m\\]\\](https" in result["message"]["text"]
    assert junit(invoke, "-f", "-", stdin=world)[0].classname.startswith("ServiceEntry abc/x\\x1b[31m]](https://evil")
    for form in ("sarif", "junit"):
        text = invoke("lint", "-o", form, "-f", "-", stdin=world).stdout
        assert text.isascii()
        assert not set(text) & {chr(code) for code in range(32) if chr(code) != "\n"}
