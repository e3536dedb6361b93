"""A Service with what stands for it, an API server that can fail, and the part of the operator that writes to it."""

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from typing import Any

from dnsalias_operator.model.names import KIND, Key
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.shell.api.errors import ApiError, ClusterError
from dnsalias_operator.shell.current import Current
from dnsalias_operator.shell.decided import Decisions
from dnsalias_operator.shell.pace import Backoff, TokenBucket
from dnsalias_operator.shell.reporting.events import Recorder
from dnsalias_operator.shell.reporting.metrics import Metrics
from dnsalias_operator.shell.watching.store import Store
from dnsalias_operator.shell.working.apply import Writer, pauses
from dnsalias_operator.shell.working.confirm import Confirm
from dnsalias_operator.shell.working.fights import Fights
from dnsalias_operator.shell.working.queue import WorkQueue
from dnsalias_operator.shell.working.reconcile import Reconciler
from dnsalias_operator.shell.working.statuses import Statuses
from dnsalias_operator.shell.working.steps import Steps
from tests.shell.fake_clock import FakeClock
from tools import make

Raw = dict[str, Any]
KINDS = ("Service", "Namespace", "ServiceEntry", "VirtualService", KIND)


def service(name: str = "db") -> Raw:
    """A Service with one TCP port."""
    meta = {"uid": f"uid-{name}", "creationTimestamp": "2020-01-01T00:00:00Z"}
    ports = [make.port(3306)]
    return make.service(name, ports=ports, ip="10.96.0.1", namespace="abc", meta=meta, selector={"app": name})


def catch_all(name: str, host: str) -> Raw:
    """Somebody else's entry that takes every connection to its port until it is repaired."""
    meta = {"uid": f"uid-entry-{name}", "creationTimestamp": "2021-01-01T00:00:00Z"}
    notes = {"annotations": {"dnsalias.io/service": "db"}, "labels": make.MANAGED}
    return make.foreign(name, host, ports=[make.entry_port(3306)], namespace="abc", meta={**meta, **notes})


def alias(name: str, host: str) -> Raw:
    """A DnsAlias of the Service."""
    meta = {"uid": f"uid-alias-{name}", "creationTimestamp": "2021-01-01T00:00:00Z", "generation": 1}
    return make.alias(name, host, "db", namespace="abc", meta=meta)


class Api:
    """In place of `Client`: keeps objects by path. ``fails`` gives the error of a request, None where it succeeds."""

    def __init__(self) -> None:
        self.objects: dict[str, Raw] = {}
        self.requests: list[tuple[str, str]] = []
        self.fails: Callable[[str, str], ClusterError | None] = lambda _verb, _path: None
        self.version = 0
        self.held = asyncio.Event()
        self.held.set()

    def path(self, kind: str, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """As readable as can be."""
        return "/".join(filter(None, (kind, namespace, name, subresource)))

    def api_version(self, kind: str) -> str:
        """Of Istio's kinds."""
        return "dnsalias.io/v1alpha1" if kind == KIND else "networking.istio.io/v1"

    def now(self) -> float:
        """Long after everything was created."""
        return 2e9

    async def request(
        self,
        verb: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Raw | None = None,
        content_type: str = "",
    ) -> Raw:
        """One request; reads, creates, applies and deletions are all that is known here."""
        del content_type
        self.requests.append((verb, path))
        await asyncio.sleep(0)
        if verb != "GET":
            await self.held.wait()
        if error := self.fails(verb, path):
            raise error
        where, _, _ = path.partition("/status")
        if verb == "POST":
            return self._create(path, body or {}, dry="dryRun" in (query or {}))
        have = self.objects.get(where)
        if have is None:
            details = {"reason": "NotFound", "details": {"name": where.rpartition("/")[2]}}
            raise ApiError.from_answer(verb, path, 404, json.dumps(details).encode())
        if verb == "GET":
            return deepcopy(have)
        if verb == "DELETE":
            del self.objects[where]
            return {"kind": "Status"}
        part = "status" if path != where else "spec"
        return self.put(where, {**have, part: {**have.get(part, {}), **(body or {}).get(part, {})}})

    def _create(self, collection: str, raw: Raw, *, dry: bool) -> Raw:
        path = f"{collection}/{raw['metadata']['name']}"
        if path in self.objects:
            raise ApiError.from_answer("POST", path, 409, json.dumps({"reason": "AlreadyExists"}).encode())
        return raw if dry else self.put(path, raw)

    def put(self, path: str, raw: Raw) -> Raw:
        """Store an object under its next version."""
        self.version += 1
        given = {"uid": f"uid-{self.version}", "creationTimestamp": "2033-05-18T00:00:00Z", **raw["metadata"]}
        self.objects[path] = {**raw, "metadata": {**given, "resourceVersion": str(self.version)}}
        return deepcopy(self.objects[path])

    def sent(self, verb: str) -> list[str]:
        """The paths of all requests of that verb so far."""
        return [path for asked, path in self.requests if asked == verb]


class Desk:
    """A reconciler on a store that knows what the API server has, and workers for it on a clock of their own."""

    def __init__(self, *objects: Raw, settings: Rules | None = None, bucket: tuple[float, int] = (100, 100)) -> None:
        decided = Decisions()
        self.api, self.clock, self.metrics = Api(), FakeClock(), Metrics(decided)
        self.store = Store(KINDS)
        rules = settings or make.rules()
        for raw in objects:
            self.api.put(self.api.path(raw["kind"], "abc", raw["metadata"]["name"]), raw)
        for raw in self.api.objects.values():
            self.store.put(raw["kind"], raw)
        for kind in KINDS:
            self.store.sweep(kind, {o.key for o in self.store.world.find("kind", kind)}, "0")
        client: Any = self.api
        self.queue: WorkQueue[Key] = WorkQueue(Backoff(0.5, 300, lambda: 0.0), self.clock, self.clock.sleep)
        fights = Fights(3, Backoff(5, 10), self.clock)
        writer = Writer(client, self.store, TokenBucket(*bucket, self.clock, self.clock.sleep), self.metrics)
        writer.confirm = Confirm(client, self.store, self.metrics, self.clock)
        self.recorder = Recorder(client, self.metrics, "test")
        common: dict[str, Any] = {"store": self.store, "current": Current(rules)}
        writing: dict[str, Any] = {"writer": writer, "fights": fights, "now": client.now, "enqueue": self.queue.add}
        self.reconciler = Reconciler(
            queue=self.queue,
            steps=Steps(metrics=self.metrics, **writing, **common),
            statuses=Statuses(decided=decided, recorder=self.recorder, **writing, **common),
            recorder=self.recorder,
            decided=decided,
            **common,
        )

    async def work(self, key: Key) -> ClusterError | None:
        """One attempt; the error it ended in."""
        try:
            await self.reconciler.work(key)
        except ClusterError as error:
            return error
        return None

    async def run(self, keys: Iterable[Key], seconds: float, workers: int = 4) -> None:
        """Let workers work for that long, as the operator's do."""
        for key in keys:
            self.queue.add(key)
        tasks = [asyncio.create_task(self._worker()) for _ in range(workers)]
        await self.clock.advance(seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _worker(self) -> None:
        while item := await self.queue.take():
            if error := await self.work(item.key):
                self.queue.failed(item.key, *pauses(error))
            else:
                self.queue.done(item.key)

    def series(self, start: str) -> dict[str, float]:
        """What a scrape gives: the series with that start and a value that is not 0."""
        lines = (line.rpartition(" ") for line in self.metrics.exposition().decode().splitlines())
        return {name: float(value) for name, _, value in lines if name.startswith(start) and float(value)}

    def condition(self, name: str, kind: str = "Ready") -> tuple[str, str, str]:
        """Status, reason and message of an alias' condition as the API server has it, "" where there is none."""
        for found in self.api.objects[f"{KIND}/abc/{name}"].get("status", {}).get("conditions", ()):
            if found["type"] == kind:
                return found["status"], found["reason"], found["message"]
        return "", "", ""
