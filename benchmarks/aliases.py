"""Rows 1, 2 and 3: many aliases at once, a cold start with everything to do, a restart with nothing to do."""

import asyncio
import time
from collections.abc import Iterator

from benchmarks import objects, writes
from benchmarks.cluster import UNLIMITED, Cluster, calm, cluster, created, pid_of, ready, settled, started
from benchmarks.process import resident, until
from benchmarks.requests import Call, Requests
from benchmarks.stats import Result
from dnsalias_operator.model.names import KIND, Key
from dnsalias_operator.model.snapshot import Snapshot
from tools.controlplane.progress import step
from tools.running.operator_process import Operator, of_operator

SMALL, LARGE, BROKEN = 1_000, 5_000, 1_000
PAIRS = {SMALL: 3, LARGE: 1}


def measure(scale: float = 1) -> Iterator[tuple[str, Result]]:
    """Measure on a control plane of its own; ``scale`` makes it smaller for a quick look."""
    small, large, broken = (max(50, int(n * scale)) for n in (SMALL, LARGE, BROKEN))
    with cluster() as one:
        with step(f"loading {large} Services"):
            one.make_namespaces(large)
            one.load(map(objects.service, range(large)))
        held: list[float] = []
        for name, count, pairs in (("burst-1000", small, PAIRS[SMALL]), ("burst-5000", large, PAIRS[LARGE])):
            ours, theirs = [], []
            for pair in range(pairs):
                with step(f"{count} aliases, pair {pair + 1} of {pairs}"):
                    theirs.append(_burst_bare(one, count))
                    seconds, memory = _burst(one, count, **UNLIMITED)
                    ours.append(seconds)
                    held.append(memory)
            yield name, Result(tuple(ours), tuple(theirs))
        yield "burst-memory", Result((held[-1],))
        with step(f"{small} aliases, with the default limits"):
            yield "burst-limited", Result((_burst(one, small)[0],))
        yield from _starts(one, large, broken)


def _burst(one: Cluster, count: int, **settings: str) -> tuple[float, float]:
    with one.operator(**settings) as operator:
        ready(operator)
        calm(operator)
        seconds = one.ask(lambda r: until_ready(r, count))
        memory = resident(pid_of(operator))
    one.clear(writes.ALIASES, writes.ENTRIES)
    return seconds, memory


def _burst_bare(one: Cluster, count: int) -> float:
    calls = writes.for_aliases(one.objects("Service"), map(objects.alias, range(count)))
    with one.bare(one.job([writes.ALIASES], calls)) as process:
        started(process)
        seconds = one.ask(lambda r: until_ready(r, count))
    one.clear(writes.ALIASES, writes.ENTRIES)
    return seconds


async def until_ready(requests: Requests, count: int, *, load: bool = True) -> float:
    """Seconds from the first request to the moment when the watch has told that the last alias is ready."""
    items, version = await requests.listed(writes.ALIASES)
    left = {(n["metadata"]["namespace"], n["metadata"]["name"]) for n in map(objects.alias, range(count))}
    left -= {(i["metadata"]["namespace"], i["metadata"]["name"]) for i in items if _ready(i)}
    began = time.monotonic()
    loading = asyncio.create_task(requests.send_all(map(created, map(objects.alias, range(count if load else 0)))))
    async for event in requests.watch(writes.ALIASES, version):
        if _ready(event["object"]):
            left.discard((event["object"]["metadata"]["namespace"], event["object"]["metadata"]["name"]))
        if not left:
            break
    await loading
    return time.monotonic() - began


def _ready(alias: dict[str, dict[str, list[dict[str, str]]]]) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in alias.get("status", {}).get("conditions", ()))


def _starts(one: Cluster, count: int, broken: int) -> Iterator[tuple[str, Result]]:
    """Row 2 and, on what it leaves behind, row 3."""
    theirs = []
    with step(f"cold start on {count} aliases and {broken} broken entries: the bare client"):
        one.load(map(objects.broken_entry, range(broken)))
        one.load(map(objects.alias, range(count)))
        calls = _everything(one, broken)
        began = time.monotonic()
        with one.bare(one.job([writes.ALIASES, writes.ENTRIES], calls)) as process:
            process.wait()
        theirs.append(time.monotonic() - began)
        one.clear(writes.ALIASES, writes.ENTRIES)
    with step("the same: the operator"):
        one.load(map(objects.broken_entry, range(broken)))
        one.load(map(objects.alias, range(count)))
        began = time.monotonic()
        with one.operator(**UNLIMITED) as operator:
            asked = len(calls)
            until(lambda: _written(operator, broken) and _all_ready(operator, count), f"{asked} objects", pause=0.2)
            ours = time.monotonic() - began
            settled(operator)
    yield "start", Result((ours,), tuple(theirs))
    with step("restart"):
        mark = one.plane.mark()
        with one.operator(**UNLIMITED) as operator:
            synced = ready(operator)
            whole = settled(operator) + synced
        made = of_operator(one.plane.mutating_requests(since=mark))
    yield "restart-writes", Result((len(made),))
    yield "restart-synced", Result((synced,))
    yield "restart-settled", Result((whole,))


def _everything(one: Cluster, broken: int) -> dict[str, list[Call]]:
    services, aliases, entries = (one.objects(kind) for kind in ("Service", KIND, "ServiceEntry"))
    keys = [Key("ServiceEntry", objects.namespace_of(n), f"service-{n}") for n in range(broken)]
    world = Snapshot([*services, *aliases, *entries], namespaces_known=True)
    return writes.for_aliases(services, (a.raw for a in aliases)) | writes.for_entries(world, keys)


def _written(operator: Operator, broken: int) -> bool:
    return operator.metric('dnsalias_writes_total{kind="ServiceEntry",operation="repair",result="ok"}') >= broken


def _all_ready(operator: Operator, count: int) -> bool:
    return operator.metric('dnsalias_writes_total{kind="DnsAlias",operation="status",result="ok"}') >= count
