"""The stage of the lab: machines outside, the incident's servers and clients as pods, its objects, the DNS."""

import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tools import make
from tools.controlplane.waiting import eventually
from tools.dataplane import pods
from tools.dataplane.mesh import Mesh
from tools.dataplane.pods import Pod
from tools.dataplane.spaces import Space
from tools.demo import incident
from tools.lab.certificates import Authority

HERE = Path(__file__).parent
AT_ONCE = 4
PUBLIC: Mapping[str, str] = {
    "api.payments.example": "203.0.113.10",
    "registry.example.com": "203.0.113.20",
    "git.example": "203.0.113.30",
}
"""The machines outside. Two have HTTPS, and certificates of their own; the second one's name is also covered by
``*.example.com``. The third has SSH on port 443, as hosts of repositories do for those behind firewalls."""
SSH = "git.example"
ALIASES: Mapping[str, str] = {
    "traefik.cutom-name": "10.96.10.1",
    "traefik.hello": "10.96.10.1",
    "mysql.cutom-name": "10.96.20.1",
    "checkout.cutom-name": "10.96.30.1",
}
"""The records that the dns-controller made in the cluster's DNS, beside its entries."""
KINDS = "services,serviceentries,sidecars,virtualservices,dnsaliases,namespaces"
SNIPPET = "aliases.corefile"
STRICT = "shop"
EGRESS_OWN = ("abc", "data", "shop", "ops")
"""Namespaces that get a Sidecar with egress ``./*`` in the course of the story."""


@dataclass(frozen=True)
class Server:
    """An application pod of the incident.

    Attributes:
        namespace: of the pod.
        name: of the pod, of its Service, and what it answers.
        port: container port.
        kind: of protocol, see ``serve``.
        sidecar: whether it has one.
        certificate: common name and DNS names, empty where it needs none.
        port_name: of the container port.
    """

    namespace: str
    name: str
    port: int
    kind: str
    sidecar: bool = True
    certificate: tuple[str, ...] = ()
    port_name: str = "app"


SERVERS = (
    Server("abc", "traefik", 8443, "https", sidecar=False, certificate=("*.example.com",)),
    Server("abc", "service-api", 8080, "http", port_name="http"),
    Server("data", "mysql", 3306, "mysql", sidecar=False),
    Server("shop", "checkout", 8443, "https", certificate=("checkout.shop", "checkout.cutom-name")),
)


@dataclass(frozen=True, eq=False)
class Client:
    """A pod that asks.

    Attributes:
        pod: with a sidecar.
        dns_capture: whether that answers its lookups.
    """

    pod: Pod
    dns_capture: bool

    def __str__(self) -> str:
        return f"{self.pod.namespace} (DNS capture)" if self.dns_capture else self.pod.namespace


class Scene:
    """Everything that runs, for the length of ``set_up``.

    Attributes:
        mesh: on whose node all of it is.
        clients: the pods that ask.
        trusted: PEM file of the authority whose certificates they take.
    """

    def __init__(self, mesh: Mesh, clients: Sequence[Client], trusted: Path) -> None:
        """Use ``set_up`` instead."""
        self.mesh, self.plane, self.clients, self.trusted = mesh, mesh.plane, clients, trusted

    def create(self, *objects: dict[str, Any]) -> None:
        """Create objects, as the dns-controller and other people would, younger than all there is."""
        time.sleep(incident.TICK)
        bodies = []
        for one in objects:
            meta = {k: v for k, v in one["metadata"].items() if k != "creationTimestamp"}
            bodies.append({**one, "metadata": meta})
        manager = "--field-manager=dns-controller"
        self.plane.kubectl("apply", "--server-side", manager, "-f", "-", stdin=yaml.safe_dump_all(bodies))

    def export(self, form: str) -> str:
        """Every object that listeners are made of, as kubectl prints them: "json" or "yaml"."""
        return self.plane.kubectl("get", KINDS, "-A", "-o", form)

    def delete(self, kind: str, namespace: str, name: str) -> None:
        """Delete one object."""
        self.plane.kubectl("delete", kind, "-n", namespace, name)

    def resolve(self, snippet: str = "") -> None:
        """Start CoreDNS anew with the records of the outside world, those of the dns-controller, and the snippet."""
        records = "\n".join(f"{address} {name}" for name, address in {**PUBLIC, **ALIASES}.items())
        extra = f"hosts {{\n{records}\nfallthrough\n}}\n"
        if snippet:
            extra += f"import {self.mesh.node.write(SNIPPET, snippet)}\n"
        self.mesh.node.resolve(extra)


@contextmanager
def set_up(mesh: Mesh) -> Iterator[Scene]:
    """Everything but the objects of the incident."""
    authority = Authority(mesh.plane.folder)
    for namespace in sorted({*EGRESS_OWN, *(server.namespace for server in SERVERS)}):
        pods.ensure_namespace(mesh.plane, namespace)
    with ExitStack() as stack, ThreadPoolExecutor(AT_ONCE) as pool:
        outside = [pool.submit(_outside, stack, mesh, authority, name) for name in PUBLIC]
        inside = [pool.submit(_inside, stack, mesh, authority, server) for server in SERVERS]
        asking = [pool.submit(_client, stack, mesh, namespace) for namespace in ("default", *EGRESS_OWN)]
        asking.append(pool.submit(_client, stack, mesh, "default", dns_capture=True))
        for started in (*outside, *inside):
            started.result()
        scene = Scene(mesh, [one.result() for one in asking], authority.certificate)
        scene.resolve()
        yield scene


def of_incident(kind: str, *names: str) -> list[dict[str, Any]]:
    """Objects of examples/incident by kind and name, in the order of the names."""
    found = {(o["kind"], o["metadata"]["name"]): o for o in incident.objects()}
    return [found[kind, name] for name in names]


def strict() -> dict[str, Any]:
    """Who speaks to pods of ``STRICT`` has to speak mTLS."""
    spec = {"mtls": {"mode": "STRICT"}}
    return make.manifest("security.istio.io/v1", "PeerAuthentication", "default", spec, namespace=STRICT)


def sidecars(namespaces: Iterable[str]) -> list[dict[str, Any]]:
    """A Sidecar in each namespace that imports nothing but what is in there."""
    return [make.sidecar("default", "./*", namespace=n) for n in namespaces]


def _outside(stack: ExitStack, mesh: Mesh, authority: Authority, name: str) -> None:
    space = stack.enter_context(mesh.host(name, PUBLIC[name]))
    kind = "ssh" if name == SSH else "https"
    _serve(mesh, space, name, [(443, kind)], authority.sign(name, [name]))


def _inside(stack: ExitStack, mesh: Mesh, authority: Authority, server: Server) -> None:
    ports = [{"name": server.port_name, "containerPort": server.port}]
    labels = {"app": server.name}
    running = mesh.pod(server.namespace, server.name, labels=labels, ports=ports, sidecar=server.sidecar)
    pod = stack.enter_context(running)
    certificate = authority.sign(server.certificate[0], server.certificate) if server.certificate else None
    _serve(mesh, pod.space, server.name, [(server.port, server.kind)], certificate)


def _client(stack: ExitStack, mesh: Mesh, namespace: str, *, dns_capture: bool = False) -> Client:
    name = "app-with-dns-capture" if dns_capture else "app"
    labels = {"app": name}
    return Client(stack.enter_context(mesh.pod(namespace, name, labels=labels, dns_capture=dns_capture)), dns_capture)


def _serve(mesh: Mesh, space: Space, name: str, ports: list[tuple[int, str]], certificate: Path | None) -> None:
    config = mesh.plane.folder / f"{name}.json"
    config.write_text(json.dumps({"name": name, "ports": ports, "certificate": str(certificate)}))
    space.spawn("serve", [sys.executable, "-I", HERE / "serve.py", config])

    def serving() -> bool:
        space.fail_if_dead()
        return "serving" in space.log("serve")

    eventually(serving, f"the server {name}")
