"""The real cluster of a benchmark: a control plane, the rights of the operator, and what is loaded into it."""

import asyncio
import json
import secrets
import subprocess
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar

import yaml

from benchmarks import objects, writes
from benchmarks.bare import Job
from benchmarks.process import cpu, python, until
from benchmarks.requests import Call, Requests
from dnsalias_operator.model.kinds import Object
from dnsalias_operator.model.names import KIND
from tools.controlplane import build
from tools.controlplane.cluster import ControlPlane
from tools.running import identity
from tools.running.operator_process import Operator

_COLLECTIONS = {"Service": writes.SERVICES, "ServiceEntry": writes.ENTRIES, KIND: writes.ALIASES}
_CALM = 0.05
"""Processor seconds in a second of wall clock."""
_BUSY = ("dnsalias_queue_depth ", "dnsalias_queue_oldest_age_seconds ")
REPOSITORY = Path(__file__).parents[1]
Answer = TypeVar("Answer")

UNLIMITED = {"write_rate": "10000", "write_burst": "10000", "workers": "8"}
"""Settings under which the operator is compared with a client that has no limit but 8 requests in flight."""


class Cluster:
    """A running control plane with Istio's CRDs and ours. Made by `cluster`."""

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane
        self.kubeconfig = identity.install(plane)
        user = yaml.safe_load(self.kubeconfig.read_text())["users"][0]["user"]
        self._token = str(user["token"])

    def ask(self, work: Callable[[Requests], Coroutine[Any, Any, Answer]]) -> Answer:
        """Run something with a client as admin, to its end."""

        async def whole() -> Answer:
            async with self.requests() as requests:
                return await work(requests)

        return asyncio.run(whole())

    def requests(self) -> Requests:
        """A client as admin."""
        return Requests(self.plane.url, str(self.plane.ca_file), self.plane.admin_token)

    def make_namespaces(self, count: int) -> None:
        """The namespaces of ``count`` Services."""
        bodies = ({"metadata": {"name": name}} for name in objects.namespaces(count))
        self._send(Call("POST", "/api/v1/namespaces", json.dumps(body)) for body in bodies)

    def load(self, manifests: Iterable[Mapping[str, Any]]) -> None:
        """Create objects, 8 at a time."""
        self._send(map(created, manifests))

    def listed(self, path: str) -> list[dict[str, Any]]:
        """Every object of a collection, as the API server has it."""
        return self.ask(lambda r: r.listed(path))[0]

    def objects(self, kind: str) -> list[Object]:
        """Every object of a kind, as the core sees it."""
        return [writes.of(kind, raw) for raw in self.listed(_COLLECTIONS[kind])]

    def clear(self, *paths: str) -> None:
        """Delete every object of these collections, and wait until they are gone."""
        for path in paths:
            root, _, plural = path.rpartition("/")
            names = sorted({item["metadata"]["namespace"] for item in self.listed(path)})
            self._send([Call("DELETE", f"{root}/namespaces/{name}/{plural}") for name in names])
            until(partial(self._empty, path), f"{path} is empty", pause=0.2)

    def _send(self, calls: Iterable[Call]) -> None:
        self.ask(lambda r: r.send_all(calls))

    def _empty(self, path: str) -> bool:
        return not self.plane.api.get(f"{path}?limit=1")["items"]

    def job(self, paths: list[str], calls: Mapping[str, list[Call]], *, again: bool = False) -> Job:
        """What the bare client is told, with the operator's own rights."""
        return Job(self.plane.url, str(self.plane.ca_file), self._token, paths, calls, again)

    @contextmanager
    def operator(self, **settings: str) -> Iterator[Operator]:
        """An operator for the length of the block, on the rights that manifests/ give."""
        folder = self.plane.folder / f"operator-{secrets.token_hex(4)}"
        folder.mkdir()
        with Operator(self.plane, self.kubeconfig, folder, settings) as one:
            yield one
            if bugs := one.bugs():
                raise RuntimeError(f"the operator has a bug: {bugs[0]}")

    @contextmanager
    def bare(self, job: Job) -> Iterator[subprocess.Popen[str]]:
        """The bare client for the length of the block."""
        path = job.write(self.plane.folder / f"job-{secrets.token_hex(4)}.json")
        process = subprocess.Popen(
            python("benchmarks.bare", str(path)), cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def created(manifest: Mapping[str, Any]) -> Call:
    """The request that creates an object."""
    root, _, plural = _COLLECTIONS[manifest["kind"]].rpartition("/")
    path = f"{root}/namespaces/{manifest['metadata']['namespace']}/{plural}"
    return Call("POST", f"{path}?fieldManager={objects.CONTROLLER}", json.dumps(manifest))


def ready(operator: Operator) -> float:
    """Wait until the operator is ready; returns the seconds."""
    return until(lambda: operator.page("/readyz")[0] == HTTPStatus.OK, "the operator is ready", pause=0.05)


def settled(operator: Operator) -> float:
    """Wait until it has decided something and nothing is left to decide, twice in a row; returns the seconds."""
    last: list[tuple[float, float]] = [(1, 0)]

    def quiet() -> bool:
        text = operator.page("/metrics")[1].splitlines()
        busy = [float(x.rpartition(" ")[2]) for x in text if x.startswith(_BUSY)]
        done = [float(x.rpartition(" ")[2]) for x in text if x.startswith("dnsalias_reconcile_duration_seconds_count")]
        before, last[0] = last[0], (sum(busy), sum(done))
        return last[0] == before and not last[0][0] and last[0][1] > 0

    return until(quiet, "the operator has nothing to do", pause=0.2)


def calm(operator: Operator) -> None:
    """Wait until the operator uses next to no processor: Kopf, which begins after the first list, has listed too."""
    pid = pid_of(operator)
    last = [cpu(pid)]

    def idle() -> bool:
        before, last[0] = last[0], cpu(pid)
        return last[0] - before < _CALM

    time.sleep(1)
    until(idle, "the operator is calm", pause=1)


def pid_of(operator: Operator) -> int:
    """The process id of a running operator."""
    assert operator.process is not None
    return operator.process.pid


def started(process: subprocess.Popen[str]) -> None:
    """Wait until the bare client has listed everything."""
    if not process.stdout or process.stdout.readline().strip() != "ready":
        raise RuntimeError("the bare client did not start")


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A control plane for the length of the block."""
    with ControlPlane.start(crds=[build.istio_crds(), REPOSITORY / "crds/dnsaliases.dnsalias.io.yaml"]) as plane:
        yield Cluster(plane)
