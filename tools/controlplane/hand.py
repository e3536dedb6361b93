"""One control plane kept for use by hand: started in the background, found again by other shells, stopped by name.

It lives in the folder ``up`` of the cache, which its supervisor removes when it stops.
"""

import json
import os
import shlex
import shutil
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from tools.controlplane import ControlPlaneError, build, cache
from tools.controlplane.cluster import ControlPlane
from tools.controlplane.processes import STOP_SECONDS, started
from tools.controlplane.progress import say, step

REPOSITORY = Path(__file__).parents[2]
STATE = "state.json"
POLL_SECONDS = 0.05


class NotUpError(ControlPlaneError):
    """There is no control plane by hand."""


def project_crds() -> list[Path]:
    """The folder of this project's own CRDs, if it has been made."""
    folder = REPOSITORY / "crds"
    return [folder] if any(folder.glob("*.yaml")) else []


def up() -> None:
    """Start it, with Istio's and this project's CRDs, and leave it running; say so if it runs already."""
    with cache.locked("up", lambda: say("waiting for another shell that does the same")):
        if _supervisor() is not None:
            say("The control plane is up already.")
            return
        shutil.rmtree(_folder(), ignore_errors=True)
        build.ensure(*build.CONTROL_PLANE)
        crds = [build.istio_crds(), *project_crds()]
        with step("starting the control plane", "about 6 s"):
            plane = ControlPlane.start(crds=crds, folder=_folder())
            _link(plane)
            pid = plane.supervisor.pid
            (plane.folder / STATE).write_text(json.dumps({"pid": pid, "started": started(pid)}))
            plane.supervisor.detach()


def exports() -> Sequence[str]:
    """Lines for a shell to evaluate: KUBECONFIG, kubectl's cache, and a PATH with kubectl of the same version.

    Raises:
        NotUpError: it is not up.
    """
    if _supervisor() is None:
        raise NotUpError("No control plane is up. Start one: python -m tools.controlplane up")
    folder = _folder()
    return (
        f"export KUBECONFIG={shlex.quote(str(folder / 'admin.kubeconfig'))}",
        f"export KUBECACHEDIR={shlex.quote(str(folder / 'kubectl-cache'))}",
        f'export PATH={shlex.quote(str(folder / "bin"))}:"$PATH"',
    )


def down() -> None:
    """Stop it and remove its folder; say so if there is nothing to stop.

    Raises:
        ControlPlaneError: it is still there after 20 s.
    """
    with cache.locked("up", lambda: say("waiting for another shell that starts or stops it")):
        pid = _supervisor()
        if pid is None:
            shutil.rmtree(_folder(), ignore_errors=True)
            say("No control plane is up.")
            return
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while started(pid) is not None:
            if time.monotonic() > deadline:
                raise ControlPlaneError(f"The control plane's supervisor, process {pid}, does not end.")
            time.sleep(POLL_SECONDS)
        shutil.rmtree(_folder(), ignore_errors=True)
        say("The control plane is down.")


def _folder() -> Path:
    return cache.root() / "up"


def _supervisor() -> int | None:
    """The pid of the running supervisor; None if it never was, or is gone, or its pid is somebody else's by now."""
    try:
        state = json.loads((_folder() / STATE).read_text())
    except (OSError, ValueError):
        return None
    pid = int(state["pid"])
    return pid if started(pid) == state["started"] else None


def _link(plane: ControlPlane) -> None:
    """A folder for PATH with the binaries under their own names."""
    folder = plane.folder / "bin"
    folder.mkdir()
    for name, binary in plane.binaries.items():
        (folder / name).symlink_to(binary)
