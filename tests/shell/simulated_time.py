"""An event loop in which time passes only while everybody waits: hours of timers take moments, in their right order."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

Value = TypeVar("Value")


class SimulatedLoop(asyncio.SelectorEventLoop):
    """Jumps to the next timer where no callback is ready; `loop.time()` is the simulated time, from 0."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0

    def time(self) -> float:
        """Simulated seconds."""
        return self._now

    def _run_once(self) -> None:
        ready, scheduled = self._ready, self._scheduled  # type: ignore[attr-defined]
        if not ready and scheduled:
            self._now = max(self._now, scheduled[0].when())
        super()._run_once()  # type: ignore[misc]


def simulate(work: Coroutine[Any, Any, Value]) -> Value:
    """Run to the end in simulated time."""
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        return runner.run(work)
