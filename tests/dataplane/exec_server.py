"""The part of a kubelet that runs commands in containers: the API server hands it what `kubectl exec` asks for.

There is no kubelet (tools/dataplane/pods.py); the command itself runs in the pod's namespaces as it would in its
container, and its output goes back through the real API server.
"""

import asyncio
import json
import ssl
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from tools.dataplane.pods import Pod
from tools.dataplane.spaces import HOME
from tools.lab.certificates import Authority

PROTOCOL = "v4.channel.k8s.io"
STDOUT, STDERR, STATUS = b"\1", b"\2", b"\3"
PART = 65_536


class ExecServer:
    """Serves ``/exec/NAMESPACE/POD/CONTAINER`` on a free port of 127.0.0.1, in a thread, for the length of the block.

    Attributes:
        port: the port.
    """

    def __init__(self, pods: Mapping[tuple[str, str], Pod]) -> None:
        """Nothing is served before the block begins."""
        self._pods = pods
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(timeout=30)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(timeout=30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=30)
        self._loop.close()

    async def _start(self) -> None:
        app = web.Application()
        app.router.add_get("/exec/{namespace}/{pod}/{container}", self._exec)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        with tempfile.TemporaryDirectory() as folder:
            certificate = Authority(Path(folder)).sign("kubelet", ["localhost"])
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(certificate)
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]

    async def _exec(self, request: web.Request) -> web.WebSocketResponse:
        pod = self._pods[request.match_info["namespace"], request.match_info["pod"]]
        program, *arguments = request.query.getall("command")
        socket = web.WebSocketResponse(protocols=(PROTOCOL,))
        await socket.prepare(request)
        done = await asyncio.to_thread(pod.call, [HOME / "bin" / program, *arguments])
        for channel, text in ((STDOUT, done.stdout), (STDERR, done.stderr)):
            data = text.encode()
            for at in range(0, len(data), PART):
                await socket.send_bytes(channel + data[at : at + PART])
        status = "Success" if done.returncode == 0 else "Failure"
        await socket.send_bytes(STATUS + json.dumps({"status": status, "message": f"exit {done.returncode}"}).encode())
        await socket.close()
        return socket
