"""Which pods are gateways: they open the ports of Gateways, and no PeerAuthentication applies to those.

What decides is how the proxy was started (`proxy router`), which no object that is read here shows. What shows it:

- the label that istiod gives the pods of a Gateway of the Gateway API;
- a Gateway of Istio that selects them, and opens a port that they are called on. istiod gives Gateways to gateways
  alone, so a selector that means sidecars would do nothing;
- a Service that leads to port 15021, the health port, as the Services of Istio's gateway charts do. A sidecar keeps
  that port for itself, and no application can have it.

Names and the values of labels decide nothing.

Source: BuildListeners in pilot/pkg/networking/core/listener.go (a router's listeners are those of Gateways; inbound
ones, and with them PeerAuthentication, are a sidecar's), mergeGateways in pilot/pkg/model/push_context.go,
pilot/pkg/config/kube/gatewaycommon/deploymentcontroller.go.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum

from dnsalias_operator.model.gateway import Gateway
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.snapshot import Snapshot

GATEWAY_LABELS = ("gateway.networking.k8s.io/gateway-name", "istio.io/gateway-name")
"""What istiod labels the pods of a Gateway with; the second one is that of releases before 1.24."""
HEALTH_PORT = 15021
"""Of every proxy of Istio."""


class IsGateway(StrEnum):
    """Whether pods are gateways. MAYBE: a Gateway selects some of them, by labels that are not known of all."""

    YES = "yes"
    MAYBE = "maybe"
    NO = "no"


def are_gateways(snapshot: Snapshot, labels: Mapping[str, str], ports: Collection[int]) -> IsGateway:
    """Whether the pods with at least these labels are gateways; ``ports`` are those at which they are called."""
    if leads_to_gateways(labels, ports):
        return IsGateway.YES
    opening = [gateway for gateway in _gateways(snapshot) if gateway.selector and gateway.ports.intersection(ports)]
    if any(gateway.selector.items() <= labels.items() for gateway in opening):
        return IsGateway.YES
    return IsGateway.MAYBE if any(_may_select(gateway, labels) for gateway in opening) else IsGateway.NO


def passing_hosts(snapshot: Snapshot) -> Mapping[Key, tuple[str, ...]]:
    """By Gateway, the hosts that it lets pass by SNI, as those between networks do; () where it names none.

    Source: buildGatewayTCPFilterChainOpts in pilot/pkg/networking/core/gateway.go: a chain for each service that
    istiod knows and that the hosts of the server stand for.
    """
    return {g.key: g.passing for g in _gateways(snapshot) if g.passing is not None}


def leads_to_gateways(labels: Mapping[str, str], ports: Collection[int]) -> bool:
    """Whether a Service with this selector and these ports shows by itself that its pods are gateways."""
    return HEALTH_PORT in ports or any(label in labels for label in GATEWAY_LABELS)


def _may_select(gateway: Gateway, labels: Mapping[str, str]) -> bool:
    """Whether the selector asks for some of these labels, contradicts none of them, and for others besides."""
    asked = gateway.selector.items()
    return bool(asked & labels.items()) and all(labels.get(name, value) == value for name, value in asked)


def _gateways(snapshot: Snapshot) -> list[Gateway]:
    return [o for o in snapshot.find("kind", "Gateway") if isinstance(o, Gateway)]
