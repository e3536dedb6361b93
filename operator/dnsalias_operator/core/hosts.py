"""DNS names: which are a Service's, which are reserved, which two resolve to the same thing."""

from functools import cache

from publicsuffixlist import PublicSuffixList

from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.snapshot import Snapshot

SHORT_LABELS = 2


def service_host(service: Service, mesh: Mesh) -> str:
    """The Service's full DNS name."""
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


def reserved(host: str, mesh: Mesh) -> str:
    """Why no alias may ever have this host, or "".

    Source: design of this project; the names are those that every pod's resolver gives a meaning of its own.
    """
    for suffix, meaning in (
        (mesh.cluster_domain, "the cluster domain"),
        ("svc", "the cluster's Service names"),
        ("localhost", "the pod itself"),
    ):
        if host == suffix or host.endswith(f".{suffix}"):
            return f"{suffix} belongs to {meaning}"
    return ""


def public_suffix(host: str) -> str:
    """The real public suffix (`com`, `co.uk`) that the host is under, or "" where its last label is none.

    Source: the Public Suffix List as the library ships it; names that it does not know are what aliases are for.
    """
    return _suffixes().publicsuffix(host) or ""


@cache
def _suffixes() -> PublicSuffixList:
    # Constant data, but a tenth of a second to read: only when first asked.
    return PublicSuffixList(accept_unknown=False)


def shadowed_service(world: Snapshot, host: str) -> Service | None:
    """The Service X of namespace Y for a host ``X.Y``; also for a pod's name ``pod.X.Y`` under a headless X.

    Source: facts/istio.md part 4 (such an entry takes the Service's virtual host; DNS answers with the Service).
    """
    labels = host.split(".")
    if len(labels) < SHORT_LABELS:
        return None
    service = world.service(labels[-1], labels[-2])
    if service is None or len(labels) > SHORT_LABELS + 1:
        return None
    return service if len(labels) == SHORT_LABELS or service.headless else None
