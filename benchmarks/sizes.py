"""Rows 5, 6 and 7: memory, cold start and processor time of clusters of several sizes, with nothing to write."""

import itertools
import subprocess
import time
from collections.abc import Iterator

from benchmarks import objects
from benchmarks.cluster import REPOSITORY, UNLIMITED, Cluster, calm, cluster, pid_of, ready, settled
from benchmarks.measures import SIZES
from benchmarks.process import cpu, python, resident, until
from benchmarks.stats import Result
from benchmarks.traffic import change_services
from tools.controlplane.progress import step
from tools.running.operator_process import Operator

REST_SECONDS, RESYNC_SECONDS, CHANGE_SECONDS, RATE = 20, 45, 20, 20
DEFAULT_RESYNC = 600
KINDS = (
    "/api/v1/services",
    "/api/v1/namespaces",
    "/apis/networking.istio.io/v1/serviceentries",
    "/apis/networking.istio.io/v1/sidecars",
    "/apis/dnsalias.io/v1alpha1/dnsaliases",
)


def measure(scale: float = 1) -> Iterator[tuple[str, Result]]:
    """Measure on a control plane of its own; ``scale`` makes it smaller for a quick look."""
    took: dict[int, float] = {}
    with cluster() as one:
        have = 0
        one.make_namespaces(int(SIZES[-1] * scale) // 2)
        for size in SIZES:
            want = max(200, int(size * scale))
            with step(f"growing to {want} objects"):
                _grow(one, have // 4, want // 4)
                have = want
            with step(f"Kopf alone on {want} objects"):
                alone = _kopf(one)
            with step(f"the operator on {want} objects"):
                synced, whole, held = _operator(one)
            took[size] = synced
            yield f"memory-{size}", Result((held,), (alone[1],))
            yield f"synced-{size}", Result((synced,), (alone[0],))
            yield f"settled-{size}", Result((whole,))
        yield "synced-doubling", Result((took[SIZES[-1]] / took[SIZES[-2]],))
        yield from _processor(one, have // 4)


def _grow(one: Cluster, old: int, new: int) -> None:
    """Half Services, a quarter aliases, a quarter entries: those that the operator makes of the aliases."""
    one.load(map(objects.service, range(old * 2, new * 2)))
    one.load(map(objects.alias, range(old, new)))
    with one.operator(**UNLIMITED, events="false") as operator:
        ready(operator)
        settled(operator)


def _kopf(one: Cluster) -> tuple[float, float]:
    """Seconds until Kopf has told of every object, and the MiB it holds then."""
    count = sum(len(one.listed(path)) for path in KINDS)
    began = time.monotonic()
    process = subprocess.Popen(
        python("benchmarks.kopf_alone", str(one.kubeconfig), str(count)),
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        if not process.stdout or process.stdout.readline().strip() != "synced":
            raise RuntimeError("Kopf alone ended")
        seconds = time.monotonic() - began
        time.sleep(2)
        return seconds, resident(process.pid)
    finally:
        process.kill()
        process.wait()


def _operator(one: Cluster) -> tuple[float, float, float]:
    """Seconds until ready and until everything is decided, and the MiB held then."""
    with one.operator(**UNLIMITED) as operator:
        synced = ready(operator)
        whole = synced + settled(operator)
        calm(operator)
        return synced, whole, resident(pid_of(operator))


def _processor(one: Cluster, aliases: int) -> Iterator[tuple[str, Result]]:
    with one.operator(**UNLIMITED, resync_seconds=str(RESYNC_SECONDS)) as operator:
        ready(operator)
        settled(operator)
        calm(operator)
        with step("a resync"):
            last = _listed(operator)
            spent = cpu(pid_of(operator))
            began = time.monotonic()
            until(lambda: _listed(operator) != last, "a resync", pause=1)
            settled(operator)
            busy, seconds = cpu(pid_of(operator)) - spent, time.monotonic() - began
    with one.operator(**UNLIMITED) as operator:
        ready(operator)
        settled(operator)
        calm(operator)
        with step("at rest"):
            spent = cpu(pid_of(operator))
            time.sleep(REST_SECONDS)
            rest = (cpu(pid_of(operator)) - spent) / REST_SECONDS
        resync = max(0.0, busy - rest * seconds)
        yield "cpu-resync", Result((resync,))
        yield "cpu-rest", Result((100 * (rest + resync / DEFAULT_RESYNC),))
        with step(f"{RATE} changes a second"):
            spent = cpu(pid_of(operator))
            one.ask(lambda r: change_services(r, range(aliases), RATE, RATE * CHANGE_SECONDS, itertools.count(20_000)))
            yield "cpu-changes", Result((100 * (cpu(pid_of(operator)) - spent) / CHANGE_SECONDS,))


def _listed(operator: Operator) -> float:
    return operator.metric('dnsalias_last_resync_timestamp_seconds{kind="Service"}')
