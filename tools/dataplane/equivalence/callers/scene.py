"""One mesh with every entry and class of client: asked without entries, with them, and once the plan is written."""

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from dnsalias_operator.cli.reading.live import read_cluster
from dnsalias_operator.core.istio.listeners.envoy import ENTRANCE, TCP_PROXY
from dnsalias_operator.core.outcome import Plan, Verb
from dnsalias_operator.core.plan import plan as decide
from dnsalias_operator.model.mesh import Mesh as MeshFacts
from dnsalias_operator.model.names import REPAIR_MANAGER
from dnsalias_operator.model.rules import Rules
from tools import make
from tools.controlplane import build
from tools.controlplane.api import APPLY, Api
from tools.controlplane.cluster import ControlPlane
from tools.controlplane.hand import project_crds
from tools.controlplane.progress import step
from tools.controlplane.waiting import eventually
from tools.dataplane import envoy, pods
from tools.dataplane.bulk import COLLECTIONS
from tools.dataplane.equivalence import traffic
from tools.dataplane.equivalence.callers.entries import BALANCER, CASES, HOME, PODS, SERVER, UNRELATED, Case, names
from tools.dataplane.equivalence.callers.rows import CLIENTS, NARROW, POLICIES, WIDE, Client, Row, product
from tools.dataplane.equivalence.callers.verdict import Outcome, answered
from tools.dataplane.mesh import Mesh
from tools.dataplane.pods import Pod
from tools.make import Raw

ENTRIES = COLLECTIONS["ServiceEntry"].format(HOME)
MARK = "mark.example"
REFRESH = {"dnsRefreshRate": "1s"}
"""How soon a sidecar looks again for what an entry's names resolve to; a name may be younger than its entry."""
ANOTHER_SECOND = 1.1
"""Ages are of whole seconds."""
FALL_THROUGH = {"REGISTRY_ONLY": "BlackHoleCluster", "ALLOW_ANY": "PassthroughCluster"}
"""Where a sidecar sends what nobody's listener takes."""
TRIES = 2
Answers = dict[Row, str]


class Scene:
    """The mesh, with clients; its Services and servers are there, its entries come later."""

    def __init__(self, mesh: Mesh, clients: Mapping[Client, Pod]) -> None:
        """Use ``set_up`` instead."""
        self._mesh, self._clients = mesh, clients
        self._api = mesh.plane.api
        self._marks = itertools.count(1)

    @contextmanager
    def entries(self) -> Iterator[None]:
        """The entries as their owners wrote them, with all that is younger, for the length of the block.

        They go and come rather than being written back: where addresses were taken out of an entry, istiod does not
        allocate one again (source: pilot/pkg/controllers/ipallocate/ipallocate.go, neither of its two patches fits).
        """
        made = [*(case.entry() for case in CASES), *(case.rule() for case in CASES if case.originates)]
        younger = [case.made_service() for case in CASES if case.service == "younger"]
        create(self._api, *made)
        time.sleep(ANOTHER_SECOND)
        create(self._api, *younger)
        self._wait_for_addresses()
        self.settle()
        eventually(lambda: not self._unresolved(), lambda: f"endpoints of {self._unresolved()}")
        yield
        for one in (*made, *younger):
            self._api.delete(path(one))

    def obey(self, policy: str) -> None:
        """Give the mesh that outbound traffic policy, and wait until every sidecar has it."""
        self._mesh.istiod.configure(mesh_config(policy))
        wanted = FALL_THROUGH[policy]
        eventually(lambda: all(_falls_through(pod) == wanted for pod in self._clients.values()), wanted)
        self.settle()

    def settle(self) -> None:
        """Wait until every client's sidecar has all that was written so far: what comes after it has arrived."""
        number = next(self._marks)
        name, address, port = f"mark-{number}", f"240.242.0.{number}", 6000 + number
        given: dict[str, Any] = {"resolution": "STATIC", "addresses": [address], "endpoints": [{"address": UNRELATED}]}
        ports = [make.entry_port(port)]
        create(self._api, make.entry(name, f"{name}.{MARK}", ports=ports, namespace=HOME, **given))
        for client, pod in self._clients.items():
            eventually(lambda: _knows(pod, address, port), f"{name} in {client}")  # noqa: B023
            if client.captured:
                eventually(lambda: pod.call(["getent", "hosts", f"{name}.{MARK}"]).returncode == 0, name)  # noqa: B023

    def ask(self, rows: Sequence[Row]) -> Answers:
        """Who answers each of the calls."""
        found: Answers = {}
        for client, pod in self._clients.items():
            mine = [row for row in rows if row.client == client]
            asked = traffic.ask(pod, [_ask(row) for row in mine])
            found |= {row: answered(one) for row, one in zip(mine, asked, strict=True)}
        return found

    def plan(self, policy: str, *, captured: bool) -> Plan:
        """What the product decides about this cluster."""
        facts = MeshFacts(outbound_traffic_policy=policy, dns_capture=captured)
        live = read_cluster(str(self._mesh.plane.kubeconfig), "", "", facts)
        return decide(live.inputs.snapshot(), Rules(mesh=facts, foreign_entries="patch"))

    def write(self, decided: Plan) -> None:
        """Write the plan's changes, as the operator does."""
        assert {change.verb for change in decided.changes} <= {Verb.REPAIR}
        for change in decided.changes:
            where = f"{path(change.apply)}?fieldManager={REPAIR_MANAGER}&force=false"
            self._api.request("PATCH", where, dict(change.apply), APPLY)
        self.settle()

    def _wait_for_addresses(self) -> None:
        """Wait until istiod has given every entry the address that it allocates where there is none in the spec."""
        wanted = {case.name for case in CASES if case.spec.get("resolution") != "NONE"}

        def lacking() -> set[str]:
            items = self._api.get(ENTRIES)["items"]
            return wanted - {item["metadata"]["name"] for item in items if item.get("status", {}).get("addresses")}

        eventually(lambda: not lacking(), lambda: f"allocated addresses of {lacking()}")

    def _unresolved(self) -> list[str]:
        """Clusters of entries that have no endpoint yet in some sidecar, and should have one."""
        wanted = [case.cluster for case in CASES if case.spec.get("resolution") != "NONE"]
        known = [_with_endpoints(pod) for pod in self._clients.values()]
        return [name for name in wanted if not all(name in one for one in known)]


@contextmanager
def set_up(policy: str) -> Iterator[Scene]:
    """Start everything but for the entries and what is younger."""
    with ExitStack() as stack:
        plane = stack.enter_context(ControlPlane.start(crds=[build.istio_crds(), *project_crds()]))
        mesh = stack.enter_context(Mesh.start(plane, mesh_config=mesh_config(policy)))
        mesh.node.resolve(names())
        for namespace in (HOME, WIDE, NARROW):
            pods.ensure_namespace(plane, namespace)
        _serve(stack, mesh)
        known = [host for case in CASES for host in (case.host, *([case.service_host] if case.known else []))]
        imported = [f"{HOME}/{host}" for host in (f"*.{MARK}", *known)]
        create(plane.api, make.sidecar("default", *imported, namespace=NARROW))
        create(plane.api, *(case.made_service() for case in CASES if case.service == "older"))
        started = (mesh.pod(one.namespace, one.name, dns_capture=one.captured) for one in CLIENTS)
        yield Scene(mesh, dict(zip(CLIENTS, map(stack.enter_context, started), strict=True)))


def _serve(stack: ExitStack, mesh: Mesh) -> None:
    """Start the servers: what is behind the entries speaks as it is spoken to by sidecars, others as by callers."""
    folder = mesh.plane.folder
    config = traffic.certificate(folder)
    served = [port for case in CASES for port in case.served()]
    spoken = [port for case in CASES for port in case.spoken()]
    for called, address, ports in (
        ("outside", SERVER, served),
        ("balancer", BALANCER, spoken),
        ("unrelated", UNRELATED, spoken),
    ):
        traffic.serve(folder, stack.enter_context(mesh.host(called, address)), called, config, ports)
    pod = stack.enter_context(mesh.pod(HOME, "server", labels=PODS, sidecar=False))
    traffic.serve(folder, pod.space, "server", config, served)


def run(policies: tuple[str, ...] = POLICIES) -> list[Outcome]:
    """Make every call of these meshes, and return what came of each."""
    rows = product(policies)
    others = [row for row in rows if not row.call.own]
    with ExitStack() as stack:
        with step(f"a mesh for {len(rows)} calls of {len(CASES)} entries", "a minute"):
            scene = stack.enter_context(set_up(policies[0]))
        alone: Answers = {}
        for policy in policies:
            with step(f"{policy}, no entries", "asking those that no entry is about"):
                scene.obey(policy)
                alone |= scene.ask([row for row in others if row.policy == policy])
        found = [one for policy in reversed(policies) for one in _tried(scene, rows, policy, alone)]
        return sorted(found, key=lambda outcome: rows.index(outcome.row))


def _tried(scene: Scene, rows: Sequence[Row], policy: str, alone: Answers) -> Iterator[Outcome]:
    """What came of the rows under that policy."""
    scene.obey(policy)
    for captured in (False, True):
        mine = [row for row in rows if row.policy == policy and row.client.captured == captured]
        capture = f"DNS capture {'on' if captured else 'off'}"
        with step(f"{policy}, {capture}", f"{len(mine)} calls, twice"), scene.entries():
            before = scene.ask(mine)
            decided = scene.plan(policy, captured=captured)
            scene.write(decided)
            after = scene.ask(mine)
        for row in mine:
            yield Outcome(row, alone.get(row, ""), before[row], after[row], told(decided, row.call.case))


def told(decided: Plan, case: Case) -> str:
    """What the plan does with the entry, and why it leaves something wrong."""
    (entry,) = (e for e in decided.entries if (e.key.namespace, e.key.name) == (HOME, case.name))
    raw = next((dict(c.apply) for c in decided.changes if c.key == entry.key), {})
    given = raw.get("spec", {})
    does = [
        *(["Service's address" if a == case.address else "own address" for a in given.get("addresses", [])]),
        *(["Service as endpoint"] if "endpoints" in given else []),
    ]
    return ", ".join([" and ".join(does) or "no change", *([str(entry.reason)] if entry.reason else [])])


def create(api: Api, *objects: Raw) -> None:
    """Create objects."""
    for made in objects:
        api.create(path(made).rpartition("/")[0], made)


def path(made: Mapping[str, Any]) -> str:
    """Where the object is."""
    return f"{COLLECTIONS[made['kind']].format(made['metadata']['namespace'])}/{made['metadata']['name']}"


def mesh_config(policy: str) -> dict[str, Any]:
    """Fields of MeshConfig."""
    return {**REFRESH, "outboundTrafficPolicy": {"mode": policy}}


def _ask(row: Row) -> dict[str, Any]:
    call = row.call
    what = {"kind": call.speaks, "name": call.name, "to": call.to, "port": call.port}
    return {**what, "tries": TRIES, "pods": 1, "most": TRIES}


def _falls_through(pod: Pod) -> str:
    """Where the sidecar sends what nobody's listener takes."""
    for config in envoy.config_dump(pod.space, "dynamic_listeners")["configs"]:
        if config["name"] == ENTRANCE:
            chains = config["active_state"]["listener"]["filter_chains"]
            (last,) = (chain for chain in chains if not chain.get("filter_chain_match"))
            (cluster,) = {f["typed_config"]["cluster"] for f in last["filters"] if f["name"] == TCP_PROXY}
            return str(cluster)
    return ""


def _knows(pod: Pod, address: str, port: int) -> bool:
    return any((row.bind, row.port) == (address, port) for row in pod.listeners())


def _with_endpoints(pod: Pod) -> set[str]:
    """Clusters of the sidecar that have an endpoint."""
    return {line.partition("::")[0] for line in pod.admin("clusters").splitlines() if "::cx_active::" in line}
