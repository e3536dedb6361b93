"""The last gate of a write: a socket that sends nothing once this process may not write any more.

A write is asked for before it starts (`Client`), but a millisecond of work lies between that question and the first
byte on the wire, and a process may be stopped there: ten leaders stopped amid their writes sent four of them when they
woke. So the question is asked once more where nothing comes after it but the system call.
"""

import math
import socket
from collections.abc import Callable, Iterable
from typing import Any

import aiohttp
from kubernetes.aio.client.rest import RESTClientObject

Fence = Callable[[], float]
"""Seconds in which this process may still write; 0 or less: it may not."""


def open_fence() -> float:
    """For a process that may write for as long as it lives."""
    return math.inf


class FencedSocket(socket.socket):
    """A socket that is asked of ``fence`` at every send; asyncio uses these two methods and no other to send."""

    fence: Fence = staticmethod(open_fence)

    def send(self, *arguments: Any) -> int:  # noqa: ANN401 (the signature is the socket's)
        """Send, or fail as a broken connection does."""
        self._ask()
        return super().send(*arguments)

    def sendmsg(self, buffers: Iterable[Any], *arguments: Any) -> int:  # noqa: ANN401
        """Send, or fail as a broken connection does."""
        self._ask()
        return super().sendmsg(buffers, *arguments)

    def _ask(self) -> None:
        if self.fence() <= 0:
            raise ConnectionAbortedError("this process does not hold the Lease (any more)")


class FencedRest(RESTClientObject):  # type: ignore[misc]  # (the library has no types)
    """The client library's connections, through `FencedSocket`: for writes alone, reads need no Lease."""

    def __init__(self, configuration: Any, fence: Fence) -> None:  # noqa: ANN401 (untyped)
        super().__init__(configuration)
        self._fence = fence

    def _create_connector(self) -> aiohttp.TCPConnector:
        return aiohttp.TCPConnector(limit=self.maxsize, ssl=self.ssl_context, socket_factory=self._socket)

    def _socket(self, address: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, *_ = address
        made = FencedSocket(family, kind, protocol)
        made.fence = self._fence
        return made
