"""Kopf, embedded: it watches, we only listen. Nothing that Kopf could write to an object is used.

Every handler is `on.event` and returns None; a returned value would be patched into the object's status (docs/kopf.md,
"Handlers").
"""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from typing import Any, cast

import kopf
from kopf._core.reactor.inventory import ResourceMemories, ResourceMemory

from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.names import OWN_MANAGER
from dnsalias_operator.settings import Settings
from dnsalias_operator.shell.api.client import Client
from dnsalias_operator.shell.api.errors import ApiError, ClusterError, UnreachableError
from dnsalias_operator.shell.pace import Backoff
from dnsalias_operator.shell.watching.kopfsession import Listed, Session, Sessions
from dnsalias_operator.shell.watching.kopftasks import OurTasks, as_kopf, end, mark_tasks
from dnsalias_operator.shell.watching.store import Store

log = logging.getLogger(__name__)

_STEADY_SECONDS = 60.0
"""A watch that ran this long was all right: what ends it is a new trouble."""
_LONGEST_PAUSE = 30.0
_BEGUN_SECONDS = 60.0
"""How often it is looked whether Kopf has asked for each kind, once it has asked for any."""


class UnwatchedError(Exception):
    """Kopf goes on without one of the kinds."""


class EndlessBackoffs:
    """Pauses for Kopf's requests that never end: a finite list would end the process with an API server away."""

    def __iter__(self) -> Iterator[float]:
        pause = 0.5
        while True:
            yield pause * random.uniform(0.75, 1.25)  # noqa: S311 (not a secret)
            pause = min(30.0, pause * 2)


class Stateless(kopf.DiffBaseStorage):
    """In place of Kopf's comparison of each object with its last state, which is for handlers that we have none of.

    It deep-copies every object at every event: half of what an event costs.
    """

    def build(self, **_: object) -> Any:  # noqa: ANN401 (Kopf's own type is not public)
        """Nothing to compare."""
        return {}

    def fetch(self, **_: object) -> None:
        """Nothing was stored."""

    def store(self, **_: object) -> None:
        """Store nothing."""


class Forgetful(ResourceMemories):
    """In place of what Kopf remembers of every object for timers, daemons and indices, which we have none of."""

    async def recall(self, raw_body: Any, **options: Any) -> ResourceMemory:  # noqa: ANN401 (as above)
        """A new memory for one event."""
        return await super().recall(raw_body, **{**options, "ephemeral": True})


def registry(store: Store, client: Client, login: Callable[[], Awaitable[Session]]) -> Any:  # noqa: ANN401 (Kopf's registry is generic in private types)
    """A registry of our own with one listener a kind and the login."""
    own = kopf.OperatorRegistry()
    for kind in store.kinds:
        group, _, version = client.api_version(kind).rpartition("/")
        kopf.on.event(group, version, KINDS[kind].plural, id=kind, registry=own)(_listener(store, kind))

    async def log_in(**_: object) -> Session:
        try:
            return await login()
        except ClusterError as error:
            raise kopf.TemporaryError(str(error), delay=5) from None

    kopf.on.login(id="dnsalias", registry=own, errors=kopf.ErrorsMode.TEMPORARY)(log_in)
    return own


def _listener(store: Store, kind: str) -> Any:  # noqa: ANN401 (Kopf's protocol of handlers)
    async def listen(event: Mapping[str, Any], **_: object) -> None:
        store.observe(kind, event["object"], deleted=event["type"] == "DELETED")

    return listen


def kopf_settings(settings: Settings) -> kopf.OperatorSettings:
    """Kopf's settings; docs/kopf.md, "Settings of Kopf", has the reason for each."""
    own = kopf.OperatorSettings()
    own.peering.standalone = True
    own.posting.enabled = False
    own.posting.loggers = False
    own.scanning.disabled = True
    own.networking.error_backoffs = EndlessBackoffs()
    own.networking.request_timeout = settings.request_timeout_seconds
    own.networking.connect_timeout = settings.watch_connect_seconds
    own.watching.server_timeout = settings.watch_seconds
    own.watching.client_timeout = settings.watch_seconds + 30
    own.watching.connect_timeout = settings.watch_connect_seconds
    own.watching.inactivity_timeout = settings.watch_inactivity_seconds
    own.watching.chunk_size = settings.page_size
    # A task for every object that is reported, kept that long: in the first list that is all of them.
    own.queueing.idle_timeout = 0.05
    own.persistence.diffbase_storage = Stateless()
    # It would kill the process without a word; `_ended` has a bound of its own.
    own.process.ultimate_exiting_timeout = None
    return own


async def watch(
    settings: Settings,
    store: Store,
    client: Client,
    stop: asyncio.Event,
    own_signals: Callable[[], None],
    restarted: Callable[[], None],
    listed: Listed,
) -> None:
    """Keep Kopf running until ``stop`` is set.

    Kopf ends at an answer that it does not expect of a watch: a second 401, a 404, half a line of JSON. That is no
    reason to lose the queue and the store, so it is started again, and lists everything again; ``restarted`` is called
    then. ``listed`` is called with each list of a kind, for what was deleted before it is in none. ``own_signals`` is
    called once Kopf has installed its signal handlers: ours replace them, because ours finish the writes in flight
    before the watch ends.

    Raises:
        ClusterError: a CRD was removed. A new process waits for it.
    """
    mark_tasks()
    backoff, failures = Backoff(settings.backoff_min_seconds, _LONGEST_PAUSE), 0
    while not stop.is_set():
        began = time.monotonic()
        why, sessions = "it ended", Sessions(settings, listed)
        try:
            await _run_kopf(settings, store, client, stop, own_signals, sessions)
        except ClusterError:
            raise
        except Exception as error:  # noqa: BLE001 (whatever the library makes of an answer)
            why = f"{type(error).__name__}: {error}"
        finally:
            await sessions.close()
        if stop.is_set():
            return
        with contextlib.suppress(UnreachableError, ApiError):
            if missing := await client.missing_kinds():
                raise ClusterError(f"the CRDs {', '.join(missing)} were removed")
        failures = 1 if time.monotonic() - began > _STEADY_SECONDS else failures + 1
        pause = backoff.pause(failures)
        log.warning(
            "the watch ended and is started again", extra={"fields": {"error": why, "retry_s": round(pause, 1)}}
        )
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause)
        restarted()


async def _run_kopf(
    settings: Settings,
    store: Store,
    client: Client,
    stop: asyncio.Event,
    own_signals: Callable[[], None],
    sessions: Sessions,
) -> None:
    scope: dict[str, Any] = {"namespaces": [settings.namespace]} if settings.namespace else {"clusterwide": True}
    with as_kopf():
        tasks = await kopf.spawn_tasks(
            registry=registry(store, client, sessions.login),
            settings=kopf_settings(settings),
            memories=Forgetful(),
            stop_flag=stop,
            standalone=True,
            # Kopf's own guess asks for the name of the user, which the uid of a pod may not have.
            identity=cast("Any", OWN_MANAGER),
            **scope,
        )
    own_signals()
    running = asyncio.create_task(kopf.run_tasks(tasks, ignored=cast("Any", OurTasks())), name="kopf")
    try:
        overlooked = await _overlooked((running, *tasks), store, sessions)
        await end(running, tasks)
        if overlooked:
            raise UnwatchedError(f"it found nothing to watch for {', '.join(overlooked)}")
    finally:
        running.cancel()


async def _overlooked(parts: Collection[asyncio.Future[Any]], store: Store, sessions: Sessions) -> list[str]:
    """Wait until one of Kopf's parts ends, or Kopf turns out to overlook kinds; returns those.

    It looks only once which kinds there are, and takes a 404 for "not served": of an API server that is starting, it
    would never look again.
    """
    seconds: float | None = _BEGUN_SECONDS
    while True:
        done, _ = await asyncio.wait(parts, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        left = [kind for kind in store.kinds if kind not in sessions.asked]
        if done:
            return []
        if left and sessions.asked:
            return left
        seconds = _BEGUN_SECONDS if left else None
