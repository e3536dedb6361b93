"""Which Sidecar applies to a client, and what it makes of outbound: Istio's SidecarScope.

Source: initSidecarScopes and doGetSidecarScope in pilot/pkg/model/push_context.go; convertToSidecarScope,
initSidecarScopeInternalIndexes and needsPortMatch in pilot/pkg/model/sidecar.go; buildSidecarOutboundListeners in
pilot/pkg/networking/core/listener.go; buildOutboundCatchAllNetworkFiltersOnly in
pilot/pkg/networking/core/listener_builder.go.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from dnsalias_operator.core.istio.listeners.families import binds_both_families
from dnsalias_operator.core.istio.listeners.imports import EVERYTHING, OWN, Hosts, Imports, imports_of
from dnsalias_operator.core.istio.listeners.rows import BLACKHOLE, PASSTHROUGH, WILDCARD, Client
from dnsalias_operator.core.istio.listeners.services import Upstream
from dnsalias_operator.core.istio.protocols import PortClass, Protocol, class_of, parse
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.sidecar import EgressListener, Sidecar
from dnsalias_operator.model.snapshot import Snapshot

LOCALHOST, LOCALHOST6 = "127.0.0.1", "::1"
UNIX = "unix://"


@dataclass(frozen=True, slots=True)
class Egress:
    """One egress listener as it applies to the clients of a namespace.

    ``port`` is None where it serves every port that its services have. ``protocol`` counts only beside a port: all
    services of the listener are then taken for that, whatever they declare. ``bind`` is "" where each service's own
    address is bound; ``extra`` is bound together with it. ``unscoped`` where no Sidecar applies to the client.
    ``first`` are the objects that go first, in this order, where istiod promises none.
    """

    namespace: str
    imports: Imports
    port: int | None = None
    protocol: Protocol = Protocol.UNSET
    bind: str = ""
    extra: tuple[str, ...] = ()
    unscoped: bool = False
    first: tuple[Key, ...] = ()

    @property
    def any_service(self) -> bool:
        """Whether its services need not have its port: it is a generic HTTP proxy."""
        return self.port is not None and class_of(self.protocol) is PortClass.HTTP_PROXY

    def hosts_of(self, upstream: Upstream) -> Hosts | None:
        """The hosts by which it imports the service, or None where it does not."""
        if self.port is not None and not self.any_service and all(n != self.port for n, _ in upstream.ports):
            return None
        return self.imports.meant_by(upstream.namespace, upstream.hostname)


@dataclass(frozen=True, slots=True)
class SidecarScope:
    """What a client's outbound listeners are built from. ``fall_through`` is the cluster for unknown destinations."""

    egress: tuple[Egress, ...]
    fall_through: str

    def on(self, port: int) -> Iterable[Egress]:
        """The egress listeners that can open a listener on that port, in order."""
        return (e for e in self.egress if e.port in (None, port))

    def with_first(self, keys: tuple[Key, ...]) -> "SidecarScope":
        """The same with these objects first, in this order, where istiod promises none."""
        return replace(self, egress=tuple(replace(e, first=keys) for e in self.egress))

    @property
    def ports(self) -> frozenset[int]:
        """Ports that egress listeners have of their own."""
        return frozenset(e.port for e in self.egress if e.port is not None)


def sidecar_of(snapshot: Snapshot, client: Client, mesh: Mesh) -> Sidecar | None:
    """The Sidecar that applies to a client, or None.

    Of its namespace the oldest whose selector has no label that the pod lacks, then the oldest without a selector; else
    the root namespace's oldest without one. Selectors of the root namespace choose only pods of that namespace. In a
    namespace that istiod does not discover there is none.
    """
    for sidecar in sorted(_known_in(client.namespace, snapshot, mesh), key=_rank):
        if selects(sidecar, client.labels):
            return sidecar
    root = [s for s in _known_in(mesh.root_namespace, snapshot, mesh) if s.workload_selector is None]
    return min(root, key=_rank, default=None)


def _known_in(namespace: str, snapshot: Snapshot, mesh: Mesh) -> list[Sidecar]:
    return snapshot.sidecars_in(namespace) if mesh.discovers(namespace) else []


def selects(sidecar: Sidecar, labels: Mapping[str, str]) -> bool:
    """Whether a pod of the Sidecar's namespace with these labels is meant."""
    return (sidecar.workload_selector or {}).items() <= labels.items()


def scope_of(snapshot: Snapshot, client: Client, mesh: Mesh) -> SidecarScope:
    """What applies to a client."""
    sidecar = sidecar_of(snapshot, client, mesh)
    allow, through = mesh.outbound_traffic_policy == "ALLOW_ANY", PASSTHROUGH
    if sidecar and sidecar.outbound_policy:
        allow, through = sidecar.outbound_policy != "REGISTRY_ONLY", sidecar.egress_proxy or PASSTHROUGH
    if sidecar is None or not sidecar.egress:
        egress: tuple[Egress, ...] = (Egress(client.namespace, EVERYTHING, unscoped=sidecar is None),)
    else:
        question = ("egress", mesh, sidecar.key, client.namespace)
        egress = snapshot.remembered(question, lambda: _egress_of(sidecar, client.namespace, mesh))
    return SidecarScope(egress, through if allow else BLACKHOLE)


def keeps_one_service(egress: Egress, mesh: Mesh) -> bool:
    """Whether a client gets one service a hostname and no other: without a Sidecar in 1.22 and 1.23.

    Source: DefaultSidecarScopeForNamespace in pilot/pkg/model/sidecar.go at 1.21.6, 1.22.0, 1.23.6 and 1.24.0.
    """
    return egress.unscoped and mesh.since(1, 22) and not mesh.since(1, 24)


def on_unix_socket(listener: EgressListener) -> bool:
    """Whether no connection to an IP address can reach the listener."""
    return listener.port == 0 or listener.bind.startswith(UNIX)


def shape(sidecar: Sidecar) -> tuple[object, ...]:
    """Equal for Sidecars of two namespaces that import the same, as far as it is not from these namespaces themselves.

    A host of the own namespace still says whether all hosts are exact ones.
    """

    def own(host: str) -> str:
        where, _, name = host.partition("/")
        if where.removeprefix("~") != OWN:
            return host
        return f"{where}/{'*' if name.startswith('*') else 'name'}"

    egress = tuple((frozenset(map(own, e.hosts)), e.port, e.protocol, e.bind, e.captured) for e in sidecar.egress)
    return egress, sidecar.outbound_policy, sidecar.egress_proxy


def _egress_of(sidecar: Sidecar, namespace: str, mesh: Mesh) -> tuple[Egress, ...]:
    return tuple(_egress(e, namespace, mesh) for e in sidecar.egress if not on_unix_socket(e))


def _egress(listener: EgressListener, namespace: str, mesh: Mesh) -> Egress:
    local = not listener.bind and not listener.captured
    return Egress(
        namespace=namespace,
        imports=imports_of(listener.hosts, namespace, mesh),
        port=listener.port,
        protocol=parse(listener.protocol),
        bind=LOCALHOST if local else listener.bind or _default_bind(listener, mesh),
        extra=(LOCALHOST6,) if local and binds_both_families(mesh) else (),
    )


def _default_bind(listener: EgressListener, mesh: Mesh) -> str:
    """What an egress listener binds that names no address: since 1.16 what its services have, also where it has a port.

    Source: buildSidecarOutboundListeners in pilot/pkg/networking/core/v1alpha3/listener.go at
    1.15.7 and 1.16.0.
    """
    return WILDCARD if listener.port is not None and not mesh.since(1, 16) else ""


def _rank(sidecar: Sidecar) -> tuple[bool, bool, int, str]:
    age = (sidecar.meta.created is None, sidecar.meta.created or 0)
    return (sidecar.workload_selector is None, *age, sidecar.meta.name)
