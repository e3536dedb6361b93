"""Row 9: what our writes cost istiod, against the same ServiceEntries applied by kubectl in one go.

istiod runs in its network namespace as in tools/dataplane, with one sidecar connected that its pushes go to.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import objects, writes
from benchmarks.aliases import until_ready
from benchmarks.cluster import Cluster, calm, ready
from benchmarks.stats import Result
from tools import make
from tools.controlplane import build
from tools.controlplane.cluster import ControlPlane
from tools.controlplane.progress import say, step
from tools.dataplane.mesh import Mesh
from tools.dataplane.spaces import Space, why_not
from tools.dataplane.web import get

COUNT = 1_000
QUIET_SECONDS = 3.0
METRICS = "http://127.0.0.1:15014/metrics"
REPOSITORY = Path(__file__).parents[1]


def measure(scale: float = 1) -> Iterator[tuple[str, Result]]:
    """Measure on a mesh of its own, or say why this machine cannot; ``scale`` makes it smaller for a quick look."""
    if reason := why_not():
        say(f"row 9 is left out: {reason}")
        return
    count = max(50, int(COUNT * scale))
    crds = [build.istio_crds(), REPOSITORY / "crds/dnsaliases.dnsalias.io.yaml"]
    with ControlPlane.start(crds=crds) as plane, Mesh.start(plane) as mesh:
        one = Cluster(plane)
        with step(f"loading {count} Services"):
            one.make_namespaces(count)
            one.load(map(objects.service, range(count)))
        with mesh.pod("team-0000", "client"):
            with step("the operator"):
                ours = _operator(one, mesh.node.space, count)
            entries = _as_manifests(one)
            one.clear(writes.ALIASES, writes.ENTRIES)
            with step("kubectl"):
                theirs = _kubectl(plane, mesh.node.space, entries)
    for place, name in enumerate(("pushes", "events")):
        yield name, Result((ours[place],), (theirs[place],))


def _operator(one: Cluster, node: Space, count: int) -> tuple[float, float]:
    """As it is installed: with the default limit of writes."""
    with one.operator() as operator:
        ready(operator)
        calm(operator)
        before = _quiet(node)
        one.ask(lambda r: until_ready(r, count))
        return _since(before, _quiet(node))


def _kubectl(plane: ControlPlane, node: Space, manifests: str) -> tuple[float, float]:
    before = _quiet(node)
    plane.kubectl("apply", "--server-side", "-f", "-", stdin=manifests)
    return _since(before, _quiet(node))


def _as_manifests(one: Cluster) -> str:
    """The entries as somebody would apply them: without what the API server added, and without owners."""
    items = one.listed(writes.ENTRIES)
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": [_manifest(item) for item in items]})


def _manifest(item: dict[str, dict[str, object]]) -> dict[str, object]:
    meta = {name: item["metadata"][name] for name in ("name", "namespace")}
    return make.manifest(make.NETWORKING, "ServiceEntry", str(meta["name"]), item["spec"], meta=meta)


def _quiet(node: Space) -> tuple[float, float]:
    """Pushes and events so far, once neither has risen for a while."""
    last, since = _counts(node), time.monotonic()
    while time.monotonic() - since < QUIET_SECONDS:
        time.sleep(0.5)
        if (now := _counts(node)) != last:
            last, since = now, time.monotonic()
    return last


def _counts(node: Space) -> tuple[float, float]:
    _, text = get(node, METRICS)
    return _sum(text, "pilot_xds_pushes{"), _sum(text, "pilot_k8s_cfg_events{", 'type="ServiceEntry"')


def _sum(text: str, prefix: str, having: str = "") -> float:
    lines = (line for line in text.splitlines() if line.startswith(prefix) and having in line)
    return sum(float(line.rpartition(" ")[2]) for line in lines)


def _since(before: tuple[float, float], after: tuple[float, float]) -> tuple[float, float]:
    return after[0] - before[0], after[1] - before[1]
