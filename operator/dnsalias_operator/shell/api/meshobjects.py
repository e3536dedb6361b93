"""The objects that say which mesh it is: read one by one, by their names, with rights for exactly those."""

from collections.abc import Iterable
from http import HTTPStatus

from dnsalias_operator.core.istio.meshconfig import (
    DENIED,
    NOTHING,
    Found,
    joined,
    names_of,
    read_document,
    shared_name,
    with_revisions,
    with_shared,
    without_shared,
)
from dnsalias_operator.model.meta import Raw
from dnsalias_operator.model.names import is_object_name
from dnsalias_operator.shell.api.client import Client
from dnsalias_operator.shell.api.errors import ApiError, ClusterError

MOST_REVISIONS = 8
"""Other revisions that are read, each by three requests; of more it is told that they are not known."""
_PATHS = {"ConfigMap": "api/v1/namespaces/{}/configmaps/{}", "Deployment": "apis/apps/v1/namespaces/{}/deployments/{}"}


async def read_mesh(client: Client, namespace: str, revision: str) -> Found:
    """What the objects of that revision in the root ``namespace`` say; ``unread`` names those that say nothing.

    Raises:
        ClusterError: there was no answer that says whether an object is there, or may be read.
    """
    if not is_object_name(namespace):
        raise ClusterError(f"no namespace can have the name {namespace[:253]!r}")
    found: list[Found] = []
    for kind, name in names_of(revision):
        raw = await _read(client, kind, namespace, name)
        if not isinstance(raw, Found):
            nothing = Found(unread=(f"{kind} {namespace}/{name} says nothing of the mesh",))
            raw = read_document(raw, revision) or nothing
        found.append(raw)
    together = joined(found)
    name = shared_name(together)
    if not is_object_name(name):
        return with_shared(together, None)
    raw = await _read(client, "ConfigMap", namespace, name)
    return without_shared(together, raw.unread[0]) if isinstance(raw, Found) else with_shared(together, raw)


async def read_revisions(client: Client, namespace: str, revision: str, others: Iterable[str]) -> Found:
    """As `read_mesh`, with ``others``: revisions that labels of Namespaces name.

    Raises:
        ClusterError: as `read_mesh`.
    """
    found = await read_mesh(client, namespace, revision)
    read = {
        name: await read_mesh(client, namespace, name) if number < MOST_REVISIONS else NOTHING
        for number, name in enumerate(others)
    }
    return with_revisions(found, read)


async def _read(client: Client, kind: str, namespace: str, name: str) -> Raw | Found:
    """One object; where it is not there or may not be read, what says so."""
    where = f"{kind} {namespace}/{name}"
    try:
        raw = await client.request("GET", _PATHS[kind].format(namespace, name))
    except ApiError as error:
        forbidden = error.status == HTTPStatus.FORBIDDEN
        if not forbidden and not error.says_gone(name):
            raise
        return Found(unread=(f"{DENIED}{where}" if forbidden else f"there is no {where}",))
    return {"kind": kind, **raw}
