"""The names and addresses by which a Service is known in the mesh."""

from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.snapshot import Snapshot

SHORT_LABELS = 2


def service_host(service: Service, mesh: Mesh) -> str:
    """The full name of a Service, by which istiod files it as well."""
    return f"{service.meta.name}.{service.meta.namespace}.svc.{mesh.cluster_domain}"


def addresses_to_share(service: Service, mesh: Mesh) -> tuple[str, ...]:
    """The clusterIPs that an entry for the Service lists: all of them, primary first.

    Under ISTIO_DUAL_STACK only the primary one: there both of an entry's addresses open one listener, which meets the
    Service's own on the second address, and Envoy refuses one of the two, by chance (docs/istio-disagreements.md).
    """
    return service.cluster_ips[:1] if mesh.istio_dual_stack else service.cluster_ips


def service_named(world: Snapshot, host: str, namespace: str, mesh: Mesh) -> tuple[str, str] | None:
    """Namespace and name of the Service that ``host`` stands for when a pod of ``namespace`` asks; None: not a Service.

    The full forms (``…svc`` and ``…svc.<cluster domain>``) name a Service whether or not it exists; the short forms
    (``name.namespace``, ``name``) only where it does, since any other name looks like them (pods' search domains).
    """
    labels = host.rstrip(".").removesuffix(f".svc.{mesh.cluster_domain}").removesuffix(".svc").split(".")
    full = host.rstrip(".").endswith((".svc", f".svc.{mesh.cluster_domain}"))
    if len(labels) == SHORT_LABELS and (full or world.service(labels[1], labels[0])):
        return labels[1], labels[0]
    if len(labels) == 1 and not full and world.service(namespace, labels[0]):
        return namespace, labels[0]
    return None


def services_called(world: Snapshot, host: str, mesh: Mesh) -> list[Service]:
    """The Services that exist and have ``host`` for a name, in any form and for whatever client; sorted by key.

    Forms are the full name, with a dot at its end or without, what is left where the cluster domain is cut off it, and
    a name alone. Under a headless Service these are names of its pods too.
    """
    name = host.lower().removesuffix(".")
    for suffix in _suffixes(mesh):
        if name.endswith(suffix):
            name = name.removesuffix(suffix)
            break
    else:
        suffix = ""
    labels = name.split(".")
    found: list[Service] = []
    if not suffix and len(labels) <= SHORT_LABELS:
        found = [s for s in world.services_named(labels[-1]) if len(labels) == 1 or s.headless]
    own = world.service(labels[-1], labels[-2]) if SHORT_LABELS <= len(labels) <= SHORT_LABELS + 1 else None
    if own is not None and (len(labels) == SHORT_LABELS or own.headless):
        found.append(own)
    return sorted({s.key: s for s in found}.values(), key=lambda s: s.key)


def names_of(service: Service, mesh: Mesh) -> tuple[str, ...]:
    """All forms of its name, for whatever client (`services_called`)."""
    own = f"{service.meta.name}.{service.meta.namespace}"
    return (
        service.meta.name,
        own,
        *(f"{own}{suffix}" for suffix in _suffixes(mesh)),
        f"{service_host(service, mesh)}.",
    )


def _suffixes(mesh: Mesh) -> list[str]:
    """What may follow a Service's name and namespace, the longest first."""
    labels = mesh.cluster_domain.split(".")
    return [".".join(("", "svc", *labels[:n])) for n in range(len(labels), -1, -1)]
