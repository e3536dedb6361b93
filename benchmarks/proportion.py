"""Row 8, the curve: what it costs to decide again after one Service changed, in worlds of doubling size.

No cluster: the operator's own store and the core, as they work on an event. The cost must follow what the Service
touches (its alias, its entry, the others at its address), not the size of the world.
"""

import time
from collections.abc import Iterator
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks import objects, writes
from benchmarks.stats import Result
from dnsalias_operator.core.findings.lint import alias_findings, entry_findings
from dnsalias_operator.core.istio.listeners import Client, owner_of
from dnsalias_operator.core.plan import decide_alias, decide_entry, plan
from dnsalias_operator.core.triggers import affected
from dnsalias_operator.model.kinds import Object
from dnsalias_operator.model.names import KIND, Key
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.snapshot import LiveSnapshot, Snapshot
from tools import make
from tools.controlplane.progress import step

if TYPE_CHECKING:
    from dnsalias_operator.model.kinds import Object

WORLDS = (2_500, 5_000, 10_000, 20_000, 40_000)
CHANGES = 60
STEP = 3
"""Every third Service has an alias, so that half of these serve TCP and half HTTP."""


def measure(scale: float = 1) -> Iterator[tuple[str, Result]]:
    """Measure; ``scale`` makes the worlds smaller for a quick look."""
    rules = make.rules()
    planned, asked = [], []
    for size in WORLDS:
        count = max(200, int(size * scale))
        with step(f"one Service of a world of {count} objects"):
            world = converged(count, rules)
            world.put(_changed(world, 1, 30_000))
            found = [_one_change(world, n, rules) for n in range(STEP, STEP * CHANGES + 1, STEP)]
        planned.append((float(size), 1000 * median(p for p, _ in found)))
        asked.append((float(size), 1000 * median(q for _, q in found if q)))
    for name, curve in (("change-plan", planned), ("change-listeners", asked)):
        at = dict(curve)
        yield name, Result((at[20_000],), curve=tuple(curve))
        yield f"{name}-growth", Result((at[WORLDS[-1]] / at[WORLDS[0]],))


def converged(count: int, rules: Rules) -> LiveSnapshot:
    """Half Services; an alias with its entry for every third; the rest entries of others, one in ten a broken one."""
    services: list[Object] = [writes.of("Service", _service(n)) for n in range(count // 2)]
    aliases = [writes.of(KIND, {**a, "metadata": _meta(a)}) for a in map(objects.alias, range(0, count // 2, STEP))]
    others = [objects.broken_entry(n) if n % 10 == 1 else objects.external_entry(n) for n in range(count // 4)]
    entries = [writes.of("ServiceEntry", {**e, "metadata": _meta(e)}) for e in others]
    decided = plan(Snapshot([*services, *aliases, *entries], namespaces_known=True), rules)
    return LiveSnapshot(decided.after.objects(), namespaces_known=True)


def _service(n: int) -> dict[str, Any]:
    one = objects.service(n)
    ips = {"clusterIP": objects.address(n), "clusterIPs": [objects.address(n)]}
    return {**one, "metadata": _meta(one), "spec": {**one["spec"], **ips}}


def _meta(manifest: dict[str, Any]) -> dict[str, Any]:
    kind, name = manifest["kind"], manifest["metadata"]["name"]
    hour = "00" if kind == "Service" else "01"
    return {**manifest["metadata"], "uid": f"uid-{kind}-{name}", "creationTimestamp": f"2026-01-01T{hour}:00:00Z"}


def _changed(world: Snapshot, n: int, port: int) -> Service:
    old = world.service(objects.namespace_of(n), f"service-{n}")
    if old is None:
        raise ValueError(f"no Service {n}")
    (first, *rest) = old.raw["spec"]["ports"]
    return Service.parse({**old.raw, "spec": {**old.raw["spec"], "ports": [{**first, "targetPort": port}, *rest]}})


def _one_change(world: LiveSnapshot, n: int, rules: Rules) -> tuple[float, float]:
    """Seconds of deciding what the change of a Service touches, and of asking who answers at its address (TCP)."""
    new = _changed(world, n, 30_001 + n)
    old = world.get(new.key)
    began = time.perf_counter()
    world.put(new)
    for key in sorted(affected(world, old, new, rules)):
        _decide(world, key, rules)
    decided = time.perf_counter() - began
    if new.ports[0].port == objects.HTTP_PORT:
        return decided, 0.0  # answered by the one listener that all HTTP Services of the port share
    world.put(new)
    began = time.perf_counter()
    owner_of(world, Client("team-0000"), rules.mesh, new.cluster_ips[0], new.ports[0].port)
    return decided, time.perf_counter() - began


def _decide(world: Snapshot, key: Key, rules: Rules) -> None:
    if key.kind == KIND:
        decide_alias(world, key, rules)
        list(alias_findings(world, key, rules))
    else:
        decide_entry(world, key, rules)
        if (entry := world.entry(key.namespace, key.name)) is not None:
            entry_findings(world, entry, rules)
