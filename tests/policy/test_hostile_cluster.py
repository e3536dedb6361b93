"""A running operator among objects of any shape that an API server lets through, also one with the CRDs of old."""

import copy
import json
import os
import re
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from dnsalias_operator.core.hosts.admission import admission
from dnsalias_operator.model.names import API_VERSION, KIND
from tests.cluster.conftest import Objects
from tests.policy.corpus import corpus
from tests.policy.mutations import NASTY, Raw, objects
from tests.policy.test_admission import remove
from tools import make
from tools.controlplane.api import MERGE, ApiError
from tools.controlplane.cluster import ControlPlane
from tools.controlplane.waiting import eventually
from tools.make import MANAGED, entry_port
from tools.reliability.figures import record
from tools.running import identity
from tools.running.operator_process import COMMAND, Operator

pytestmark = [pytest.mark.cluster, pytest.mark.reliability]

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
LOOSENED = ("serviceentries.networking.istio.io", "sidecars.networking.istio.io", "dnsaliases.dnsalias.io")
SCHEMALESS = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
ROOTS = {
    "Service": ("/api/v1", "services"),
    "ServiceEntry": ("/apis/networking.istio.io/v1", "serviceentries"),
    "Sidecar": ("/apis/networking.istio.io/v1", "sidecars"),
    "DnsAlias": ("/apis/dnsalias.io/v1alpha1", "dnsaliases"),
}
NAME_253 = ".".join(["n" * 63] * 3 + ["n" * 61])
LABEL_63 = "n" * 63
HOST_253 = ".".join(["h" * 63] * 3 + ["h" * 61])
LONGEST_LABEL = 253


def entry(name: str, spec: object, version: str = "v1", **meta: Any) -> Raw:  # noqa: ANN401
    """A ServiceEntry in the operator's care, whatever its spec is."""
    kind = (f"networking.istio.io/{version}", "ServiceEntry")
    return make.manifest(*kind, name, spec, meta={"labels": MANAGED, **meta})


def at_the_limits() -> Iterator[Raw]:
    """Objects that today's schemas allow, as large and as odd as they allow."""
    catch_all = {"hosts": ["limit.hello"], "resolution": "DNS", "ports": [entry_port(443)]}
    endpoints = [{"address": f"10.{n // 65536}.{n // 256 % 256}.{n % 256}"} for n in range(4096)]
    yield entry("endpoints", {**catch_all, "resolution": "STATIC", "endpoints": endpoints})
    http = {**catch_all, "ports": [entry_port(443, "HTTP")]}
    yield entry("hosts", {**http, "hosts": [f"h{n}.hello" for n in range(256)]})
    yield entry("addresses", {**catch_all, "addresses": [f"10.9.{n // 256}.{n % 256}" for n in range(256)]})
    yield entry("ports", {**catch_all, "ports": [{"number": n, "name": f"p{n}"} for n in range(1, 257)]})
    yield entry(NAME_253, {**catch_all, "hosts": [HOST_253]})
    yield entry("alpha", catch_all, "v1alpha3")
    yield entry("beta", catch_all, "v1beta1")
    yield entry("note", catch_all, annotations={"a.example/note": "x" * 250_000})
    yield entry("labels", catch_all, labels={**MANAGED, **{f"l{n}.example/{LABEL_63}": LABEL_63 for n in range(200)}})
    for number, text in enumerate(NASTY):
        notes = {"dnsalias.io/service": text, "dnsalias.io/repair": text, "networking.istio.io/exportTo": text}
        yield entry(f"nasty-{number}", {**catch_all, "hosts": [f"n{number}.hello"]}, annotations=notes)
        yield make.service(f"nasty-{number}", meta={"annotations": notes}, selector={"app": "x"})
    yield make.service(LABEL_63, selector={"app": "x"})
    yield make.service("external", ports=[], type="ExternalName", externalName="x.example")
    yield make.alias(NAME_253, HOST_253, LABEL_63)
    yield make.alias("limit", "limit.hello", "external")


def leftovers() -> Iterator[Raw]:
    """What CRDs without a schema let through: no spec, one of another kind, and what hypothesis makes of good ones."""
    specs: tuple[object, ...] = (None, {}, [], "text", 5, {"hosts": None}, {"hosts": "x"}, {"hosts": [[]]})
    for number, spec in enumerate(specs):
        yield entry(f"odd-{number}", spec)
        yield make.manifest(API_VERSION, KIND, f"odd-{number}", spec)
    for number, text in enumerate(NASTY):
        odd = {"hosts": [text], "addresses": [text], "endpoints": [{"address": text, "labels": {"a": text}}]}
        yield entry(f"text-{number}", {**odd, "resolution": "DNS", "ports": [entry_port(443, text)]})
        yield make.alias(f"text-{number}", text, "api")
    found: list[Raw] = []

    @settings(
        max_examples=200,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
    )
    @given(raw=objects())
    def collect(raw: Raw) -> None:
        found.append(copy.deepcopy(raw))

    collect()
    for number, raw in enumerate(found):
        if raw["kind"] in ROOTS:
            raw["metadata"] = {**(raw["metadata"] if isinstance(raw["metadata"], dict) else {}), "name": f"r-{number}"}
            raw["metadata"].pop("namespace", None)
            raw["metadata"].pop("uid", None)
            yield raw


def created(plane: ControlPlane, namespace: str, raws: Iterator[Raw]) -> int:
    """Create what the API server lets through; how many that were."""
    count = 0
    for raw in raws:
        root, plural = ROOTS[raw["kind"]]
        version = f"/apis/{raw['apiVersion']}" if raw["kind"] == "ServiceEntry" else root
        try:
            plane.api.create(f"{version}/namespaces/{namespace}/{plural}", raw)
        except ApiError as error:
            if error.status not in (400, 413, 422):
                raise
        except (UnicodeEncodeError, ValueError):  # what has no form in JSON never reaches it
            continue
        else:
            count += 1
    return count


@contextmanager
def without_schemas(plane: ControlPlane) -> Iterator[None]:
    """The CRDs as they were in the days of v1alpha3: no schema, nothing pruned. Put back at the end."""
    kept = {name: plane.api.get(f"{CRDS}/{name}")["spec"]["versions"] for name in LOOSENED}
    for name, versions in kept.items():
        loose = [{**v, "schema": SCHEMALESS} for v in versions]
        plane.api.request("PATCH", f"{CRDS}/{name}", {"spec": {"versions": loose}}, MERGE)
    try:
        yield
    finally:
        for name, versions in kept.items():
            plane.api.request("PATCH", f"{CRDS}/{name}", {"spec": {"versions": versions}}, MERGE)


@pytest.fixture
def namespace(guarded: ControlPlane) -> Iterator[str]:
    """A fresh namespace of this folder's cluster, at the length limit."""
    name = f"t-{secrets.token_hex(4)}".ljust(63, "x")
    guarded.api.create("/api/v1/namespaces", {"metadata": {"name": name}})
    yield name
    guarded.api.delete(f"/api/v1/namespaces/{name}")


@pytest.fixture
def operator(guarded: ControlPlane, tmp_path: Path) -> Iterator[Operator]:
    """An operator with short pauses, not started."""
    pace = {"resync_seconds": "2", "backoff_max_seconds": "2", "unfixed_info_cap": "10"}
    one = Operator(guarded, identity.install(guarded), tmp_path, {**pace, "log_level": "debug"})
    yield one
    one.kill()


def check(operator: Operator, objects: Objects, good: str) -> None:
    """Aliases are served as ever, every log line is one, nothing unexpected happened, and every label is bounded."""
    objects.service(good)
    objects.alias(good, f"{good}.{good}-hello", good)
    objects.becomes_ready(good)
    operator.idle()
    assert operator.bugs() == []
    assert "Traceback" not in operator.text()
    for line in operator.text().split("\n")[:-1]:
        assert line.isprintable(), line
        assert isinstance(json.loads(line), dict)
    code, text = operator.page("/metrics")
    assert code == 200
    for series in text.split("\n"):
        assert series.isprintable()
        assert all(len(value) <= LONGEST_LABEL for value in re.findall(r'="((?:[^"\\]|\\.)*)"', series)), series
    assert len([s for s in text.split("\n") if s.startswith("dnsalias_unfixed_serviceentry_info{")]) <= 10


def told(plane: ControlPlane, *arguments: str) -> str:
    """What the command line says about the cluster."""
    result = subprocess.run(
        [COMMAND[0], *arguments, "--kubeconfig", str(plane.kubeconfig)],
        env={k: v for k, v in os.environ.items() if not k.startswith("DNSALIAS_")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode in (0, 1, 2), result.stderr
    assert "bug" not in result.stderr
    assert "Traceback" not in result.stderr
    assert all(line.isprintable() for line in result.stdout.split("\n") if "json" not in arguments)
    return result.stdout


def test_the_operator_lives_among_hostile_objects(guarded: ControlPlane, namespace: str, operator: Operator) -> None:
    """What the schemas allow at their limits, and then what no schema stops, harms neither operator nor command."""
    remove(guarded, admission(corpus().rules), "x.treasury")  # whose expressions fail, rightly, on what has no form
    things = Objects(guarded, namespace)
    limits = created(guarded, namespace, at_the_limits())
    operator.start()
    check(operator, things, "first")
    with without_schemas(guarded):
        eventually(lambda: _loose(guarded, namespace), "the schemas are gone")
        shapes = created(guarded, namespace, leftovers())
        check(operator, things, "second")
        assert told(guarded, "lint").endswith("objects.\n")
        told(guarded, "plan")
        told(guarded, "plan", "-o", "json")
        told(guarded, "render")
    check(operator, things, "third")
    operator.kill()
    operator.start()
    check(operator, things, "fourth")
    record("Objects that the schemas let through", limits, "", "Hostile content")
    record("Objects that got through without schemas", shapes, "", "Hostile content")
    record("Unexpected exceptions", len(operator.bugs()), "", "Hostile content", must="0")
    assert limits > 60
    assert shapes > 150
    assert operator.stop() == 0


def _loose(plane: ControlPlane, namespace: str) -> bool:
    """Whether each CRD lets by what its schema did not."""
    alias = make.manifest(API_VERSION, KIND, "probe", 5)
    probes = (entry("probe", {"hosts": 5}), alias, make.manifest(make.NETWORKING, "Sidecar", "probe", 5))
    try:
        for raw in probes:
            root, plural = ROOTS[raw["kind"]]
            plane.api.create(f"{root}/namespaces/{namespace}/{plural}?dryRun=All", raw)
    except ApiError as error:
        if error.status != 422:
            raise
        return False
    return True
