"""What can go wrong between a client and the API server. A fault is put into a proxy (proxy.py) and aimed at calls.

A fault is asked at three places: instead of a request (`answer`), once it was applied (`reply`), and for each line of
a watch (`line`). What it does not care about goes on as if it were not there.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.faults.calls import Call


class DropError(Exception):
    """End the connection without another byte."""


@dataclass(frozen=True)
class Answer:
    """A whole HTTP answer."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Fault:
    """No fault at all: everything passes."""

    async def answer(self, call: Call) -> Answer | None:
        """What the client gets instead of the API server's answer; None: the request is passed on.

        Raises:
            DropError: it gets nothing.
        """
        del call
        return None

    async def reply(self, call: Call, answer: Answer) -> Answer:
        """What becomes of the API server's answer.

        Raises:
            DropError: the client never gets it.
        """
        del call
        return answer

    async def line(self, call: Call, line: bytes) -> bytes:
        """What becomes of a line of a watch.

        Raises:
            DropError: the stream ends here.
        """
        del call
        return line


def refusal(status: int, reason: str = "", message: str = "refused by the test", **headers: str) -> Answer:
    """A Status object as the API server sends it."""
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status}
    return Answer(status, json.dumps({**body, "reason": reason, "message": message}).encode(), headers)


@dataclass
class Refuse(Fault):
    """Every request gets this answer."""

    with_answer: Answer

    async def answer(self, call: Call) -> Answer:
        """The refusal."""
        del call
        return self.with_answer


class Reset(Fault):
    """The connection breaks before the request arrives; streams break where they are."""

    async def answer(self, call: Call) -> Answer | None:
        """Nothing."""
        raise DropError(str(call))


class LoseAnswer(Fault):
    """The request is applied, and its answer is lost."""

    async def reply(self, call: Call, answer: Answer) -> Answer:
        """Nothing."""
        del answer
        raise DropError(str(call))


@dataclass
class Hold(Fault):
    """Requests and lines wait until `release`, as on a line that is dead and does not say so."""

    requests: bool = True
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, call: Call) -> Answer | None:
        """Late."""
        del call
        if self.requests:
            await self.released.wait()
        return None

    async def line(self, call: Call, line: bytes) -> bytes:
        """Late."""
        del call
        await self.released.wait()
        return line


class HalfLine(Fault):
    """Half a line of JSON, then the end of the stream."""

    async def line(self, call: Call, line: bytes) -> bytes:
        """Half of it; the proxy ends a stream whose line has no end."""
        del call
        return line[: len(line) // 2]


class Expired(Fault):
    """A watch is told, in the stream, that its resourceVersion is too old."""

    async def answer(self, call: Call) -> Answer | None:
        """One ERROR event, then the end."""
        if not call.watch:
            return None
        status = json.loads(refusal(410, "Expired", "too old resource version").body)
        return Answer(200, json.dumps({"type": "ERROR", "object": status}).encode() + b"\n")


@dataclass
class Replay(Fault):
    """Lists are answered as they were when `remember` saw them; everything else is of today."""

    kept: dict[tuple[str, str], Answer] = field(default_factory=dict)
    replayed: int = 0

    async def answer(self, call: Call) -> Answer | None:
        """The old list, where there is one."""
        old = self.kept.get(_listed(call)) if call.list else None
        self.replayed += old is not None
        return old


@dataclass
class Remember(Fault):
    """Keeps every list that passes, for `Replay`."""

    kept: dict[tuple[str, str], Answer] = field(default_factory=dict)

    async def reply(self, call: Call, answer: Answer) -> Answer:
        """The same."""
        if call.list and answer.status == 200:
            self.kept[_listed(call)] = answer
        return answer


def _listed(call: Call) -> tuple[str, str]:
    return call.path, call.query.get("continue", "")
