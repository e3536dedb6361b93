"""What the tests of the command line share: a runner, the real executables, and one small broken world."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dnsalias_operator.cli.main import program
from dnsalias_operator.cli.reading.files import read_files
from dnsalias_operator.cli.reading.inputs import Inputs

Invoke = Callable[..., Result]
Execute = Callable[..., subprocess.CompletedProcess[str]]
Write = Callable[..., Path]

INCIDENT = """\
# Two ports of trouble: an entry without addresses, and an alias that is still to be made.
apiVersion: v1
kind: Service
metadata:
  name: traefik
  namespace: abc
  uid: 6a1f
  creationTimestamp: 2026-01-01T00:00:00Z
  x-kept: [unknown, fields]
spec:
  clusterIP: 10.96.0.10
  selector: {app: traefik}
  ports:
  - {name: https, port: 443, protocol: TCP, targetPort: 8443}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata:
  name: traefik-cutom-name
  namespace: abc
  creationTimestamp: 2026-02-01T00:00:00Z
  labels: {app.kubernetes.io/managed-by: dns-controller}
spec:
  resolution: DNS
  hosts: [traefik.cutom-name]
  location: MESH_INTERNAL
  ports:
  - {name: tcp-443, number: 443, protocol: TCP}
---
apiVersion: v1
kind: Service
metadata: {name: service-api, namespace: abc, uid: 7b20, creationTimestamp: 2026-01-01T00:00:00Z}
spec:
  clusterIP: 10.96.0.11
  selector: {app: api}
  ports:
  - {name: http, port: 8080, protocol: TCP, targetPort: 8080}
---
apiVersion: dnsalias.io/v1alpha1
kind: DnsAlias
metadata: {name: service-api, namespace: abc}
spec:
  host: service-api.hello
  serviceRef: {name: service-api}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: bystander}
data: {enabled: "on", when: "12:30"}
"""

SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: %s}\n"

CLEAN = """\
apiVersion: v1
kind: Service
metadata: {name: traefik, namespace: abc}
spec:
  clusterIP: 10.96.0.10
  ports: [{name: https, port: 443}]
"""


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the developer's cluster nor their settings or colours decide what a test sees."""
    for name in list(os.environ):
        if name.startswith("DNSALIAS_") or name in ("KUBECONFIG", "NO_COLOR", "FORCE_COLOR"):
            monkeypatch.delenv(name)


@pytest.fixture
def invoke() -> Invoke:
    """Run `dnsalias` with arguments in this process; ``input`` is its standard input."""

    def run(*arguments: str | Path, stdin: str | bytes = "", env: Mapping[str, str] | None = None) -> Result:
        result = CliRunner().invoke(program, [str(a) for a in arguments], input=stdin, env=env)
        assert "Traceback" not in result.output
        return result

    return run


@pytest.fixture
def execute() -> Execute:
    """Run the installed `dnsalias`, or another script beside it, as a process."""

    def run(*arguments: str | Path, script: str = "dnsalias", stdin: str = "") -> subprocess.CompletedProcess[str]:
        command = [executable(script), *map(str, arguments)]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60, check=False)

    return run


def executable(script: str) -> str:
    """Path of an installed console script."""
    return str(Path(sys.executable).with_name(script))


@pytest.fixture
def incident(tmp_path: Path) -> Path:
    """A file with the small broken world."""
    path = tmp_path / "incident.yaml"
    path.write_text(INCIDENT)
    return path


def read(tmp_path: Path, content: str | bytes, name: str = "a.yaml", namespace: str = "default") -> Inputs:
    """Write one file and read it."""
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_files([str(path)], namespace)


def problems(inputs: Inputs) -> list[tuple[int, int]]:
    """Line and column of each problem."""
    return [(problem.line, problem.column) for problem in inputs.problems]


def names(inputs: Inputs) -> list[str]:
    """Name of each object, in order."""
    return [item.raw["metadata"]["name"] for item in inputs.items]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file: text and bytes as they are, anything else as JSON."""

    def to(name: str, content: Any) -> Path:  # noqa: ANN401
        path = tmp_path / name
        text = content if isinstance(content, str | bytes) else json.dumps(content)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return to
