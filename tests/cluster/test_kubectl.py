"""What people see of it with kubectl, beside a running operator."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from dnsalias_operator.model.crd import crd
from tests.cluster.conftest import Objects
from tools.controlplane.cluster import ControlPlane
from tools.controlplane.waiting import eventually
from tools.running.operator_process import Operator

pytestmark = pytest.mark.cluster

Start = Callable[..., Operator]


def events(plane: ControlPlane, kind: str, name: str, namespace: str) -> list[tuple[str, ...]]:
    """Type, reason, source and message of the Events that `kubectl describe` shows; none of unknown age."""
    _, _, table = plane.kubectl("describe", kind, name, "-n", namespace).partition("\nEvents:\n")
    rows = [re.split(r"\s{2,}", line.strip(), maxsplit=4) for line in table.splitlines()[2:]]
    assert all(re.match(r"\d+[smh]", row[2]) for row in rows), table
    return [(row[0], row[1], row[3], row[4]) for row in rows]


def test_waiting_and_describing(start_operator: Start, objects: Objects, control_plane: ControlPlane) -> None:
    """`kubectl wait` ends when an alias is ready, or refused; `kubectl describe` says what was done, and what to do."""
    space = objects.namespace
    web, traefik = objects.service("web", 443), objects.service("traefik", 443)
    objects.alias("web", "web.hello", "web")
    objects.alias("lost", "lost.hello", "nothing")
    objects.foreign("traefik-cutom-name", "traefik.cutom-name")
    start_operator()
    for name, condition in (("web", "Ready"), ("lost", "ResolvedRefs=false"), ("lost", "Ready=false")):
        wait = ("wait", f"--for=condition={condition}", f"dna/{name}", "-n", space, "--timeout=60s")
        told = control_plane.kubectl(*wait)
        assert told == f"dnsalias.dnsalias.io/{name} condition met\n"
    eventually(lambda: len(objects.events()) >= 3, "an Event for each")
    assert events(control_plane, "dnsalias", "web", space) == [
        ("Normal", "Programmed", "dnsalias-operator", f"ServiceEntry {space}/web makes web.hello work")
    ]
    missing = f"Service {space}/nothing does not exist; create it or correct spec.serviceRef"
    assert events(control_plane, "dnsalias", "lost", space) == [
        ("Warning", "ServiceNotFound", "dnsalias-operator", missing)
    ]
    repaired = (
        f"set spec.addresses to {traefik['spec']['clusterIP']} and set spec.endpoints to "
        f"traefik.{space}.svc.cluster.local; it has no addresses and endpoints; it stands for Service "
        f"{space}/traefik (inferred from its name)"
    )
    assert events(control_plane, "serviceentry", "traefik-cutom-name", space) == [
        ("Normal", "Repaired", "dnsalias-operator", repaired)
    ]
    shown = control_plane.kubectl("get", "dna", "web", "-n", space, "-o", "wide", "--no-headers").split()
    assert shown[:6] == ["web", "web.hello", "web", web["spec"]["clusterIP"], "True", "Ready"]
    assert shown[7:] == ["web", "Generated", "ServiceEntry", f"{space}/web", "makes", "web.hello", "work"]


def fields(schema: Mapping[str, Any], path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every field below a schema, as `kubectl explain` calls it."""
    for name, child in schema.get("properties", {}).items():
        yield f"{path}.{name}", child
        yield from fields(child, f"{path}.{name}")
        yield from fields(child.get("items", {}), f"{path}.{name}")


SCHEMA = crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
FIELDS = [f for part in ("spec", "status") for f in fields(SCHEMA[part], f"dnsalias.{part}")]


@pytest.mark.parametrize(("path", "field"), FIELDS, ids=[path for path, _ in FIELDS])
def test_kubectl_explains_every_field(control_plane: ControlPlane, path: str, field: Mapping[str, Any]) -> None:
    """In the words of the CRD, with the values that are allowed and whether it is required."""
    told = " ".join(control_plane.kubectl("explain", path).split())
    assert " ".join(field["description"].split()) in told
    for value in field.get("enum", ()):
        assert f" {value} " in told.partition("DESCRIPTION")[0] + " "


def test_as_a_plugin_of_kubectl(objects: Objects, control_plane: ControlPlane) -> None:
    """Kubectl finds it on PATH, hands it the kubeconfig, and passes its exit code on."""
    space = objects.namespace
    objects.service("traefik", 443)
    objects.foreign("traefik-cutom-name", "traefik.cutom-name")
    scripts = Path(sys.executable).parent

    def kubectl(*arguments: str) -> subprocess.CompletedProcess[str]:
        env = {**control_plane.environment(), "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"}
        command = [str(control_plane.binaries["kubectl"]), *arguments]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)

    assert str(scripts / "kubectl-dnsalias") in kubectl("plugin", "list").stdout
    linted = kubectl("dnsalias", "lint", "-n", space, "-o", "json")
    assert linted.returncode == 1
    assert {f["code"] for f in json.loads(linted.stdout)["findings"]} >= {"DA001", "DA002", "DA003"}
    told = kubectl("dnsalias", "explain", f"{space}/traefik-cutom-name")
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith(
        f"ServiceEntry {space}/traefik-cutom-name is in the operator's care and will be fixed\n"
    )
    objects.alias("traefik", "traefik.hello", "traefik")
    unseen = kubectl("dnsalias", "explain", "traefik.hello", "-n", space)
    assert "1. the operator has not processed it yet: is it running? kubectl -n dnsalias-system" in unseen.stdout
    wrong = kubectl("dnsalias", "explain", f"{space}/nothing")
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("Usage: kubectl dnsalias explain ")
