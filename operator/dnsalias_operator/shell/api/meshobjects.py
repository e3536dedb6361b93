"""The objects that say which mesh it is: read one by one, by their names, with rights for exactly those."""

from http import HTTPStatus

from dnsalias_operator.core.istio.meshconfig import DENIED, Found, joined, names_of, read_document
from dnsalias_operator.model.names import is_object_name
from dnsalias_operator.shell.api.client import Client
from dnsalias_operator.shell.api.errors import ApiError, ClusterError

_PATHS = {"ConfigMap": "api/v1/namespaces/{}/configmaps/{}", "Deployment": "apis/apps/v1/namespaces/{}/deployments/{}"}


async def read_mesh(client: Client, namespace: str, revision: str) -> Found:
    """What the objects of that revision in the root ``namespace`` say; ``unread`` names those that say nothing.

    Raises:
        ClusterError: there was no answer that says whether an object is there, or may be read.
    """
    found: list[Found] = []
    for kind, name in names_of(revision):
        where = f"{kind} {namespace}/{name}"
        if not is_object_name(namespace):
            raise ClusterError(f"no namespace can have the name {namespace[:253]!r}")
        try:
            raw = await client.request("GET", _PATHS[kind].format(namespace, name))
        except ApiError as error:
            forbidden = error.status == HTTPStatus.FORBIDDEN
            if not forbidden and not error.says_gone(name):
                raise
            found.append(Found(unread=(f"{DENIED}{where}" if forbidden else f"there is no {where}",)))
            continue
        said = read_document({"kind": kind, **raw}, revision)
        found.append(said or Found(unread=(f"{where} says nothing of the mesh",)))
    return joined(found)
