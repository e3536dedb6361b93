"""The applications of one machine or pod. Run as a script, in there.

    python serve.py CONFIG.json

The configuration has ``name``, ``ports`` as pairs of number and kind ("https", "http", "mysql" or "ssh"), and
``certificate``, a PEM file with key and certificate. Every answer has the name in it.
"""

import asyncio
import json
import ssl
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def main(config: dict[str, str], ports: list[tuple[int, str]]) -> None:
    """Serve until killed."""
    for port, kind in ports:
        handler = _http(config["name"]) if kind in ("http", "https") else _greeting(kind, config["name"])
        await asyncio.start_server(handler, "0.0.0.0", port, ssl=_tls(config) if kind == "https" else None)  # noqa: S104
    print("serving", flush=True)  # noqa: T201 (read by whoever started this)
    await asyncio.Event().wait()


def _http(name: str) -> Handler:
    """One request a connection."""
    head = f"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {len(name)}\r\nconnection: close\r\n"

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"{head}\r\n{name}".encode())
        await writer.drain()
        writer.close()

    return _quietly(handle)


def _greeting(kind: str, name: str) -> Handler:
    """The server speaks first, as those of MySQL and SSH do; then it hangs up on whatever it is told."""
    first = f"SSH-2.0-{name}\r\n" if kind == "ssh" else f"J\0\0\0\n8.4.0-{name}\0"

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(first.encode())
        await writer.drain()
        await reader.read(1)
        writer.close()

    return _quietly(handle)


def _quietly(handle: Handler) -> Handler:
    """Callers that hang up or talk nonsense are what this is about: no tracebacks for them."""

    async def safely(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handle(reader, writer)
        except (OSError, EOFError, asyncio.LimitOverrunError):
            writer.close()

    return safely


def _tls(config: dict[str, str]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(config["certificate"])
    return context


if __name__ == "__main__":
    told = json.loads(Path(sys.argv[1]).read_text())
    asyncio.run(main(told, told["ports"]))
