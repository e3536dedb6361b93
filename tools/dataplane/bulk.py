"""Writing a whole world to the API server: many requests at once over a few kept connections."""

import asyncio
import json
import ssl
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp

from tools.controlplane.api import Api

CONNECTIONS = 8
REFUSED = frozenset({400, 422})
COLLECTIONS: Mapping[str, str] = {
    "Service": "/api/v1/namespaces/{}/services",
    "ServiceEntry": "/apis/networking.istio.io/v1/namespaces/{}/serviceentries",
    "Sidecar": "/apis/networking.istio.io/v1/namespaces/{}/sidecars",
    "VirtualService": "/apis/networking.istio.io/v1/namespaces/{}/virtualservices",
    "DestinationRule": "/apis/networking.istio.io/v1/namespaces/{}/destinationrules",
    "PeerAuthentication": "/apis/security.istio.io/v1/namespaces/{}/peerauthentications",
}
"""Where objects of a kind are created, by kind."""


def label(obj: Mapping[str, Any]) -> str:
    """How reports name an object: kind/namespace/name."""
    return f"{obj['kind']}/{obj['metadata']['namespace']}/{obj['metadata']['name']}"


def create(api: Api, objects: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Create all of the objects, in no particular order; what the API server finds invalid is returned.

    Args:
        api: of the control plane.
        objects: with kind and namespace, of the kinds in ``COLLECTIONS``.

    Returns:
        The server's message by ``label``, for every object it refused as invalid.

    Raises:
        aiohttp.ClientResponseError: a request failed for another reason.
    """
    return asyncio.run(_create(api, objects))


async def _create(api: Api, objects: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    context = ssl.create_default_context(cafile=str(api.ca_file))
    connector = aiohttp.TCPConnector(limit=CONNECTIONS, ssl=context)
    headers = {"Authorization": f"Bearer {api.token}", "Content-Type": "application/json"}
    refused: dict[str, str] = {}

    async def post(obj: Mapping[str, Any]) -> None:
        url = api.url + COLLECTIONS[obj["kind"]].format(obj["metadata"]["namespace"])
        async with session.post(url, data=json.dumps(obj)) as response:
            if response.status in REFUSED:
                refused[label(obj)] = str((await response.json())["message"])
                return
            response.raise_for_status()
            await response.read()

    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
        await asyncio.gather(*(post(obj) for obj in objects))
    return refused
