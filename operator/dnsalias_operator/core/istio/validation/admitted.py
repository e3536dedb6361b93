"""A world without the entries that no cluster can have: they make no listener, and lose nobody's traffic.

istiod validates what is written to the API server, by its webhook, and not what it reads from there: an entry that was
written while no webhook answered is used as it is. Source: addCRD in pilot/pkg/config/kube/crdclient/client.go, which
calls no ValidateConfig, and validate in pkg/webhooks/validation/server/server.go, which does; both at 1.31.
"""

from collections.abc import Mapping

from dnsalias_operator.core.istio.validation.refusal import By, Refusal
from dnsalias_operator.core.istio.validation.rules import refused
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot


def refusals(entry: ServiceEntry, mesh: Mesh) -> tuple[Refusal, ...]:
    """What Istio refuses of an entry; of one that an API server has, what istiod's webhook will at its next change.

    What has a uid was given one by an API server: that one knows a field that this table does not.
    """
    found = refused(entry.raw, mesh)
    return tuple(one for one in found if one.by is By.ISTIOD) if entry.meta.uid else found


def refusals_in(world: Snapshot, mesh: Mesh) -> Mapping[Key, tuple[Refusal, ...]]:
    """`refusals` of every entry of a world that has any; found once."""

    def found() -> dict[Key, tuple[Refusal, ...]]:
        return {entry.key: refused for entry in world.entries() if (refused := refusals(entry, mesh))}

    return world.remembered(("refusals", mesh), found)


def cannot_exist(entry: ServiceEntry, mesh: Mesh) -> bool:
    """Whether no cluster has the entry, nor will have it as it is given: it is in no API server, and refused."""
    return not entry.meta.uid and bool(refusals(entry, mesh))


def admitted(world: Snapshot, mesh: Mesh) -> Snapshot:
    """The world without them; the same one where there are none."""

    def without() -> Snapshot:
        found = refusals_in(world, mesh)
        gone = {key: None for key in found if (entry := world.get(key)) is not None and not entry.meta.uid}
        return world.with_changes(gone) if gone else world

    return world.remembered(("admitted", mesh), without)
