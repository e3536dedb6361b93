"""Who of several operators may write: the one that holds the Lease (coordination.k8s.io/v1), for as long as it is sure.

The holder renews the Lease at short intervals. `left` is what every write asks (shell/api/client.py): it counts from
the moment *before* the last renewal was sent, and ends well before anybody else may take the Lease, who counts from the
moment *after* he saw that renewal. No two clocks are compared, so clocks may differ; the difference between the two
periods is what a request may be on its way. Why not the library's: docs/decisions/0007-leader-election.md.
"""

import asyncio
import contextlib
import logging
import math
import random
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Protocol, Self
from uuid import uuid4

from dnsalias_operator.model.meta import Raw, integer, mapping, text
from dnsalias_operator.model.names import OWN_MANAGER
from dnsalias_operator.settings import Settings
from dnsalias_operator.shell.api.access import own_namespace
from dnsalias_operator.shell.api.errors import ApiError, ClusterError

log = logging.getLogger(__name__)

_NEVER = -math.inf


class Requests(Protocol):
    """The API server, as `Client` speaks to it."""

    async def request(
        self, verb: str, path: str, query: Mapping[str, str] | None = None, body: Raw | None = None
    ) -> dict[str, Any]:
        """One request; returns the JSON answer, or raises a ClusterError."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Seconds: ``retry`` < ``deadline`` < ``duration``.

    The Lease is read every ``retry``; the holder stops writing ``deadline`` after its last renewal, and others
    wait ``duration`` after it.
    """

    duration: int = 15
    deadline: float = 10
    retry: float = 2


@dataclass(frozen=True, slots=True)
class _Seen:
    record: tuple[str, str, int]
    duration: float
    at: float

    @property
    def holder(self) -> str:
        return self.record[0]


def boot_time() -> float:
    """Seconds since the machine started, sleep included: a node that was suspended must not think no time went by."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Leadership:
    """One candidate. ``fault`` says why the Lease cannot be used, "" where it can; ``holder`` is who has it.

    ``identity`` must be unique to the process: one that restarts is not the one that held the Lease before.
    """

    def __init__(
        self,
        api: Requests,
        namespace: str,
        name: str,
        identity: str,
        terms: Terms,
        clock: Callable[[], float] = boot_time,
    ) -> None:
        self.lease = f"{namespace}/{name}"
        self.identity = identity
        self.fault = f"the Lease {self.lease} has not been read yet"
        self._api, self._terms, self._clock = api, terms, clock
        self._name = name
        self._leases = f"apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
        self._until = _NEVER
        self._seen: _Seen | None = None
        self._mine: dict[str, Any] | None = None
        self._leading = False

    @classmethod
    def of(cls, settings: Settings, api: Requests) -> Self:
        """A candidate by the settings, named for this machine and this process."""
        terms = Terms(settings.lease_seconds, settings.lease_deadline_seconds, settings.lease_retry_seconds)
        identity = f"{socket.gethostname()}_{uuid4().hex[:12]}"
        return cls(api, settings.lease_namespace or own_namespace(), settings.lease_name, identity, terms)

    @property
    def holder(self) -> str:
        """Who had the Lease when it was last read, "" where nobody did."""
        return self._seen.holder if self._seen else ""

    def left(self) -> float:
        """Seconds in which this process may still write; 0 or less where it may not."""
        return self._until - self._clock()

    async def win(self, stop: asyncio.Event) -> bool:
        """Wait for the Lease and take it; False: the process is to stop."""
        said = ""
        while not stop.is_set():
            if await self._look():
                self._leading = True
                log.info("leading", extra={"fields": {"lease": self.lease, "identity": self.identity}})
                return True
            if not self.fault and self.holder not in ("", said):
                said = self.holder
                log.info("standby: another operator leads", extra={"fields": {"lease": self.lease, "holder": said}})
            with contextlib.suppress(TimeoutError):
                # Jitter: standbys must not ask all at the same moment for ever.
                pause = self._terms.retry * random.uniform(0.9, 1.1)  # noqa: S311 (not a secret)
                await asyncio.wait_for(stop.wait(), pause)
        return False

    async def keep(self) -> None:
        """Renew the Lease; returns when somebody else has, or had, it.

        While the API server is away `left` runs out, and comes back with it if nobody took the Lease meanwhile.
        """
        while True:
            await asyncio.sleep(self._terms.retry)
            if await self._look() or self.fault:
                continue
            # Somebody wrote to it since: one look more says whether it was a label or a new holder.
            if not await self._look() and not self.fault:
                self._until = _NEVER
                return

    async def release(self) -> None:
        """Give the Lease back, so that a standby need not wait until it runs out.

        Call it when nothing is written or renewed any more.
        """
        mine, self._mine, self._until = self._mine, None, _NEVER
        if mine is None:
            return
        try:
            async with asyncio.timeout(self._terms.deadline / 2):
                await self._give_back(mine)
        except (ClusterError, TimeoutError) as error:
            fields = {"error": str(error) or self._silence()}
            log.warning("the Lease was not given back, it runs out by itself", extra={"fields": fields})

    def _silence(self) -> str:
        """What there is to say where half of the deadline passed without an answer."""
        return f"no answer from the API server in {self._terms.deadline / 2:g} s"

    async def _give_back(self, lease: Raw) -> None:
        try:
            await self._put(_freed(lease))
        except ApiError as error:
            if error.status != HTTPStatus.CONFLICT:
                raise
            # A renewal whose answer was not waited for may have been applied.
            now = await self._read()
            if now and text(mapping(now.get("spec")).get("holderIdentity")) == self.identity:
                await self._put(_freed(now))

    async def _look(self) -> bool:
        """Take or renew the Lease if that may be done now; whether it is ours after that."""
        try:
            # Half of the deadline, so that one request without an answer does not cost the Lease.
            async with asyncio.timeout(self._terms.deadline / 2):
                ours = await self._attempt()
        except (ClusterError, TimeoutError) as error:
            self._mine = None
            fault = f"cannot use the Lease {self.lease}: {str(error) or self._silence()}"
            if isinstance(error, ApiError) and error.status in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
                fault += "; where surely no other operator runs, leader_election: false does without it"
            if fault != self.fault:
                log.warning(fault, extra={"fields": {"leading": self.left() > 0}})
            self.fault = fault
            return False
        self.fault = ""
        return ours

    async def _attempt(self) -> bool:
        lease = self._mine or await self._read()
        self._observe(lease)
        if not self._free():
            self._until, self._mine = _NEVER, None
            return False
        began = self._clock()
        try:
            self._mine = await (self._put(self._held(lease)) if lease else self._create())
        except ApiError as error:
            self._mine = None
            if error.status == HTTPStatus.CONFLICT or (lease and error.status == HTTPStatus.NOT_FOUND):
                return False
            raise
        self._observe(self._mine)
        self._until = began + self._terms.deadline
        return True

    def _observe(self, lease: Raw | None) -> None:
        # A Lease that was deleted says nothing: who held it may think for a while yet that he does.
        if lease is None:
            return
        spec = mapping(lease.get("spec"))
        record = (text(spec.get("holderIdentity")), text(spec.get("renewTime")), _count(spec, "leaseTransitions"))
        if self._seen is None or self._seen.record != record:
            duration = _count(spec, "leaseDurationSeconds") or self._terms.duration
            self._seen = _Seen(record, duration, self._clock())

    def _free(self) -> bool:
        seen = self._seen
        if seen is None or seen.holder == self.identity:
            return True
        if self._leading:
            # Even if it is free again: what this process knows is from before the other one wrote.
            return False
        if not seen.holder:
            return True
        return self._clock() - seen.at >= seen.duration

    def _held(self, lease: Raw | None) -> dict[str, Any]:
        """The Lease with us as its holder; what others wrote into it stays."""
        old = mapping((lease or {}).get("spec"))
        mine = text(old.get("holderIdentity")) == self.identity
        now = _now()
        spec = {
            **old,
            "holderIdentity": self.identity,
            "leaseDurationSeconds": self._terms.duration,
            "acquireTime": old.get("acquireTime", now) if mine else now,
            "renewTime": now,
            "leaseTransitions": _count(old, "leaseTransitions") + (0 if mine or lease is None else 1),
        }
        return {**(lease or {}), "spec": spec}

    async def _read(self) -> dict[str, Any] | None:
        try:
            return await self._api.request("GET", f"{self._leases}/{self._name}")
        except ApiError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    async def _create(self) -> dict[str, Any]:
        body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": self._name}}
        return await self._api.request("POST", self._leases, _MANAGER, {**body, **self._held(None)})

    async def _put(self, lease: Raw) -> dict[str, Any]:
        # With the resourceVersion that was read: of two who saw it free, one gets it.
        return await self._api.request("PUT", f"{self._leases}/{self._name}", _MANAGER, lease)


_MANAGER = {"fieldManager": OWN_MANAGER}


def _freed(lease: Raw) -> Raw:
    spec = {k: v for k, v in mapping(lease.get("spec")).items() if k != "holderIdentity"}
    return {**lease, "spec": {**spec, "leaseDurationSeconds": 1, "renewTime": _now()}}


def _count(spec: Raw, field: str) -> int:
    return integer(spec.get(field)) or 0


def _now() -> str:
    """Wall clock as a MicroTime: for people, nobody decides by it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
