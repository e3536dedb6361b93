"""A bare asynchronous client of the API server: nothing but aiohttp, for loading a cluster and for the references."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Self

import aiohttp

IN_FLIGHT = 8
"""Requests at a time; more gain nothing on a server of two cores."""
PAGE = 500
MERGE = "application/merge-patch+json"


@dataclass(frozen=True, slots=True)
class Call:
    """One request. ``body`` is JSON text, "" for none."""

    verb: str
    path: str
    body: str = ""
    content_type: str = "application/json"


class RefusedError(Exception):
    """The API server answered 400 or more."""


class Requests:
    """Requests as one user; an async context manager."""

    def __init__(self, url: str, ca_file: str, token: str) -> None:
        self._url = url
        context = ssl.create_default_context(cafile=ca_file)
        connector = aiohttp.TCPConnector(ssl=context, limit=IN_FLIGHT + 8)
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._session = aiohttp.ClientSession(connector=connector, headers=headers)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def send(self, call: Call) -> bytes:
        """Make a request; the answer is not decoded.

        Raises:
            RefusedError: it was refused.
        """
        headers = {"Content-Type": call.content_type}
        async with self._session.request(call.verb, self._url + call.path, data=call.body, headers=headers) as answer:
            data = await answer.read()
            if answer.status >= HTTPStatus.BAD_REQUEST:
                raise RefusedError(f"{call.verb} {call.path}: {answer.status} {data[:400].decode()}")
            return data

    async def send_all(self, calls: Iterable[Call]) -> None:
        """Make requests, `IN_FLIGHT` at a time, in order."""
        rest = iter(calls)

        async def one() -> None:
            for call in rest:
                await self.send(call)

        await asyncio.gather(*(one() for _ in range(IN_FLIGHT)))

    async def listed(self, path: str) -> tuple[list[dict[str, Any]], str]:
        """Every object of a collection, and the resourceVersion of the list."""
        items: list[dict[str, Any]] = []
        token = ""
        while True:
            page = json.loads(await self.send(Call("GET", f"{path}?limit={PAGE}&continue={token}")))
            items += page["items"]
            token = page["metadata"].get("continue", "")
            if not token:
                return items, page["metadata"]["resourceVersion"]

    async def watch(self, path: str, version: str) -> AsyncIterator[dict[str, Any]]:
        """The events of a collection from a resourceVersion on, until the caller has enough."""
        url = f"{self._url}{path}?watch=true&resourceVersion={version}&timeoutSeconds=3600"
        timeout = aiohttp.ClientTimeout(total=None)
        async with self._session.get(url, timeout=timeout) as answer:
            rest = b""
            async for chunk in answer.content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    yield json.loads(line)
