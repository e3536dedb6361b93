"""What was read of a sidecar, and the client and the mesh that it says it is and is in."""

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from dnsalias_operator.core.istio.clusters.envoy import EnvoyCluster
from dnsalias_operator.core.istio.listeners import Client, Row
from dnsalias_operator.core.istio.proxy import Proxy
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import DOMAIN_PATTERN
from dnsalias_operator.model.release import RELEASE_PATTERN, Release


@dataclass(frozen=True, slots=True)
class Seen:
    """A sidecar's configuration.

    ``proxy`` is None where it does not say whose it is. ``rows`` are those of its outbound listeners; ``refused`` are
    sentences about listeners that Envoy refuses or has not taken yet. ``clusters`` are those of whole services by name,
    None where it holds none. ``secret`` is whether it holds a private key that is not redacted.
    """

    proxy: Proxy | None
    rows: tuple[Row, ...]
    refused: tuple[str, ...] = ()
    clusters: Mapping[str, EnvoyCluster] | None = None
    secret: bool = False


def client_of(proxy: Proxy) -> Client:
    """The client that the proxy is the sidecar of."""
    return Client(proxy.namespace, proxy.labels)


def mesh_of(proxy: Proxy, mesh: Mesh, by_hand: AbstractSet[str]) -> tuple[Mesh, tuple[str, ...]]:
    """The mesh with what the proxy says of it, and sentences about what it says and the model cannot take.

    What was set ``by_hand`` stays as it is: where the two contradict each other, that is said. So does the release
    where istiod's own was read: it is what makes the listeners, and a sidecar may be older. Else the proxy knows better
    than the MeshConfig, since a pod may differ from it.
    """
    said = dict(_said(proxy))
    kept = {*by_hand, *({"istio_version"} & mesh.model_fields_set)}
    notes = []
    for name, value in said.items():
        if name == "istio_version" and name not in by_hand and name in kept:
            if Release.parse(value) != mesh.release:
                notes.append(f"istiod is of Istio {mesh.release}, and counts; the sidecar is of {value}")
        elif name in kept and getattr(mesh, name) != value:
            notes.append(f"{name} is set to {_shown(getattr(mesh, name))}, and the sidecar itself says {_shown(value)}")
    if proxy.release and "istio_version" not in said:
        notes.append(f"its release {proxy.release!r} is none that is modelled: taken for Istio {mesh.release}")
    if proxy.ipv6_only:
        notes.append("the pod has IPv6 addresses alone, which is not modelled")
    if proxy.interception == "NONE":
        notes.append("the pod's traffic is not redirected (INTERCEPTION_MODE NONE), which is not modelled")
    taken = {name: value for name, value in said.items() if name not in kept}
    return mesh.model_copy(update=taken), tuple(notes)


def _said(proxy: Proxy) -> Iterator[tuple[str, Any]]:
    yield "dns_capture", proxy.dns_capture
    if proxy.addresses:
        yield "dual_stack", proxy.dual_stack
    if re.fullmatch(RELEASE_PATTERN, proxy.release):
        yield "istio_version", proxy.release
    if re.fullmatch(DOMAIN_PATTERN, proxy.domain):
        yield "cluster_domain", proxy.domain


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
