"""The operator as its users run it: a process, under a ServiceAccount, told by environment, asked over HTTP."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tools.controlplane.audit import Request
from tools.controlplane.cluster import ControlPlane
from tools.controlplane.waiting import eventually

COMMAND = (str(Path(sys.executable).parent / "dnsalias"), "run")
STOP_SECONDS = 30
_DIE_WITH_PARENT = "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 9); os.execvp(sys.argv[1], sys.argv[1:])"
"""Linux: PR_SET_PDEATHSIG, SIGKILL."""


def dies_with_parent(*command: str) -> list[str]:
    """The same command, ended with us: a test run that is killed leaves no operator behind.

    This is set by a program in between, which becomes the command, and not in the fork: a test may have threads.
    """
    return [sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT, *command]


@dataclass
class Operator:
    """A running operator; a context manager that stops it with SIGTERM.

    Attributes:
        plane: the cluster it runs against.
        kubeconfig: whose rights it has.
        folder: where its log goes.
        settings: environment, names without prefix: ``{"resync_seconds": "2"}``.
    """

    plane: ControlPlane
    kubeconfig: Path
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        if error is not None:
            print(self.text())  # noqa: T201 (shown by pytest beside the failure)

    def start(self) -> None:
        """Start the process; it may not be ready yet."""
        # No Lease: one that is killed would keep it from the next for a while, which few tests are about.
        told = {"http_host": "127.0.0.1", "http_port": "0", "log_level": "info", "missing_kind_poll_seconds": "1"}
        told["leader_election"] = "false"
        # Repairs too, which an operator makes only where it is told to.
        told["foreign_entries"] = "patch"
        env = {k: v for k, v in os.environ.items() if not k.startswith("DNSALIAS_")}
        env.update({f"DNSALIAS_{k.upper()}": v for k, v in {**told, **self.settings}.items()})
        self.log.unlink(missing_ok=True)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                dies_with_parent(*COMMAND, "--kubeconfig", str(self.kubeconfig)),
                env=env,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def log(self) -> Path:
        """Everything the process prints."""
        return self.folder / "operator.log"

    def text(self) -> str:
        """The log so far."""
        return self.log.read_text() if self.log.exists() else ""

    def lines(self) -> list[dict[str, Any]]:
        """The log's complete lines; fails where one is no JSON object."""
        return [json.loads(line) for line in self.text().splitlines(keepends=True) if line.endswith("\n")]

    def said(self, **fields: object) -> list[dict[str, Any]]:
        """The lines that have all these fields."""
        return [line for line in self.lines() if all(line.get(k) == v for k, v in fields.items())]

    def page(self, path: str) -> tuple[int, str]:
        """Status and text of one of its pages; 0 where it does not listen yet."""
        listening = next((line for line in self.lines() if "port" in line), None)
        if listening is None:
            self._must_live()
            return 0, ""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{listening['port']}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            self._must_live()
            return 0, ""

    def ready(self) -> Self:
        """Wait until it is."""
        eventually(lambda: self.page("/readyz")[0] == 200, "the operator is ready")
        return self

    def idle(self) -> Self:
        """Wait until it is ready and has worked on everything it was asked for."""
        self.ready()
        eventually(self._worked_off, "the operator has worked everything off")
        return self

    def metric(self, series: str) -> float:
        """The value of a series as it is printed, labels included; 0 where there is none."""
        for line in self.page("/metrics")[1].splitlines():
            name, _, value = line.rpartition(" ")
            if name == series:
                return float(value)
        return 0.0

    def stop(self) -> int:
        """SIGTERM, wait, and return the exit code."""
        process = self._running()
        process.send_signal(signal.SIGTERM)
        code = process.wait(STOP_SECONDS)
        self.process = None
        return code

    def ended(self) -> int:
        """Wait until it ends by itself and return the exit code."""
        code = self._running().wait(60)
        self.process = None
        return code

    def kill(self) -> None:
        """End it at once."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def bugs(self) -> list[dict[str, Any]]:
        """Lines that tell of an exception nobody expected: each is a fault of ours, whatever the test is about."""
        return self.said(message="a bug")

    def _running(self) -> subprocess.Popen[bytes]:
        assert self.process is not None
        return self.process

    def _must_live(self) -> None:
        code = self._running().poll()
        assert code is None, f"the operator ended with {code}:\n{self.text()}"

    def _worked_off(self) -> bool:
        # Twice in a row with nothing between: the handling of a last event may lie between two looks.
        def look() -> tuple[float, ...]:
            text = self.page("/metrics")[1].splitlines()
            busy = [float(x.split(" ")[1]) for x in text if x.startswith(("dnsalias_queue_depth ", OLDEST))]
            done = [float(x.rpartition(" ")[2]) for x in text if x.startswith(DONE)]
            return (sum(busy), sum(done))

        first, second = look(), look()
        return first == second and first[0] == 0 and first[1] > 0


OLDEST = "dnsalias_queue_oldest_age_seconds "
DONE = "dnsalias_reconcile_duration_seconds_count"


def of_operator(requests: list[Request]) -> list[Request]:
    """The requests that an operator process made: by its user agent, whoever's rights it had."""
    return [r for r in requests if r.user_agent == "dnsalias-operator" or r.user_agent.startswith("kopf/")]
