"""`dnsalias lint`: text for people, JSON for machines, exit codes for CI."""

import json
from pathlib import Path

import jsonschema
import pytest

from tests.cli.conftest import CLEAN, INCIDENT, Invoke

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["findings"],
    "properties": {
        "findings": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "code": {"type": "string", "pattern": "^DA[0-9]{3}$"},
                    "severity": {"enum": ["critical", "warning", "info"]},
                    "kind": {"type": "string", "minLength": 1},
                    "namespace": {"type": "string"},
                    "name": {"type": "string", "minLength": 1},
                    "port": {"type": ["integer", "null"]},
                    "message": {"type": "string", "minLength": 1},
                    "remedy": {"type": "string", "minLength": 1},
                    "file": {"type": ["string", "null"]},
                    "line": {"type": ["integer", "null"], "minimum": 1},
                },
            },
        }
    },
}
SCHEMA["properties"]["findings"]["items"]["required"] = [  # type: ignore[index]
    *("code", "severity", "kind", "namespace", "name", "port", "message", "remedy", "file", "line")
]


def test_findings_are_grouped_by_object_with_their_place(invoke: Invoke, incident: Path) -> None:
    """One heading an object with file and line, a line and a remedy a finding, the assumptions, one summary line."""
    result = invoke("lint", "-f", incident)
    lines = result.stdout.splitlines()
    assert result.exit_code == 1
    assert lines[0] == f"{incident}:16: ServiceEntry abc/traefik-cutom-name"
    assert lines[1].startswith("  critical DA001 port 443: ")
    assert lines[2].startswith("           fix: ")
    assert [line for line in lines if line.startswith(str(incident))] == lines[:1]
    assert lines[-2].startswith(
        "Assumed: Istio 1.31 (the release measured last), outboundTrafficPolicy ALLOW_ANY, DNS capture off"
    )
    assert lines[-1].startswith("3 findings: 1 critical, 2 warning, in 5 objects.")


def test_json_has_exactly_the_promised_fields(invoke: Invoke, incident: Path) -> None:
    """The form is held by a schema, and tells the same as the text."""
    result = invoke("lint", "-f", incident, "-o", "json")
    document = json.loads(result.stdout)
    jsonschema.validate(document, SCHEMA)
    assert result.exit_code == 1
    assert [(f["severity"], f["line"], f["file"]) for f in document["findings"]] == [
        ("critical", 16, str(incident)),
        ("warning", 16, str(incident)),
        ("warning", 16, str(incident)),
    ]


@pytest.mark.parametrize(("fail_on", "exit_code"), [("critical", 1), ("warning", 1), ("info", 1), ("never", 0)])
def test_fail_on_with_a_critical_finding(invoke: Invoke, incident: Path, fail_on: str, exit_code: int) -> None:
    """A finding fails a run from its own severity down."""
    assert invoke("lint", "-f", incident, "--fail-on", fail_on).exit_code == exit_code


@pytest.mark.parametrize(("fail_on", "exit_code"), [("critical", 0), ("warning", 1)])
def test_fail_on_without_a_critical_finding(invoke: Invoke, fail_on: str, exit_code: int) -> None:
    """TLS on that port is no catch-all: what is left are warnings."""
    world = INCIDENT.replace("number: 443, protocol: TCP", "number: 443, protocol: TLS")
    result = invoke("lint", "-f", "-", "--fail-on", fail_on, stdin=world)
    assert "critical" not in result.stdout
    assert "warning" in result.stdout
    assert result.exit_code == exit_code


def test_a_code_or_a_severity_can_be_asked_for(invoke: Invoke, incident: Path) -> None:
    """Others are neither shown nor counted; what does not exist, or would make a baseline of a part, is bad usage."""
    found = json.loads(invoke("lint", "-f", incident, "-o", "json").stdout)["findings"]
    others = {f["code"] for f in found} - {"DA001"}
    assert others
    only = invoke("lint", "-f", incident, "-o", "json", "--code", "da001")
    assert json.loads(only.stdout)["findings"] == [f for f in found if f["code"] == "DA001"]
    worst = json.loads(invoke("lint", "-f", incident, "-o", "json", "--min-severity", "critical").stdout)["findings"]
    assert worst == [f for f in found if f["severity"] == "critical"]
    assert worst != found
    assert invoke("lint", "-f", incident, "--code", "DA018").exit_code == 0
    assert "there are DA001 to" in invoke("lint", "-f", incident, "--code", "DA999").stderr
    part = invoke("lint", "-f", incident, "--baseline", "b.json", "--write-baseline", "--code", "DA001")
    assert (part.exit_code, "writes all findings" in part.stderr) == (2, True)


def test_a_clean_world(invoke: Invoke) -> None:
    """Nothing found is said, and exits with 0."""
    result = invoke("lint", "-f", "-", stdin=CLEAN)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "No findings, in 1 object."
    assert json.loads(invoke("lint", "-f", "-", "-o", "json", stdin=CLEAN).stdout) == {"findings": []}


def test_unreadable_input_is_told_beside_the_findings(invoke: Invoke) -> None:
    """Exit code 2 whatever else was found; standard output stays JSON."""
    result = invoke("lint", "-f", "-", "-o", "json", "--fail-on", "never", stdin=f"a: b: c\n---\n{INCIDENT}")
    assert result.exit_code == 2
    assert result.stderr.startswith("<stdin>:1:5: expected a single value here")
    assert len(json.loads(result.stdout)["findings"]) == 3


def test_a_summary_of_partial_input_says_so(invoke: Invoke) -> None:
    """Nothing that could not be read may pass for clean."""
    result = invoke("lint", "-f", "/nowhere.yaml")
    assert result.stdout.splitlines()[-1] == "No findings, in 0 objects (1 problem in the input, see above)."
    assert result.stderr == "/nowhere.yaml: No such file or directory\n"


def test_finding_names_the_namespaces_that_are_hit(invoke: Invoke) -> None:
    """A Sidecar in the input takes its namespace out of what a catch-all reaches."""
    sidecar = "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: x, namespace: calm}\n"
    spec = "spec: {egress: [{hosts: ['./*']}]}\n"
    entry = "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: e, namespace: abc}\n"
    ports = "spec: {hosts: [a.hello], resolution: DNS, ports: [{number: 443, name: t, protocol: TCP}]}\n"
    alone, beside = (
        invoke("lint", "-f", "-", stdin=stdin).stdout
        for stdin in (entry + ports, f"{entry}{ports}---\n{sidecar}{spec}")
    )
    assert "in every namespace it takes" in alone
    assert "in every namespace but calm it takes" in beside


def test_input_cannot_write_to_the_terminal(invoke: Invoke) -> None:
    """Escape sequences in names and hosts are shown, not sent."""
    world = INCIDENT.replace("name: traefik-cutom-name", 'name: "x\\e[2J\\u202ey"')
    result = invoke("lint", "-f", "-", stdin=world)
    assert "\x1b" not in result.output
    assert "\u202e" not in result.output
    assert "ServiceEntry abc/x\\x1b[2J\\x202ey" in result.stdout


def test_the_mesh_is_what_the_flags_say(invoke: Invoke, incident: Path, tmp_path: Path) -> None:
    """Flags, environment and file all reach the decision, in this order of precedence."""
    config = tmp_path / "settings.yml"
    config.write_text("root_namespace: file\ncluster_domain: file.local\n")
    env = {"DNSALIAS_ROOT_NAMESPACE": "environment", "DNSALIAS_OUTBOUND_TRAFFIC_POLICY": "REGISTRY_ONLY"}
    flags = (
        "--config",
        config,
        "--outbound-traffic-policy",
        "ALLOW_ANY",
        "--dns-capture",
        "--default-service-export-to",
        ".,a",
        "--istio-version",
        "1.28.10",
    )
    result = invoke("lint", "-f", incident, *flags, env=env)
    assert (
        "Assumed: Istio 1.28.10, outboundTrafficPolicy ALLOW_ANY, DNS capture on, defaultServiceExportTo .,a, "
        "root namespace environment, cluster domain file.local, one cluster." in result.stdout
    )


def test_a_wrong_setting_is_bad_usage(invoke: Invoke, incident: Path) -> None:
    """It is named with its value and what is legal."""
    result = invoke("lint", "-f", incident, env={"DNSALIAS_FOREIGN_ENTRIES": "maybe"})
    assert result.exit_code == 2
    assert "foreign_entries (environment): 'maybe' is not legal: expected one of patch, observe" in result.stderr
