"""The socket that sends nothing once its process may not write any more, by itself and under asyncio."""

import asyncio
import socket
from collections.abc import Iterator

import pytest

from dnsalias_operator.shell.api.fence import FencedSocket, open_fence


class Switch:
    """A fence that a test opens and closes."""

    def __init__(self) -> None:
        self.left = 1.0

    def __call__(self) -> float:
        """Seconds left."""
        return self.left


@pytest.fixture
def switch() -> Switch:
    """An open fence."""
    return Switch()


@pytest.fixture
def pair(switch: Switch) -> Iterator[tuple[FencedSocket, socket.socket]]:
    """A fenced socket and the one at its other end."""
    near, far = socket.socketpair()
    fenced = FencedSocket(fileno=near.detach())
    fenced.fence = switch
    fenced.setblocking(False)
    far.setblocking(False)
    with fenced, far:
        yield fenced, far


def arrived(far: socket.socket) -> bytes:
    """What has come through."""
    try:
        return far.recv(1000)
    except BlockingIOError:
        return b"nothing"


def test_nothing_is_sent_once_the_time_is_up(pair: tuple[FencedSocket, socket.socket], switch: Switch) -> None:
    """Both ways of sending work while there is time, and fail as a broken connection does when there is none."""
    fenced, far = pair
    fenced.send(b"a")
    fenced.sendmsg([b"b", b"c"])
    assert arrived(far) == b"abc"
    switch.left = 0.0
    with pytest.raises(ConnectionAbortedError, match="does not hold the Lease"):
        fenced.send(b"late")
    with pytest.raises(ConnectionAbortedError, match="does not hold the Lease"):
        fenced.sendmsg([b"late"])
    assert arrived(far) == b"nothing"


async def test_asyncio_sends_by_no_other_way(pair: tuple[FencedSocket, socket.socket], switch: Switch) -> None:
    """A transport over it writes while there is time; later nothing of what it is given leaves, and it is closed."""
    fenced, far = pair
    _, writer = await asyncio.open_connection(sock=fenced)
    writer.write(b"in time")
    writer.writelines([b", and", b" more"])
    await writer.drain()
    assert arrived(far) == b"in time, and more"
    switch.left = 0.0
    writer.write(b"late")
    writer.writelines([b"late", b"late"])
    with pytest.raises(ConnectionAbortedError):
        await writer.wait_closed()
    assert arrived(far) == b""


def test_without_leader_election_there_is_always_time() -> None:
    """The fence of a process that needs no Lease never closes."""
    assert open_fence() == float("inf")
