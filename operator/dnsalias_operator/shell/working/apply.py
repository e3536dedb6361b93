"""Carries out changes: one request or two each, with the preconditions that make a late decision harmless.

The answer of every write goes into the store at once, so that the next decision sees it whether or not the watch has
told about it yet.
"""

import math
from collections.abc import Coroutine
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from dnsalias_operator.core.outcome import Change, Verb
from dnsalias_operator.model.dnsalias import DnsAlias
from dnsalias_operator.model.meta import Raw, mapping, text
from dnsalias_operator.model.names import API_VERSION, KIND, OWN_MANAGER, REPAIR_MANAGER, Key
from dnsalias_operator.shell.api.client import APPLY, Client
from dnsalias_operator.shell.api.errors import ApiError, ClusterError, UnreachableError
from dnsalias_operator.shell.pace import TokenBucket
from dnsalias_operator.shell.reporting.metrics import Metrics
from dnsalias_operator.shell.watching.store import Store
from dnsalias_operator.shell.working.confirm import Confirm, Known

STATUS = "status"
OUTAGE_SECONDS = 60.0
"""Longest pause after a failure that passes by itself."""
_OWN = {"fieldManager": OWN_MANAGER}
_FORCED = {**_OWN, "force": "true"}
_REPAIR = {"fieldManager": REPAIR_MANAGER, "force": "false"}


class Writer:
    """Writes changes and statuses; counts each. ``confirm`` looks at what they are made from, before."""

    def __init__(self, client: Client, store: Store, bucket: TokenBucket, metrics: Metrics) -> None:
        self._client = client
        self._store = store
        self._bucket = bucket
        self._metrics = metrics
        self.confirm = Confirm(client, store, metrics)

    async def turn(self) -> None:
        """Wait until the rate of writes allows one more; to be asked before the second look, which must be recent."""
        await self._bucket.take()

    async def outdated(self, key: Key, operation: str, made_from: Known) -> bool:
        """The second look before a write of ``key``: is what it is made from not so any more?

        Raises:
            ClusterError: that cannot be known. The write is not made and counts as one that failed.
        """
        try:
            return await self.confirm.outdated(made_from)
        except ClusterError as error:
            self._metrics.writes.labels(key.kind, operation, "refused" if is_refusal(error) else "error").inc()
            raise

    async def write(self, change: Change, made_from: Known) -> bool:
        """Make one change; ``made_from`` is what it was decided from, without the object that is written.

        False: of a RECREATE only the delete was made, since what it was decided from had changed by then. Between the
        two requests there is no object whose version could guard it, and the first may take as long as any.

        Raises:
            ApiError: it was refused, or the object is not any more what the decision was made on (409, 404).
            UnreachableError: the API server gave no answer; the write may have been made.
        """
        return await self._counted(change.key, change.verb.value, self._write(change, made_from))

    async def write_status(self, alias: DnsAlias, status: Raw) -> None:
        """Apply the whole status of a DnsAlias; errors as in `write`."""
        body = {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {
                "name": alias.meta.name,
                "namespace": alias.meta.namespace,
                "uid": alias.meta.uid,
                **_version(alias.raw),
            },
            STATUS: status,
        }
        await self._counted(alias.key, STATUS, self._send("PATCH", alias.key, _FORCED, body, subresource=STATUS))

    async def _write(self, change: Change, made_from: Known) -> bool:
        match change.verb:
            case Verb.CREATE:
                await self._create(change)
            case Verb.UPDATE:
                await self._send("PATCH", change.key, _FORCED, self._body(change))
            case Verb.REPAIR:
                await self._send("PATCH", change.key, _REPAIR, self._body(change))
            case Verb.REPLACE:
                await self._send("PUT", change.key, _OWN, self._body(change))
            case Verb.RECREATE:
                await self._dry_run(change)
                if await self._delete(change):
                    # Asked whatever was seen a moment ago: that was before the delete.
                    if await self.confirm.outdated(made_from, fresh=0):
                        return False
                    await self._create(change)
            case Verb.DELETE:
                await self._delete(change)
        return True

    def _body(self, change: Change, *, new: bool = False) -> dict[str, Any]:
        """What is sent: in the version that is served, with the uid as a precondition unless the object is ``new``."""
        ours = {"managedFields", *(("uid", "resourceVersion") if new else ())}
        meta = {k: v for k, v in mapping(change.apply.get("metadata")).items() if k not in ours}
        if change.uid and not new:
            meta |= {"uid": change.uid, **_version(change.before)}
        body = {k: v for k, v in change.apply.items() if k != STATUS}
        return {**body, "apiVersion": self._client.api_version(change.key.kind), "metadata": meta}

    async def _create(self, change: Change) -> None:
        key = change.key
        body = self._body(change, new=True)
        answer = await self._client.request("POST", self._client.path(key.kind, key.namespace), _OWN, body)
        self._answered(key, answer)

    async def _dry_run(self, change: Change) -> None:
        """Would the create be accepted? It is asked under its own name, which is taken until the delete.

        The API server validates and admits before it looks whether the name is free, so AlreadyExists means yes.
        """
        key = change.key
        body = self._body(change, new=True)
        path = self._client.path(key.kind, key.namespace)
        try:
            await self._client.request("POST", path, {**_OWN, "dryRun": "All"}, body)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise

    async def _delete(self, change: Change) -> bool:
        """Whether the object is gone: with finalizers on it, it stays for a while, and so does its name."""
        key = change.key
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": change.uid, **_version(change.before)},
            "propagationPolicy": "Background",
        }
        gone = {"metadata": {"name": key.name, "namespace": key.namespace, "uid": change.uid}}
        path = self._client.path(key.kind, key.namespace, key.name)
        try:
            answer = await self._client.request("DELETE", path, None, options)
        except ApiError as error:
            if not error.says_gone(key.name):
                raise
            answer = {"kind": "Status"}
        # Of one that stays, the answer is the object, with a deletionTimestamp.
        if text(answer.get("kind")) != "Status":
            self._store.put(key.kind, answer)
            return False
        self._store.remove(key.kind, gone)
        return True

    async def _send(self, verb: str, key: Key, query: dict[str, str], body: Raw, subresource: str = "") -> bool:
        path = self._client.path(key.kind, key.namespace, key.name, subresource)
        content = APPLY if verb == "PATCH" else "application/json"
        self._answered(key, await self._client.request(verb, path, query, body, content), subresource)
        return True

    def _answered(self, key: Key, answer: Raw, subresource: str = "") -> None:
        self._store.put(key.kind, answer, subresource, ours=True)
        self.confirm.saw(key, answer)

    async def _counted(self, key: Key, operation: str, work: Coroutine[Any, Any, bool]) -> bool:
        result = "error"
        try:
            made = await work
            result = "ok" if made else "conflict"
        except UnreachableError:
            raise
        except ApiError as error:
            result = "conflict" if error.stale else "refused" if _final(error) else "error"
            if error.stale:
                # The watch may be silent: the next decision must not be made from the same old version.
                with suppress(ClusterError):
                    await self.confirm.outdated(self.confirm.known([key]))
            raise
        else:
            return made
        finally:
            work.close()
            self._metrics.writes.labels(key.kind, operation, result).inc()


def _version(raw: Raw | None) -> dict[str, str]:
    """The resourceVersion as a precondition, where it is known: another version is refused as a conflict."""
    version = text(mapping((raw or {}).get("metadata")).get("resourceVersion"))
    return {"resourceVersion": version} if version else {}


def is_refusal(error: ClusterError) -> bool:
    """Whether trying again will not help until somebody changes something: permissions, validation, admission."""
    return isinstance(error, ApiError) and _final(error)


def asks_for_time(error: ClusterError) -> bool:
    """Whether the API server wants to be left alone for a while."""
    return isinstance(error, ApiError) and (error.retry_after > 0 or error.status == HTTPStatus.TOO_MANY_REQUESTS)


def pauses(error: ClusterError) -> tuple[float, float]:
    """The least and the most seconds until a write that failed is tried again.

    An API server that is back must not wait for us: what passes by itself has a bound of its own.
    """
    if not isinstance(error, ApiError):
        return 0.0, OUTAGE_SECONDS
    # A refusal and a conflict of managers stay until somebody changes something.
    return error.retry_after, math.inf if is_refusal(error) or error.managers else OUTAGE_SECONDS


def _final(error: ApiError) -> bool:
    passing = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.UNAUTHORIZED, HTTPStatus.REQUEST_TIMEOUT)
    ours = HTTPStatus.BAD_REQUEST <= error.status < HTTPStatus.INTERNAL_SERVER_ERROR
    return ours and not error.stale and error.status not in passing
