"""The caller's side of ``supervisor.py``: start processes that cannot outlive this one."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.controlplane import ControlPlaneError

SCRIPT = Path(__file__).with_name("supervisor.py")
STOP_SECONDS = 20


class SupervisorError(ControlPlaneError):
    """The supervisor is gone, or could not start a program."""


class Supervisor:
    """Owns a folder and the processes started through it; both go when ``stop`` is called or this process ends.

    Args:
        folder: where to keep logs and data; a new temporary folder unless given. It is removed at the end.

    Safe to use from several threads.
    """

    def __init__(self, folder: Path | None = None) -> None:
        arguments = [str(folder)] if folder else []
        self._process = subprocess.Popen(
            # isolated and without site packages: a script this small starts in some ten milliseconds
            [sys.executable, "-I", "-S", SCRIPT, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C goes to the test run, which then stops us in order
        )
        self._lock = threading.Lock()
        hello = self._read()
        self.folder = Path(str(hello["folder"]))
        self.pid = int(hello["pid"])
        self.pids: dict[str, int] = {}

    def spawn(self, name: str, argv: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> int:
        """Start a program in the folder, its output appended to ``<name>.log`` there, and return its pid.

        Args:
            name: for ``kill``, ``status`` and the log.
            argv: the program and its arguments.
            environment: the whole environment; by default ours.

        Raises:
            SupervisorError: the program could not be executed, or the supervisor is gone.
        """
        command = {
            "do": "spawn",
            "name": name,
            "argv": [str(part) for part in argv],
            "environment": dict(os.environ if environment is None else environment),
        }
        self.pids[name] = int(self._ask(command)["pid"])
        return self.pids[name]

    def status(self) -> dict[str, int | None]:
        """Exit codes of the programs by name (negative: killed by that signal); None for those that run."""
        answer: dict[str, int | None] = self._ask({"do": "status"})["status"]
        return answer

    def kill(self, name: str) -> None:
        """Kill one program, with everything it started, and wait until it is gone."""
        del self.pids[name]
        self._ask({"do": "kill", "name": name})

    def log(self, name: str) -> str:
        """What the program ``name`` has written so far."""
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def detach(self) -> None:
        """Let the processes outlive this one. From now on SIGTERM to ``pid`` is what ends them."""
        self._ask({"do": "detach"})
        self._close_pipes()

    def stop(self) -> None:
        """Kill everything, remove the folder, and return when both are done. A second call does nothing."""
        with self._lock:
            self._close_pipes()
            self._process.wait(STOP_SECONDS)

    def _close_pipes(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _ask(self, command: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            pipe = self._process.stdin
            if pipe is None or pipe.closed:
                raise SupervisorError("This control plane was stopped.")
            try:
                pipe.write(json.dumps(command) + "\n")
                pipe.flush()
            except BrokenPipeError as error:
                raise SupervisorError("The control plane's supervisor is gone.") from error
            answer = self._read()
        if "error" in answer:
            raise SupervisorError(str(answer["error"]))
        return answer

    def _read(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise SupervisorError("The control plane's supervisor is gone.")
        answer: dict[str, Any] = json.loads(line)
        return answer


def started(pid: int) -> int | None:
    """When a process was started, in clock ticks since boot; None if there is no such process, or only its zombie.

    A pid with its start is an identity; a pid alone may be given to somebody else.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()  # the second field, the name in brackets, may hold anything
    state, start = fields[0], fields[19]
    return None if state in "ZX" else int(start)
