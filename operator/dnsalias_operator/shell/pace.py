"""How fast and how late: clock and sleep as values, pauses after failures, a limit on the rate of writes."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

Clock = Callable[[], float]


Sleep = Callable[[float], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses that double from ``least`` to ``most`` seconds, each shortened by up to a quarter at random."""

    least: float
    most: float
    random: Callable[[], float] = random.random

    def pause(self, failures: int) -> float:
        """Seconds to wait after that many failures in a row (at least 1)."""
        # The exponent is bounded before the power is taken: a key may fail for weeks.
        whole = min(self.most, self.least * 2.0 ** min(failures - 1, 60))
        return whole * (1 - self.random() / 4)


class TokenBucket:
    """At most ``burst`` at once and ``rate`` a second in the long run."""

    def __init__(self, rate: float, burst: int, clock: Clock, sleep: Sleep = asyncio.sleep) -> None:
        self._rate, self._burst, self._clock, self._sleep = rate, float(burst), clock, sleep
        self._tokens = float(burst)
        self._at = clock()

    async def take(self) -> None:
        """Wait for a token; waiters are served in order."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        # The debt of each waiter is on the books at once, so that a later one waits longer.
        self._tokens -= 1
        if self._tokens < 0:
            await self._sleep(-self._tokens / self._rate)
