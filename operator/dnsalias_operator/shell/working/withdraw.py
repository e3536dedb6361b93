"""The one write that the command line makes: taking our patches out of other people's entries, by their manager.

It is a person who asks for it, with rights of their own; the operator withdraws by itself what has no reason any more.
"""

import asyncio
from collections.abc import Sequence

from dnsalias_operator.core.outcome import Change
from dnsalias_operator.model.meta import mapping
from dnsalias_operator.model.names import REPAIR_MANAGER
from dnsalias_operator.shell.api.client import APPLY, Client
from dnsalias_operator.shell.api.errors import ApiError, ClusterError, UnreachableError

__all__ = ["ClusterError", "withdraw"]


def withdraw(kubeconfig: str | None, context: str | None, changes: Sequence[Change], *, force: bool) -> list[str]:
    """Make the changes one after the other; returns for each what went wrong, "" where nothing did.

    Args:
        kubeconfig: path, None for the default.
        context: of the kubeconfig, None for its current one.
        changes: as `core.revert` made them; each is refused where the entry was changed meanwhile.
        force: whether an annotation that somebody else wrote is replaced.

    Raises:
        ClusterError: the cluster cannot be reached at all.
    """
    return asyncio.run(_withdraw(kubeconfig, context, changes, force=force))


async def _withdraw(
    kubeconfig: str | None, context: str | None, changes: Sequence[Change], *, force: bool
) -> list[str]:
    async with await Client.connect(kubeconfig, context) as client:
        await client.missing_kinds()
        return [await _one(client, change, force=force) for change in changes]


async def _one(client: Client, change: Change, *, force: bool) -> str:
    key = change.key
    body = {**change.apply, "apiVersion": client.api_version(key.kind)}
    body["metadata"] = {k: v for k, v in mapping(body["metadata"]).items() if k != "managedFields"}
    query = {"fieldManager": REPAIR_MANAGER, "force": str(force).lower()}
    try:
        await client.request("PATCH", client.path(key.kind, key.namespace, key.name), query, body, APPLY)
    except ApiError as error:
        if error.managers:
            return f"{', '.join(error.managers)} holds a field of this write; {error}"
        return f"it was changed or deleted meanwhile; look again ({error})" if error.stale else str(error)
    except UnreachableError as error:
        return f"there was no answer, so that it may have been written: {error}"
    return ""
