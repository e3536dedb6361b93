"""Which services a client sees, before those of one hostname are distinguished (`contested`).

Source: initServiceRegistry and serviceExportTo in pilot/pkg/model/push_context.go; selectServices and
servicesForExactHosts in pilot/pkg/model/sidecar.go.
"""

import re
from collections.abc import Iterable, Iterator
from functools import partial

from dnsalias_operator.core.istio.listeners.claimants import rivals
from dnsalias_operator.core.istio.listeners.order import age
from dnsalias_operator.core.istio.listeners.scope import Egress
from dnsalias_operator.core.istio.listeners.services import (
    NOBODY,
    PRIVATE,
    PUBLIC,
    Upstream,
    export_to,
    upstreams,
)
from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.lookups import Claimant
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import LABEL_PATTERN, Key
from dnsalias_operator.model.snapshot import Snapshot


def sees(obj: Claimant, client_namespace: str, mesh: Mesh) -> bool:
    """Whether a sidecar in that namespace is given the object at all.

    `*` wins over everything beside it, then `~` hides the object from everybody. What is left are namespaces, `.`
    being the object's own; a value that is no namespace's name matches nobody. In a namespace that istiod does not
    discover nothing is there.
    """
    targets = export_to(obj, mesh)
    if PUBLIC in targets:
        return True
    if NOBODY in targets:
        return False
    return client_namespace in targets or (PRIVATE in targets and client_namespace == obj.meta.namespace)


def seen(objects: Iterable[Claimant], snapshot: Snapshot, egress: Egress, mesh: Mesh) -> Iterator[Upstream]:
    """The services of those objects that are exported to the client and that the egress listener imports, in no order.

    Where all of its hosts are exact istiod looks each up in the one namespace given. That finds one service a hostname,
    whatever its addresses, and only then it is asked whether that one is exported; a `~` beside other values is not
    looked at there.
    """
    for obj in (each for each in objects if mesh.discovers(each.meta.namespace)):
        if not egress.imports.exact and not sees(obj, egress.namespace, mesh):
            continue
        imported: dict[str, bool] = {}  # a host may have hundreds of addresses
        for upstream in snapshot.remembered(("upstreams", obj.key, mesh), partial(upstreams, obj, mesh)):
            if upstream.hostname not in imported:
                imported[upstream.hostname] = egress.hosts_of(upstream) is not None
            if imported[upstream.hostname] and (
                not egress.imports.exact or _looked_up(obj, upstream, snapshot, egress, mesh)
            ):
                yield upstream


def named_namespaces(obj: Claimant, mesh: Mesh) -> set[str]:
    """The object's own namespace, and those its exportTo names where that decides who sees it."""
    targets = export_to(obj, mesh)
    named = set() if targets & {PUBLIC, NOBODY} else {t for t in targets if re.fullmatch(LABEL_PATTERN, t)}
    return named | {obj.meta.namespace}


def unused_namespace(snapshot: Snapshot, taken: set[str]) -> str:
    """The name of a namespace that stands for all those of which no object here knows."""
    kinds = [kind.name for kind in KINDS.values() if kind.namespaced]
    name = "any-other"
    while (
        name in taken
        or snapshot.get(Key("Namespace", "", name))
        or any(snapshot.find("namespace", (kind, name)) for kind in kinds)
        or snapshot.sidecars_importing(name)
    ):
        name += "-x"
    return name


def _looked_up(obj: Claimant, upstream: Upstream, snapshot: Snapshot, egress: Egress, mesh: Mesh) -> bool:
    """Whether the service is exported to the client, and the one that istiod has filed for its hostname and namespace.

    That is a Service, else the oldest entry's; of several addresses of an entry the first that it lists (istiod
    promises no order there).
    """
    targets = export_to(obj, mesh)
    own = PRIVATE in targets and egress.namespace == upstream.namespace
    if not own and not targets & {PUBLIC, egress.namespace}:
        return False
    objects = (o for o in rivals(upstream.hostname, snapshot, mesh) if o.meta.namespace == upstream.namespace)
    filed = (u for o in objects for u in upstreams(o, mesh) if u.hostname == upstream.hostname)
    return upstream == min(filed, key=lambda u: (not u.kubernetes, age(u, egress, mesh)), default=upstream)
