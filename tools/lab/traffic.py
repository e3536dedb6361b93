"""What pods get when they connect, and what the model says they will get."""

import json
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from dnsalias_operator.core.istio.listeners import Client as Proxy
from dnsalias_operator.core.istio.listeners import Row, owner_of
from dnsalias_operator.model.mesh import Mesh as Told
from dnsalias_operator.model.snapshot import Snapshot
from tools.lab.scene import AT_ONCE, HERE, PUBLIC, SSH, STRICT, Client, Scene

WILDCARD = "certificate of *.example.com, from traefik"
IDENTITY = f"certificate of the mesh, ns/{STRICT}/sa/default"
CATCHERS: Mapping[str, Mapping[str, str]] = {
    "traefik.cutom-name": {"https": WILDCARD, "ssh": "closed without a word"},
    "mysql.cutom-name": {"https": "no TLS: greeting of mysql", "ssh": "greeting of mysql"},
    "checkout.cutom-name": {"https": IDENTITY, "ssh": "connection reset"},
}
"""What a client that asks for somebody else is told at the end of each of the incident's entries, by its protocol.

Namespace ``shop`` demands mTLS. So the sidecar of checkout resets what is no TLS, and to a TLS client it presents the
certificate that sidecars show each other.
"""
REACHED = "reached"
VALID = "VALID "
CONTAINED = "240.241."
"""Of addresses that the operator gives to what it can only contain."""


@dataclass(frozen=True)
class Target:
    """What is asked for.

    Attributes:
        kind: of protocol, see ``ask``.
        name: as the application knows it.
        port: of it.
        server: who should answer.
    """

    kind: str
    name: str
    port: int
    server: str


OUTSIDE = tuple(Target("ssh" if name == SSH else "https", name, 443, name) for name in PUBLIC)
BY_ALIAS = (
    Target("http", "service-api.hello", 8080, "service-api"),
    Target("https", "traefik.cutom-name", 443, "traefik"),
    Target("mysql", "mysql.cutom-name", 3306, "mysql"),
    Target("https", "checkout.cutom-name", 443, "checkout"),
)
BY_SERVICE = (
    Target("http", "service-api.abc", 8080, "service-api"),
    Target("https", "traefik.abc", 443, "traefik"),
    Target("mysql", "mysql.data", 3306, "mysql"),
    Target("https", "checkout.shop", 443, "checkout"),
)
"""The same servers, by the Services' own names."""

Said = dict[Client, dict[Target, str]]


def ask(scene: Scene, targets: Sequence[Target]) -> Said:
    """Ask for every target from every client."""
    asks = json.dumps([{"kind": t.kind, "name": t.name, "port": t.port} for t in targets])

    def one(client: Client) -> dict[Target, str]:
        output = client.pod.exec([sys.executable, "-I", HERE / "ask.py", scene.trusted], stdin=asks)
        return {target: _verdict(target, answer) for target, answer in zip(targets, json.loads(output), strict=True)}

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(scene.clients, pool.map(one, scene.clients), strict=True))


def predicted(world: Snapshot, clients: Sequence[Client]) -> Said:
    """What the model says that clients are told which ask for the public servers."""
    return {client: {t: _end(_chain(world, client, t), t) for t in OUTSIDE} for client in clients}


def wrong(said: Said, kind: str = "") -> list[tuple[Client, str]]:
    """Who did not reach a server (of that kind, where it is named), and what it was told."""
    return [(c, v) for c, told in said.items() for t, v in told.items() if v != REACHED and kind in ("", t.kind)]


def proxy(client: Client) -> tuple[Proxy, Told]:
    """The client and its mesh as the model knows them."""
    labels = {"app": client.pod.name}
    return Proxy(client.pod.namespace, labels), Told(dns_capture=client.dns_capture)


def _verdict(target: Target, answer: Mapping[str, str | bool]) -> str:
    if "error" in answer:
        return str(answer["error"])
    server = str(answer["server"])
    if server == target.server and (answer.get("valid", True) or target not in OUTSIDE):
        return REACHED
    if "subject" not in answer:
        return f"greeting of {server}"
    return f"{VALID if answer['valid'] else ''}certificate of {answer['subject']}, from {server}"


def _chain(world: Snapshot, client: Client, target: Target) -> Row | None:
    """The chain that takes the connection: by server name before any other; None where no listener is in the way."""
    rows = owner_of(world, *proxy(client), PUBLIC[target.name], target.port)
    by_name = [row for row in rows if target.kind == "https" and target.name in row.sni]
    everything = [row for row in rows if row.match_all and not row.default]
    return next(iter([*by_name, *everything, *(row for row in rows if row.default)]), None)


def _end(row: Row | None, target: Target) -> str:
    host = (row.cluster or "").rpartition("|")[2] if row else ""
    if host not in CATCHERS:
        return REACHED
    end = CATCHERS[host][target.kind]
    # A wildcard stands for one label, so this is good for one of the public names.
    return f"{VALID}{end}" if end == WILDCARD and target.name.endswith(".example.com") else end
