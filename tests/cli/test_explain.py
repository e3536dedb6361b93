"""`dnsalias explain`: pages, and the story of one object."""

import json
import os
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest

from dnsalias_operator.cli.printing import pages
from dnsalias_operator.core.advice.answers import ELSEWHERE
from dnsalias_operator.core.findings.catalog import FAULTS
from dnsalias_operator.core.reasons import Reason
from tests.cli.conftest import INCIDENT, Execute, Invoke, Write, executable
from tests.cli.terminals import on_terminal

FOREIGN = """\
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: service-api, namespace: abc, labels: {app.kubernetes.io/managed-by: dns-controller}}
spec:
  hosts: [%s]
  location: MESH_INTERNAL
  resolution: DNS
  ports: [{name: http, number: 8080, protocol: HTTP}]
"""
_TEXT = {"type": "string", "minLength": 1}
_WORD = {"type": "string", "pattern": "^[A-Z][A-Za-z]+$"}
_OBJECT = {"namespace": {"type": "string"}, "name": _TEXT}
_PLACE = {"file": {"type": ["string", "null"]}, "line": {"type": ["integer", "null"]}}
_LINES = {"type": "array", "items": _TEXT}


def _exactly(**properties: Any) -> dict[str, Any]:  # noqa: ANN401 (JSON Schema)
    return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}


def _list(**properties: Any) -> dict[str, Any]:  # noqa: ANN401 (JSON Schema)
    return {"type": "array", "items": _exactly(**properties)}


_CHANGES = _list(verb=_TEXT, object=_TEXT, reason=_WORD)
SCHEMA = _exactly(
    kind={"enum": ["DnsAlias", "ServiceEntry", "Service"]},
    **_OBJECT,
    **_PLACE,
    summary=_TEXT,
    hosts=_LINES,
    service={
        "anyOf": [
            {"type": "null"},
            _exactly(**_OBJECT, exists={"type": "boolean"}, inferred={"type": "boolean"}, clusterIPs=_LINES),
        ]
    },
    entry={
        "anyOf": [
            {"type": "null"},
            _exactly(
                **_OBJECT,
                mode={"enum": ["Generated", "Patched", None]},
                state={"enum": ["fixed", "contained", "unfixed", None]},
                addresses=_LINES,
            ),
        ]
    },
    names=_list(host=_TEXT, answered=_LINES, rewrite={"type": "string"}, notes=_LINES),
    traffic={
        "type": "array",
        "items": _exactly(**{"from": _TEXT}, address=_TEXT, port={"type": "integer"}, rows={"type": "array"}),
    },
    ambient=_exactly(
        answers={
            "type": "array",
            "items": _exactly(
                **{"from": {"type": ["string", "null"]}},
                address=_TEXT,
                port={"type": "integer"},
                byChance={"type": "boolean"},
                ends={"type": "array", "minItems": 1},
            ),
        },
        names=_list(host=_TEXT, addresses=_LINES),
    ),
    notModelled=_LINES,
    policies=_list(
        kind=_TEXT, **_OBJECT, what=_TEXT, host={"type": ["string", "null"]}, clients={"type": "string"}, stopsAt=_LINES
    ),
    conditions=_list(type=_TEXT, status={"enum": ["True", "False", "Unknown"]}, reason=_WORD, message=_TEXT),
    findings=_list(
        code={"type": "string", "pattern": r"^DA\d{3}$"},
        severity={"enum": ["critical", "warning", "info"]},
        kind=_TEXT,
        **_OBJECT,
        port={"type": ["integer", "null"]},
        message=_TEXT,
        remedy=_TEXT,
        url=_TEXT,
        **_PLACE,
        cured={"type": "boolean"},
    ),
    changes=_CHANGES,
    withheld=_CHANGES,
    steps=_LINES,
)
STORY = """\
ServiceEntry abc/traefik-cutom-name (<stdin>:16) is in the operator's care and will be fixed
Name        traefik.cutom-name: the pod's DNS is asked; a ServiceEntry makes no record
              for CoreDNS: rewrite stop name exact traefik.cutom-name traefik.abc.svc.cluster.local answer auto
Service     Service abc/traefik (inferred from its name): 10.96.0.10, pods with app=traefik
              443 https (HTTPS)
Entry       ServiceEntry abc/traefik-cutom-name: addresses none
              resolution DNS, endpoints none, exported to *
              443 tcp-443 (TCP)
Traffic     10.96.0.10:443, from every namespace: everything to Service abc/traefik
            port 443 elsewhere, from every namespace: everything to ServiceEntry abc/traefik-cutom-name
"""
STEP = (
    "What to do  1. the operator has to repair ServiceEntry abc/traefik-cutom-name, and does so when it runs "
    "(LacksAddressesAndEndpoints)"
)


def story(invoke: Invoke, world: str, *arguments: str) -> dict[str, Any]:
    """The story in its machine form, which has exactly the promised fields."""
    result = invoke("explain", *arguments, "-f", "-", "-o", "json", stdin=world)
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    jsonschema.validate(document, SCHEMA)
    return dict(document)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.code)
def test_every_finding_has_its_page(invoke: Invoke, fault: Any) -> None:  # noqa: ANN401 (a Fault)
    """The page of a code has its title and what to do, in whatever case the code is typed."""
    result = invoke("explain", fault.code.lower())
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{fault.code}: {fault.title} (docs/findings.md)\n\n**What it means.** ")
    assert "**What to do.** " in result.stdout
    assert "\n## " not in result.stdout


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_its_pages(reason: Reason) -> None:
    """No reason is unknown to `dnsalias explain`: it has a page for each of its parts, and none is empty."""
    found = pages.pages(reason)
    assert sorted((page.file, page.part) for page in found) == sorted(reason.parts)
    assert all(page.body for page in found)


def test_a_reason_is_found_in_any_case(invoke: Invoke) -> None:
    """As somebody types it; one that does not exist is told with the nearest, in its own case."""
    assert invoke("explain", "hostheld").stdout == invoke("explain", "HostHeld").stdout
    wrong = invoke("explain", "HOSTHELT")
    assert wrong.exit_code == 2
    assert "there is no reason HOSTHELT; did you mean HostHeld" in wrong.stderr


def test_a_page_is_rendered_on_a_terminal() -> None:
    """Without the marks of Markdown; and without colours where they are not wanted."""
    for asked in ({}, {"NO_COLOR": "1"}, {"TERM": "dumb"}):
        environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", **asked}
        shown = on_terminal([executable("dnsalias"), "explain", "DA001"], environment)
        assert shown.code == 0
        assert "What it means." in shown.terminal
        assert "**" not in shown.terminal
        assert ("\x1b[" in shown.terminal) is not bool(asked)
        assert max(map(len, click.unstyle(shown.terminal).splitlines())) <= 80


def test_a_reason_of_two_kinds_of_objects_has_two_pages(invoke: Invoke) -> None:
    """Each says whose it is, and links read as words."""
    result = invoke("explain", "WouldShadowService")
    heads = [line for line in result.stdout.splitlines() if line.startswith("WouldShadowService (")]
    assert heads == [
        "WouldShadowService (Unfixed reasons, docs/findings.md)",
        "WouldShadowService (Accepted is False, docs/conditions.md)",
    ]
    plaintext = invoke("explain", "PlaintextEndpoints").stdout
    assert "measured (docs/equivalence.md)" in plaintext
    assert "](" not in plaintext + invoke("explain", "DA001").stdout
    document = json.loads(invoke("explain", "WouldShadowService", "-o", "json").stdout)
    assert [(p["part"], p["file"]) for p in document["pages"]] == [
        ("Unfixed reasons", "docs/findings.md"),
        ("Accepted is False", "docs/conditions.md"),
    ]


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("DA099", "there is no finding DA099; the codes are DA001 to DA0"),
        ("WouldShadow", "there is no reason WouldShadow; did you mean WouldShadowEntry or WouldShadowService"),
        ("Xyz", "there is no reason Xyz; docs/conditions.md has all of them"),
    ],
)
def test_a_page_that_does_not_exist(invoke: Invoke, word: str, told: str) -> None:
    """No cluster is asked for it: the message says what there is."""
    result = invoke("explain", word)
    assert result.exit_code == 2
    assert told in result.stderr


def test_the_story_of_an_entry(invoke: Invoke) -> None:
    """Service, entry, who answers where, findings, and what happens next, on one screen."""
    result = invoke("explain", "abc/traefik-cutom-name", "-f", "-", stdin=INCIDENT)
    assert result.exit_code == 0
    assert result.stdout.startswith(STORY)
    assert "Findings    critical DA001 port 443: listens on 0.0.0.0:443" in result.stdout
    assert STEP in result.stdout
    assert result.stdout.splitlines()[-1].startswith("Assumed: ")


def test_the_story_of_an_alias(invoke: Invoke) -> None:
    """An alias that is still to be made; HTTP is matched by its Host header."""
    found = story(invoke, INCIDENT, "abc/service-api")
    assert found["kind"] == "DnsAlias"
    assert found["summary"] == "will be served"
    assert found["service"] == {
        "namespace": "abc",
        "name": "service-api",
        "exists": True,
        "inferred": False,
        "clusterIPs": ["10.96.0.11"],
    }
    assert found["entry"] is None
    assert [(c["verb"], c["object"]) for c in found["changes"]] == [("create", "ServiceEntry abc/service-api")]
    assert [c["status"] for c in found["conditions"]] == ["True"] * 4
    assert [(t["address"], t["port"], t["from"]) for t in found["traffic"]] == [
        ("10.96.0.11", 8080, "every namespace"),
        (ELSEWHERE, 8080, "every namespace"),
    ]
    assert [row["route"] for row in found["traffic"][0]["rows"] if row["http"]] == ["8080"]


def test_a_write_that_the_api_server_refuses_is_told_first(invoke: Invoke) -> None:
    """What has to be written stands there, and before it why it is not."""
    refused = "{type: Ready, status: 'False', reason: WriteRefused, observedGeneration: 2, message: 403 by a policy}"
    world = INCIDENT.replace(
        "metadata: {name: service-api, namespace: abc}\nspec:\n  host",
        "metadata: {name: service-api, namespace: abc, uid: u1, generation: 2}\n"
        f"status: {{conditions: [{refused}]}}\nspec:\n  host",
    )
    steps = story(invoke, world, "abc/service-api")["steps"]
    assert steps[0] == "its status says Ready=False (WriteRefused): 403 by a policy"
    assert "has to create ServiceEntry abc/service-api" in steps[1]


def test_an_alias_and_its_own_entry_are_one_story(invoke: Invoke) -> None:
    """Once rendered, the entry that was made for the alias is told with it, by either name."""
    world = invoke("render", "-f", "-", stdin=INCIDENT).stdout
    by_alias = story(invoke, world, "abc/service-api")
    assert by_alias == story(invoke, world, "serviceentry", "abc/service-api")
    assert by_alias == story(invoke, world, "service-api.hello")
    assert by_alias["kind"] == "DnsAlias"
    assert by_alias["summary"] == "is served"
    assert by_alias["entry"]["mode"] == "Generated"
    assert by_alias["steps"] == []
    text = invoke("explain", "dna", "abc/service-api", "-f", "-", stdin=world).stdout
    assert "What to do  Nothing.\n" in text


def test_an_alias_that_somebody_elses_entry_serves(invoke: Invoke) -> None:
    """The alias' story tells of it, and the entry has one of its own where its kind is named."""
    world = INCIDENT + FOREIGN % "service-api.hello"
    found = story(invoke, world, "abc/service-api")
    assert (found["kind"], found["entry"]["mode"]) == ("DnsAlias", "Patched")
    assert story(invoke, world, "se", "abc/service-api")["kind"] == "ServiceEntry"


def test_two_objects_of_one_name_are_told_apart(invoke: Invoke) -> None:
    """An alias whose name somebody else's entry has: the message lists what to type, and either works."""
    world = INCIDENT + FOREIGN % "other.hello"
    result = invoke("explain", "abc/service-api", "-f", "-", stdin=world)
    assert result.exit_code == 2
    for kind in ("dnsalias", "serviceentry"):
        assert f"\n  dnsalias explain {kind} abc/service-api\n" in result.stderr
    alias = story(invoke, world, "DnsAlias", "abc/service-api")
    assert alias["summary"] == "is not served: NameTaken"
    assert alias["entry"] is None
    assert alias["steps"][0].startswith("NameTaken: ServiceEntry abc/service-api exists")
    assert story(invoke, world, "ServiceEntry", "abc/service-api")["hosts"] == ["other.hello"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("abc/nothing",), "there is no DnsAlias or ServiceEntry abc/nothing in what was read"),
        (("se", "abc/service-api"), "there is no ServiceEntry abc/service-api in what was read"),
        (("pod", "abc/service-api"), "pod is neither DnsAlias nor ServiceEntry"),
        (("a", "b", "c"), "too many words"),
        (("service", "abc/nothing"), "there is no Service abc/nothing in what was read"),
    ],
)
def test_what_is_not_there(invoke: Invoke, arguments: tuple[str, ...], told: str) -> None:
    """The message says what was looked for, and what one may have meant."""
    result = invoke("explain", *arguments, "-f", "-", stdin=INCIDENT)
    assert result.exit_code == 2
    assert told in result.stderr
    assert result.stdout == ""


def test_how_a_name_resolves(invoke: Invoke) -> None:
    """With DNS capture the sidecar answers; a Service of that name and a public suffix are told."""
    repaired = invoke("render", "-f", "-", stdin=INCIDENT).stdout
    captured = story(invoke, repaired, "abc/traefik-cutom-name", "--dns-capture")["names"][0]
    assert captured["answered"] == ["10.96.0.10"]
    assert story(invoke, repaired, "abc/traefik-cutom-name")["names"][0]["answered"] == []

    # Only its owner can say that an entry under a public suffix (abc is one) stands for a Service.
    owned = INCIDENT.replace("  labels: {app", "  annotations: {dnsalias.io/service: traefik}\n  labels: {app")
    shadowed = owned.replace("[traefik.cutom-name]", "[traefik.abc]")
    notes = story(invoke, shadowed, "abc/traefik-cutom-name")["names"][0]["notes"]
    assert notes[0].startswith("pods resolve traefik.abc to Service abc/traefik: the search domain svc.cluster.local")

    public = owned.replace("[traefik.cutom-name]", "[traefik.example.com]")
    (note,) = story(invoke, public, "abc/traefik-cutom-name")["names"][0]["notes"]
    assert "public suffix com" in note
    outside = INCIDENT.replace("[traefik.cutom-name]", "[traefik.example.com]")
    assert story(invoke, outside, "abc/traefik-cutom-name")["names"][0]["notes"] == []


def test_who_answers_depends_on_where_one_asks(invoke: Invoke) -> None:
    """An entry that only its own namespace sees catches traffic there, and nowhere else."""
    world = INCIDENT.replace("  location: MESH_INTERNAL\n", "  location: MESH_INTERNAL\n  exportTo: ['.']\n")
    elsewhere = [t for t in story(invoke, world, "abc/traefik-cutom-name")["traffic"] if t["address"] == ELSEWHERE]
    owners = {t["from"]: [row["owner"] for row in t["rows"]] for t in elsewhere}
    assert owners == {
        "every namespace but abc": [],
        "namespace abc": ["ServiceEntry abc/traefik-cutom-name"],
    }


ROUTING = """\
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: routes, namespace: abc}
spec:
  hosts: [traefik.abc.svc.cluster.local]
  tcp: [{route: [{destination: {host: service-api.abc.svc.cluster.local}}]}]
"""


def test_what_the_answers_leave_out_is_said(invoke: Invoke) -> None:
    """A VirtualService that routes TCP is not followed, and named; so it is only where it matters."""
    world = INCIDENT.replace("name: https, port: 443", "name: tcp, port: 443") + ROUTING
    text = invoke("explain", "abc/traefik-cutom-name", "-f", "-", stdin=world).stdout
    told = "VirtualService abc/routes routes TCP or TLS of traefik.abc.svc.cluster.local on port 443"
    assert f"            Not modelled: {told}.\n" in text
    assert story(invoke, world, "abc/traefik-cutom-name")["notModelled"] == [told]
    assert story(invoke, world, "abc/service-api")["notModelled"] == []


def test_an_entry_outside_of_anybodys_care(invoke: Invoke) -> None:
    """It says why the operator leaves it alone, and how to change that."""
    world = INCIDENT.replace("  labels: {app.kubernetes.io/managed-by: dns-controller}\n", "")
    found = story(invoke, world, "abc/traefik-cutom-name")
    assert found["summary"] == "is not in the operator's care: it is only reported on"
    assert found["steps"][0] == 'to have the operator repair it: annotate it dnsalias.io/repair: "true"'
    assert found["steps"][1] == (
        'DA001 ServiceEntry abc/traefik-cutom-name: annotate it dnsalias.io/repair: "true" and let the operator do it, '
        "or set spec.addresses to ['10.96.0.10'] and spec.endpoints to ['traefik.abc.svc.cluster.local']"
    )
    opted_out = INCIDENT.replace("  labels: {app", '  annotations: {dnsalias.io/repair: "false"}\n  labels: {app')
    assert "has opted out" in story(invoke, opted_out, "abc/traefik-cutom-name")["summary"]


def test_what_is_contained_is_not_called_cured(invoke: Invoke, incident: Path) -> None:
    """A finding that goes with the change is marked; one that only changes its code is not."""
    older = incident.read_text().replace("2026-02-01T00", "2025-01-01T00")
    found = story(invoke, older, "abc/traefik-cutom-name")
    assert found["summary"] == "is in the operator's care and will be contained: WouldShadowService"
    cured = {f["code"]: f["cured"] for f in found["findings"]}
    assert cured == {"DA001": True, "DA002": True, "DA003": True, "DA015": False}
    assert found["steps"][0].startswith("WouldShadowService: with the clusterIP")


def test_what_objects_are_called_cannot_forge_output(invoke: Invoke) -> None:
    """Control characters of a hostile file are shown, not sent to the terminal."""
    world = INCIDENT.replace("[traefik.cutom-name]", '["a.b\\e[2J\\nDnsAlias x/y is served"]')
    shown = invoke("explain", "abc/traefik-cutom-name", "-f", "-", stdin=world).stdout
    assert "\x1b" not in shown
    assert "\nDnsAlias x/y" not in shown


def test_unreadable_input_is_an_error_beside_the_story(execute: Execute) -> None:
    """The story is told, and exit code 2 keeps anybody from trusting it."""
    done = execute("explain", "abc/service-api", "-f", "-", stdin=f"a: [\n---\n{INCIDENT}")
    assert done.returncode == 2
    assert done.stdout.startswith("DnsAlias abc/service-api")
    assert "<stdin>:2:1: expected" in done.stderr


MIXED = """\
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio.io/dataplane-mode: ambient}}
---
apiVersion: v1
kind: Namespace
metadata: {name: third, labels: {istio.io/dataplane-mode: ambient}}
---
apiVersion: v1
kind: Service
metadata: {name: pay, namespace: shop}
spec: {clusterIP: 10.96.0.1, selector: {app: pay}, ports: [{name: tcp, port: 7000}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: led, namespace: other}
spec:
  hosts: [led.hello]
  addresses: [10.96.0.1]
  location: MESH_INTERNAL
  resolution: DNS
  endpoints: [{address: pay.shop.svc.cluster.local}]
  ports: [{name: tcp, number: 7000, protocol: TCP}]
"""


def test_pods_without_sidecars_have_a_section(invoke: Invoke, write: Write) -> None:
    """Where there are some: what they get at each address, from where, and which resolver answers them."""
    world = write("world.yaml", MIXED)
    told = invoke("explain", "other/led", "-f", world).stdout
    pays = "HBONE to pods app=pay port 7000 by Service shop/pay"
    leds = "plaintext to pay.shop.svc.cluster.local:7000 by ServiceEntry other/led"
    assert f"10.96.0.1:7000, from namespace shop: {pays}\n" in told
    assert f"10.96.0.1:7000, from anywhere else: {leds}; or, by chance, {pays}\n" in told
    assert "led.hello: ztunnel answers 10.96.0.1" in told
    answered = story(invoke, MIXED, "other/led")["ambient"]
    assert [(a["from"], a["byChance"]) for a in answered["answers"]] == [("shop", False), (None, True)]
    without = invoke("explain", "other/led", "-f", write("side.yaml", MIXED.replace("ambient}", "none}")))
    assert "Ambient " not in without.stdout
