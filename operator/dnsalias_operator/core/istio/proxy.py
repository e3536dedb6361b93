"""Whose Envoy it is: what a proxy of Istio says of itself, in the node of its bootstrap.

Source: ServiceNode and ParseServiceNodeWithMetadata in pilot/pkg/model/context.go; BootstrapNodeMetadata and
NodeMetadata in pkg/model/proxy.go.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from dnsalias_operator.model.meta import empty, is_ip, mapping, text, texts


class ProxyKind(StrEnum):
    """What a proxy is for."""

    SIDECAR = "sidecar"
    GATEWAY = "router"
    WAYPOINT = "waypoint"
    OTHER = ""


_NODE_ID = re.compile(f"({'|'.join(filter(None, ProxyKind))})~([^~]*)~([^~]*)~([^~]*)")


@dataclass(frozen=True, slots=True)
class Proxy:
    """The node of a bootstrap. What it does not say is "" or empty.

    ``node_id`` is as written. ``release`` is its own release of Istio, which may be one that nobody knows ("unknown").
    ``domain`` is the DNS domain of the cluster. ``addresses`` are the pod's.
    ``revision`` is that of the istiod that injected it (annotation ``istio.io/rev`` of the injection template).
    """

    kind: ProxyKind
    node_id: str
    name: str = ""
    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=empty)
    release: str = ""
    dns_capture: bool = False
    cluster: str = ""
    network: str = ""
    domain: str = ""
    addresses: tuple[str, ...] = ()
    interception: str = ""
    revision: str = ""

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"

    @property
    def dual_stack(self) -> bool:
        """Whether the pod has addresses of both families."""
        return len({":" in address for address in self.addresses}) > 1

    @property
    def ipv6_only(self) -> bool:
        """Whether it has addresses, and none of IPv4."""
        return bool(self.addresses) and all(":" in address for address in self.addresses)


def proxy_of(node: Mapping[str, Any]) -> Proxy:
    """The proxy whose node that is; of kind OTHER where Istio did not name it ``KIND~IP~POD.NAMESPACE~DOMAIN``."""
    node_id, metadata = text(node.get("id")), mapping(node.get("metadata"))
    match = _NODE_ID.fullmatch(node_id)
    if match is None:
        return Proxy(ProxyKind.OTHER, node_id)
    kind, ip, pod, domain = match.groups()
    name, _, namespace = pod.rpartition(".")
    listed = [address.strip() for address in text(metadata.get("INSTANCE_IPS")).split(",")]
    return Proxy(
        kind=ProxyKind(kind),
        node_id=node_id,
        name=text(metadata.get("NAME")) or name,
        namespace=text(metadata.get("NAMESPACE")) or namespace,
        labels=texts(metadata.get("LABELS")),
        release=text(metadata.get("ISTIO_VERSION")),
        dns_capture=str(metadata.get("DNS_CAPTURE", "")).lower() == "true",
        cluster=text(metadata.get("CLUSTER_ID")),
        network=text(metadata.get("NETWORK")),
        domain=domain.partition(".svc.")[2],
        addresses=tuple(filter(is_ip, listed if any(listed) else [ip])),
        interception=text(metadata.get("INTERCEPTION_MODE")),
        revision=texts(metadata.get("ANNOTATIONS")).get("istio.io/rev", ""),
    )
