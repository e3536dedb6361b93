"""One mesh with every Service and alias: asked with a cluster of their own, with the Service's, and in between."""

import itertools
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from dnsalias_operator.model.names import API_VERSION, PLURAL
from tools import make
from tools.controlplane import build
from tools.controlplane.api import MERGE
from tools.controlplane.cluster import ControlPlane
from tools.controlplane.hand import project_crds
from tools.controlplane.progress import step
from tools.controlplane.waiting import eventually
from tools.dataplane import pods
from tools.dataplane.equivalence import traffic, views
from tools.dataplane.equivalence.callers.scene import create
from tools.dataplane.equivalence.policies.rows import BY_HASH, HOME, NARROW, OUTSIDE, PODS, ROWS, WIDE, Row
from tools.dataplane.equivalence.scene import STATS
from tools.dataplane.mesh import Mesh
from tools.dataplane.pods import Pod
from tools.running import identity
from tools.running.operator_process import Operator

ALIASES = f"/apis/{API_VERSION}/namespaces/{HOME}/{PLURAL}"
MOST, CHANGING = 16, 80
"""Connections until every pod should have answered, and while an alias changes."""
Answer = Mapping[str, Any]
BROKEN = "BROKEN"
_COUNTED = re.compile(r"^cluster\.(outbound\|.+?);?\.upstream_(?:cx|rq)_total: (\d+)$")


@dataclass(frozen=True)
class Outcome:
    """What came of a row.

    ``service`` and ``alias`` are who answered by the Service's name and by the alias; ``own`` by the alias with a
    cluster of its own; ``narrow`` by the alias where a Sidecar imports nothing else. ``clusters`` are those that calls
    by the alias took, ``followed`` is the condition PoliciesFollowed. ``failed`` counts calls that ended otherwise than
    before and after while the routing changed to the Service's cluster and back.
    """

    row: Row
    service: str
    own: str
    alias: str
    narrow: str
    clusters: tuple[str, ...]
    followed: str
    failed: int

    @property
    def word(self) -> str:
        """The verdict."""
        if self.followed not in ("", "True"):
            return f"said: {self.followed}"
        theirs = all(row_host(name) == self.row.service_host for name in self.clusters)
        same = self.service == self.alias and self.narrow == (self.row.narrow or self.service)
        return "same" if same and theirs else BROKEN


def row_host(cluster: str) -> str:
    """The host of a cluster's name."""
    return cluster.split("|")[3]


class Scene:
    """The mesh with its clients."""

    def __init__(self, mesh: Mesh, clients: Mapping[str, Pod]) -> None:
        """Use ``set_up`` instead."""
        self._mesh, self._clients, self._api = mesh, clients, mesh.plane.api
        self._marks = itertools.count(1)

    def route(self, *, back: bool = False) -> None:
        """Let every alias have its row's routing, or a cluster of its own, and wait until the sidecars have it."""
        for row in ROWS:
            spec = {"routing": "Own" if back else row.routing}
            self._api.request("PATCH", f"{ALIASES}/{row.name}", {"spec": spec}, MERGE)
        eventually(lambda: not self._undecided(), "a decision on every alias")

    def settle(self) -> None:
        """Wait until every client's sidecar has what was written so far: a Service that comes after it has arrived."""
        number = next(self._marks)
        mark = make.service(f"mark-{number}", ports=[make.port(12900 + number)], namespace=HOME)
        create(self._api, mark)
        ends = f"|mark-{number}.{HOME}.svc.cluster.local"
        eventually(lambda: f"outbound|{12900 + number}|{ends}" in views.Dump(self._clients[WIDE]).clusters, ends)
        time.sleep(1)

    def ask(self, client: str, *, alias: bool, tries: int = 2, most: int = MOST) -> dict[Row, Answer]:
        """Call every row from that client."""
        names = [row.host if alias else row.service_host for row in ROWS]
        asked = [
            {"kind": row.speaks, "name": name, "to": name, "port": row.port, "tries": tries, "pods": 2, "most": most}
            for row, name in zip(ROWS, names, strict=True)
        ]
        return dict(zip(ROWS, traffic.ask(self._clients[client], asked), strict=True))

    def ways(self, client: str) -> tuple[dict[Row, Answer], dict[Row, tuple[str, ...]]]:
        """Call every alias from that client; the answers, and the clusters that they came by."""
        before = _requests(self._clients[client])
        answers = self.ask(client, alias=True)
        after = _requests(self._clients[client])
        more = [name for name, count in after.items() if count > before.get(name, 0)]
        return answers, {row: tuple(sorted(n for n in more if n.split("|")[1] == str(row.port))) for row in ROWS}

    def changing(self) -> list[dict[Row, Answer]]:
        """Call everything by both names while the routing of every alias changes, and back."""
        found = []
        with ThreadPoolExecutor(2) as pool:
            for back in (True, False):
                calls = [
                    pool.submit(self.ask, WIDE, alias=alias, tries=CHANGING, most=CHANGING) for alias in (True, False)
                ]
                self.route(back=back)
                found += [call.result() for call in calls]
        return found

    def followed(self) -> dict[Row, str]:
        """The condition PoliciesFollowed of every alias: True, a reason, or "" where there is none."""
        items = {item["metadata"]["name"]: item for item in self._api.get(ALIASES)["items"]}
        return {row: _followed(items[row.name]) for row in ROWS}

    def _undecided(self) -> list[str]:
        items = self._api.get(ALIASES)["items"]
        return [i["metadata"]["name"] for i in items if i.get("status", {}).get("observedGeneration") != _generation(i)]


def _requests(client: Pod) -> dict[str, int]:
    """How many requests, or connections where there are no requests, went through each cluster so far."""
    lines = map(_COUNTED.match, views.asked(client, "stats?filter=cluster.outbound").splitlines())
    found = [(match[1], int(match[2])) for match in lines if match]
    return {name: sum(count for other, count in found if other == name) for name, _ in found}


def _generation(item: Mapping[str, Any]) -> int:
    return int(item["metadata"]["generation"])


def _followed(item: Mapping[str, Any]) -> str:
    for one in item.get("status", {}).get("conditions", []):
        if one["type"] == "PoliciesFollowed":
            return "True" if one["status"] == "True" else str(one["reason"])
    return ""


def told(row: Row, answer: Answer) -> str:
    """Who answered, in words; without answers, how a call ended. Of pods that are chosen by a hash, how many."""
    answering = sorted({one["pod"] for one in answer["answers"]})
    if row.policy is BY_HASH:
        return f"{len(answering)} of 2 pods"
    return ", ".join(answering) or (answer["errors"] or ["nobody"])[0].partition(":")[2].strip()[:40]


@contextmanager
def set_up() -> Iterator[Scene]:
    """Start everything, with every Service, policy and alias."""
    with ExitStack() as stack:
        plane = stack.enter_context(ControlPlane.start(crds=[build.istio_crds(), *project_crds()]))
        mesh = stack.enter_context(Mesh.start(plane))
        for namespace in (HOME, WIDE, NARROW):
            pods.ensure_namespace(plane, namespace)
        strict = {"mtls": {"mode": "STRICT"}}
        create(
            plane.api, make.manifest("security.istio.io/v1", "PeerAuthentication", "default", strict, namespace=HOME)
        )
        create(plane.api, make.sidecar("default", *(f"{HOME}/{row.host}" for row in ROWS), namespace=NARROW))
        create(plane.api, *(row.service() for row in ROWS), *(one for row in ROWS for one in row.bound()))
        lines = (f"rewrite stop name exact {row.host} {row.service_host} answer auto" for row in ROWS)
        mesh.node.resolve("\n    ".join(lines))
        _serve(stack, mesh)
        clients = {name: stack.enter_context(mesh.pod(name, "client", environment=STATS)) for name in (WIDE, NARROW)}
        yield Scene(mesh, clients)


def _serve(stack: ExitStack, mesh: Mesh) -> None:
    config = traffic.certificate(mesh.plane.folder)
    for called, labels in (("v1", PODS), ("v2", PODS), ("outside", OUTSIDE)):
        listening = [(r.target_port, r.served or r.speaks) for r in ROWS if r.outside == (labels is OUTSIDE)]
        pod = stack.enter_context(
            mesh.pod(HOME, called, labels={**labels, "version": called}, sidecar=labels is not OUTSIDE)
        )
        traffic.serve(mesh.plane.folder, pod.space, called, config, listening)


def run() -> list[Outcome]:
    """Try all of the rows, in one mesh and with one operator."""
    with ExitStack() as stack:
        with step(f"a mesh for {len(ROWS)} policies", "half a minute"):
            scene = stack.enter_context(set_up())
            plane = scene._mesh.plane
            folder = plane.folder / "operator"
            folder.mkdir()
            stack.enter_context(Operator(plane, identity.install(plane), folder, {"resync_seconds": "600"}))
            create_aliases(scene)
        with step("a cluster of their own", "asking every alias"):
            own = scene.ask(WIDE, alias=True)
        with step("the Service's cluster", "asking every Service and alias"):
            scene.route()
            scene.settle()
            service = scene.ask(WIDE, alias=False)
            alias, clusters = scene.ways(WIDE)
            narrow, others = scene.ways(NARROW)
        with step("back and forth", "asking all the while"):
            while_changing = scene.changing()
        followed = scene.followed()
    return [
        Outcome(
            row,
            told(row, service[row]),
            told(row, own[row]),
            told(row, alias[row]),
            told(row, narrow[row]),
            tuple(sorted({*clusters[row], *others[row]})),
            followed[row],
            _failed(row, own[row], alias[row], while_changing),
        )
        for row in ROWS
    ]


def create_aliases(scene: Scene) -> None:
    """Create the aliases, each with a cluster of its own, and wait until the sidecars have them."""
    for row in ROWS:
        scene._api.create(ALIASES, row.alias())
    eventually(lambda: not scene._undecided(), "a decision on every alias")
    scene.settle()


def _failed(row: Row, own: Answer, alias: Answer, found: Sequence[Mapping[Row, Answer]]) -> int:
    """Calls that failed, of a row that answers with either routing."""
    if own["errors"] or alias["errors"]:
        return 0
    return sum(len(asked[row]["errors"]) for asked in found)
