"""Which services a client sees, and in which order their listeners are built.

Source: initServiceRegistry, serviceExportTo, servicesExportedToNamespace and SortServicesByCreationTime in
pilot/pkg/model/push_context.go; selectServices in pilot/pkg/model/sidecar.go.
"""

import re
from collections.abc import Iterable

from dnsalias_operator.core.listeners.rows import Client
from dnsalias_operator.core.listeners.services import Upstream, service_key, upstreams
from dnsalias_operator.model.dnsalias import LABEL_PATTERN
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import EXPORT_TO_ANNOTATION, KIND, Key
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.snapshot import Claimant, Snapshot

PUBLIC, PRIVATE, NOBODY = "*", ".", "~"


def export_to(obj: Claimant, mesh: Mesh) -> frozenset[str]:
    """The effective exportTo of an object: its own, else the mesh's default, else public.

    A Service's annotation that holds nothing but commas is a value like any other, and names no namespace.
    """
    own = obj.export_to
    if isinstance(obj, Service) and not own:
        own = ("",) if obj.meta.annotations.get(EXPORT_TO_ANNOTATION) else None
    return frozenset(own or mesh.default_service_export_to or (PUBLIC,))


def sees(obj: Claimant, client_namespace: str, mesh: Mesh) -> bool:
    """Whether a sidecar in that namespace is given the object at all.

    `*` wins over everything beside it, then `~` hides the object from everybody. What is left are namespaces, `.`
    being the object's own; a value that is no namespace's name matches nobody.
    """
    targets = export_to(obj, mesh)
    if PUBLIC in targets:
        return True
    if NOBODY in targets:
        return False
    return client_namespace in targets or (PRIVATE in targets and client_namespace == obj.meta.namespace)


def in_order(objects: Iterable[Claimant], snapshot: Snapshot, client: Client, mesh: Mesh) -> list[Upstream]:
    """The services of those objects that the client's sidecar builds listeners for, first served first.

    Those exported to the client's namespace by name go before the public ones. Within each the older goes first, then
    the smaller name (metadata.name of a Service, the host of an entry), then the smaller namespace. An object of
    unknown age is taken for the youngest, which is what it will be when it is applied. Where all of that is equal
    istiod promises no order; a Service and then the object's name go first here.
    """
    found = _ranked(objects, client, mesh)
    return [u for u in found if _namespace_of(u, snapshot, client, mesh) == u.namespace]


def named_namespaces(obj: Claimant, mesh: Mesh) -> set[str]:
    """The object's own namespace, and those its exportTo names where that decides who sees it."""
    targets = export_to(obj, mesh)
    named = set() if targets & {PUBLIC, NOBODY} else {t for t in targets if re.fullmatch(LABEL_PATTERN, t)}
    return named | {obj.meta.namespace}


def rivals(hostname: str, snapshot: Snapshot, mesh: Mesh) -> list[Claimant]:
    """Every object that yields a service of that hostname, on whatever port."""
    found: list[Claimant] = list(snapshot.entries_for_host(hostname))
    key = service_key(hostname, mesh)
    service = snapshot.service(key.namespace, key.name) if key else None
    return [*found, service] if service else found


def unused_namespace(snapshot: Snapshot, taken: set[str]) -> str:
    """The name of a namespace that stands for all those of which no object here knows."""
    kinds = ("Service", "ServiceEntry", KIND)
    name = "any-other"
    while (
        name in taken
        or snapshot.get(Key("Namespace", "", name))
        or any(snapshot.find("namespace", (kind, name)) for kind in kinds)
    ):
        name += "-x"
    return name


def _ranked(objects: Iterable[Claimant], client: Client, mesh: Mesh) -> list[Upstream]:
    ranked = [
        ((PUBLIC in export_to(obj, mesh), u.created is None, u.created or 0, u.name, u.namespace, u.key, index), u)
        for obj in objects
        if sees(obj, client.namespace, mesh)
        for index, u in enumerate(upstreams(obj, mesh))
    ]
    return [u for _, u in sorted(ranked, key=lambda pair: pair[0])]


def _namespace_of(upstream: Upstream, snapshot: Snapshot, client: Client, mesh: Mesh) -> str:
    """The one namespace whose services of this hostname the client gets.

    The client's own, else that of a Service, else that of the one that is first in order.
    """
    objects = rivals(upstream.hostname, snapshot, mesh)
    if all(o.meta.namespace == upstream.namespace for o in objects):
        return upstream.namespace
    contenders = [u for u in _ranked(objects, client, mesh) if u.hostname == upstream.hostname]
    chosen = contenders[0]
    for u in contenders[1:]:
        may_displace = u.namespace == client.namespace or chosen.namespace != client.namespace
        if u.namespace == client.namespace or (u.kubernetes and not chosen.kubernetes and may_displace):
            chosen = u
    return chosen.namespace
