"""Control planes come up, and go completely, however their user ends."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.controlplane.elsewhere import REPOSITORY, started_elsewhere
from tools.controlplane import build, cache, components
from tools.controlplane.api import ApiError
from tools.controlplane.cluster import ControlPlane, free_ports
from tools.controlplane.components import Ports
from tools.controlplane.processes import Supervisor, SupervisorError, started
from tools.controlplane.waiting import eventually

STARTER = """\
import json, sys
from tools.controlplane.cluster import ControlPlane
plane = ControlPlane.start()
pids = [plane.supervisor.pid, *plane.supervisor.pids.values()]
print(json.dumps({"pids": pids, "folder": str(plane.folder)}), flush=True)
sys.stdin.read()
"""


def gone(pids: list[int]) -> bool:
    """Whether none of the processes is alive (a zombie that nobody has asked after is not)."""
    return all(started(pid) is None for pid in pids)


@pytest.mark.cluster
def test_it_starts_serves_and_stops() -> None:
    """A control plane answers its admin, refuses strangers, and after its block neither process nor file is left."""
    with ControlPlane.start() as plane:
        folder, pids = plane.folder, [plane.supervisor.pid, *plane.supervisor.pids.values()]
        assert len(pids) == 4
        assert plane.api.get("/readyz") == "ok"
        assert plane.url in plane.kubeconfig.read_text()
        stranger = type(plane.api)(plane.url, plane.ca_file, "wrong")
        with pytest.raises(ApiError) as refusal:
            stranger.get("/api/v1/namespaces")
        assert refusal.value.status == 401
    assert gone(pids)
    assert not folder.exists()
    plane.stop()  # once more does nothing


@pytest.mark.cluster
def test_killing_its_user_leaves_nothing() -> None:
    """SIGKILL of the process that started a control plane ends all of its processes and removes its folder."""
    with started_elsewhere(STARTER) as (process, plane):
        assert not gone(plane["pids"])
        assert Path(plane["folder"]).exists()
        process.kill()
        eventually(lambda: gone(plane["pids"]) and not Path(plane["folder"]).exists())


@pytest.mark.cluster
def test_killing_its_supervisor_leaves_no_process() -> None:
    """SIGKILL of the supervisor itself ends what it had started: the kernel sees to that."""
    with started_elsewhere(STARTER) as (process, plane):
        supervisor, *children = plane["pids"]
        os.kill(supervisor, signal.SIGKILL)
        eventually(lambda: gone(children))
        process.kill()
    shutil.rmtree(plane["folder"])


@pytest.mark.cluster
@pytest.mark.parametrize("part", ["etcd", "api"])
def test_a_port_taken_meanwhile_is_replaced(part: str) -> None:
    """When somebody else binds a chosen port first, the start is tried again on other ports."""
    with socket.socket() as rival:
        rival.bind((components.HOST, 0))
        rival.listen()
        taken = rival.getsockname()[1]
        asked: list[Ports] = []

        def choose() -> Ports:
            ports = free_ports()
            if not asked:
                ports = Ports(**{**vars(ports), part: taken})
            asked.append(ports)
            return ports

        with ControlPlane.start(choose_ports=choose) as plane:
            assert plane.api.get("/readyz") == "ok"
    assert len(asked) == 2


def test_a_program_that_cannot_run_is_an_error_that_names_it(tmp_path: Path) -> None:
    """Starting a file that does not exist is reported, and the supervisor goes on."""
    supervisor = Supervisor()
    try:
        with pytest.raises(SupervisorError, match="absent"):
            supervisor.spawn("absent", [tmp_path / "absent"])
        supervisor.spawn("sleep", ["sleep", "1000"])
        assert supervisor.status() == {"sleep": None}
    finally:
        supervisor.stop()
    with pytest.raises(SupervisorError, match="was stopped"):
        supervisor.status()


def test_killing_a_program_takes_what_it_started() -> None:
    """A program's own children share its fate, and its log stays readable until the folder goes."""
    supervisor = Supervisor()
    try:
        supervisor.spawn("shell", ["sh", "-c", "sleep 1000 & echo $!; wait"])
        eventually(lambda: supervisor.log("shell").endswith("\n"))
        child = int(supervisor.log("shell"))
        assert started(child) is not None
        supervisor.kill("shell")
        eventually(lambda: gone([child]))
        assert supervisor.status() == {}
    finally:
        supervisor.stop()
    assert not supervisor.folder.exists()


@pytest.mark.cluster
def test_by_hand_it_survives_the_shell_that_started_it(tmp_path: Path) -> None:
    """``up`` returns and the cluster stays; ``env`` points kubectl at it; ``down`` ends it and removes its folder."""
    crds = tmp_path / build.istio_crds().relative_to(cache.root())
    crds.parent.mkdir(parents=True)
    shutil.copyfile(build.istio_crds(), crds)
    assets = tmp_path / "assets"
    assets.mkdir()
    for name, path in build.ensure(*build.CONTROL_PLANE).items():
        (assets / name).symlink_to(path)
    environment = {**os.environ, "DNSALIAS_CACHE": str(tmp_path), "KUBEBUILDER_ASSETS": str(assets)}

    def by_hand(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tools.controlplane", *words]
        return subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)

    before = by_hand("env")
    assert (before.returncode, before.stdout) == (1, "")
    assert "No control plane is up" in before.stderr
    try:
        up = by_hand("up")
        assert up.returncode == 0, up.stderr
        assert up.stdout == by_hand("env").stdout
        assert "up already" in by_hand("up").stderr
        shell = subprocess.run(
            ["sh", "-c", f"{up.stdout}\nkubectl get crd serviceentries.networking.istio.io -o name"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert "serviceentries.networking.istio.io" in shell.stdout
        pid = json.loads((tmp_path / "up" / "state.json").read_text())["pid"]
        assert started(pid) is not None
    finally:
        down = by_hand("down")
    assert down.returncode == 0, down.stderr
    assert gone([pid])
    assert not (tmp_path / "up").exists()
    assert "No control plane is up" in by_hand("down").stderr
