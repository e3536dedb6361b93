"""The reference of rows 5 and 6: Kopf by itself, with handlers that do nothing. ``python -m benchmarks.kopf_alone``.

Its arguments are a kubeconfig and the number of objects; it says "synced" once it was told of that many.
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import kopf

from dnsalias_operator.model.names import GROUP, ISTIO_GROUP, PLURAL, VERSION
from dnsalias_operator.settings import load_settings
from dnsalias_operator.shell.api.access import load_configuration
from dnsalias_operator.shell.watching.kopfsession import connection

RESOURCES = (
    ("", "v1", "services"),
    ("", "v1", "namespaces"),
    (ISTIO_GROUP, "v1", "serviceentries"),
    (ISTIO_GROUP, "v1", "sidecars"),
    (GROUP, VERSION, PLURAL),
)
"""What the operator watches."""


class Seen:
    """Counts objects."""

    def __init__(self, wanted: int) -> None:
        self._left = wanted

    def count(self) -> None:
        """Take an event, and say so once there were as many as there are objects."""
        self._left -= 1
        if not self._left:
            sys.stdout.write("synced\n")
            sys.stdout.flush()


def _listener(seen: Seen) -> Callable[..., Coroutine[Any, Any, None]]:
    async def listen(**_: object) -> None:
        seen.count()

    return listen


async def main(kubeconfig: str, objects: int) -> None:
    """Watch until killed."""
    settings = load_settings({"kubeconfig": kubeconfig})
    registry, seen = kopf.OperatorRegistry(), Seen(objects)
    for group, version, plural in RESOURCES:
        kopf.on.event(group, version, plural, id=plural, registry=registry)(_listener(seen))

    async def log_in(**_: object) -> kopf.ConnectionInfo:
        return await connection(await load_configuration(kubeconfig))

    kopf.on.login(id="login", registry=registry)(log_in)
    plain = kopf.OperatorSettings()
    plain.posting.enabled = False
    plain.scanning.disabled = True  # needs rights to list CRDs otherwise
    plain.watching.chunk_size = settings.page_size
    await kopf.operator(registry=registry, settings=plain, standalone=True, clusterwide=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
