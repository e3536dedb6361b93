"""All rows of a run in one mesh, with one operator: what is there before the aliases, and what after."""

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

from tools.controlplane import build
from tools.controlplane.cluster import ControlPlane
from tools.controlplane.hand import project_crds
from tools.controlplane.progress import step
from tools.controlplane.waiting import eventually
from tools.dataplane import pods
from tools.dataplane.equivalence import objects, traffic, views
from tools.dataplane.equivalence.rows import Row
from tools.dataplane.equivalence.seen import Outcome, Seen
from tools.dataplane.mesh import Mesh
from tools.dataplane.pods import Pod
from tools.running import identity
from tools.running.operator_process import COMMAND, Operator

PUBLIC = "203.0.113.7"
ANOTHER_SECOND = 1.1
"""Ages are of whole seconds."""
SETTLE_SECONDS = 2.0
AT_ONCE = 4
"""Requests to the API server at the same time."""
SERVERS = {"all": (True,), "none": (False,), "half": (True, False)}
"""The server pods of a namespace: which have a sidecar."""
STATS = {"ISTIO_METAJSON_STATS": json.dumps({"ANNOTATIONS": {"sidecar.istio.io/statsInclusionPrefixes": "cluster"}})}
"""What makes the client's sidecar count connections by cluster, as the annotation of a pod does."""
TOLD = ("DA015", "DA016")
"""Findings that carry the reason why an entry is unfixed or contained."""
_UNFIXED = re.compile(
    r'^dnsalias_unfixed_serviceentry_info\{name="(.+?)",namespace=".+?",reason="(.+?)",', re.MULTILINE
)
SURE, MANY, FEW = 24, 12, 6
"""Connections until every pod must have answered, should have, and that tell whether one server does."""

Naming = Callable[[Row], str]


class Scene:
    """A mesh with server pods, a client pod and a public server."""

    def __init__(self, mesh: Mesh, rows: Sequence[Row], servers: dict[str, list[Pod]], client: Pod) -> None:
        """Use ``set_up`` instead."""
        self.mesh, self.plane, self.rows, self.servers, self.client = mesh, mesh.plane, rows, servers, client
        self._addresses: dict[Row, str] = {}

    def create(self, made: Iterable[dict[str, Any]]) -> None:
        """Create objects, many at once."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda obj: self.plane.api.create(objects.collection(obj), obj), made))

    def create_services(self, rows: Sequence[Row]) -> None:
        """The Services of these rows, each a second older than the second Service of the same pods."""
        self.create(objects.service(row, self._addresses.get(row)) for row in rows)
        time.sleep(ANOTHER_SECOND)
        self.create(objects.second_service(row) for row in rows)
        for item in self.plane.api.get("/api/v1/services")["items"]:
            by_name = {(objects.namespace(row), objects.name(row)): row for row in rows}
            if row := by_name.get((item["metadata"]["namespace"], item["metadata"]["name"])):
                self._addresses[row] = item["spec"]["clusterIP"]

    def delete_services(self, rows: Sequence[Row]) -> None:
        """Delete the Services of these rows."""
        made = [one for row in rows for one in (objects.service(row), objects.second_service(row))]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda obj: self.plane.api.delete(objects.path(obj)), made))

    def resolve_aliases(self) -> None:
        """Let the cluster's DNS lead every alias to its Service, as ``dnsalias coredns`` would."""
        lines = (f"rewrite stop name exact {objects.host(r)} {objects.service_host(r)} answer auto" for r in self.rows)
        self.mesh.node.resolve("\n    ".join(lines))

    def settle(self) -> None:
        """Wait until every sidecar knows every Service of the rows, and nothing changes any more."""
        wanted = {f"outbound|{objects.port(row)}||{objects.service_host(row)}" for row in self.rows}
        eventually(lambda: wanted <= views.Dump(self.client).clusters.keys(), "clusters of all Services")
        watched = [self.client, *(pod for group in self.servers.values() for pod in group if pod.has_sidecar)]
        before: list[object] = []
        while (now := [_versions(pod) for pod in watched]) != before:
            before = now
            time.sleep(SETTLE_SECONDS)

    def look(self, *, aliases: bool) -> dict[Row, Seen]:
        """Ask everything, and read every sidecar."""
        seen = {row: Seen() for row in self.rows}
        dump = views.Dump(self.client)
        for row in self.rows:
            seen[row].client = views.of_client(dump, row, self._addresses[row])
        for group in self.servers.values():
            for pod in (pod for pod in group if pod.has_sidecar):
                inbound = views.Dump(pod)
                for row in (r for r in self.rows if objects.namespace(r) == pod.namespace):
                    seen[row].servers[pod.name] = views.of_server(inbound, row)
        idle = views.connections(self.client)
        for row, answer in self._ask(objects.service_host, objects.service_host, pods=2, most=SURE).items():
            seen[row].service = answer
        called = views.connections(self.client)
        for row in self.rows:
            seen[row].service_mtls = _more(idle, called, f"outbound|{objects.port(row)}||{objects.service_host(row)}")
        for row, answer in self._ask(self._called_by_address, self._addresses.__getitem__, pods=2, most=SURE).items():
            seen[row].address = answer
        for row, answer in self._ask(lambda _: "public.example", lambda _: PUBLIC, pods=1, most=FEW).items():
            seen[row].public = answer
        if aliases:
            self._look_at_aliases(seen)
        return seen

    def _look_at_aliases(self, seen: dict[Row, Seen]) -> None:
        before = views.connections(self.client)
        for row, answer in self._ask(objects.host, objects.host, pods=2, most=MANY).items():
            seen[row].alias = answer
        after = views.connections(self.client)
        for row in self.rows:
            ways = {name: _more(before, after, name) for name in after if name.split("|")[1] == str(objects.port(row))}
            seen[row].alias_way = {name: more for name, more in ways.items() if more[0]}

    def _ask(self, name: Naming, to: Naming, *, pods: int, most: int) -> dict[Row, Any]:
        asks = [
            {
                "kind": row.protocol,
                "name": name(row),
                "to": to(row),
                "port": objects.port(row),
                "tries": 2,
                "pods": min(pods, len(SERVERS[row.sidecars])),
                "most": most,
            }
            for row in self.rows
        ]
        return dict(zip(self.rows, traffic.ask(self.client, asks), strict=True))

    def _called_by_address(self, row: Row) -> str:
        return "by.address" if row.protocol == "tls" else self._addresses[row]


@contextmanager
def set_up(rows: Sequence[Row]) -> Iterator[Scene]:
    """Start everything that the rows need, but for the operator."""
    with ExitStack() as stack:
        plane = stack.enter_context(ControlPlane.start(crds=[build.istio_crds(), *project_crds()]))
        mesh = stack.enter_context(Mesh.start(plane))
        situations = {objects.namespace(row): row for row in rows}
        for namespace in (objects.CLIENT, *situations):
            pods.ensure_namespace(plane, namespace)
        for row in situations.values():
            made = objects.peer_authentication(row)
            plane.api.create(objects.collection(made), made)
        config = traffic.certificate(plane.folder)
        public = stack.enter_context(mesh.host("public", PUBLIC))
        traffic.serve(plane.folder, public, "public", config, [(objects.port(row), row.protocol) for row in rows])
        servers: dict[str, list[Pod]] = {}
        for namespace, row in situations.items():
            listening = [(objects.target_port(r), r.protocol) for r in rows if objects.namespace(r) == namespace]
            for sidecar in SERVERS[row.sidecars]:
                called = "in-mesh" if sidecar else "outside"
                pod = stack.enter_context(mesh.pod(namespace, called, labels=objects.PODS, sidecar=sidecar))
                servers.setdefault(namespace, []).append(pod)
                traffic.serve(plane.folder, pod.space, f"{namespace}/{called}", config, listening)
        client = stack.enter_context(mesh.pod(objects.CLIENT, "client", environment=STATS))
        yield Scene(mesh, rows, servers, client)


def run(rows: Sequence[Row]) -> list[Outcome]:
    """Try all of the rows, in one mesh and with one operator, and return what came of each."""
    with step(f"a mesh for {len(rows)} rows", "a minute"), ExitStack() as stack:
        scene = stack.enter_context(set_up(rows))
        scene.create_services(rows)
        scene.resolve_aliases()
        scene.settle()
        kept = stack.pop_all()
    with kept, _operator(scene.plane) as operator:
        with step("before", "asking every Service"):
            before = scene.look(aliases=False)
        with step("aliases and foreign entries", "older and younger than their Services"):
            late = [row for row in rows if row.older == "alias"]
            scene.delete_services(late)
            time.sleep(ANOTHER_SECOND)
            scene.create(objects.alias(row) if row.origin == "generated" else objects.entry(row) for row in rows)
            operator.idle()
            time.sleep(ANOTHER_SECOND)
            scene.create_services(late)
            eventually(lambda: not _undecided(scene), "a decision on every alias")
            operator.idle()
            scene.settle()
        with step("after", "asking every Service and alias"):
            after = scene.look(aliases=True)
        return _decided(scene, operator, (before, after))


def _operator(plane: ControlPlane) -> Operator:
    """The operator with the rights that manifests/ give it."""
    folder = plane.folder / "operator"
    folder.mkdir()
    settings = {"unfixed_info_cap": "1000", "resync_seconds": "600"}
    return Operator(plane, identity.install(plane), folder, settings)


def _undecided(scene: Scene) -> list[Row]:
    """Rows whose alias has no verdict on the Service that is there now."""
    found = {(a["metadata"]["namespace"], a["metadata"]["name"]): a for a in _all(scene.plane, "DnsAlias")}
    generated = [row for row in scene.rows if row.origin == "generated"]
    ready = {row: _ready(found[objects.namespace(row), objects.name(row)]) for row in generated}
    return [row for row, (_, reason, _) in ready.items() if reason in {"", "ServiceNotFound", "WaitingForAge"}]


def _ready(alias: dict[str, Any]) -> tuple[str, str, str]:
    """Status, reason and message of the condition Ready."""
    for one in alias.get("status", {}).get("conditions", []):
        if one["type"] == "Ready":
            return one["status"], one["reason"], one["message"]
    return "", "", ""


def _all(plane: ControlPlane, kind: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = plane.api.get(objects.EVERYWHERE[kind])["items"]
    return found


def _decided(scene: Scene, operator: Operator, seen: tuple[dict[Row, Seen], dict[Row, Seen]]) -> list[Outcome]:
    """What was seen, with what the operator decided."""
    aliases = {(a["metadata"]["namespace"], a["metadata"]["name"]): a for a in _all(scene.plane, "DnsAlias")}
    entries = {(e["metadata"]["namespace"], e["metadata"]["name"]): e for e in _all(scene.plane, "ServiceEntry")}
    unfixed = _unfixed(scene, operator)
    outcomes = []
    for row in scene.rows:
        key = objects.namespace(row), objects.name(row)
        outcome = Outcome(row, seen[0][row], seen[1][row], written=entries.get(key, {}).get("spec", {}))
        outcome.contained = str(outcome.written.get("addresses")).startswith("['240.241.")
        if row.origin == "generated":
            status, reason, outcome.message = _ready(aliases[key])
            outcome.reason = "" if status == "True" else reason
        else:
            outcome.reason, outcome.message = unfixed.get(row, ("", ""))
        outcomes.append(outcome)
    return outcomes


def _unfixed(scene: Scene, operator: Operator) -> dict[Row, tuple[str, str]]:
    """Reason and message of the foreign entries that the operator could not cure: by its metric and its log."""
    reasons = dict(_UNFIXED.findall(operator.page("/metrics")[1]))
    found = {row: (reasons[objects.name(row)], "") for row in scene.rows if objects.name(row) in reasons}
    # Of contained entries the metrics have the number only: the reason is what lint says of the same cluster.
    command = [COMMAND[0], "lint", "--kubeconfig", str(operator.kubeconfig), "-o", "json", "--fail-on", "never"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    said = {
        (f["namespace"], f["name"]): f["message"] for f in json.loads(result.stdout)["findings"] if f["code"] in TOLD
    }
    for row in scene.rows:
        if message := said.get((objects.namespace(row), objects.name(row))):
            assert found.get(row, (message.partition(":")[0], ""))[0] == message.partition(":")[0], (row, found[row])
            found[row] = message.partition(":")[0], message
    return found


def _versions(pod: Pod) -> object:
    """What changes whenever the sidecar is told of something new."""
    return views.asked(pod, "stats?filter=version_text|update_time")


def _more(before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]], name: str) -> tuple[int, int]:
    was, now = before.get(name, (0, 0)), after.get(name, (0, 0))
    return now[0] - was[0], now[1] - was[1]
