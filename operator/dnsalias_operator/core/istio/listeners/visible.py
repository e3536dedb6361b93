"""Which services a client sees, and in which order their listeners are built.

Source: initServiceRegistry, serviceExportTo, servicesExportedToNamespace and SortServicesByCreationTime in
pilot/pkg/model/push_context.go; selectServices and servicesForExactHosts in pilot/pkg/model/sidecar.go.
"""

import re
from collections.abc import Iterable, Iterator

from dnsalias_operator.core.istio.listeners.claims import Claim
from dnsalias_operator.core.istio.listeners.scope import Egress
from dnsalias_operator.core.istio.listeners.services import (
    NOBODY,
    PRIVATE,
    PUBLIC,
    Upstream,
    export_to,
    service_key,
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
    being the object's own; a value that is no namespace's name matches nobody.
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
    for obj in objects:
        if not egress.imports.exact and not sees(obj, egress.namespace, mesh):
            continue
        for upstream in upstreams(obj, mesh):
            if egress.hosts_of(upstream) and (
                not egress.imports.exact or _looked_up(obj, upstream, snapshot, egress, mesh)
            ):
                yield upstream


def in_order(claims: Iterable[Claim], snapshot: Snapshot, egress: Egress, mesh: Mesh) -> list[Claim]:
    """Those of the claims, all of services that the egress listener imports, that it serves; first served first.

    Services exported to the client's namespace by name go before the public ones, but where all hosts of the egress
    listener are exact. Within each the older goes first,
    then the smaller name (metadata.name of a Service, the host of an entry), then the smaller namespace. An object of
    unknown age is taken for the youngest, which is what it will be when it is applied. Where all of that is equal
    istiod promises no order; a Service and then the object's name go first here.

    Of each hostname a client gets the services of one namespace only, whatever their ports.
    """
    ranked = sorted(claims, key=lambda claim: _rank(claim.upstream, egress))
    return [c for c in ranked if _namespace_of(c.upstream, snapshot, egress, mesh) == c.upstream.namespace]


def services_named(hostname: str, snapshot: Snapshot, egress: Egress, mesh: Mesh) -> list[Upstream]:
    """The services of that hostname that the egress listener gets, whatever their ports; a Service, then as served."""
    found = (u for u in seen(rivals(hostname, snapshot, mesh), snapshot, egress, mesh) if u.hostname == hostname)
    ranked = sorted(found, key=lambda u: _rank(u, egress))
    chosen = [u for u in ranked if _namespace_of(u, snapshot, egress, mesh) == u.namespace]
    return sorted(chosen, key=lambda u: not u.kubernetes)


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


def _age(upstream: Upstream) -> tuple[bool, int, str, str, Key]:
    age = (upstream.created is None, upstream.created or 0)
    return (*age, upstream.name, upstream.namespace, upstream.key)


def _rank(upstream: Upstream, egress: Egress) -> tuple[bool, bool, int, str, str, Key]:
    return (upstream.public and not egress.imports.exact, *_age(upstream))


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
    return upstream == min(filed, key=lambda u: (not u.kubernetes, _age(u)), default=upstream)


def _namespace_of(upstream: Upstream, snapshot: Snapshot, egress: Egress, mesh: Mesh) -> str:
    """The one namespace whose services of this hostname the egress listener gets.

    The client's own, else that of a Service, else that of the one that is first in order.
    """
    objects = rivals(upstream.hostname, snapshot, mesh)
    if all(o.meta.namespace == upstream.namespace for o in objects):
        return upstream.namespace
    imported = (u for u in seen(objects, snapshot, egress, mesh) if u.hostname == upstream.hostname)
    contenders = sorted(imported, key=lambda u: _rank(u, egress))
    chosen = upstream if not contenders else contenders[0]
    for u in contenders[1:]:
        outranks = u.kubernetes and not chosen.kubernetes and chosen.namespace != egress.namespace
        if u.namespace == egress.namespace or outranks:
            chosen = u
    return chosen.namespace
