"""The process that owns a control plane's processes and its folder, and takes both with it when it goes.

A script of its own, run by ``processes.Supervisor``, standard library only and single-threaded. It reads one JSON
command a line from standard input and answers each with one JSON line. When standard input ends, because whoever
started it said so or died in whatever way, or when it gets SIGTERM, it kills every process it started and removes
the folder. Should it be killed itself, the kernel kills its children (PR_SET_PDEATHSIG).
"""

import contextlib
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1


class Children:
    """The processes by name, each the leader of a session of its own, with its output in ``<name>.log``."""

    def __init__(self, folder: Path) -> None:
        """Start with none; logs go to ``folder``."""
        self.folder = folder
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.libc = ctypes.CDLL(None, use_errno=True)

    def spawn(self, name: str, argv: list[str], environment: dict[str, str]) -> int:
        """Start ``argv`` and return its pid."""
        owner = os.getpid()

        def die_with_owner() -> None:
            self.libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != owner:  # the owner died before the line above
                os._exit(1)

        with (self.folder / f"{name}.log").open("ab") as log:
            # preexec_fn is safe here, where there are no threads; that is one reason for this process.
            self.running[name] = subprocess.Popen(
                argv,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,
                preexec_fn=die_with_owner,  # noqa: PLW1509
            )
        return self.running[name].pid

    def status(self) -> dict[str, int | None]:
        """Exit codes by name, None for what still runs."""
        return {name: process.poll() for name, process in self.running.items()}

    def kill(self, name: str) -> None:
        """Kill ``name`` and what it started. The data is disposable, so nobody gets time to say goodbye."""
        process = self.running.pop(name)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def kill_all(self) -> None:
        """Kill all of them, the youngest first."""
        for name in reversed(list(self.running)):
            self.kill(name)


def _terminated(_signal: int, _frame: object) -> None:
    sys.exit(0)


def _answer(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def _let_go() -> None:
    """Drop the streams of whoever started us: a shell that captures them waits until the last holder closes."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)
    os.close(nowhere)


def _serve(children: Children) -> None:
    """Answer commands until standard input ends; after "detach", go on without it until SIGTERM."""
    for line in sys.stdin:
        command = json.loads(line)
        match command["do"]:
            case "spawn":
                try:
                    _answer({"pid": children.spawn(command["name"], command["argv"], command["environment"])})
                except OSError as error:
                    _answer({"error": str(error)})
            case "status":
                _answer({"status": children.status()})
            case "kill":
                children.kill(command["name"])
                _answer({})
            case "detach":
                _answer({})
                _let_go()
                while True:
                    signal.pause()
            case other:
                raise ValueError(f"unknown command {other!r}")


def main() -> None:
    """Own the folder given as argument, or a new temporary one, until it is time to go."""
    signal.signal(signal.SIGTERM, _terminated)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp(prefix="dnsalias-controlplane-"))
    children = Children(folder)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _answer({"folder": str(folder), "pid": os.getpid()})
        _serve(children)
    except BrokenPipeError:
        pass  # nobody is left to answer to
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        children.kill_all()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
