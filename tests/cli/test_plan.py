"""`dnsalias plan` and `dnsalias render`: what would be written, and the input with it written."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.cli.conftest import CLEAN, INCIDENT, Invoke

REPAIR = """\
# repair ServiceEntry abc/traefik-cutom-name (<stdin>:16) (Service inferred)
"""
DIFF = """\
--- a/ServiceEntry/abc/traefik-cutom-name
+++ b/ServiceEntry/abc/traefik-cutom-name
@@ -6,6 +6,10 @@
   name: traefik-cutom-name
   namespace: abc
 spec:
+  addresses:
+  - 10.96.0.10
+  endpoints:
+  - address: traefik.abc.svc.cluster.local
   hosts:
   - traefik.cutom-name
   location: MESH_INTERNAL
"""
REFUSED = """\
---
apiVersion: dnsalias.io/v1alpha1
kind: DnsAlias
metadata: {name: lost, namespace: abc}
spec: {host: lost.hello, serviceRef: {name: nobody}}
"""
UNSERVED = """\
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: web, namespace: abc, deletionTimestamp: "2026-01-01T00:00:00Z", finalizers: [example.com/held]}
spec: {hosts: [web.hello], resolution: STATIC, ports: [{number: 9001, name: http, protocol: HTTP}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: abc}
spec: {clusterIP: 10.96.0.11, selector: {app: web}, ports: [{name: http, port: 9001}]}
---
apiVersion: dnsalias.io/v1alpha1
kind: DnsAlias
metadata: {name: web, namespace: abc}
spec: {host: web.hello, serviceRef: {name: web}}
"""
_PLACED = {
    "kind": {"type": "string"},
    "namespace": {"type": "string"},
    "name": {"type": "string"},
    "file": {"type": ["string", "null"]},
    "line": {"type": ["integer", "null"]},
    "reason": {"type": "string", "pattern": "^[A-Z][A-Za-z]+$"},
    "message": {"type": "string", "minLength": 1},
}
_CHANGE = {
    **_PLACED,
    "verb": {"enum": ["create", "update", "recreate", "replace", "delete", "repair"]},
    "fields": {"type": "array", "items": {"type": "string"}},
    "inferred": {"type": "boolean"},
    "before": {"type": ["object", "null"]},
    "after": {"type": ["object", "null"]},
}
_UNFIXED = {
    **_PLACED,
    "state": {"enum": ["unfixed", "contained"]},
    "severity": {"enum": ["critical", "warning", "info"]},
    "service": {"type": ["string", "null"]},
    "inferred": {"type": "boolean"},
}


def _exactly(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}


def _list(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": _exactly(properties)}


SCHEMA = _exactly(
    {
        "changes": _list(_CHANGE),
        "withheld": _list(_CHANGE),
        "unfixed": _list(_UNFIXED),
        "left_alone": _list(_PLACED),
        "refused": _list({**_PLACED, "condition": {"enum": ["Accepted", "ResolvedRefs", "Programmed"]}}),
    }
)


def test_each_change_is_a_diff_under_its_reason(invoke: Invoke) -> None:
    """The heading names object and place and marks a guess; the diff has no server-side noise; a summary ends it."""
    result = invoke("plan", "-f", "-", stdin=INCIDENT)
    assert result.exit_code == 1
    assert result.stdout.startswith(REPAIR)
    assert DIFF in result.stdout
    assert "# create ServiceEntry abc/service-api\n# Generated: " in result.stdout
    assert "--- /dev/null\n+++ b/ServiceEntry/abc/service-api\n" in result.stdout
    assert "creationTimestamp" not in result.stdout
    assert result.stdout.splitlines()[-2].startswith("Assumed: ")
    assert result.stdout.splitlines()[-1] == "1 to create, 1 to repair."


def test_the_same_input_gives_the_same_bytes(invoke: Invoke) -> None:
    """In whatever order the documents stand, apart from their lines."""
    shuffled = "---\n".join(reversed(INCIDENT.split("---\n")))
    plans = [json.loads(invoke("plan", "-f", "-", "-o", "json", stdin=w).stdout) for w in (INCIDENT, shuffled)]
    for document in plans:
        for change in document["changes"]:
            change.pop("line")
    assert plans[0] == plans[1]
    outputs = {invoke("plan", "-f", "-", stdin=INCIDENT).stdout for _ in range(3)}
    assert len(outputs) == 1


@pytest.mark.parametrize(
    "flags", [(), ("--foreign-entries", "observe"), ("--no-containment",), ("--no-infer-service",)]
)
def test_machine_forms_have_exactly_the_promised_fields(invoke: Invoke, flags: tuple[str, ...]) -> None:
    """JSON and YAML say the same, in the promised form."""
    world = INCIDENT + REFUSED
    as_json = invoke("plan", "-f", "-", *flags, "-o", "json", stdin=world)
    as_yaml = invoke("plan", "-f", "-", *flags, "-o", "yaml", stdin=world)
    document = json.loads(as_json.stdout)
    jsonschema.validate(document, SCHEMA)
    assert yaml.safe_load(as_yaml.stdout) == document
    assert as_json.exit_code == as_yaml.exit_code == 1


BY_SNI = """\
apiVersion: v1
kind: Service
metadata: {name: traefik, namespace: abc}
spec: {clusterIP: 10.96.0.10, selector: {app: traefik}, ports: [{name: tls, port: 443}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: traefik-hello, namespace: abc, labels: {app.kubernetes.io/managed-by: dns-controller}}
spec:
  hosts: [traefik.hello]
  location: MESH_INTERNAL
  resolution: DNS
  ports: [{name: tls, number: 443, protocol: TLS}]
"""


def test_what_is_left_as_it_is_gets_no_change(invoke: Invoke) -> None:
    """An entry matched by SNI needs no address: it is left alone once it has endpoints, and repaired until then."""
    complete = BY_SNI + "  endpoints: [{address: traefik.abc.svc.cluster.local}]\n"
    text = invoke("plan", "-f", "-", stdin=complete).stdout
    assert "Left as it is:\n  ServiceEntry abc/traefik-hello (<stdin>:6)\n           MatchedBySni: port 443 " in text
    for world, repaired, alone in ((complete, [], ["MatchedBySni"]), (BY_SNI, ["LacksEndpoints"], [])):
        document = json.loads(invoke("plan", "-f", "-", "-o", "json", stdin=world).stdout)
        jsonschema.validate(document, SCHEMA)
        assert [change["reason"] for change in document["changes"]] == repaired
        assert [left["reason"] for left in document["left_alone"]] == alone


def test_what_stays_unfixed_is_told_with_its_reason(invoke: Invoke) -> None:
    """Entries that are not fixed and aliases that are refused stand below the changes."""
    world = INCIDENT.replace("name: traefik\n", "name: other\n") + REFUSED
    result = invoke("plan", "-f", "-", "--no-containment", stdin=world)
    before, _, after = result.stdout.partition("Stays unfixed:\n")
    assert "traefik-cutom-name" not in before
    assert "  critical ServiceEntry abc/traefik-cutom-name (<stdin>:16)\n" in after
    assert "  refused  DnsAlias abc/lost (<stdin>:51)\n           ServiceNotFound: " in after
    assert after.endswith("1 to create; then left: 1 unfixed, 1 refused.\n")


def test_an_alias_that_waits_is_told_with_what_it_waits_for(invoke: Invoke) -> None:
    """It is accepted and has no entry all the same: nothing else in the plan would say so."""
    told = invoke("plan", "-f", "-", stdin=UNSERVED).stdout
    assert "  unserved DnsAlias abc/web (<stdin>:12)\n           Pending: ServiceEntry abc/web is being deleted" in told
    assert told.endswith("Nothing to do; then left: 1 unserved.\n")


def test_what_a_policy_withholds_is_shown_and_does_not_count(invoke: Invoke) -> None:
    """Under observe the diff is there, nothing would be written, and the exit code is 0."""
    world = "---\n".join(INCIDENT.split("---\n")[:2])
    result = invoke("plan", "-f", "-", "--foreign-entries", "observe", stdin=world)
    assert result.exit_code == 0
    assert "# not written unless foreign_entries is patch: repair ServiceEntry abc/traefik-cutom-name" in result.stdout
    assert DIFF in result.stdout
    assert "ObserveOnly" in result.stdout
    assert result.stdout.endswith("Nothing to do; then left: 1 unfixed.\n")


@pytest.mark.parametrize(
    ("flags", "env", "written"),
    [
        ((), {}, True),
        (("--foreign-entries", "observe"), {}, False),
        ((), {"DNSALIAS_FOREIGN_ENTRIES": "observe"}, False),
        (("--config", "settings.yaml"), {}, False),
        (("--config", "settings.yaml", "--foreign-entries", "patch"), {}, True),
    ],
)
def test_repairs_are_shown_as_written_unless_something_says_observe(
    invoke: Invoke,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    flags: tuple[str, ...],
    env: dict[str, str],
    *,
    written: bool,
) -> None:
    """What `patch` would do is what somebody looks at before setting it: plan and render assume it, and say so."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "settings.yaml").write_text("foreign_entries: observe\n")
    world = "---\n".join(INCIDENT.split("---\n")[:2])
    planned = invoke("plan", "-f", "-", *flags, stdin=world, env=env)
    assert DIFF in planned.stdout
    assert planned.exit_code == int(written)
    assert ("foreign_entries patch where" in planned.stdout) == written
    assert ("# not written unless foreign_entries is patch" in planned.stdout) != written
    rendered = invoke("render", "-f", "-", *flags, stdin=world, env=env)
    assert ("addresses:" in rendered.stdout) == written


def test_nothing_to_do(invoke: Invoke) -> None:
    """A world without entries and aliases needs nothing."""
    result = invoke("plan", "-f", "-", stdin=CLEAN)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "Nothing to do."


def test_unreadable_input_is_an_error_with_a_plan(invoke: Invoke) -> None:
    """The rest is still planned, and exit code 2 keeps anybody from trusting it."""
    result = invoke("plan", "-f", "-", stdin=f"a: [\n---\n{INCIDENT}")
    assert result.exit_code == 2
    assert "1 to create, 1 to repair (1 problem in the input, see above)." in result.stdout
    assert "<stdin>:2:1: expected" in result.stderr


@pytest.mark.parametrize("flags", [(), ("--foreign-entries", "observe"), ("--no-containment",)])
def test_rendering_leaves_nothing_to_do(invoke: Invoke, flags: tuple[str, ...]) -> None:
    """The plan of what was rendered is empty, and rendering it again changes no byte."""
    world = INCIDENT + REFUSED
    rendered = invoke("render", "-f", "-", *flags, stdin=world)
    assert rendered.exit_code == 0
    again = invoke("plan", "-f", "-", *flags, "-o", "json", stdin=rendered.stdout)
    assert json.loads(again.stdout)["changes"] == []
    assert again.exit_code == 0
    assert invoke("render", "-f", "-", *flags, stdin=rendered.stdout).stdout == rendered.stdout


def test_rendering_keeps_what_it_does_not_change(invoke: Invoke) -> None:
    """Order of objects and keys, unknown kinds and fields, and text that looks like something else."""
    result = invoke("render", "-f", "-", stdin=INCIDENT)
    assert result.stdout.startswith("# These clusterIPs are of one cluster")
    documents = list(yaml.safe_load_all(result.stdout))
    given = list(yaml.safe_load_all(INCIDENT.replace(": 2026-01-01T00:00:00Z", ": '2026-01-01T00:00:00Z'")))
    names = [d["metadata"]["name"] for d in documents]
    assert names == ["traefik", "traefik-cutom-name", "service-api", "service-api", "bystander", "service-api"]
    assert documents[0] == given[0]
    assert [*documents[0]["metadata"]] == ["name", "namespace", "uid", "creationTimestamp", "x-kept"]
    assert [*documents[1]["spec"]][:3] == ["resolution", "hosts", "location"]
    assert documents[4] == given[4]
    assert documents[5]["kind"] == "ServiceEntry"


def test_rendering_drops_what_the_plan_deletes(invoke: Invoke) -> None:
    """An entry of ours goes with its alias' Service."""
    rendered = invoke("render", "-f", "-", stdin=INCIDENT).stdout
    orphaned = "---\n".join(
        d for d in rendered.split("---\n") if "name: service-api" not in d or "kind: Service\n" not in d
    )
    planned = json.loads(invoke("plan", "-f", "-", "-o", "json", stdin=orphaned).stdout)
    assert [(c["verb"], c["name"], c["after"]) for c in planned["changes"]] == [("delete", "service-api", None)]
    kinds = [d["kind"] for d in yaml.safe_load_all(invoke("render", "-f", "-", stdin=orphaned).stdout)]
    assert kinds == ["Service", "ServiceEntry", "DnsAlias", "ConfigMap"]


def test_the_namespace_that_was_assumed_is_rendered(invoke: Invoke, tmp_path: Path) -> None:
    """What is printed is what was decided on, whatever context it is applied in."""
    path = tmp_path / "a.yaml"
    path.write_text(CLEAN.replace(", namespace: abc", ""))
    (document,) = yaml.safe_load_all(invoke("render", "-f", path, "-n", "team").stdout)
    assert document["metadata"] == {"name": "traefik", "namespace": "team"}
