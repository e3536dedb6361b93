"""The client: asks several servers at once and says what each answered. Run as a script, in a pod.

    python ask.py CA.pem < ASKS.json > ANSWERS.json

An ask is ``kind`` ("https", "http", "mysql" or "ssh"), ``name`` to resolve and to ask for, ``port``. Its answer, in the
same order, has what there was of: ``address`` that the name resolved to, ``server`` that it named itself, ``subject``
of its certificate, ``valid``, whether that is good for the name, ``error``.
"""

import contextlib
import http.client
import json
import re
import socket
import ssl
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

SECONDS = 8
GREETING = re.compile(rb"(?:8\.4\.0|SSH-2\.0)-([\w.-]+)")
URI = re.compile(rb"\x86(.)spiffe://[^/]+/(.+)", re.DOTALL)
"""A name of that kind in a certificate: a tag, its length, the name."""


def ask(kind: str, name: str, port: int, trusted: str) -> dict[str, Any]:
    """One connection, and what came of it."""
    try:
        address = str(socket.getaddrinfo(name, port, socket.AF_INET, socket.SOCK_STREAM)[0][4][0])
    except OSError:
        return {"error": "no such name"}
    try:
        with socket.create_connection((address, port), timeout=SECONDS) as plain:
            told = _https(plain, name, trusted) if kind == "https" else _plain(plain, kind, name)
    except ssl.SSLCertVerificationError as error:
        told = {"error": _identity(address, port) or f"certificate: {error.verify_message}"}
    except ssl.SSLError as error:
        told = {"error": f"no TLS: {_first_bytes(address, port) or error.reason}"}
    except ConnectionResetError:
        told = {"error": "connection reset"}
    except OSError as error:
        told = {"error": str(error)}
    return {"address": address, **told}


def _https(plain: socket.socket, name: str, trusted: str) -> dict[str, Any]:
    # The name is compared below: a certificate of somebody else is an answer here, not a reason to hang up.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(trusted)
    with context.wrap_socket(plain, server_hostname=name) as tls:
        certificate = tls.getpeercert() or {}
        fields: Any = certificate["subject"]
        names: Any = certificate["subjectAltName"]
        subject = dict(pair for part in fields for pair in part)["commonName"]
        valid = any(_good_for(pattern, name) for _, pattern in names)
        return {"subject": subject, "valid": valid, **_plain(tls, "http", name)}


def _plain(connection: socket.socket, kind: str, name: str) -> dict[str, Any]:
    if kind in ("mysql", "ssh"):
        if kind == "ssh":
            connection.sendall(b"SSH-2.0-app\r\n")
        said = connection.recv(200)
        if found := GREETING.search(said):
            return {"server": found[1].decode()}
        return {"error": f"no greeting: {said!r}" if said else "closed without a word"}
    connection.sendall(f"GET / HTTP/1.1\r\nhost: {name}\r\nconnection: close\r\n\r\n".encode())
    answer = http.client.HTTPResponse(connection)
    try:
        answer.begin()
        body = answer.read().decode()
    except http.client.HTTPException as error:
        return {"error": f"no HTTP: {error!r}"}
    return {"server": body} if answer.status == http.client.OK else {"error": f"status {answer.status}: {body}"}


def _first_bytes(address: str, port: int) -> str:
    """What such a server says unasked: it may be one that greets."""
    try:
        with socket.create_connection((address, port), timeout=SECONDS) as connection:
            found = GREETING.search(connection.recv(200))
    except OSError:
        return ""
    return f"greeting of {found[1].decode()}" if found else ""


def _identity(address: str, port: int) -> str:
    """Whose certificate it is, where an untrusted one is a sidecar's, which takes the TLS of callers for its own."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with contextlib.suppress(OSError), socket.create_connection((address, port), timeout=SECONDS) as plain:
        try:
            tls = context.wrap_socket(plain)
        except OSError:
            return ""
        found = URI.search(tls.getpeercert(binary_form=True) or b"")
        tls.close()
        if found:
            end = found.start(1) + 1 + found[1][0]
            return f"certificate of the mesh, {found.string[found.start(2) : end].decode()}"
    return ""


def _good_for(pattern: str, name: str) -> bool:
    """Whether a certificate's name covers that one: a wildcard stands for one label."""
    return pattern == name or (pattern.startswith("*.") and name.partition(".")[2] == pattern[2:])


if __name__ == "__main__":
    asks = json.load(sys.stdin)
    with ThreadPoolExecutor(len(asks)) as pool:
        json.dump(list(pool.map(lambda a: ask(a["kind"], a["name"], a["port"], sys.argv[1]), asks)), sys.stdout)
