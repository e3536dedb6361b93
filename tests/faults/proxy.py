"""A proxy between operator and API server that speaks TLS, understands watches, and does to calls what a test says.

It runs on a loop of its own in a thread of the test, on loopback, with the certificate of the API server itself: a
client cannot tell the two apart.
"""

import asyncio
import ssl
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp import web

from tests.faults.calls import Aim, Call, any_call
from tests.faults.faults import Answer, DropError, Fault, Hold
from tools.controlplane.cluster import ControlPlane

_HOP = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding", "host", "accept-encoding"}
)
_STOP_SECONDS = 20
Stage = str
BEFORE, APPLIED, ANSWERED = STAGES = ("before", "applied", "answered")
"""Where a call is: not forwarded yet, applied but not answered, answered."""

Watcher = Callable[[Stage, Call, int], Awaitable[bool]]
"""Told of each write at each stage, with its number; True: drop the connection here."""


async def _nothing(stage: Stage, call: Call, number: int) -> bool:
    del stage, call, number
    return False


@dataclass
class _Active:
    fault: Fault
    aim: Aim
    left: int | None

    @contextmanager
    def counted(self) -> Iterator[Callable[[], None]]:
        """Count down where the connection is dropped, or the fault is told to have met something."""

        def met() -> None:
            self.left = None if self.left is None else self.left - 1

        try:
            yield met
        except DropError:
            met()
            raise


class Proxy:
    """A context manager; serves while it is open.

    Attributes:
        port: where it listens.
        seen: every call, in the order of arrival.
        watcher: told of each write.
    """

    def __init__(self, plane: ControlPlane) -> None:
        """Stand before the API server of ``plane``."""
        self._plane = plane
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._active: list[_Active] = []
        self._streams: set[asyncio.Task[Any]] = set()
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.ServerRunner | None = None
        self._writes = 0
        self.port = 0
        self.seen: list[Call] = []
        self.watcher: Watcher = _nothing

    def __enter__(self) -> Self:
        self._thread.start()
        self.run(self._start())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_STOP_SECONDS)
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 (whatever it gives)
        """Run something on the proxy's loop and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_STOP_SECONDS)

    def kubeconfig(self, of: Path, path: Path) -> Path:
        """Write to ``path`` the kubeconfig ``of``, with this proxy in the place of the API server."""
        path.write_text(of.read_text().replace(self._plane.url, f"https://127.0.0.1:{self.port}"))
        return path

    @contextmanager
    def fault(self, fault: Fault, aim: Aim = any_call, times: int | None = None) -> Iterator[Fault]:
        """Let ``fault`` meet the calls that ``aim`` is true of, ``times`` of them or all, while this is open.

        Streams that are open when it begins are met from their next line on.
        """
        active = _Active(fault, aim, times)
        self._active.append(active)
        try:
            yield fault
        finally:
            self._active.remove(active)
            if isinstance(fault, Hold):
                self._loop.call_soon_threadsafe(fault.released.set)

    def break_streams(self) -> None:
        """End every watch that is open, as a load balancer does."""
        self.run(self._break())

    def count(self, aim: Aim) -> int:
        """How many calls so far ``aim`` is true of."""
        return sum(map(aim, list(self.seen)))

    async def _start(self) -> None:
        certificate = self._plane.ca_file
        outward = ssl.create_default_context(cafile=str(certificate))
        inward = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        inward.load_cert_chain(certificate, certificate.with_suffix(".key"))
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=outward, limit=0),
            timeout=aiohttp.ClientTimeout(total=None),
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        )
        self._runner = web.ServerRunner(web.Server(self._handle), handle_signals=False, shutdown_timeout=0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=inward)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def _stop(self) -> None:
        for active in self._active:
            if isinstance(active.fault, Hold):
                active.fault.released.set()
        await self._break()
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()
        # Transports of TLS close in the next turns of the loop.
        await asyncio.sleep(0.1)

    async def _break(self) -> None:
        for task in list(self._streams):
            task.cancel()
        await asyncio.sleep(0)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        call = Call.parse(request.method, request.path_qs, request.headers)
        self.seen.append(call)
        number = 0
        if call.write:
            number = self._writes = self._writes + 1
        try:
            return await self._serve(request, call, number)
        except (DropError, aiohttp.ClientError, ConnectionError, asyncio.CancelledError):
            # With RST where there is something unsent: the other side is gone, not at its end.
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)

    async def _serve(self, request: web.BaseRequest, call: Call, number: int) -> web.StreamResponse:
        body = await request.read()
        await self._stage(BEFORE, call, number)
        if (instead := await self._instead(call)) is not None:
            return _response(instead)
        if call.watch:
            return await self._stream(request, call)
        async with self._forward(request, body) as response:
            answer = Answer(response.status, await response.read(), response.headers)
        await self._stage(APPLIED, call, number)
        out = _response(await self._reply(call, answer))
        if call.write:
            await out.prepare(request)
            await out.write_eof()
            await self._stage(ANSWERED, call, number)
        return out

    def _meeting(self, call: Call) -> list[_Active]:
        return [active for active in self._active if active.left != 0 and active.aim(call)]

    async def _instead(self, call: Call) -> Answer | None:
        for active in self._meeting(call):
            with active.counted() as met:
                if (instead := await active.fault.answer(call)) is not None:
                    met()
                    return instead
        return None

    async def _reply(self, call: Call, answer: Answer) -> Answer:
        for active in self._meeting(call):
            with active.counted():
                answer = await active.fault.reply(call, answer)
        return answer

    async def _stage(self, stage: Stage, call: Call, number: int) -> None:
        if call.write and await self.watcher(stage, call, number):
            raise DropError(f"{stage} {call}")

    def _forward(self, request: web.BaseRequest, body: bytes) -> Any:  # noqa: ANN401 (aiohttp's context manager)
        assert self._session is not None
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _HOP}
        url = f"{self._plane.url}{request.path_qs}"
        return self._session.request(request.method, url, headers=headers, data=body or None, allow_redirects=False)

    async def _stream(self, request: web.BaseRequest, call: Call) -> web.StreamResponse:
        task = asyncio.current_task()
        assert task is not None
        self._streams.add(task)
        try:
            async with self._forward(request, b"") as response:
                out = web.StreamResponse(status=response.status, headers=_passed(response.headers))
                out.enable_chunked_encoding()
                await out.prepare(request)
                async for line in _lines(response.content):
                    told = await self._line(call, line)
                    await out.write(told)
                    if not told.endswith(b"\n"):
                        break
                with suppress(ConnectionError):
                    await out.write_eof()
                return out
        finally:
            self._streams.discard(task)

    async def _line(self, call: Call, line: bytes) -> bytes:
        told = line
        for active in self._meeting(call):
            with active.counted() as met:
                told = await active.fault.line(call, line)
                if told != line:
                    met()
        return told


async def _lines(content: aiohttp.StreamReader) -> Any:  # noqa: ANN401 (an async iterator of bytes)
    """Lines of any length; aiohttp's own reader refuses long ones."""
    rest = b""
    async for chunk in content.iter_any():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line + b"\n"
    if rest:
        yield rest


def _passed(headers: Any) -> dict[str, str]:  # noqa: ANN401 (a multi-dict)
    return {k: v for k, v in headers.items() if k.lower() not in _HOP}


def _response(answer: Answer) -> web.Response:
    headers = {"Content-Type": "application/json", **_passed(answer.headers)}
    return web.Response(status=answer.status, body=answer.body, headers=headers)
