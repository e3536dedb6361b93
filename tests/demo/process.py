"""The operator as a process of its own, as a person would start it."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.controlplane.cluster import ControlPlane, free_ports

DNSALIAS = str(Path(sys.executable).with_name("dnsalias"))
DEADLINE = 60.0
POLL = 0.1


class Operator:
    """A running `dnsalias run`; ends with the block it is used in."""

    def __init__(self, plane: ControlPlane, kubeconfig: Path, log: Path, **settings: str) -> None:
        """Settings are `DNSALIAS_*` names in lower case without the prefix."""
        self._port = free_ports().api
        told = {"kubeconfig": str(kubeconfig), "http_host": "127.0.0.1", "http_port": str(self._port), **settings}
        told |= {"log_format": "console"}
        environment = {**os.environ, **{f"DNSALIAS_{k.upper()}": v for k, v in told.items()}}
        self._log = log
        self._output = log.open("w")
        self._process = subprocess.Popen([DNSALIAS, "run"], env=environment, stdout=self._output, stderr=self._output)
        self._plane = plane

    def metrics(self) -> dict[str, float]:
        """The metrics page as `name{labels}` -> value; empty while nothing answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/metrics", timeout=5) as answer:
                lines = answer.read().decode().splitlines()
        except (urllib.error.URLError, OSError):
            return {}
        return {k: float(v) for k, _, v in (line.rpartition(" ") for line in lines if line and not line.startswith("#"))}

    def ready(self) -> bool:
        """Whether every kind has been listed."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)  # noqa: PLR2004
        except (urllib.error.URLError, OSError):
            return False

    def unfixed(self) -> dict[str, float]:
        """The series of dnsalias_unfixed_serviceentries that are not zero."""
        return {k: v for k, v in self.metrics().items() if k.startswith("dnsalias_unfixed_serviceentries{") and v}

    def wait(self, what: str, condition: Callable[[], bool]) -> None:
        """Wait until the condition holds.

        Raises:
            RuntimeError: it does not within a minute, or the operator has ended; the end of its log is in the message.
        """
        deadline = time.monotonic() + DEADLINE
        while not condition():
            if self._process.poll() is not None or time.monotonic() > deadline:
                tail = "\n".join(self._log.read_text().splitlines()[-20:])
                raise RuntimeError(f"waiting for {what} in vain; the operator's last words:\n{tail}")
            time.sleep(POLL)

    def log(self) -> str:
        """What it has logged so far."""
        return self._log.read_text()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._output.close()
