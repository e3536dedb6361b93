"""The mistakes that people make in a DnsAlias: what each is told, by the API server's rules and by the command."""

import re
from typing import Any

import pytest

from dnsalias_operator.core.aliases.conditions import desired_status
from dnsalias_operator.core.plan import decide_alias
from dnsalias_operator.core.triggers import affected
from dnsalias_operator.model.crd import crd
from dnsalias_operator.model.dnsalias import DnsAlias, parse_spec
from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.similar import MOST, similar
from dnsalias_operator.model.snapshot import Snapshot
from dnsalias_operator.model.specfaults import ELSEWHERE, HOST_MISTAKES, SERVICE_MISTAKES
from tools import make

SPEC = crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
ALIAS = Key("DnsAlias", "shop", "a")
SERVICES = (
    make.service(
        "service-api", ports=[make.port(8080, "http"), make.port(9090, "grpc")], ip="10.96.0.1", namespace="shop"
    ),
    make.service("dns", ports=[{"name": "dns", "port": 53, "protocol": "UDP"}], ip="10.96.0.2", namespace="shop"),
    make.service("elsewhere", ports=[make.port(1, "tcp")], ip="10.96.0.3", namespace="data"),
)


def refused_by_rules(field: dict[str, Any], value: str) -> list[str]:
    """Messages of the CRD's rules of that form, evaluated as CEL does (RE2 and Python agree on these patterns)."""
    rules = [(re.fullmatch(r"!self\.matches\(r'(.*)'\)", r["rule"]), r) for r in field["x-kubernetes-validations"]]
    return [rule["message"] for form, rule in rules if form and re.search(form[1], value)]


@pytest.mark.parametrize(
    ("host", "word"),
    [
        ("Service-Api.hello", "lower case"),
        ("hello", "one label"),
        ("*.hello", "wildcard"),
        ("https://api.hello/", "URL"),
        ("api.hello:8080", "port"),
        ("api.hello.", "dot"),
        ("api_x.hello", "underscore"),
        ("10.96.0.1", "IP address"),
    ],
)
def test_a_wrong_host_is_told_what_is_wrong_with_it(host: str, word: str) -> None:
    """The command's sentence is one of the API server's, and names the mistake rather than a pattern."""
    spec, fault = parse_spec({"host": host, "serviceRef": {"name": "a"}})
    assert spec is None
    told = [message for message in refused_by_rules(SPEC["host"], host) if f"spec.host: {message} (got" in fault]
    assert len(told) == 1
    assert word in told[0]


@pytest.mark.parametrize("name", ["shop/db", "db.shop.svc.cluster.local", "Db"])
def test_a_wrong_service_name_is_told_what_is_wrong_with_it(name: str) -> None:
    """A Service of another namespace cannot be named: the alias belongs there, and both programs say so."""
    spec, fault = parse_spec({"host": "a.b", "serviceRef": {"name": name}})
    assert spec is None
    told = refused_by_rules(SPEC["serviceRef"]["properties"]["name"], name)
    assert fault == f"spec.serviceRef.name: {told[0]} (got {name!r})"
    assert ("declare the alias there" in fault) is (name != "Db")


@pytest.mark.parametrize("value", ["a.b", "0.a", "x--y.hello", "service-api.hello", "a"])
def test_no_legal_value_is_a_mistake(value: str) -> None:
    """A rule that finds a mistake refuses nothing that the pattern lets pass."""
    mistakes = HOST_MISTAKES if "." in value else SERVICE_MISTAKES
    assert [m for m in mistakes if re.search(m.pattern, value)] == []


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        ({"servicRef": {}}, "spec.servicRef: unknown field; did you mean serviceRef?"),
        ({"export_to": ["*"]}, "spec.export_to: unknown field; did you mean exportTo?"),
        ({"port": [1]}, "spec.port: unknown field; did you mean ports?"),
        ({"resolution": "DNS"}, "spec.resolution: unknown field; remove it"),
        (
            {"serviceRef": {"name": "a", "namespace": "b"}},
            f"spec.serviceRef.namespace: unknown field; {ELSEWHERE}",
        ),
        (
            {"endpoints": "workloads"},
            "spec.endpoints: expected Auto, Workloads or Service (got 'workloads'); did you mean Workloads?",
        ),
        ({"endpoints": 5}, "spec.endpoints: expected Auto, Workloads or Service (got 5)"),
    ],
)
def test_an_unknown_word_is_told_the_one_that_is_meant(spec: dict[str, object], fault: str) -> None:
    """Fields and values that look like one of the schema's are told which; others are told to go."""
    assert parse_spec({"host": "a.b", "serviceRef": {"name": "a"}} | spec) == (None, fault)


def message(*objects: dict[str, Any], **spec: object) -> str:
    """The message of Ready of alias shop/a, which is for that Service."""
    service = str(spec.pop("service", "service-api"))
    alias = make.alias("a", "a.hello", service, namespace="shop", meta=None, **spec)
    decided = decide_alias(Snapshot(KINDS[o["kind"]].parse(o) for o in (*SERVICES, *objects, alias)), ALIAS, Rules())
    assert decided is not None
    return decided.conditions[-1].message


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"service": "servce-api"}, "Service shop/servce-api does not exist (did you mean service-api?); create it"),
        ({"service": "elsewhere"}, "Service shop/elsewhere does not exist; create it"),
        ({"service": "dns"}, "Service shop/dns has no TCP port (53/UDP); give it one, or name another Service"),
        ({"ports": ["htp"]}, "spec.ports names htp (did you mean http?); TCP ports of Service shop/service-api: 8080"),
        ({"ports": [8081]}, "spec.ports names 8081; TCP ports of Service shop/service-api: 8080 (http), 9090 (grpc)"),
        (
            {"service": "dns", "ports": [53]},
            "spec.ports names 53 (53/UDP, and an alias serves TCP only); Service shop/dns has no TCP port (53/UDP)",
        ),
        ({"exportTo": ["~"]}, "ServiceEntry shop/a is exported to no namespace (exportTo '~'): nobody can use a.hello"),
    ],
)
def test_what_the_service_lacks_is_told_with_what_is_meant(spec: dict[str, object], told: str) -> None:
    """Services and ports that look like one there is are told which; a Service without TCP, what it has."""
    assert message(**spec).startswith(told)


def test_a_service_that_comes_triggers_who_may_mean_it() -> None:
    """An alias of a Service that is not there says another thing once one of a like name is there, or gone."""
    alias = KINDS["DnsAlias"].parse(make.alias("a", "a.hello", "servce-api", namespace="shop"))
    service = KINDS["Service"].parse(SERVICES[0])
    assert ALIAS in affected(Snapshot([alias, service]), None, service, Rules())
    assert ALIAS in affected(Snapshot([alias]), service, None, Rules())


def test_among_too_many_names_none_is_guessed() -> None:
    """Guessing takes time for each name, and stays cheap in a large namespace; the order of the names is no matter."""
    names = [f"service-{n}" for n in range(MOST)]
    assert similar("servce-7", names) == similar("servce-7", reversed(names)) == "service-7"
    assert similar("servce-7", [*names, "one-more"]) == ""


def test_an_alias_that_nobody_has_seen_is_waiting() -> None:
    """The CRD gives all four conditions: Unknown, Pending, of no generation; the first status has times of its own."""
    status = crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]
    given = status["default"]["conditions"]
    required = set(status["properties"]["conditions"]["items"]["required"])
    assert [(c["type"], c["status"], c["reason"], c["observedGeneration"]) for c in given] == [
        (kind, "Unknown", "Pending", 0) for kind in ("Accepted", "ResolvedRefs", "Programmed", "Ready")
    ]
    assert all(set(condition) == required for condition in given)
    raw = make.alias("a", "10.hello", "nothing", namespace="shop", meta={"generation": 1}) | {
        "status": status["default"]
    }
    alias = DnsAlias.parse(raw)
    # HostReserved leaves ResolvedRefs Unknown, as by default: its time is the operator's all the same.
    world = Snapshot([DnsAlias.parse(raw | {"spec": {"host": "a.svc", "serviceRef": {"name": "nothing"}}})])
    decided = decide_alias(world, ALIAS, Rules())
    assert decided is not None
    written = desired_status(decided, alias, "2026-01-01T00:00:00Z")
    assert written is not None
    assert {c["lastTransitionTime"] for c in written["conditions"]} == {"2026-01-01T00:00:00Z"}
    assert [c["status"] for c in written["conditions"]] == ["False", "Unknown", "False", "False"]
