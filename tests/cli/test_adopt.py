"""`dnsalias adopt`: foreign entries become aliases, or it says why not."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.cli.conftest import INCIDENT, Invoke

MANAGED = "labels: {app.kubernetes.io/managed-by: dns-controller}"
MANIFEST = """\
---
# Instead of ServiceEntry abc/traefik-cutom-name (<stdin>:16).
# Note: that it stands for Service abc/traefik is inferred from its name; check it.
# Note: port 443 is HTTPS as in the Service; the entry has TCP.
apiVersion: dnsalias.io/v1alpha1
kind: DnsAlias
metadata:
  name: traefik-cutom-name
  namespace: abc
spec:
  host: traefik.cutom-name
  serviceRef:
    name: traefik
"""
_PLACE = {"file": {"type": ["string", "null"]}, "line": {"type": ["integer", "null"]}}


def _exactly(**properties: Any) -> dict[str, Any]:  # noqa: ANN401 (JSON Schema)
    return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}


_TEXT = {"type": "string", "minLength": 1}
_ENTRY = _exactly(namespace=_TEXT, name=_TEXT, **_PLACE)
SCHEMA = _exactly(
    aliases={
        "type": "array",
        "items": _exactly(
            manifest={"type": "object"},
            exists={"type": "boolean"},
            entry=_ENTRY,
            service={"type": "string", "pattern": "^[a-z0-9-]+/[a-z0-9-]+$"},
            meanwhile=_exactly(
                mode={"enum": ["Patched", "Generated", None]},
                ready={"enum": ["True", "False"]},
                reason={"type": "string", "pattern": "^[A-Z][A-Za-z]+$"},
                message=_TEXT,
            ),
            notes={"type": "array", "items": _TEXT},
        ),
    },
    notAdopted={
        "type": "array",
        "items": _exactly(
            entry=_ENTRY,
            host={"type": ["string", "null"]},
            reason={"type": "string", "pattern": "^[A-Z][A-Za-z]+$"},
            message=_TEXT,
        ),
    },
)


def entry(name: str, spec: str, *, namespace: str = "abc", meta: str = MANAGED) -> str:
    """One more ServiceEntry for a file; ``spec`` is in flow style, without its braces."""
    head = "---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\n"
    shared = "location: MESH_INTERNAL, resolution: DNS"
    return f"{head}metadata: {{name: {name}, namespace: {namespace}, {meta}}}\nspec: {{{shared}, {spec}}}\n"


def adopted(invoke: Invoke, world: str, *arguments: str, code: int = 0) -> dict[str, Any]:
    """The machine form, which has exactly the promised fields."""
    result = invoke("adopt", *arguments, "-f", "-", "-o", "json", stdin=world)
    assert result.exit_code == code, result.output
    document = json.loads(result.stdout)
    jsonschema.validate(document, SCHEMA)
    return dict(document)


def one(document: dict[str, Any], name: str) -> dict[str, Any]:
    """What became of the entry of that name."""
    (found,) = [r for kind in ("aliases", "notAdopted") for r in document[kind] if r["entry"]["name"] == name]
    return dict(found)


TO_API = "hosts: [api.cutom-name], ports: [{name: http, number: 8080, protocol: HTTP}]"
API = "endpoints: [{address: service-api.abc.svc.cluster.local}]"


def test_manifests_go_to_standard_output(invoke: Invoke) -> None:
    """Each under a comment that says where it comes from and what changes; the rest goes to standard error."""
    result = invoke("adopt", "-f", "-", stdin=INCIDENT)
    assert result.exit_code == 0
    assert result.stdout == MANIFEST
    assert result.stderr.startswith(
        "adopted: ServiceEntry abc/traefik-cutom-name (<stdin>:16) -> DnsAlias abc/traefik-cutom-name\n  note: that it"
    )
    assert result.stderr.splitlines()[-2].startswith("Assumed: ")
    assert result.stderr.splitlines()[-1] == "1 alias to apply."


def test_the_entry_serves_its_alias_until_it_goes(invoke: Invoke) -> None:
    """What is proposed is ready at once, by the entry; then by one of the operator's own; and is proposed no more."""
    found = one(adopted(invoke, INCIDENT), "traefik-cutom-name")
    assert (found["meanwhile"]["mode"], found["meanwhile"]["ready"]) == ("Patched", "True")
    there = INCIDENT + MANIFEST
    again = one(adopted(invoke, there), "traefik-cutom-name")
    assert (again["exists"], again["notes"]) == (True, [])
    result = invoke("adopt", "-f", "-", stdin=there)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "has its alias already: ServiceEntry abc/traefik-cutom-name" in result.stderr
    without = "---\n".join(
        d for d in there.split("---\n") if "name: traefik-cutom-name\n  namespace: abc\n  creat" not in d
    )
    assert adopted(invoke, without) == {"aliases": [], "notAdopted": []}
    planned = json.loads(invoke("plan", "-f", "-", "-o", "json", stdin=without).stdout)
    assert ("create", "traefik-cutom-name") in [(c["verb"], c["name"]) for c in planned["changes"]]
    assert planned["refused"] == []


def test_a_subset_of_ports_and_a_private_export_are_kept(invoke: Invoke) -> None:
    """And left out where the entry says what an alias says by itself."""
    two = INCIDENT.replace(
        "  - {name: http, port: 8080, protocol: TCP, targetPort: 8080}\n",
        "  - {name: http, port: 8080}\n  - {name: http-admin, port: 8081}\n",
    )
    some = entry("some", f"{TO_API}, {API}, exportTo: ['.', shop]")
    every = entry(
        "every",
        f"hosts: [b.cutom-name], {API}, exportTo: ['*'], "
        "ports: [{name: a, number: 8081, protocol: HTTP}, {name: b, number: 8080, protocol: HTTP}]",
    )
    document = adopted(invoke, two + some + every)
    assert one(document, "some")["manifest"]["spec"] == {
        "host": "api.cutom-name",
        "serviceRef": {"name": "service-api"},
        "ports": [8080],
        "exportTo": [".", "shop"],
    }
    assert one(document, "every")["manifest"]["spec"] == {
        "host": "b.cutom-name",
        "serviceRef": {"name": "service-api"},
    }


def test_entries_of_one_host_share_an_alias(invoke: Invoke) -> None:
    """A controller that writes an entry for each port gets one alias with all of them."""
    two = INCIDENT.replace(
        "  - {name: http, port: 8080, protocol: TCP, targetPort: 8080}\n",
        "  - {name: http, port: 8080}\n  - {name: http-admin, port: 8081}\n  - {name: http-more, port: 8082}\n",
    )
    other = entry("other", f"hosts: [api.cutom-name], {API}, ports: [{{name: a, number: 8081, protocol: HTTP}}]")
    result = invoke("adopt", "-f", "-", stdin=two + entry("first", f"{TO_API}, {API}") + other)
    made = [d for d in yaml.safe_load_all(result.stdout) if d["spec"]["host"] == "api.cutom-name"]
    assert [(d["metadata"]["name"], d["spec"]["ports"]) for d in made] == [("first", [8080, 8081])]
    assert "ServiceEntry abc/other (<stdin>:" in result.stderr
    assert result.stderr.count("-> DnsAlias abc/first\n") == 2
    assert result.exit_code == 0


def test_every_host_of_an_entry_gets_its_alias(invoke: Invoke) -> None:
    """They wait until the entry is gone, and that is said; one that cannot be adopted holds the others back."""
    ports = "ports: [{name: http, number: 8080, protocol: HTTP}]"
    both = entry("both", f"hosts: [a.cutom-name, b.cutom-name], {ports}, {API}")
    aliases = [a for a in adopted(invoke, INCIDENT + both)["aliases"] if a["entry"]["name"] == "both"]
    assert [a["manifest"]["metadata"]["name"] for a in aliases] == ["a-cutom-name", "b-cutom-name"]
    assert {a["meanwhile"]["reason"] for a in aliases} == {"EntryMismatch"}
    text = invoke("adopt", "-f", "-", stdin=INCIDENT + both).stderr
    assert "  until the entry is gone the alias is not ready: EntryMismatch: " in text

    wild = entry("both", f"hosts: [a.cutom-name, '*.wild'], {ports}, {API}")
    refused = adopted(invoke, INCIDENT + wild, code=1)["notAdopted"]
    assert {(r["host"], r["reason"]) for r in refused} == {("*.wild", "Invalid"), ("a.cutom-name", "SharesEntry")}


def test_an_alias_lives_with_its_service(invoke: Invoke) -> None:
    """Of an entry in another namespace, visible to the same ones."""
    far = entry("far", f"{TO_API}, {API}, exportTo: ['.']", namespace="clients")
    found = one(adopted(invoke, INCIDENT + far), "far")
    assert found["manifest"]["metadata"] == {"name": "far", "namespace": "abc"}
    assert found["manifest"]["spec"]["exportTo"] == ["clients"]
    assert found["meanwhile"]["mode"] == "Generated"
    assert found["notes"] == ["it lives with Service abc/service-api; the entry is in namespace clients"]


PORTS = "ports: [{name: http, number: 8080, protocol: HTTP}]"
HOST = "hosts: [x.cutom-name]"


@pytest.mark.parametrize(
    ("spec", "reason", "told"),
    [
        (f"{HOST}, {PORTS}", "NoService", "annotate it dnsalias.io/service"),
        (
            f"{HOST}, {PORTS}, endpoints: [{{address: gone.abc.svc.cluster.local}}]",
            "ServiceNotFound",
            "Service abc/gone",
        ),
        (
            f"{HOST}, {PORTS}, endpoints: [{{address: service-api.abc.svc}}, {{address: x.example.lan}}]",
            "OtherEndpoints",
            "endpoint x.example.lan is not Service abc/service-api",
        ),
        (
            f"{HOST}, ports: [{{name: a, number: 80, protocol: HTTP, targetPort: 8080}}], {API}",
            "PortElsewhere",
            "port 80",
        ),
        (f"{HOST}, ports: [{{name: a, number: 81, protocol: HTTP}}], {API}", "NoMatchingPort", "(81)"),
        (f"hosts: ['*.x'], {PORTS}, {API}", "Invalid", "spec.host: host has a wildcard"),
        (
            f"{HOST}, {PORTS}, endpoints: [{{address: service-api.abc.svc}}, {{address: x.example.com}}]",
            "OutsideMesh",
            "x.example.com is a name under a public suffix",
        ),
        (
            f"hosts: [service-api.hello], {PORTS}, endpoints: [{{address: traefik.abc.svc}}]",
            "OtherEndpoints",
            "traefik",
        ),
    ],
)
def test_what_cannot_be_adopted_says_why(invoke: Invoke, spec: str, reason: str, told: str) -> None:
    """Reason and remedy on standard error and in JSON; the rest is adopted, and the exit code is 1."""
    _says_why(invoke, entry("odd", spec), reason, told)


def test_a_host_that_is_a_services_name_is_not_adopted(invoke: Invoke) -> None:
    """Of an entry whose owner names the Service: abc is a public suffix too, and the endpoint alone would not do."""
    named = f"{MANAGED}, annotations: {{dnsalias.io/service: service-api}}"
    odd = entry("odd", f"hosts: [service-api.abc], {PORTS}, {API}", meta=named)
    _says_why(invoke, odd, "HostIsService", "would not be served")


def _says_why(invoke: Invoke, odd: str, reason: str, told: str) -> None:
    world = INCIDENT + odd
    found = one(adopted(invoke, world, code=1), "odd")
    assert found["reason"] == reason
    assert told in found["message"]
    result = invoke("adopt", "-f", "-", stdin=world)
    assert result.exit_code == 1
    assert result.stdout == MANIFEST
    assert f"not adopted: ServiceEntry abc/odd (<stdin>:51) host {found['host']}: {reason}: " in result.stderr
    assert result.stderr.endswith("1 alias to apply; 1 not adopted.\n")
    assert invoke("explain", reason).exit_code == 0


def test_other_workloads_are_not_the_services(invoke: Invoke) -> None:
    """An entry for a canary's pods is no name of the whole Service; one for the Service's own pods is."""
    annotated = f"{MANAGED}, annotations: {{dnsalias.io/service: service-api}}"
    for selector, code in (("api", 0), ("canary", 1)):
        pods = entry("pods", f"{TO_API}, workloadSelector: {{labels: {{app: {selector}}}}}", meta=annotated)
        found = one(adopted(invoke, INCIDENT + pods.replace("DNS", "STATIC"), code=code), "pods")
        assert found.get("reason") == ("OtherWorkloads" if code else None)


def test_of_two_entries_for_one_host_the_older_would_have_it(invoke: Invoke) -> None:
    """As in the mesh today; the other one stays, and beside it the older one's alias would not be served."""
    entries = [
        entry(
            name,
            f"hosts: [x.cutom-name], {ports}, endpoints: [{{address: {service}.abc.svc}}]",
            meta=f"{MANAGED}, creationTimestamp: 2026-0{month}-01T00:00:00Z",
        )
        for name, service, month, ports in (
            ("a-young", "traefik", 3, "ports: [{name: https, number: 443, protocol: HTTPS}]"),
            ("b-old", "service-api", 1, PORTS),
        )
    ]
    document = adopted(invoke, INCIDENT + "".join(entries), code=1)
    young, old = one(document, "a-young"), one(document, "b-old")
    assert young["reason"] == "HostHeld"
    assert "held by DnsAlias abc/b-old" in young["message"]
    assert old["reason"] == "EntryMismatch"
    assert "ServiceEntry abc/a-young already has host x.cutom-name" in old["message"]


def test_one_entry_by_name_whether_or_not_it_is_selected(invoke: Invoke) -> None:
    """Others are left out then; a name that is not there is an error."""
    world = INCIDENT + entry("mine", f"{TO_API}, {API}", meta="labels: {}")
    assert [a["entry"]["name"] for a in adopted(invoke, world)["aliases"]] == ["traefik-cutom-name"]
    assert [a["entry"]["name"] for a in adopted(invoke, world, "abc/mine")["aliases"]] == ["mine"]
    for name in ("abc/nothing", "mine"):
        result = invoke("adopt", name, "-f", "-", stdin=world)
        assert result.exit_code == 2
        assert f"there is no ServiceEntry {name} in what was read; expected NAMESPACE/NAME" in result.stderr


def test_files_are_written_once(invoke: Invoke, tmp_path: Path) -> None:
    """The same again is no error, a file that says something else stays, and both are kubectl's to read."""
    folder = tmp_path / "deep" / "aliases"
    first = invoke("adopt", "-f", "-", "--out", folder, stdin=INCIDENT)
    assert (first.exit_code, first.stdout) == (0, "")
    (path,) = folder.iterdir()
    assert path.name == "abc.traefik-cutom-name.yaml"
    assert path.read_text() == MANIFEST
    assert invoke("adopt", "-f", "-", "--out", folder, stdin=INCIDENT).exit_code == 0
    path.write_text("# mine\n")
    again = invoke("adopt", "-f", "-", "--out", folder, stdin=INCIDENT)
    assert again.exit_code == 2
    assert path.read_text() == "# mine\n"
    assert f"{path} exists with other content: not written" in again.stderr
    blocked = invoke("adopt", "-f", "-", "--out", path / "below", stdin=INCIDENT)
    assert blocked.exit_code == 2
    assert str(path) in blocked.stderr


def test_unreadable_input_is_an_error_with_what_could_be_adopted(invoke: Invoke) -> None:
    """The rest is still proposed, and exit code 2 keeps anybody from trusting that it is all."""
    result = invoke("adopt", "-f", "-", stdin=f"a: [\n---\n{INCIDENT}")
    assert result.exit_code == 2
    assert "kind: DnsAlias" in result.stdout
    assert result.stderr.endswith("1 alias to apply (1 problem in the input, see above).\n")


def test_what_entries_say_cannot_forge_manifests(invoke: Invoke) -> None:
    """A line break in a field of a hostile file ends no comment and begins no document."""
    smuggled = r"\n---\nkind: Secret"
    hosts = INCIDENT.replace("[traefik.cutom-name]", f'["a.b{smuggled}"]')
    assert invoke("adopt", "-f", "-", stdin=hosts).stdout == ""
    address = INCIDENT.replace("  resolution: DNS\n", f'  resolution: DNS\n  addresses: ["10.0.0.1{smuggled}"]\n')
    shown = invoke("adopt", "-f", "-", stdin=address).stdout
    assert r"10.0.0.1 --- kind: Secret is no address of it any more" in shown
    assert [d["kind"] for d in yaml.safe_load_all(shown)] == ["DnsAlias"]
