"""A clock that only moves when told to, and a sleep that hangs on it: tests of timing take no time."""

import asyncio


class FakeClock:
    """`clock()` gives the time in seconds, `clock.sleep` waits for it, `clock.advance` moves it."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def __call__(self) -> float:
        """The time in seconds."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock was moved by that much."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.now + seconds, waiter))
        await waiter

    async def advance(self, seconds: float) -> None:
        """Move the clock, waking sleepers in their order and letting each run before the next."""
        until = self.now + seconds
        await settle()
        while due := sorted((at for at, w in self._sleepers if at <= until and not w.done())):
            self.now = max(self.now, due[0])
            for at, waiter in self._sleepers:
                if at <= self.now and not waiter.done():
                    waiter.set_result(None)
            self._sleepers = [(at, w) for at, w in self._sleepers if not w.done()]
            await settle()
        self.now = until
        await settle()


async def settle() -> None:
    """Let every task run until it waits for something."""
    for _ in range(20):
        await asyncio.sleep(0)
