"""A shell in the repository's folder, with kubectl, helm and dnsalias, on a cluster whose one node is `Node`."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tools.controlplane import build
from tools.controlplane.cluster import ControlPlane
from tools.controlplane.waiting import POLL_SECONDS
from tools.quickstart.node import Node

REPOSITORY = Path(__file__).parents[2]
COMMAND_SECONDS = 150
FOUND = 1
"""Exit code of `dnsalias lint` and `plan` where there is something to say: no failure of the page."""


class CommandError(AssertionError):
    """A command of the page failed; the message has what it printed."""


class Session:
    """Runs commands one after another; a context manager that stops what runs."""

    def __init__(self, plane: ControlPlane) -> None:
        """Use ``plane``, which has Istio's CRDs and nothing of ours."""
        self._plane, self._node = plane, Node(plane)

    def __enter__(self) -> Self:
        tools = self._plane.folder / "tools"
        tools.mkdir(exist_ok=True)
        programs = build.ensure("kubectl", "helm") | {"dnsalias": Path(sys.executable).parent / "dnsalias"}
        for name, program in programs.items():
            (tools / name).symlink_to(program)
        home = {"HOME": str(self._plane.folder), "PATH": f"{tools}:/usr/bin:/bin", "COLUMNS": "110"}
        self._environment = {k: v for k, v in self._plane.environment().items() if not k.startswith("DNSALIAS_")}
        self._environment |= home
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._node.stop()

    def run(self, command: str) -> str:
        """Run a command and return what it printed, standard error too, while the node goes on working.

        Raises:
            CommandError: it failed, or did not end.
        """
        with tempfile.TemporaryFile("w+") as printed:
            process = subprocess.Popen(
                ["/bin/bash", "-c", command],
                cwd=REPOSITORY,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
            )
            deadline = time.monotonic() + COMMAND_SECONDS
            while process.poll() is None and time.monotonic() < deadline:
                self._node.step()
                time.sleep(POLL_SECONDS)
            if process.poll() is None:
                process.kill()
            code = process.wait()
            printed.seek(0)
            # How long somebody waited, and for what first, is not the same twice.
            output = "".join(line for line in printed if not line.startswith("Waiting for ")).strip("\n")
        if code not in ((0, FOUND) if command.startswith("dnsalias ") else (0,)):
            raise CommandError(f"$ {command}\n{output}\nexit {code}")
        return output
