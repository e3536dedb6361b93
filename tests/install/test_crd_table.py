"""pydantic and the real API server accept and refuse the same specs, and kubectl shows what it should."""

import json
import re
from typing import Any

import pytest

from dnsalias_operator.model.dnsalias import AN_ADDRESS, DnsAlias
from dnsalias_operator.model.names import API_VERSION, KIND
from dnsalias_operator.model.specfaults import HOST_MISTAKES, SERVICE_MISTAKES
from dnsalias_operator.model.status import WAITING
from tools import make
from tools.controlplane.api import ApiError
from tools.controlplane.cluster import ControlPlane

pytestmark = pytest.mark.cluster

LABEL_63 = "a" * 63
HOST_253 = ".".join([LABEL_63, LABEL_63, LABEL_63, "b" * 61])
DEFAULTS: dict[str, Any] = {"host": "api.hello", "serviceRef": {"name": "api"}}

GOOD_HOSTS = (
    "api.hello",
    "a.b",
    "0.a",
    "10.0.0.1a",
    "a.0xg",
    "x--y.hello",
    "one.two.three.four.five",
    "xn--bcher-kva.example",
    f"{LABEL_63}.a",
    HOST_253,
)
BAD_HOSTS = (
    "",
    "api",
    "API.hello",
    "api.Hello",
    "api.hello.",
    ".api.hello",
    "api..hello",
    "*.hello",
    "*",
    "api_1.hello",
    "api.hello:443",
    "http://api.hello",
    "api .hello",
    "api.hello\n",
    "-api.hello",
    "api-.hello",
    "bücher.hello",
    "10.0.0.1",
    "1.2",
    "a.1",
    "a.0x1f",
    "0x7f.0.0.0x1",
    "fd00::1",
    "12345",
    f"{LABEL_63}a.a",
    f"{HOST_253}c",
    5,
    None,
    ["api.hello"],
)
GOOD: list[dict[str, Any]] = [
    {},
    {"serviceRef": {"name": LABEL_63}},
    {"serviceRef": {"name": "0api"}},
    {"ports": [443]},
    {"ports": [1, 65535]},
    {"ports": ["https"]},
    {"ports": ["443"]},
    {"ports": [443, "https", "443"]},
    {"ports": [LABEL_63]},
    {"ports": list(range(1, 65))},
    {"ports": [f"p-{n}" for n in range(64)]},
    {"ports": None},
    {"endpoints": "Auto"},
    {"endpoints": "Workloads"},
    {"endpoints": "Service"},
    {"endpoints": None},
    {"exportTo": ["*"]},
    {"exportTo": ["."]},
    {"exportTo": ["~"]},
    {"exportTo": [".", "shop"]},
    {"exportTo": ["shop", "data"]},
    {"exportTo": [f"n-{n}" for n in range(64)]},
    {"exportTo": None},
]
BAD: list[dict[str, Any]] = [
    {"serviceRef": {}},
    {"serviceRef": None},
    {"serviceRef": "api"},
    {"serviceRef": {"name": ""}},
    {"serviceRef": {"name": None}},
    {"serviceRef": {"name": 5}},
    {"serviceRef": {"name": "API"}},
    {"serviceRef": {"name": "api.abc"}},
    {"serviceRef": {"name": f"{LABEL_63}a"}},
    {"serviceRef": {"name": "api", "namespace": "abc"}},
    {"serviceRef": {"name": "api", "kind": "Service"}},
    {"ports": []},
    {"ports": [0]},
    {"ports": [-1]},
    {"ports": [65536]},
    {"ports": [10**22]},
    {"ports": [443, 443]},
    {"ports": ["https", "https"]},
    {"ports": [443.0]},
    {"ports": [443.5]},
    {"ports": [True]},
    {"ports": [None]},
    {"ports": [""]},
    {"ports": ["HTTPS"]},
    {"ports": ["https-"]},
    {"ports": ["https\n"]},
    {"ports": ["a.b"]},
    {"ports": [f"{LABEL_63}a"]},
    {"ports": [{"number": 443}]},
    {"ports": 443},
    {"ports": list(range(1, 66))},
    {"endpoints": "auto"},
    {"endpoints": ""},
    {"endpoints": []},
    {"exportTo": []},
    {"exportTo": [""]},
    {"exportTo": [None]},
    {"exportTo": "*"},
    {"exportTo": ["*", "shop"]},
    {"exportTo": ["~", "."]},
    {"exportTo": ["*", "~"]},
    {"exportTo": ["shop", "shop"]},
    {"exportTo": [".", "."]},
    {"exportTo": ["Shop"]},
    {"exportTo": ["shop.data"]},
    {"exportTo": ["**"]},
    {"exportTo": [f"{LABEL_63}a"]},
    {"exportTo": [f"n-{n}" for n in range(65)]},
    {"hosts": ["api.hello"]},
    {"resolution": "DNS"},
]
ACCEPTED = [{**DEFAULTS, "host": host} for host in GOOD_HOSTS] + [{**DEFAULTS, **row} for row in GOOD]
REFUSED: list[object] = [
    *({**DEFAULTS, "host": host} for host in BAD_HOSTS),
    *({**DEFAULTS, **row} for row in BAD),
    {"serviceRef": {"name": "api"}},
    {"host": "api.hello"},
    {},
    None,
    [],
    "api.hello",
]


def name(value: object) -> str:
    """A short name of a row, for pytest's report."""
    if isinstance(value, dict):
        value = {k: v for k, v in value.items() if DEFAULTS.get(k, "absent") != v} or value
    return json.dumps(value)[:60]


def refusal(control_plane: ControlPlane, spec: object) -> str:
    """Why the API server refuses a DnsAlias with that spec in a strict dry run, or ""."""
    path = "/apis/dnsalias.io/v1alpha1/namespaces/default/dnsaliases?dryRun=All&fieldValidation=Strict"
    alias = make.manifest(API_VERSION, KIND, "row", spec)
    try:
        control_plane.api.create(path, alias)
    except ApiError as error:
        if error.status not in (400, 422):
            raise
        return str(error)
    return ""


@pytest.mark.parametrize("spec", ACCEPTED, ids=name)
def test_both_accept(control_plane: ControlPlane, spec: object) -> None:
    """A legal spec passes the API server and reads as a typed spec."""
    assert refusal(control_plane, spec) == ""
    assert DnsAlias.parse({"spec": spec}).fault == ""


@pytest.mark.parametrize("spec", REFUSED, ids=name)
def test_both_refuse(control_plane: ControlPlane, spec: object) -> None:
    """An illegal spec is refused by the API server, and the operator would not act on it either."""
    assert refusal(control_plane, spec) != ""
    assert DnsAlias.parse({"spec": spec}).spec is None


def test_the_api_server_says_what_is_expected(control_plane: ControlPlane) -> None:
    """Rules that a pattern cannot tell are refused with a sentence that a person can act on."""
    for row, sentence in (
        ({"host": "10.0.0.1"}, AN_ADDRESS),
        ({"host": "Api.hello"}, HOST_MISTAKES[0].message),
        ({"host": "*.hello"}, HOST_MISTAKES[1].message),
        ({"host": "https://api.hello"}, HOST_MISTAKES[2].message),
        ({"host": "api.hello."}, HOST_MISTAKES[3].message),
        ({"host": "api_1.hello"}, HOST_MISTAKES[4].message),
        ({"host": "api"}, HOST_MISTAKES[5].message),
        ({"serviceRef": {"name": "shop/db"}}, SERVICE_MISTAKES[0].message),
        ({"serviceRef": {"name": "db.shop"}}, SERVICE_MISTAKES[1].message),
        ({"ports": [65536]}, "a port is a number from 1 to 65535 or the name of a Service port"),
        ({"ports": [1, 1]}, "ports lists the same port twice; name each port once"),
        ({"exportTo": ["a", "a"]}, "exportTo lists the same namespace twice; name each once"),
        ({"exportTo": ["*", "a"]}, "exportTo '*' (all) and '~' (none) cannot be combined; remove the other entries"),
    ):
        assert sentence in refusal(control_plane, {**DEFAULTS, **row})


def test_columns_of_kubectl_get(control_plane: ControlPlane, namespace: str) -> None:
    """`kubectl get dna` shows host, Service, address, readiness and its reason; -o wide what it takes to go on."""
    path = f"/apis/dnsalias.io/v1alpha1/namespaces/{namespace}/dnsaliases"
    for alias_name in ("api", "new"):
        control_plane.api.create(path, make.manifest(API_VERSION, KIND, alias_name, DEFAULTS))
    ready = {
        "type": "Ready",
        "status": "False",
        "reason": "Contested",
        "message": "field manager dns-controller takes it back",
        "observedGeneration": 1,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    status = {
        "addresses": ["10.96.0.7", "fd00:10:96::7"],
        "serviceEntry": {"name": "theirs", "mode": "Patched"},
        "conditions": [ready],
    }
    control_plane.api.request("PATCH", f"{path}/api/status", {"status": status}, "application/merge-patch+json")
    api, new = table(control_plane.kubectl("get", "dna", "-n", namespace))
    age = api.pop("AGE")
    assert re.fullmatch(r"\d+[sm]", age)
    assert api == {
        "NAME": "api",
        "HOST": "api.hello",
        "SERVICE": "api",
        "ADDRESS": "10.96.0.7",
        "READY": "False",
        "REASON": "Contested",
    }
    assert {k: v for k, v in new.items() if v and k != "AGE"} == {
        "NAME": "new",
        "HOST": "api.hello",
        "SERVICE": "api",
        "READY": "Unknown",
        "REASON": "Pending",
    }
    wide, waiting = table(control_plane.kubectl("get", "dna", "-n", namespace, "-o", "wide"))
    assert {k: v for k, v in wide.items() if k not in {*api, "AGE"}} == {
        "SECOND ADDRESS": "fd00:10:96::7",
        "ENTRY": "theirs",
        "MODE": "Patched",
        "MESSAGE": "field manager dns-controller takes it back",
    }
    assert waiting["MESSAGE"] == WAITING


def table(text: str) -> list[dict[str, str]]:
    """The rows of a kubectl table by the heads of their columns, which stand three spaces apart at least."""
    head, *rows = text.splitlines()
    columns = [(m.start(), m[0].strip()) for m in re.finditer(r"\S+(?: \S+)*(?:\s{2,}|$)", head)]
    ends = [*(start for start, _ in columns[1:]), None]
    return [{name: row[start:end].strip() for (start, name), end in zip(columns, ends, strict=True)} for row in rows]
