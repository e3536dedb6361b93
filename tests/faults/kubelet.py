"""What runs the operator in a cluster: it is started again whenever it ends, and every log is kept."""

import json
from dataclasses import dataclass, field
from typing import Any

from tools.running.operator_process import Operator

_BUGS = ("Traceback", "Exception in callback", "was never retrieved", "was destroyed but it is pending")


@dataclass
class Kubelet(Operator):
    """An operator that is started again as soon as somebody asks for a page of it and it has ended.

    Attributes:
        ends: the exit codes of the processes that ended; -9 is a SIGKILL.
        past: what they printed.
    """

    ends: list[int] = field(default_factory=list)
    past: list[str] = field(default_factory=list)

    def look(self) -> bool:
        """Start it again if it has ended; whether it had."""
        process = self._running()
        code = process.poll()
        if code is None:
            return False
        self.ends.append(code)
        self.past.append(self.text())
        self.start()
        return True

    def restart(self) -> None:
        """Kill it and start it again, at once."""
        self._running().kill()
        self._running().wait()
        self.look()

    def at_rest(self) -> bool:
        """Whether it is ready and has worked everything off; one look, which starts it again if it has ended."""
        return self.page("/readyz")[0] == 200 and self._worked_off()

    def all_lines(self) -> list[dict[str, Any]]:
        """The lines of every process so far. The last line of a killed one may be cut, and is left out."""
        texts = [*self.past, self.text()]
        return [json.loads(line) for text in texts for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def bugs(self) -> list[dict[str, Any]]:
        """Lines that tell of a bug: by a traceback, in their own words, or because only the event loop could say it."""
        return [
            line
            for line in self.all_lines()
            if line["message"] == "a bug" or any(sign in json.dumps(line) for sign in _BUGS)
        ]

    def _must_live(self) -> None:
        self.look()
