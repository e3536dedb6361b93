"""Kopf's connections to the API server: with the credentials as they are now, and an ear for the lists that Kopf makes.

A watch begins with a list and reports what comes after it. What went before that list it never reports, and Kopf
compares its lists with nothing; so it matters to know when it has made one.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

import aiohttp
import kopf

from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.settings import Settings
from dnsalias_operator.shell.api.access import load_configuration
from dnsalias_operator.shell.api.errors import ClusterError

Listed = Callable[[str], None]
"""Told of a kind that Kopf has just listed: the API server has answered, so a list that begins now is a later one."""
_KINDS = {kind.plural: kind.name for kind in KINDS.values()}


@dataclass(frozen=True, kw_only=True)
class Session(kopf.AiohttpSession):
    """Equal to another one with the same credentials: Kopf tries none again that were refused."""

    aiohttp_session: aiohttp.ClientSession = field(compare=False, repr=False)
    credentials: kopf.ConnectionInfo = field(repr=False)


class Sessions:
    """Makes Kopf's sessions, and at the end closes those that Kopf has not."""

    def __init__(self, settings: Settings, listed: Listed) -> None:
        self._settings, self._listed = settings, listed
        self._made: list[aiohttp.ClientSession] = []
        self.asked: set[str] = set()
        """Kinds that Kopf has asked for, whatever the answer was."""

    async def login(self) -> Session:
        """A session with the credentials as they are now.

        Raises:
            ClusterError: there are none, or they cannot be used.
        """
        found = await load_configuration(self._settings.kubeconfig or None, self._settings.context or None)
        credentials = await connection(found)
        try:
            secured = credentials.as_ssl_context()
        except (OSError, ValueError) as error:
            raise ClusterError(f"no access to a cluster: {error}") from error
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=secured),
            headers=credentials.as_http_headers(),
            proxy=credentials.proxy_url,
            middlewares=found.client_session_kwargs["middlewares"],
            trace_configs=[_ear(self._listed, self.asked)],
        )
        self._made = [*(one for one in self._made if not one.closed), session]
        return Session(server=credentials.server, aiohttp_session=session, credentials=credentials)

    async def close(self) -> None:
        """Close what is open."""
        for session in self._made:
            await session.close()


async def connection(found: Any) -> kopf.ConnectionInfo:  # noqa: ANN401 (the client library has no types)
    """The configuration (`load_configuration`) in Kopf's terms."""
    scheme, _, token = (await found.get_api_key_with_prefix("BearerToken") or "").partition(" ")
    return kopf.ConnectionInfo(
        server=found.host,
        ca_path=found.ssl_ca_cert or None,
        insecure=not found.verify_ssl,
        scheme=scheme.capitalize() or None,
        token=token.strip() or None,
        certificate_path=found.cert_file or None,
        private_key_path=found.key_file or None,
        proxy_url=found.proxy or None,
    )


def _ear(listed: Listed, asked: set[str]) -> aiohttp.TraceConfig:
    async def note(_: aiohttp.ClientSession, __: SimpleNamespace, begin: aiohttp.TraceRequestStartParams) -> None:
        asked.update(filter(None, (_KINDS.get(begin.url.name),)))

    async def hear(_: aiohttp.ClientSession, __: SimpleNamespace, end: aiohttp.TraceRequestEndParams) -> None:
        kind = _KINDS.get(end.url.name)
        # The first page is enough: those that continue it are of the same moment.
        if kind and end.response.status == HTTPStatus.OK and not {"watch", "continue"} & end.url.query.keys():
            listed(kind)

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(note)
    trace.on_request_end.append(hear)
    return trace
