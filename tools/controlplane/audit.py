"""Counting what was written: the API server's own audit log, one line a stage of every mutating request.

A request has a line when it is received and one when it was answered, both written before the call goes on. So
whatever a client has seen answered has its first line in the file, and waiting for the second line of every first
one gives a complete count without guessing at delays.
"""

import json
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NewType

POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [ResponseStarted]
rules:
- level: None  # reviews and tokens are asked with "create", and store nothing
  resources:
  - group: authentication.k8s.io
  - group: authorization.k8s.io
  - {group: "", resources: [serviceaccounts/token]}
- level: Metadata
  verbs: [create, update, patch, delete, deletecollection]
- level: Metadata  # what others read would be most of the log, and nobody asks for it
  verbs: [get, list, watch]
  userGroups: ["system:serviceaccounts"]
"""
READING = frozenset({"get", "list", "watch"})
WRITING = frozenset({"create", "update", "patch", "delete", "deletecollection"})
NOISE = frozenset({"events", "leases"})
CREDENTIAL = "authentication.kubernetes.io/credential-id"
SETTLE_SECONDS = 15.0
POLL_SECONDS = 0.02

Lines = dict[str, dict[str, Any]]
"""Lines of the log by audit id."""
Mark = NewType("Mark", int)
"""A place in the audit log; requests received after it are what ``mutating`` tells of."""

START = Mark(0)


@dataclass(frozen=True)
class Request:
    """One mutating request as the API server saw it.

    Attributes:
        verb: create, update, patch, delete or deletecollection.
        user: who it was made as (after impersonation).
        group: API group, empty for the core group.
        resource: plural, such as "serviceentries".
        subresource: such as "status", else empty.
        namespace: empty for cluster-scoped resources.
        name: empty where the server chose it or for a collection.
        code: HTTP status of the answer.
        dry_run: asked with ``dryRun=All``: ran through admission and stored nothing.
        user_agent: of the client.
        credential: id of the ServiceAccount token it was made with, empty for other credentials: tells two processes of
            one account apart.
        received: when the server got it, in seconds since the epoch by its own clock.
    """

    verb: str
    user: str
    group: str
    resource: str
    subresource: str
    namespace: str
    name: str
    code: int
    dry_run: bool
    user_agent: str
    credential: str = ""
    received: float = 0.0


class AuditLog:
    """The audit log of one API server."""

    def __init__(self, path: Path) -> None:
        """Read from ``path``; the file may not exist yet."""
        self.path = path

    def mark(self) -> Mark:
        """The end of the log now."""
        return Mark(self.path.stat().st_size if self.path.exists() else 0)

    def mutating(
        self, user: str | None = None, since: Mark = START, ignoring: Collection[str] = NOISE
    ) -> list[Request]:
        """Mutating requests received after ``since``, in the order they were received.

        Refused ones and dry runs are among them: see ``code`` and ``dry_run``.

        Args:
            user: only those of this user, such as "system:serviceaccount:NAMESPACE:NAME".
            since: from ``mark``; by default everything.
            ignoring: resources to leave out, by default Events and Leases.

        Raises:
            TimeoutError: a request was received and not answered for 15 s.
        """
        received, answered = self._read(since)
        deadline = time.monotonic() + SETTLE_SECONDS
        while open_ones := received.keys() - answered.keys():
            if time.monotonic() > deadline:
                raise TimeoutError(f"Not answered yet: {[received[key]['requestURI'] for key in sorted(open_ones)]}")
            time.sleep(POLL_SECONDS)
            _, answered = self._read(since)
        requests = [_request(answered[key]) for key in received]
        return [r for r in requests if r.resource not in ignoring and user in (None, r.user)]

    def reading(self, user: str, since: Mark = START) -> list[Request]:
        """What a ServiceAccount asked to read after ``since``; a watch that still runs has the code 0.

        Paths that are no resources (discovery, health) have none.
        """
        received, answered = self._read(since, READING)
        requests = [_request(answered.get(key, line)) for key, line in received.items()]
        return [r for r in requests if r.user == user]

    def _read(
        self, since: Mark, verbs: Collection[str] = WRITING
    ) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
        """First and last lines by audit id, in file order. A line still being written is left for the next look.

        Reading is told of only where it is asked for: a watch may never be answered.
        """
        if not self.path.exists():
            return {}, {}
        with self.path.open("rb") as log:
            log.seek(since)
            lines = [json.loads(line) for line in log if line.endswith(b"\n")]
        lines = [line for line in lines if line["verb"] in verbs]
        received = {line["auditID"]: line for line in lines if line["stage"] == "RequestReceived"}
        answered = {line["auditID"]: line for line in lines if line["stage"] in {"ResponseComplete", "Panic"}}
        return received, answered


def _request(line: dict[str, Any]) -> Request:
    target = line.get("objectRef", {})
    return Request(
        verb=line["verb"],
        user=line.get("impersonatedUser", line["user"]).get("username", ""),
        group=target.get("apiGroup", ""),
        resource=target.get("resource", ""),
        subresource=target.get("subresource", ""),
        namespace=target.get("namespace", ""),
        name=target.get("name", ""),
        code=line.get("responseStatus", {}).get("code", 0),
        dry_run="dryRun=All" in line["requestURI"],
        user_agent=line.get("userAgent", ""),
        credential="".join(line["user"].get("extra", {}).get(CREDENTIAL, ())),
        received=_seconds(line.get("requestReceivedTimestamp", "")),
    )


def _seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp() if stamp else 0.0
