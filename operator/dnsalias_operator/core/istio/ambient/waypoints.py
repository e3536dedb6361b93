"""The waypoint of a Service, an entry or a workload: by its own labels, else by its namespace's.

Source: fetchWaypointForTarget, fetchWaypointForService, GetUseWaypoint and getGatewayAddress in
pilot/pkg/serviceregistry/ambient/waypoints.go.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from dnsalias_operator.core.istio.ambient.records import HBONE_PORT, GatewayAddress
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.meta import ObjectMeta, Raw, is_ip, mapping, mappings, text, texts
from dnsalias_operator.model.names import WAYPOINT_LABELS
from dnsalias_operator.model.snapshot import Snapshot

NO_WAYPOINT = "none"
"""The value of the label that opts an object out of its namespace's waypoint."""
TRAFFIC_LABEL = "istio.io/waypoint-for"
MANAGED_LABEL = "gateway.istio.io/managed"
MANAGED = frozenset({"istio.io-mesh-controller", "istio.io-eastwest-controller"})
"""Of Services that are waypoints or gateways of the mesh themselves."""


@dataclass(frozen=True, slots=True)
class Waypoint:
    """A Gateway of the Gateway API, as far as it is a waypoint.

    ``address`` is None while it has none in its status: then nobody gets it. ``traffic`` is what it is for: service,
    workload, all or none. ``from_all`` is whether objects of other namespaces may use it; ``from_labels`` are the
    labels of the namespaces that may, None where that is not by labels.
    """

    namespace: str
    name: str
    address: GatewayAddress | None
    traffic: str = "service"
    from_all: bool = False
    from_labels: Mapping[str, str] | None = None

    @classmethod
    def parse(cls, raw: Raw) -> Self:
        """Read a gateway.networking.k8s.io Gateway; total over any mapping."""
        meta, spec = ObjectMeta.parse(raw), mapping(raw.get("spec"))
        listeners = (
            listener
            for listener in mappings(spec.get("listeners"))
            if listener.get("protocol") == "HBONE" and listener.get("port") == HBONE_PORT
        )
        allowed = mapping(mapping(next(listeners, {}).get("allowedRoutes")).get("namespaces"))
        return cls(
            meta.namespace,
            meta.name,
            _address(meta.namespace, mapping(raw.get("status"))),
            meta.labels.get(TRAFFIC_LABEL, "service"),
            allowed.get("from") == "All",
            texts(mapping(allowed.get("selector")).get("matchLabels")) if allowed.get("from") == "Selector" else None,
        )

    def allows(self, world: Snapshot, namespace: str) -> bool:
        """Whether objects of that namespace may use it."""
        if self.from_labels is not None:
            there = world.namespace(namespace)
            return self.from_labels.items() <= (there.meta.labels if there else {}).items()
        return self.from_all or namespace == self.namespace


Waypoints = Mapping[tuple[str, str], Waypoint]
"""By namespace and name."""


def asked_waypoint(world: Snapshot, meta: ObjectMeta) -> tuple[str, str] | None:
    """Namespace and name of the waypoint that an object's labels ask for, or its namespace's; None: none is."""
    if meta.labels.get(MANAGED_LABEL) in MANAGED:
        return None
    there = world.namespace(meta.namespace)
    for labels in (meta.labels, there.meta.labels if there else {}):
        if name := labels.get(WAYPOINT_LABELS[0]):
            return None if name == NO_WAYPOINT else (labels.get(WAYPOINT_LABELS[1], meta.namespace), name)
    return None


def waypoint_of(
    world: Snapshot, meta: ObjectMeta, waypoints: Waypoints | None, mesh: Mesh, traffic: str = "service"
) -> GatewayAddress | None:
    """Where the waypoint of an object is.

    ``waypoints`` are those that there are; None where they are not known: then the one that is asked for is taken to be
    ready, at its Service's name.
    """
    asked = asked_waypoint(world, meta)
    if asked is None:
        return None
    if waypoints is None:
        namespace, name = asked
        hostname = f"{name}.{namespace}.svc.{mesh.cluster_domain}"
        return GatewayAddress(namespace, hostname) if traffic == "service" else None
    found = waypoints.get(asked)
    if found is None or not found.allows(world, meta.namespace) or found.traffic not in (traffic, "all"):
        return None
    return found.address


def _address(namespace: str, status: Raw) -> GatewayAddress | None:
    """A hostname before an IP."""
    listed = [(text(a.get("type")), text(a.get("value"))) for a in mappings(status.get("addresses"))]
    names = (GatewayAddress(namespace, value) for kind, value in listed if kind == "Hostname")
    ips = (GatewayAddress(namespace, "", value) for kind, value in listed if kind == "IPAddress" and is_ip(value))
    return next(names, None) or next(ips, None)
