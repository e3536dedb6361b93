"""A script: serves one loopback port of this machine at the same address inside a network namespace.

    python tunnel.py NETWORK-NAMESPACE-FILE PORT

So istiod, CoreDNS and kube-proxy on the node reach the API server by the very kubeconfig that works outside, and the
two networks still have no interface in common: a socket stays in the namespace it was made in, and this process has
one foot in each.
"""

import asyncio
import ctypes
import os
import socket
import sys
from contextlib import suppress
from pathlib import Path

HOST = "127.0.0.1"
CLONE_NEWNET = 0x40000000
CHUNK = 1 << 16


def listening_in(namespace: str, port: int) -> socket.socket:
    """A listening socket inside the namespace; the process itself ends up where it was."""
    libc = ctypes.CDLL(None, use_errno=True)
    with Path("/proc/self/ns/net").open() as home, Path(namespace).open() as there:
        _enter(libc, there.fileno())
        listener = socket.create_server((HOST, port), backlog=512)
        _enter(libc, home.fileno())
    return listener


def _enter(libc: ctypes.CDLL, descriptor: int) -> None:
    if libc.setns(descriptor, CLONE_NEWNET) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    with suppress(OSError):
        writer.close()


async def serve(namespace: str, port: int) -> None:
    """Carry every connection made to the port in there to the same port out here, until killed."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            out_reader, out_writer = await asyncio.open_connection(HOST, port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_copy(reader, out_writer), _copy(out_reader, writer))

    server = await asyncio.start_server(carry, sock=listening_in(namespace, port))
    sys.stdout.write("tunnel ready\n")
    sys.stdout.flush()
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
