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
