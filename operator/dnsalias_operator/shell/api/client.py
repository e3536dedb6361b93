"""The one door to the API server: authentication, TLS, paths, paging, counting, and the server's clock.

`kubernetes.aio` loads kubeconfigs, in-cluster tokens and exec plugins, and owns the connection pool; requests are made
through its REST layer with plain JSON, because its typed models would drop fields that they do not know.
"""

import asyncio
import json
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from functools import partial
from http import HTTPStatus
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

import aiohttp
from kubernetes.aio.client import ApiClient

from dnsalias_operator.model.kinds import KINDS, Kind, watched
from dnsalias_operator.model.meta import Raw, mapping, text
from dnsalias_operator.model.names import ISTIO_GROUP, ISTIO_VERSIONS, is_object_name
from dnsalias_operator.shell.api.access import load_configuration
from dnsalias_operator.shell.api.errors import ApiError, ClusterError, FencedError, UnreachableError
from dnsalias_operator.shell.api.fence import Fence, FencedRest, open_fence

APPLY = "application/apply-patch+yaml"
JSON = "application/json"
EXEC = "v4.channel.k8s.io"
"""How the parts of an exec's output are distinguished: the first byte of each message is its channel."""
_OFFSET_SECONDS = 60.0
"""How long the best estimate of the server's clock is trusted before a new one replaces it whatever it says."""

Observer = Callable[[str, int], None]
"""Told of every request: its verb and the status code (0: no answer)."""


class Client:
    """Requests to one API server; an async context manager.

    ``istio_version`` is the served version of ServiceEntry that is used; `missing_kinds` sets it.
    """

    def __init__(
        self,
        configuration: Any,  # noqa: ANN401 (the client library has no types)
        *,
        request_seconds: float = 30,
        observer: Observer = lambda *_: None,
        fence: Fence = open_fence,
        reload: Callable[[], Awaitable[Any]] | None = None,
    ) -> None:
        self._configuration = configuration
        self._reload = reload
        self._api = ApiClient(configuration)
        # A fence needs connections of its own for writes; without one they share those of the reads.
        self._writes = self._api.rest_client if fence is open_fence else FencedRest(configuration, fence)
        self._timeout = aiohttp.ClientTimeout(total=request_seconds)
        self._observer = observer
        self._fence = fence
        self._offset: tuple[float, float] | None = None
        self.istio_version = ISTIO_VERSIONS[0]

    @classmethod
    async def connect(
        cls,
        kubeconfig: str | None = None,
        context: str | None = None,
        *,
        request_seconds: float = 30,
        max_in_flight: int = 8,
        observer: Observer = lambda *_: None,
        fence: Fence = open_fence,
    ) -> Self:
        """A client for the given kubeconfig, or the pod's own ServiceAccount, or the user's current context.

        Raises:
            ClusterError: there is no configuration, or it cannot be read.
        """
        reload = partial(load_configuration, kubeconfig, context)
        configuration = await reload()
        configuration.connection_pool_maxsize = max_in_flight
        return cls(configuration, request_seconds=request_seconds, observer=observer, fence=fence, reload=reload)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._writes.close()
        await self._api.close()

    @property
    def server(self) -> str:
        """URL of the API server."""
        return str(self._configuration.host)

    def may_write(self) -> bool:
        """Whether a write would be sent now."""
        return self._fence() > 0

    def now(self) -> float:
        """The API server's clock in seconds since the epoch: never ahead of it, behind by 1 s and a round trip at most.

        Source: the Date header, which has whole seconds. Before any answer: this machine's clock, 5 s back.
        """
        return time.time() - 5 if self._offset is None else time.monotonic() + self._offset[0]

    async def request(
        self,
        verb: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Raw | None = None,
        content_type: str = JSON,
    ) -> dict[str, Any]:
        """One request; returns the JSON answer.

        Raises:
            ApiError: the API server refused it.
            UnreachableError: there was no answer.
            FencedError: a write, and this process may not write; it was not sent.
        """
        url = f"{self.server}/{path}" + (f"?{urlencode(query)}" if query else "")
        code, headers, data = await self._send(verb, url, body, content_type)
        if code == HTTPStatus.UNAUTHORIZED and self._reload is not None:
            # Tokens rotate: once with what the kubeconfig, the plugin or the mounted token says now.
            fresh = await self._reload()
            self._configuration.api_key = fresh.api_key
            # In a pod the library asks this for the token before each request, and it remembers one for a minute.
            self._configuration.refresh_api_key_hook = fresh.refresh_api_key_hook
            code, headers, data = await self._send(verb, url, body, content_type)
        if code >= HTTPStatus.BAD_REQUEST:
            raise ApiError.from_answer(verb, path, code, data, headers.get("Retry-After", ""))
        try:
            answer = json.loads(data)
        except ValueError:
            raise UnreachableError(f"{self.server} answers {verb} /{path} with something that is not JSON") from None
        return answer if isinstance(answer, dict) else {}

    async def _send(
        self, verb: str, url: str, body: Raw | None, content_type: str
    ) -> tuple[int, Mapping[str, str], bytes]:
        headers = {"Accept": JSON, "Content-Type": content_type, "User-Agent": "dnsalias-operator"}
        await self._api.update_params_for_auth(headers, [], ["BearerToken"], url, verb, None)
        # Asked at the last moment, and bounded: a write that waits for a connection, or a process that was stopped
        # meanwhile, must not send it late.
        left = math.inf if verb == "GET" else self._fence()
        if left <= 0:
            raise FencedError(f"{verb} {url} was not sent: this operator does not hold the Lease (any more)")
        code = 0
        try:
            async with asyncio.timeout(None if math.isinf(left) else left):
                door = self._api.rest_client if verb == "GET" else self._writes
                response = await door.request(verb, url, headers=headers, body=body, _request_timeout=self._timeout)
                code = response.status
                data = await response.read()
            self._learn_time(response.headers.get("Date", ""))
        except TimeoutError as error:
            # The same each time: it is in conditions, and would be written again for another number.
            limit = self._timeout.total or math.inf
            within = "before the Lease runs out" if left < limit else f"in {limit:g} s"
            raise UnreachableError(f"{self.server}: no answer to {verb} {urlsplit(url).path} {within}") from error
        except (aiohttp.ClientError, OSError) as error:
            raise UnreachableError(f"{self.server}: {str(error) or type(error).__name__}") from error
        finally:
            self._observer(verb, code)
        return code, response.headers, data

    def path(self, kind: str, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """Path of a kind, a namespace's objects of a kind, or one object.

        Raises:
            ClusterError: no object can have that name or namespace.
        """
        for what, part in (("namespace", namespace), (kind, name)):
            if part and not is_object_name(part):
                raise ClusterError(f"no {what} can have the name {part[:253]!r}")
        root = "apis" if KINDS[kind].group else "api"
        parts = [root, self.api_version(kind), *(("namespaces", namespace) if namespace else ()), KINDS[kind].plural]
        return "/".join([*parts, *filter(None, (name, subresource))])

    def api_version(self, kind: str) -> str:
        """The apiVersion under which a kind is read and written: of Istio's kinds, all of which have one version."""
        row = KINDS[kind]
        return row.api_version if len(row.versions) == 1 else f"{row.group}/{self.istio_version}"

    async def stream(self, path: str, query: Sequence[tuple[str, str]]) -> AsyncIterator[tuple[int, bytes]]:
        """What an exec sends: the channel and the bytes, until it ends.

        Raises:
            ApiError: the API server, or the node behind it, refuses.
            UnreachableError: there was no answer, or it broke off.
        """
        url, headers = f"{self.server}/{path}?{urlencode(query)}", {"User-Agent": "dnsalias-operator"}
        await self._api.update_params_for_auth(headers, [], ["BearerToken"], url, "GET", None)
        rest = self._api.rest_client
        rest.pool_manager = rest.pool_manager or rest._create_pool_manager()  # noqa: SLF001 (as its own WsApiClient does)
        try:
            async with rest.pool_manager.ws_connect(
                url,
                headers=headers,
                protocols=(EXEC,),
                proxy=self._configuration.proxy,
                max_msg_size=0,
                timeout=aiohttp.ClientWSTimeout(ws_receive=self._timeout.total),
            ) as socket:
                async for message in socket:
                    if message.type is aiohttp.WSMsgType.BINARY and message.data:
                        yield message.data[0], message.data[1:]
        except aiohttp.WSServerHandshakeError as error:
            raise ApiError.from_answer("GET", path, error.status, error.message.encode()) from error
        except TimeoutError as error:
            silent = f"{self._timeout.total:g} s"
            raise UnreachableError(f"{self.server}: nothing of {path} for {silent}") from error
        except (aiohttp.ClientError, OSError) as error:
            raise UnreachableError(f"{self.server}: {str(error) or type(error).__name__}") from error

    async def pages(self, kind: str, namespace: str = "", size: int = 500) -> AsyncIterator[tuple[list[Raw], str]]:
        """The pages of a consistent LIST with the resourceVersion of the whole."""
        query = {"limit": str(size)}
        while True:
            answer = await self.request("GET", self.path(kind, namespace), query)
            meta = mapping(answer.get("metadata"))
            yield list(answer.get("items") or ()), text(meta.get("resourceVersion"))
            if not (token := text(meta.get("continue"))):
                return
            query["continue"] = token

    async def missing_kinds(self) -> tuple[str, ...]:
        """CRDs of watched kinds that the API server does not serve yet; finds the best version of ServiceEntry."""
        missing: list[str] = []
        by_group: dict[str, list[Kind]] = {}
        for kind in watched(one_namespace=False):
            by_group.setdefault(kind.group, []).append(kind)
        by_group.pop("")  # the core group is always there
        for group, kinds in by_group.items():
            found = await self._best(group, kinds[0])
            missing += [kind.resource for kind in kinds if kind.plural not in found]
        return tuple(missing)

    async def _best(self, group: str, first: Kind) -> frozenset[str]:
        """What is served in the best version of a group that has the ``first`` of its kinds."""
        versions, found = await self._served(group), frozenset[str]()
        for version in (v for v in first.versions if v in versions):
            found = await self._resources(f"{group}/{version}")
            if first.plural in found:
                if group == ISTIO_GROUP:
                    self.istio_version = version
                break
        return found

    async def _served(self, group: str) -> tuple[str, ...]:
        try:
            answer = await self.request("GET", f"apis/{group}")
        except ApiError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return ()
            raise
        return tuple(text(v.get("version")) for v in answer.get("versions") or ())

    async def _resources(self, group_version: str) -> frozenset[str]:
        try:
            answer = await self.request("GET", f"apis/{group_version}")
        except ApiError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return frozenset()
            raise
        return frozenset(text(r.get("name")) for r in answer.get("resources") or ())

    def _learn_time(self, date: str) -> None:
        try:
            stamp = parsedate_to_datetime(date).timestamp()
        except (TypeError, ValueError):
            return
        # The header is cut to the second, so each answer gives a lower bound; the highest of the last minute is best.
        now = time.monotonic()
        found = stamp - now
        if self._offset is None or now - self._offset[1] > _OFFSET_SECONDS or found > self._offset[0]:
            self._offset = (found, now)
