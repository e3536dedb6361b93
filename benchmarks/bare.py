"""The reference: lists and watches, and makes the writes that it was told to make. ``python -m benchmarks.bare JOB``.

It decides nothing: a table says which requests an object calls for. What the operator costs beside it is the price of
deciding, of being right when things change meanwhile, and of telling people.
"""

import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.requests import IN_FLIGHT, Call, Requests

UID, VERSION, PORT = "00000000-uid-of-the-object", "00000000-version", 59_999
"""Stand for what only the object that is seen can tell: its uid, its resourceVersion, its first targetPort."""


@dataclass(frozen=True)
class Job:
    """What to do: whose rights, which collections, and the requests for each object by ``<path>/<namespace>/<name>``.

    ``again`` says whether an object is served at every event, or once.
    """

    url: str
    ca_file: str
    token: str
    paths: list[str]
    calls: Mapping[str, list[Call]]
    again: bool = False

    def write(self, path: Path) -> Path:
        """Write it for a process to read."""
        path.write_text(json.dumps(asdict(self)))
        return path

    @classmethod
    def read(cls, path: Path) -> "Job":
        """Read what `write` wrote."""
        fields = json.loads(path.read_text())
        calls = {key: [Call(**call) for call in calls] for key, calls in fields.pop("calls").items()}
        return cls(calls=calls, **fields)


class Bare:
    """The process: one task a collection, and writers that take what these hand on."""

    def __init__(self, job: Job, requests: Requests) -> None:
        self._job, self._requests = job, requests
        self._work: asyncio.Queue[tuple[dict[str, Any], list[Call]]] = asyncio.Queue()
        self._left = set(job.calls)
        self._listed = 0

    async def run(self) -> None:
        """Say "ready" once everything was listed; end, where objects are served once, when all were."""
        tasks = [asyncio.create_task(self._follow(path)) for path in self._job.paths]
        tasks += [asyncio.create_task(self._write()) for _ in range(IN_FLIGHT)]
        while self._job.again or self._left or self._work.qsize():
            await asyncio.wait(tasks, timeout=0.02, return_when=asyncio.FIRST_EXCEPTION)
            for task in tasks:
                if task.done():
                    task.result()
        await self._work.join()

    async def _follow(self, path: str) -> None:
        items, version = await self._requests.listed(path)
        for item in items:
            self._offer(path, item)
        self._listed += 1
        if self._listed == len(self._job.paths):
            sys.stdout.write("ready\n")
            sys.stdout.flush()
        async for event in self._requests.watch(path, version):
            if event["type"] in ("ADDED", "MODIFIED"):
                self._offer(path, event["object"])

    def _offer(self, path: str, obj: dict[str, Any]) -> None:
        key = f"{path}/{obj['metadata']['namespace']}/{obj['metadata']['name']}"
        calls = self._job.calls.get(key)
        if calls and (self._job.again or key in self._left):
            self._left.discard(key)
            self._work.put_nowait((obj, calls))

    async def _write(self) -> None:
        while True:
            obj, calls = await self._work.get()
            meta = obj["metadata"]
            port = str(next((p["targetPort"] for p in obj["spec"].get("ports", ()) if "targetPort" in p), 0))
            for call in calls:
                body = call.body.replace(UID, meta["uid"]).replace(VERSION, meta["resourceVersion"])
                await self._requests.send(Call(call.verb, call.path, body.replace(str(PORT), port), call.content_type))
            self._work.task_done()


async def main(job: Job) -> None:
    """Do the job."""
    async with Requests(job.url, job.ca_file, job.token) as requests:
        await Bare(job, requests).run()


if __name__ == "__main__":
    asyncio.run(main(Job.read(Path(sys.argv[1]))))
