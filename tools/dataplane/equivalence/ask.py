"""The client: asks many servers at once and says what each answered. Run as a script, in the client pod.

    python ask.py < ASKS.json > ANSWERS.json

An ask has ``kind`` of protocol, ``name`` to ask for, ``to`` (a name to resolve, or an address), ``port``, ``tries`` (at
least so many connections), ``pods`` (more connections, up to ``most``, until so many pods have answered). What came of
it, in the same order: ``answers``, each different one once, and ``errors``, one for every connection that gave none.
"""

import asyncio
import contextlib
import ipaddress
import json
import socket
import ssl
import sys
from typing import Any

import grpc.aio  # type: ignore[import-untyped]

METHOD = "/greeter/Greet"
AT_ONCE = 8
SECONDS = 30
OK = "200"
FAULTS = (OSError, EOFError, ValueError, grpc.aio.AioRpcError, TimeoutError)


async def address(name: str, known: dict[str, str]) -> str:
    """Where a name leads, by the pod's resolver; ``known`` keeps what was answered.

    Asked again where nobody answered at all, which is no answer about the name.
    """
    with contextlib.suppress(ValueError):
        return str(ipaddress.ip_address(name))
    loop = asyncio.get_running_loop()
    while name not in known:
        try:
            found = await loop.getaddrinfo(f"{name}.", None, family=socket.AF_INET, type=socket.SOCK_STREAM)
            known[name] = str(found[0][4][0])
        except socket.gaierror as error:
            if error.errno != socket.EAI_AGAIN:
                raise
    return known[name]


async def stream(kind: str, name: str, ip: str, port: int) -> dict[str, str]:
    """Ask over a connection of our own."""
    context = None
    if kind == "tls":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    reader, writer = await asyncio.open_connection(ip, port, ssl=context, server_hostname=name if context else None)
    try:
        if kind == "mysql":
            await reader.readuntil(b"greeting\n")
        if kind == "http":
            writer.write(f"GET / HTTP/1.1\r\nhost: {name}:{port}\r\nconnection: close\r\n\r\n".encode())
            status = (await reader.readline()).decode().split()
            if status[1:2] != [OK]:
                raise ValueError(f"status {' '.join(status[1:]) or 'missing'}")
            await reader.readuntil(b"\r\n\r\n")
            said = (await reader.read()).decode()
            said = said[said.index("{") : said.rindex("}") + 1]  # the sidecar may send it in chunks
        else:
            writer.write(b"hello\n")
            said = (await reader.readline()).decode()
    finally:
        writer.close()
    if not said:
        raise EOFError("closed without an answer")
    answer: dict[str, str] = json.loads(said)
    if answer.pop("sni", name) != name and kind == "tls":
        raise ValueError("the server was asked for another name")
    return answer


async def call(name: str, ip: str, port: int) -> dict[str, str]:
    """Ask over gRPC, on a channel of our own."""
    options = [("grpc.default_authority", f"{name}:{port}"), ("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.insecure_channel(f"ipv4:{ip}:{port}", options) as channel:
        said: dict[str, str] = json.loads(await channel.unary_unary(METHOD)(b"hello", timeout=SECONDS))
        return said


async def once(ask: dict[str, Any], known: dict[str, str]) -> dict[str, str]:
    """One connection."""
    ip = await address(ask["to"], known)
    if ask["kind"] == "grpc":
        return await call(ask["name"], ip, ask["port"])
    return await stream(ask["kind"], ask["name"], ip, ask["port"])


def told(error: BaseException) -> str:
    """One line on a connection that failed."""
    if isinstance(error, grpc.aio.AioRpcError):
        return f"{error.code().name}: {error.details()}"
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


async def ask_until(ask: dict[str, Any], gate: asyncio.Semaphore, known: dict[str, str]) -> dict[str, Any]:
    """Ask as often as it takes to see every pod."""
    answers: dict[str, dict[str, str]] = {}
    errors = []
    async with gate:
        for tried in range(1, ask["most"] + 1):
            try:
                async with asyncio.timeout(SECONDS):
                    answer = await once(ask, known)
                answers[json.dumps(answer, sort_keys=True)] = answer
            except FAULTS as error:
                errors.append(told(error))
            if tried >= ask["tries"] and (errors or len({a["pod"] for a in answers.values()}) >= ask["pods"]):
                break
    return {"answers": [answers[key] for key in sorted(answers)], "errors": errors}


async def main() -> None:
    """Ask everything."""
    gate, known = asyncio.Semaphore(AT_ONCE), dict[str, str]()
    results = await asyncio.gather(*(ask_until(ask, gate, known) for ask in json.load(sys.stdin)))
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    asyncio.run(main())
