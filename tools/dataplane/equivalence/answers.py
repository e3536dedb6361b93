"""The applications of one server pod: a port for each row of the table, in the row's protocol. Run as a script.

    python answers.py CONFIG.json

The configuration has ``name`` of the pod, ``ports`` as pairs of number and kind, ``certificate`` and ``key`` (PEM).
Every answer is one JSON object that names the pod; HTTP kinds add what the pod's sidecar says of the caller's identity.
"""

import asyncio
import json
import ssl
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc.aio  # type: ignore[import-untyped]

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
IDENTITY = "x-forwarded-client-cert"
METHOD = "/greeter/Greet"
"""The one gRPC method that there is."""


def answer(name: str, **more: str) -> bytes:
    """What every protocol carries."""
    return json.dumps({"pod": name, **more}).encode()


def identity(header: str) -> str:
    """Both ends of the mTLS connection that the sidecar tells of; "" where there was none."""
    parts = dict(part.partition("=")[::2] for part in header.split(";"))
    return f"{parts['URI']} at {parts['By']}" if "URI" in parts else ""


def http(name: str) -> Handler:
    """HTTP/1.1, one request a connection."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in head.splitlines()[1:])}
        body = answer(name, identity=identity(headers.get(IDENTITY, "")))
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
        writer.write(f"{head}connection: close\r\n\r\n".encode() + body)

    return handle


def mysql(name: str) -> Handler:
    """The server speaks first, as MySQL's does, and waits for the client after that."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"J\x00\x00\x00\x0a8.4.0 greeting\n")
        await reader.readline()
        writer.write(answer(name) + b"\n")

    return handle


def line(name: str) -> Handler:
    """The client speaks first."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(answer(name) + b"\n")

    return handle


def tls(name: str) -> Handler:
    """As ``line``, within TLS that the application itself ends; it answers which name the client asked for."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        asked = getattr(writer.get_extra_info("ssl_object"), "asked", "")
        writer.write(answer(name, sni=asked) + b"\n")

    return handle


def closing(handler: Handler) -> Handler:
    """The handler, its connection closed afterwards; a caller that went away early is no error."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
            await writer.drain()
        except (OSError, EOFError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    return handle


def certificates(config: dict[str, Any]) -> ssl.SSLContext:
    """The application's own TLS, with a note on the connection of the name that was asked for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(config["certificate"], config["key"])

    def note(connection: ssl.SSLObject, asked: str, _context: ssl.SSLContext) -> None:
        connection.asked = asked  # type: ignore[attr-defined]

    context.sni_callback = note
    return context


class Greeter(grpc.GenericRpcHandler):  # type: ignore[misc]
    """The gRPC method; messages are bytes."""

    def __init__(self, name: str) -> None:
        """Answer for the pod of that name."""
        self._name = name

    def service(self, details: Any) -> Any:  # noqa: ANN401 (grpc has no types)
        """The method's handler, None for another one."""
        return grpc.unary_unary_rpc_method_handler(self._greet) if details.method == METHOD else None

    async def _greet(self, _request: bytes, context: Any) -> bytes:  # noqa: ANN401
        metadata = dict(context.invocation_metadata())
        return answer(self._name, identity=identity(metadata.get(IDENTITY, "")))


async def main(config: dict[str, Any]) -> None:
    """Serve for good; prints "serving" once every port is open."""
    name, context = config["name"], certificates(config)
    handlers = {"http": http(name), "https": http(name), "mysql": mysql(name), "tcp": line(name), "tls": tls(name)}
    rpc = grpc.aio.server(handlers=[Greeter(name)])
    for port, kind in config["ports"]:
        if kind == "grpc":
            rpc.add_insecure_port(f"0.0.0.0:{port}")
        else:
            handler = closing(handlers[kind])
            await asyncio.start_server(handler, "0.0.0.0", port, ssl=context if kind in ("tls", "https") else None)  # noqa: S104
    await rpc.start()
    sys.stdout.write("serving\n")
    sys.stdout.flush()
    await rpc.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main(json.loads(Path(sys.argv[1]).read_text())))
