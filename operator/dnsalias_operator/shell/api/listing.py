"""Everything that a prediction rests on, listed once: what the command line reads of a cluster."""

import asyncio
from collections.abc import Callable, Collection
from http import HTTPStatus
from typing import Any

from dnsalias_operator.core.istio.meshconfig import NOTHING, Found, revisions_in
from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.meta import Raw, mapping, mappings, text, texts
from dnsalias_operator.model.names import OWN_MANAGER
from dnsalias_operator.shell.api.access import context_name
from dnsalias_operator.shell.api.client import Client
from dnsalias_operator.shell.api.errors import ApiError, ClusterError
from dnsalias_operator.shell.api.meshobjects import read_revisions

__all__ = ["ApiError", "ClusterError", "Listing", "context_name", "list_events", "list_objects"]


class Listing(list[dict[str, Any]]):
    """Raw objects; ``missing`` names the CRDs that are not served, ``forbidden`` those that may not be read.

    ``mesh`` is what the objects in the mesh's root namespace say.
    """

    missing: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    namespaces: tuple[str, ...] | None = None
    """The cluster's, where one was asked for in which nothing was found; None where they were not asked for, or may
    not be listed.
    """
    mesh: Found = NOTHING


def list_objects(
    kubeconfig: str | None,
    context: str | None,
    namespace: str | None,
    on_page: Callable[[str, int], None] = lambda _plural, _count: None,
    *,
    mesh: tuple[str, str],
    kinds: Collection[str] = tuple(KINDS),
) -> Listing:
    """Every object that a prediction rests on (Namespaces cluster-wide only), each with apiVersion and kind.

    ``mesh`` is the root namespace and the revision of istiod whose objects say which mesh it is. ``kinds`` are those
    that are listed.

    The answer lacks kinds without a CRD (``missing``) and optional ones that we have no right to (``forbidden``).
    ``on_page`` is called after each page with the plural of the kind and how many of it have been read.

    Raises:
        ClusterError: the cluster cannot be reached or read; the message says what to do.
    """
    return asyncio.run(_list_objects(kubeconfig, context, namespace or "", on_page, mesh, kinds))


async def _list_objects(
    kubeconfig: str | None,
    context: str | None,
    namespace: str,
    on_page: Callable[[str, int], None],
    mesh: tuple[str, str],
    kinds: Collection[str],
) -> Listing:
    found = Listing()
    async with await Client.connect(kubeconfig, context) as client:
        found.missing = await client.missing_kinds()
        for kind in (KINDS[name] for name in kinds):
            if kind.resource in found.missing or (namespace and not kind.namespaced):
                continue
            api_version, before = client.api_version(kind.name), len(found)
            try:
                async for items, _ in client.pages(kind.name, namespace if kind.namespaced else ""):
                    found.extend({"apiVersion": api_version, "kind": kind.name, **item} for item in items)
                    on_page(kind.plural, len(found) - before)
            except ApiError as error:
                if kind.optional and error.status == HTTPStatus.FORBIDDEN:
                    found.forbidden = (*found.forbidden, kind.resource)
                elif kind.optional and error.status == HTTPStatus.NOT_FOUND:
                    found.missing = (*found.missing, kind.resource)
                else:
                    raise
        metas = (mapping(raw.get("metadata")) for raw in found if raw["kind"] == "Namespace")
        others = revisions_in((texts(meta.get("labels")) for meta in metas), mesh[1])
        found.mesh = await read_revisions(client, *mesh, others)
        if namespace and not found:
            found.namespaces = await _namespaces(client)
    return found


async def _namespaces(client: Client) -> tuple[str, ...] | None:
    try:
        return tuple([item["metadata"]["name"] async for items, _ in client.pages("Namespace", "") for item in items])
    except ApiError:
        return None


def list_events(kubeconfig: str | None, context: str | None, namespace: str) -> list[Raw]:
    """Every Event of a namespace, or of all (""), of which there may be many: those of this operator.

    Raises:
        ClusterError: the cluster cannot be reached, or refuses.
    """
    return asyncio.run(_list_events(kubeconfig, context, namespace))


async def _list_events(kubeconfig: str | None, context: str | None, namespace: str) -> list[Raw]:
    where = f"namespaces/{namespace}/" if namespace else ""
    found: list[Raw] = []
    query = {"limit": "500"}
    async with await Client.connect(kubeconfig, context) as client:
        while True:
            answer = await client.request("GET", f"apis/events.k8s.io/v1/{where}events", query)
            items = mappings(answer.get("items"))
            found += [item for item in items if item.get("reportingController") == OWN_MANAGER]
            if not (token := text(mapping(answer.get("metadata")).get("continue"))):
                return found
            query["continue"] = token
