"""DNS names: which are a Service's, which are reserved, which two resolve to the same thing."""

from functools import cache
from importlib import resources

import publicsuffixlist
from publicsuffixlist import PSLFILE, PublicSuffixList, encode_idn

from dnsalias_operator.core.istio.service_names import SHORT_LABELS
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.snapshot import Snapshot

LOCALHOST = "localhost"
Meant = tuple[tuple[str, str], ...]
"""Names with what each stands for; a name stands for itself and for every name under it."""

_ELSEWHERE: Meant = (
    # A Service as well; named because an operator of one namespace does not see it.
    ("kubernetes.default", "the API server"),
    ("arpa", "lookups of addresses"),
    ("metadata.google.internal", "the cloud's credentials"),
    ("instance-data.ec2.internal", "the cloud's credentials"),
)


def own_names(mesh: Mesh) -> Meant:
    """The names that every pod's resolver gives a meaning of its own.

    Source: Kubernetes, DNS for Services and Pods. Where a pod's search list has the end of the cluster domain
    (`local`), the rest of a Service's name is one as well.
    """
    labels = mesh.cluster_domain.split(".")
    parts = tuple(".".join(("svc", *labels[:n])) for n in range(len(labels)))
    return (
        (mesh.cluster_domain, "the cluster domain"),
        *((name, "the cluster's Service names") for name in parts),
        (LOCALHOST, "the pod itself"),
    )


def reserved_names(mesh: Mesh) -> Meant:
    """The names that no alias may have: those of the cluster, and those that pods trust with no further check.

    Source: design of this project; RFC 3172 (arpa); the names of the metadata servers of GCE and EC2.
    """
    return (*own_names(mesh), *_ELSEWHERE)


def under_suffix(host: str, suffix: str) -> bool:
    """Whether ``host`` is ``suffix`` or a name under it."""
    return host == suffix or host.endswith(f".{suffix}")


def meant_by(host: str, names: Meant) -> str:
    """Why ``host`` is somebody's already, or ""."""
    return next((f"{suffix} belongs to {meaning}" for suffix, meaning in names if under_suffix(host, suffix)), "")


def reserved(host: str, mesh: Mesh) -> str:
    """Why no alias may ever have this host, or ""."""
    return meant_by(host, reserved_names(mesh))


def idna_label(host: str) -> str:
    """The first label of ``host`` in IDNA form, or in the form kept free for its like; "" where there is none.

    Source: RFC 5890 section 2.3.1, labels with two hyphens in the third and fourth place.
    """
    return next((label for label in host.split(".") if label[2:4] == "--"), "")


def public_suffix(host: str) -> str:
    """The real public suffix (`com`, `co.uk`) that the host is under, or "" where its last label is none.

    Source: the Public Suffix List as the library ships it; names that it does not know are what aliases are for.
    """
    return _suffixes().publicsuffix(host) or ""


@cache
def _suffixes() -> PublicSuffixList:
    # Constant data, but it takes a while to read: only when first asked. The library would encode each of ten thousand
    # rules, and only those that are no ASCII differ then.
    given = resources.files(publicsuffixlist).joinpath(PSLFILE).read_text(encoding="utf-8").splitlines()
    encoded = [encode_idn(line) for line in given if not line.isascii() and not line.startswith("//")]
    return PublicSuffixList([*given, *encoded], accept_unknown=False, accept_encoded_idn=False)


def shadowed_service(world: Snapshot, host: str) -> Service | None:
    """The Service X of namespace Y for a host ``X.Y``; also for a pod's name ``pod.X.Y`` under a headless X.

    Source: docs/istio.md, "Names and DNS" (such an entry takes the Service's virtual host; DNS gives the Service).
    """
    labels = host.split(".")
    if len(labels) < SHORT_LABELS:
        return None
    service = world.service(labels[-1], labels[-2])
    if service is None or len(labels) > SHORT_LABELS + 1:
        return None
    return service if len(labels) == SHORT_LABELS or service.headless else None
