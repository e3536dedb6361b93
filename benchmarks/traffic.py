"""Row 4: from a Service's change to the entry that follows it, at a steady rate."""

import asyncio
import itertools
import json
import time
from collections.abc import Iterator, Sequence

from benchmarks import objects, writes
from benchmarks.cluster import UNLIMITED, Cluster, calm, cluster, ready, settled, started
from benchmarks.requests import MERGE, Call, Requests
from benchmarks.stats import Result, bucket_percentile, percentile
from dnsalias_operator.model.names import KIND, Key
from dnsalias_operator.model.snapshot import Snapshot
from tools.controlplane.progress import step
from tools.running.operator_process import Operator

ALIASES, RATE, CHANGES, TURNS = 1_000, 20, 400, 2
QUIET_SECONDS = 30.0


def measure(scale: float = 1) -> Iterator[tuple[str, Result]]:
    """Measure on a control plane of its own; ``scale`` makes it smaller for a quick look."""
    count, changes = max(50, int(ALIASES * scale)), max(60, int(CHANGES * scale))
    ports = itertools.count(20_000)
    ours: list[list[float]] = []
    theirs: list[list[float]] = []
    own: list[list[float]] = []
    with cluster() as one:
        with step(f"loading {count} aliases"):
            one.make_namespaces(count)
            one.load(map(objects.service, range(count)))
            one.load(map(objects.alias, range(count)))
            with one.operator(**UNLIMITED) as operator:
                ready(operator)
                settled(operator)
        for turn in range(TURNS):
            with step(f"{changes} changes at {RATE} a second, turn {turn + 1} of {TURNS}"):
                with one.bare(one.job([writes.SERVICES], _table(one), again=True)) as process:
                    started(process)
                    theirs.append(one.ask(lambda r: _delays(r, count, changes, ports)))
                with one.operator(**UNLIMITED) as operator:
                    ready(operator)
                    settled(operator)
                    calm(operator)
                    before = dict(_histogram(operator))
                    ours.append(one.ask(lambda r: _delays(r, count, changes, ports)))
                    counted = [(bound, many - before[bound]) for bound, many in _histogram(operator)]
                    own.append([1000 * bucket_percentile(counted, p) for p in (50, 99)])
    for place, percent in enumerate((50, 99)):
        one_of = tuple(1000 * percentile(delays, percent) for delays in ours)
        yield f"latency-p{percent}", Result(one_of, tuple(1000 * percentile(delays, percent) for delays in theirs))
        yield f"latency-p{percent}-value", Result(one_of)
        yield f"latency-own-p{percent}", Result(tuple(found[place] for found in own))


def _table(one: Cluster) -> dict[str, list[Call]]:
    services, aliases, entries = (one.objects(kind) for kind in ("Service", KIND, "ServiceEntry"))
    keys = [Key("Service", a.key.namespace, a.key.name.replace("alias", "service")) for a in aliases]
    return writes.for_services(Snapshot([*services, *aliases, *entries], namespaces_known=True), keys)


async def _delays(requests: Requests, count: int, changes: int, ports: Iterator[int]) -> list[float]:
    """Seconds from each change's request to the moment when a watch shows its entry.

    Raises:
        TimeoutError: an entry did not follow.
    """
    _, version = await requests.listed(writes.ENTRIES)
    sent: dict[int, float] = {}
    delays: list[float] = []

    async def see() -> None:
        async for event in requests.watch(writes.ENTRIES, version):
            numbers = [port.get("targetPort", 0) for port in event["object"]["spec"]["ports"]]
            delays.extend(time.monotonic() - sent.pop(number) for number in numbers if number in sent)
            if len(delays) == changes:
                return

    seeing = asyncio.create_task(see())
    await change_services(requests, range(count), RATE, changes, ports, sent)
    await asyncio.wait_for(seeing, QUIET_SECONDS)
    return delays


async def change_services(
    requests: Requests,
    numbers: Sequence[int],
    rate: float,
    changes: int,
    ports: Iterator[int],
    sent: dict[int, float] | None = None,
) -> None:
    """Give one Service after the other a new targetPort, ``rate`` a second; ``sent`` notes when each was sent."""
    began = time.monotonic()
    running = []
    for n in range(changes):
        await asyncio.sleep(max(0.0, began + n / rate - time.monotonic()))
        number, port = numbers[n % len(numbers)], next(ports)
        path = f"/api/v1/namespaces/{objects.namespace_of(number)}/services/service-{number}"
        (old,) = objects.service(number)["spec"]["ports"]
        body = {"spec": {"ports": [{**old, "targetPort": port}]}}
        if sent is not None:
            sent[port] = time.monotonic()
        running.append(asyncio.create_task(requests.send(Call("PATCH", path, json.dumps(body), MERGE))))
    await asyncio.gather(*running)


def _histogram(operator: Operator) -> list[tuple[float, float]]:
    prefix = 'dnsalias_event_to_write_seconds_bucket{le="'
    lines = [x.removeprefix(prefix) for x in operator.page("/metrics")[1].splitlines() if x.startswith(prefix)]
    return [(float(bound), float(count)) for bound, _, count in (line.partition('"} ') for line in lines)]
