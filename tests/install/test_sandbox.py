"""The operator in a sandbox of its Pod's shape: from the wheel, as nobody in particular, on a read-only root."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from tests.cluster.conftest import Objects
from tests.install import pod
from tests.install.test_supply_chain import wheel
from tools.controlplane.cluster import ControlPlane
from tools.controlplane.waiting import eventually
from tools.running import identity
from tools.running.operator_process import Operator, dies_with_parent

pytestmark = pytest.mark.cluster

RUN = "from dnsalias_operator.cli.main import main; main()"
WRITABLE = """\
import json, os
found = []
for folder, inside, _ in os.walk("/"):
    inside[:] = [] if folder == "/proc" else inside
    try:
        with open(os.path.join(folder, ".probe"), "x"):
            found.append(folder)
        os.unlink(os.path.join(folder, ".probe"))
    except OSError:
        pass
print(json.dumps(found))
"""
"""Prints the folders in which a file can be made."""


@pytest.fixture
def shape(control_plane: ControlPlane) -> pod.Shape:
    """What the overlay `patch` says of the Pod."""
    built = identity.build(control_plane, "overlays/patch")
    (deployment,) = (obj for obj in built if obj["kind"] == "Deployment")
    return pod.Shape(deployment["spec"]["template"])


@dataclass
class Contained(Operator):
    """An operator in a sandbox; ``wheel`` is the unpacked wheel, ``shape`` the Pod's."""

    wheel: Path = field(kw_only=True)
    shape: pod.Shape = field(kw_only=True)

    def start(self) -> None:
        """Start it as the kubelet would: with the files of its ServiceAccount and the address of the API server."""
        account, root = self.folder / "account", self.folder / "root"
        for folder in (account, root):
            folder.mkdir()
        where = urlsplit(self.plane.url)
        (account / "token").write_text(self.plane.service_account_token(identity.NAMESPACE, identity.ACCOUNT))
        (account / "namespace").write_text(identity.NAMESPACE)
        shutil.copy(self.plane.ca_file, account / "ca.crt")
        environment = {
            **pod.environment_of_the_image(),
            "KUBERNETES_SERVICE_HOST": str(where.hostname),
            "KUBERNETES_SERVICE_PORT": str(where.port),
            **{f"DNSALIAS_{name.upper()}": value for name, value in self.settings.items()},
        }
        command = [pod.PYTHON, "-c", RUN, "run"]
        argv = pod.sandbox(self.shape, root, self.wheel, account, environment, command)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(dies_with_parent(*argv), stdout=log, stderr=subprocess.STDOUT)

    @property
    def pid(self) -> int:
        """The operator's own process, seen from here: the only child of the only child of what was started."""
        found = self._running().pid
        for _ in range(2):
            (child,) = Path(f"/proc/{found}/task/{found}/children").read_text().split()
            found = int(child)
        return found

    def status(self) -> dict[str, list[str]]:
        """/proc/PID/status of the operator."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return {name: rest.split() for name, _, rest in (line.partition(":") for line in lines)}

    def inside(self, *argv: str) -> str:
        """Run a command in its sandbox, as root, and return what it prints."""
        enter = ["nsenter", f"--target={self.pid}", "--mount", "--pid", "--root", "--wd=/"]
        environment = {"PATH": "/usr/bin:/bin"}
        return subprocess.run([*enter, *argv], env=environment, capture_output=True, text=True, check=True).stdout

    def terminate(self) -> int:
        """What the kubelet does at the end of a Pod: SIGTERM to the process, and its exit code."""
        os.kill(self.pid, signal.SIGTERM)
        return self.ended()


@pytest.fixture
def contained(control_plane: ControlPlane, shape: pod.Shape, tmp_path: Path) -> Iterator[Contained]:
    """A ready operator in its sandbox."""
    if reason := pod.why_not():
        pytest.skip(reason)
    identity.install(control_plane)
    unpacked = tmp_path / "wheel"
    shutil.unpack_archive(wheel(tmp_path / "build", umask=0o022, mtime=1_700_000_000), unpacked, "zip")
    settings = {"http_host": "127.0.0.1", "http_port": "0"}
    with Contained(control_plane, Path(), tmp_path, settings, wheel=unpacked, shape=shape) as operator:
        yield operator.ready()
        pid = operator.pid if operator.process else None
    eventually(lambda: pid is None or not Path(f"/proc/{pid}").exists(), "the operator is gone with its sandbox")


def test_it_serves_aliases_with_nothing_to_write_to(contained: Contained, namespace: str, shape: pod.Shape) -> None:
    """In the Pod's shape it lists, watches, writes and ends as anywhere; it has no privilege and one small volume."""
    objects = Objects(contained.plane, namespace)
    objects.service("api")
    objects.alias("api", f"api.{objects.namespace}-hello", "api")
    objects.becomes_ready("api")
    status = contained.status()
    user = str(shape.template["spec"]["securityContext"]["runAsUser"])
    assert status["Uid"] == [user] * 4
    assert int(user) > 0
    assert status["Gid"] == [str(shape.template["spec"]["securityContext"]["runAsGroup"])] * 4
    assert status["Groups"] == []
    assert status["NoNewPrivs"] == ["1"]
    assert {int(status[f"Cap{kind}"][0], 16) for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {0}

    python = (pod.PYTHON, "-c", WRITABLE)
    assert json.loads(contained.inside(*python)) == list(shape.volumes)
    assert json.loads(contained.inside(*shape.become(), *python)) == list(shape.volumes)
    assert list(shape.volumes) == ["/tmp"]  # noqa: S108 (the Pod's own)
    assert contained.inside("find", *shape.volumes, "-mindepth", "1") == ""

    objects.delete("services", "api")
    eventually(lambda: objects.spec("api") == {}, "the entry goes with its Service")
    assert contained.bugs() == []
    assert contained.terminate() == 0


def test_the_wheel_alone_is_what_runs(contained: Contained) -> None:
    """Nothing of this checkout is in the sandbox: the program is the wheel's."""
    where = "import dnsalias_operator; print(dnsalias_operator.__file__)"
    paths = f"PYTHONPATH={pod.WHEEL}:{pod.PACKAGES}"
    told = contained.inside("env", paths, pod.PYTHON, "-c", where)
    assert told.strip() == f"{pod.WHEEL}/dnsalias_operator/__init__.py"
    assert not Path(f"/proc/{contained.pid}/root{yaml.__file__}").exists()
