"""The data plane leaves nothing behind, however its user ends, and never touches the machine's own network."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.controlplane.elsewhere import started_elsewhere
from tools.controlplane.processes import started
from tools.controlplane.waiting import eventually

pytestmark = [pytest.mark.cluster, pytest.mark.dataplane, pytest.mark.usefixtures("data_plane")]

STARTER = """\
import json, os, sys
from tools.controlplane import build
from tools.controlplane.cluster import ControlPlane
from tools.dataplane.mesh import Mesh
plane = ControlPlane.start(crds=[build.istio_crds()])
mesh = Mesh.start(plane)
with mesh.pod("default", "client") as pod:
    spaces = [mesh.node.space, pod.space]
    networks = [os.readlink(f"/proc/{space.pid}/ns/net") for space in spaces]
    pids = [plane.supervisor.pid, *plane.supervisor.pids.values()]
    print(json.dumps({"pids": pids, "networks": networks, "folder": str(plane.folder)}), flush=True)
    sys.stdin.read()
"""


def inhabitants(networks: list[str]) -> set[int]:
    """Every process of this machine that is in one of those network namespaces."""
    found = set()
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and str((entry / "ns" / "net").readlink()) in networks:
                found.add(int(entry.name))
        except OSError:  # it ended meanwhile
            continue
    return {pid for pid in found if started(pid) is not None}


def own_network() -> str:
    """What a mesh could disturb: interfaces, addresses, routes, rules, named namespaces and mounts."""
    commands = (["ip", "-o", "address"], ["ip", "route", "show", "table", "all"], ["ip", "netns"], ["iptables-save"])
    said = [subprocess.run(c, capture_output=True, text=True, check=True).stdout for c in commands]
    rules = [line for line in "".join(said).splitlines() if not line.startswith("#") and "valid_lft" not in line]
    mounts = Path("/proc/self/mounts").read_text().splitlines()
    return "\n".join([*rules, *mounts])


def test_a_mesh_changes_nothing_outside_its_namespaces_and_a_kill_ends_them() -> None:
    """While a mesh runs the machine's own network is as before, and SIGKILL of its user ends every process in it."""
    before = own_network()
    with started_elsewhere(STARTER) as (process, told):
        assert own_network() == before
        assert len(inhabitants(told["networks"])) > len(told["networks"])
        process.kill()
        eventually(lambda: not inhabitants(told["networks"]), "the end of every process in the mesh's namespaces")
        eventually(lambda: all(started(pid) is None for pid in told["pids"]), "the end of the mesh's holders")
        eventually(lambda: not Path(told["folder"]).exists(), "the end of the mesh's files")
    assert own_network() == before


def test_killing_the_supervisor_ends_the_namespaces() -> None:
    """SIGKILL of the supervisor itself ends the holders, and with them every process in the namespaces."""
    with started_elsewhere(STARTER) as (process, told):
        os.kill(told["pids"][0], signal.SIGKILL)
        eventually(lambda: not inhabitants(told["networks"]), "the end of every process in the mesh's namespaces")
        process.kill()
    shutil.rmtree(told["folder"])


def test_the_end_of_a_pod_ends_its_namespaces() -> None:
    """Where the user ends its blocks in order, nothing is left either, and it ends without an error."""
    with started_elsewhere(STARTER) as (process, told):
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait() == 0
        # What was killed last may still be on its way out.
        eventually(lambda: not inhabitants(told["networks"]), "every process is gone")
