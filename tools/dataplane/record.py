"""Recording what a real sidecar listens on in a random world.

    python -m tools.dataplane.record SEED CELLS OUT.json.gz [--namespace NS] [--dns-capture] [--registry-only]
        [--dual-stack] [--istio-dual-stack] [--sidecars] [--mesh-config FILE]

The recording is what ``python -m tests.core.agreement OUT.json.gz`` reads: ``seed``, ``from`` (the client's namespace),
``objects`` as the API server returns them, ``rejected`` (by it or by istiod's own validation, so never created),
``listeners`` as rows of Envoy's, and ``errors``, the listeners that Envoy refused. ``meshConfig`` has the fields of
MeshConfig that were set, if there are any. With ``--sidecars`` the world has
Sidecars, and ``clients`` has the same from more pods: ``from``, ``labels``, ``listeners`` and ``errors`` of each.
"""

import argparse
import gzip
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import yaml

from dnsalias_operator.cli.printing.rows import as_dict
from dnsalias_operator.core.istio.meshconfig.selectors import discovery_of, selected
from tools import make
from tools.controlplane import ControlPlaneError, build
from tools.controlplane.cluster import ControlPlane
from tools.controlplane.progress import say, step
from tools.controlplane.waiting import eventually
from tools.dataplane import bulk, envoy
from tools.dataplane.mesh import BINARIES, Mesh
from tools.dataplane.pods import Pod, ensure_namespace
from tools.dataplane.spaces import why_not
from tools.dataplane.validate import invalid
from tools.dataplane.world import world
from tools.dataplane.world_cell import NAMESPACES, Object
from tools.dataplane.world_sidecars import ROOT, TEAMS, Place, places, sidecars

WAVE_SECONDS = 1.1
"""Ages are of whole seconds, so waves this far apart differ."""
SETTLE_SECONDS = 1.0
_LAST_PORTS = {"Service": 9, "ServiceEntry": 11}
_WITNESS = "witness"
"""Namespace of the first client in a world with Sidecars: its own Sidecar is the last object of all."""
_LAST_SIDECAR_PORT = 13


def record(
    seed: int,
    cells: int,
    *,
    namespace: str = "default",
    dns_capture: bool = False,
    registry_only: bool = False,
    dual_stack: bool = False,
    istio_dual_stack: bool = False,
    with_sidecars: bool = False,
    mesh_config: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Make the world in a new cluster and read the listeners of a sidecar in it.

    Args:
        seed: of the world.
        cells: of the world.
        namespace: of the client.
        dns_capture: whether the client's sidecar answers its DNS lookups, and uses addresses that istiod allocates.
        registry_only: whether outboundTrafficPolicy is REGISTRY_ONLY.
        dual_stack: whether the client has an IPv6 address too.
        istio_dual_stack: whether istiod and sidecars run with ISTIO_DUAL_STACK.
        with_sidecars: whether there are Sidecars, and clients that they tell apart; ``namespace`` is then not used.
        mesh_config: further fields of MeshConfig. istiod has to discover default and istio-system.

    Returns:
        The recording.
    """
    waves = world(seed, cells)
    if with_sidecars:
        namespace = _WITNESS
        for number, sidecar in enumerate(sidecars(seed, [obj for wave in waves for obj in wave], cells)):
            waves[number % len(waves)].append(sidecar)
    config = {**({"outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}} if registry_only else {}), **(mesh_config or {})}
    environment = {"ISTIO_DUAL_STACK": "true"} if istio_dual_stack else {}
    with (
        ControlPlane.start(crds=[build.istio_crds()]) as plane,
        Mesh.start(plane, mesh_config=config, istiod_environment=environment) as mesh,
    ):
        for name in {*NAMESPACES, namespace, *((ROOT, *TEAMS) if with_sidecars else ())}:
            ensure_namespace(plane, name)
        rejected = put(plane, waves)
        if dns_capture:
            _wait_for_addresses(plane)
        bulk.create(plane.api, _last())
        if with_sidecars:
            bulk.create(plane.api, [_last_sidecar()])
        pod_options: dict[str, Any] = {"dns_capture": dns_capture, "dual_stack": dual_stack, "environment": environment}
        with mesh.pod(namespace, "recorder", wait=False, **pod_options) as pod:
            last = {*_LAST_PORTS.values(), *([_LAST_SIDECAR_PORT] if with_sidecars else [])}
            recording = {
                "seed": seed,
                "from": namespace,
                "objects": objects(plane),
                "rejected": rejected,
                **({"meshConfig": dict(mesh_config)} if mesh_config else {}),
                **_seen(settled(pod, last)),
            }
            if with_sidecars:
                recording["clients"] = list(_views(mesh, _started(mesh_config or {}), pod_options))
            return recording


def _started(mesh_config: Mapping[str, Any]) -> list[Place]:
    """The places where sidecars start: istiod puts its certificate into the namespaces that it sees, and no others."""
    selectors = discovery_of(mesh_config.get("discoverySelectors", []))
    return [place for place in places() if selected(selectors, None, place.namespace)]


def _seen(dump: dict[str, Any]) -> dict[str, Any]:
    return {"listeners": [as_dict(row) for row in envoy.rows(dump)], "errors": envoy.errors(dump)}


def _views(mesh: Mesh, where: Sequence[Place], pod_options: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What pods at those places see, once istiod knows all there is: they are told everything at once."""
    with ExitStack() as stack:
        pods = [
            stack.enter_context(
                mesh.pod(place.namespace, f"viewer-{number}", labels=place.labels, wait=False, **pod_options)
            )
            for number, place in enumerate(where)
        ]
        for place, pod in zip(where, pods, strict=True):
            yield {"from": place.namespace, "labels": dict(place.labels), **_seen(settled(pod, set()))}


def put(plane: ControlPlane, waves: Sequence[Sequence[Object]]) -> dict[str, str]:
    """Create the waves one after the other, each at a later second, without what istiod's validation refuses.

    Returns:
        Why by object, for those that are not there: see ``bulk.label``.
    """
    rejected = invalid([obj for wave in waves for obj in wave])
    for wave in waves:
        began = time.monotonic()
        rejected |= bulk.create(plane.api, [obj for obj in wave if bulk.label(obj) not in rejected])
        time.sleep(max(0.0, WAVE_SECONDS - (time.monotonic() - began)))
    return dict(sorted(rejected.items()))


def settled(pod: Pod, last: AbstractSet[int]) -> dict[str, Any]:
    """Envoy's listeners once it has been told of everything: when it has the ports ``last``, if any, and rests.

    istiod hears of the objects of a kind in the order of their creation, so a sidecar that has a listener for the last
    one of every kind has one for all; what istiod then still works at shows as change.
    """

    def complete() -> dict[str, Any] | None:
        pod.space.fail_if_dead()
        dump = envoy.config_dump(pod.space, "dynamic_listeners")
        there = {row.port for row in envoy.rows(dump)}
        return dump if envoy.told(dump) and there.issuperset(last) else None

    dump = eventually(complete, "the listeners of the objects created last")
    while True:
        time.sleep(SETTLE_SECONDS)
        again = envoy.config_dump(pod.space, "dynamic_listeners")
        if dump is not None and envoy.rows(again) == envoy.rows(dump):
            return again
        dump = again


def objects(plane: ControlPlane) -> list[Object]:
    """Every object there is of the kinds that worlds are made of, as the API server returns it but managedFields."""
    found = []
    for kind, path in bulk.COLLECTIONS.items():
        listed = plane.api.get(path.replace("/namespaces/{}", ""))
        for item in listed["items"]:
            item["metadata"].pop("managedFields", None)
            found.append({"apiVersion": listed["apiVersion"], "kind": kind, **item})
    return found


def write(recording: Mapping[str, Any], path: Path) -> None:
    """Write the recording as gzipped JSON, the same bytes for the same recording."""
    text = json.dumps(recording, sort_keys=True, separators=(",", ":"))
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


def main(arguments: list[str] | None = None) -> int:
    """Record and say what was recorded; 1 where something did not come up."""
    parser = argparse.ArgumentParser(prog="python -m tools.dataplane.record", description=__doc__)
    parser.add_argument("seed", type=int)
    parser.add_argument("cells", type=int)
    parser.add_argument("out", type=Path)
    parser.add_argument("--namespace", default="default", help="of the client")
    parser.add_argument("--dns-capture", action="store_true", help="the client's sidecar has DNS capture on")
    parser.add_argument("--registry-only", action="store_true", help="outboundTrafficPolicy is REGISTRY_ONLY")
    parser.add_argument("--dual-stack", action="store_true", help="the client has an IPv6 address too")
    parser.add_argument("--istio-dual-stack", action="store_true", help="istiod and sidecars run with ISTIO_DUAL_STACK")
    parser.add_argument("--sidecars", action="store_true", help="a world with Sidecars, seen from several pods")
    parser.add_argument("--mesh-config", type=Path, help="a file with further fields of MeshConfig, as YAML")
    options = parser.parse_args(arguments)
    mesh_config = yaml.safe_load(options.mesh_config.read_text(encoding="utf-8")) if options.mesh_config else None
    if reason := why_not():
        say(f"error: {reason}")
        return 1
    try:
        build.ensure(*build.CONTROL_PLANE, *BINARIES, "istioctl")
        with step(f"recording a world of {options.cells} cells", "a minute for 500"):
            recording = record(
                options.seed,
                options.cells,
                namespace=options.namespace,
                dns_capture=options.dns_capture,
                registry_only=options.registry_only,
                dual_stack=options.dual_stack,
                istio_dual_stack=options.istio_dual_stack,
                with_sidecars=options.sidecars,
                mesh_config=mesh_config,
            )
    except ControlPlaneError as error:
        say(f"error: {error}")
        return 1
    write(recording, options.out)
    counts = ", ".join(f"{len(recording[name])} {name}" for name in ("objects", "rejected", "listeners", "errors"))
    sys.stdout.write(f"{options.out}: {counts}\n")
    return 0


def _last() -> list[Object]:
    """The objects created last, by which ``settled`` knows that everything has arrived."""
    name, namespace = "created-last", "default"
    ports = [make.entry_port(_LAST_PORTS["ServiceEntry"], "HTTP", "http")]
    return [
        make.service(name, ports=[make.port(_LAST_PORTS["Service"], "http")], namespace=namespace),
        make.entry(name, "created-last.team", ports=ports, resolution="NONE", namespace=namespace),
    ]


def _last_sidecar() -> Object:
    """The first client's Sidecar: it imports everything, and has one port of its own by which it shows."""
    port = {"number": _LAST_SIDECAR_PORT, "protocol": "HTTP_PROXY", "name": "last"}
    egress = [{"port": port, "hosts": ["*/*"]}, {"hosts": ["*/*"]}]
    return make.sidecar("created-last", namespace=_WITNESS, egress=egress)


def _wait_for_addresses(plane: ControlPlane) -> None:
    """Until istiod has stopped allocating addresses to entries; which ones get some is its own decision."""
    before = -1
    while (now := sum("addresses" in o.get("status", {}) for o in objects(plane))) != before:
        before = now
        time.sleep(SETTLE_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
