"""The workload records that istiod makes of pods and of the inline endpoints of entries.

Source: pilot/pkg/serviceregistry/ambient/workloads.go; up to 1.29 under
pilot/pkg/serviceregistry/kube/controller/ambient.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from dnsalias_operator.core.istio.ambient.records import (
    CLUSTER,
    GatewayAddress,
    PortRecord,
    Records,
    ServiceRecord,
    WorkloadRecord,
)
from dnsalias_operator.core.istio.ambient.services import service_records
from dnsalias_operator.core.istio.ambient.waypoints import Waypoints, waypoint_of
from dnsalias_operator.core.istio.lacking import DNS
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.meta import ObjectMeta, Raw, integer, is_ip, mapping, mappings, text
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import Endpoint, ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot

REDIRECTION = "ambient.istio.io/redirection"
"""On pods, by istio-cni, where ztunnel takes their traffic; on an entry it makes its endpoints take HBONE."""
TUNNEL_LABEL = "networking.istio.io/tunnel"
GATEWAY_LABEL = "gateway.networking.k8s.io/gateway-name"
CANONICAL = ("service.istio.io/canonical-name", "app.kubernetes.io/name", "app")
REVISION = ("service.istio.io/canonical-revision", "app.kubernetes.io/version", "version")


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod, as far as a record is made of it. ``ports`` are the numbers of its containers' TCP ports by name."""

    meta: ObjectMeta
    ips: tuple[str, ...]
    ports: Mapping[str, int]
    service_account: str = ""
    node: str = ""
    host_network: bool = False
    done: bool = False
    ready: bool = True

    @classmethod
    def parse(cls, raw: Raw) -> Self:
        """Read a Pod; total over any mapping."""
        spec, status = mapping(raw.get("spec")), mapping(raw.get("status"))
        listed = tuple(ip for each in mappings(status.get("podIPs")) if (ip := text(each.get("ip"))))
        conditions = {text(c.get("type")): text(c.get("status")) for c in mappings(status.get("conditions"))}
        return cls(
            ObjectMeta.parse(raw),
            listed or tuple(filter(None, (text(status.get("podIP")),))),
            {
                text(port.get("name")): number
                for container in reversed(mappings(spec.get("containers")))
                for port in reversed(mappings(container.get("ports")))
                if (number := integer(port.get("containerPort"))) and port.get("protocol", "TCP") == "TCP"
            },
            text(spec.get("serviceAccountName")),
            text(spec.get("nodeName")),
            spec.get("hostNetwork") is True,
            text(status.get("phase")) in ("Succeeded", "Failed"),
            conditions.get("Ready") == "True",
        )


def records_of(world: Snapshot, mesh: Mesh, pods: Iterable[Pod] = (), waypoints: Waypoints | None = None) -> Records:
    """Everything that istiod tells of a world with these pods. ``waypoints`` as in `waypoint_of`."""
    services = service_records(world, mesh, waypoints)
    there: dict[str, list[ServiceRecord]] = {}
    own: dict[str, list[ServiceRecord]] = {}
    for service in services:
        there.setdefault(service.namespace, []).append(service)
        own.setdefault(str(service.owner), []).append(service)
    told = (pod for pod in pods if _is_told(pod, mesh))
    made = [_of_pod(world, pod, there.get(pod.meta.namespace, ()), waypoints, mesh) for pod in told]
    for entry in world.entries():
        made += _of_endpoints(world, entry, own.get(str(entry.key), ()), waypoints, mesh)
    return Records(services, tuple(sorted(made, key=lambda w: w.uid)))


def takes_hbone(meta: ObjectMeta) -> tuple[bool, bool]:
    """Whether a workload with that metadata is called through a tunnel, and whether it serves HBONE itself.

    Source: setTunnelProtocol.
    """
    native = "http" in meta.labels.get(TUNNEL_LABEL, "").split(",")
    return native or meta.annotations.get(REDIRECTION) == "enabled", native


def _is_told(pod: Pod, mesh: Mesh) -> bool:
    return bool(pod.ips) and all(map(is_ip, pod.ips)) and not pod.done and mesh.discovers(pod.meta.namespace)


def _of_pod(
    world: Snapshot, pod: Pod, services: Iterable[ServiceRecord], waypoints: Waypoints | None, mesh: Mesh
) -> WorkloadRecord:
    """Source: podWorkloadBuilder. ``services`` are those of the pod's own namespace: only they select it."""
    meta = pod.meta
    hbone, native = takes_hbone(meta)
    name, revision = (next((v for x in CANONICAL if (v := meta.labels.get(x))), meta.name), _revision(meta))
    return WorkloadRecord(
        f"{CLUSTER}//Pod/{meta.namespace}/{meta.name}",
        meta.namespace,
        meta.name,
        pod.ips,
        hbone=hbone,
        native=native,
        service_account=pod.service_account,
        node=pod.node,
        canonical_name=name,
        canonical_revision=revision,
        workload_name=meta.name,
        healthy=pod.ready and not meta.deleting,
        host_network=pod.host_network,
        waypoint=_waypoint_of(world, meta, waypoints, mesh),
        services={s.full_name: tuple(_ports_of_pod(world, pod, s)) for s in services if _selects(world, s, pod)},
    )


def _selects(world: Snapshot, service: ServiceRecord, pod: Pod) -> bool:
    obj = world.get(service.owner)
    selector = (
        obj.selector if isinstance(obj, Service) else obj.workload_selector if isinstance(obj, ServiceEntry) else {}
    )
    return bool(selector) and (selector or {}).items() <= pod.meta.labels.items()


def _ports_of_pod(world: Snapshot, pod: Pod, service: ServiceRecord) -> Iterator[PortRecord]:
    """The container port behind each port: by a name, else the one that the record has.

    Of a Service, targetPort may be the name, and a pod without it does not serve the port; of an entry it is the port's
    own name, and it goes before targetPort. Source: constructServices.
    """
    obj = world.get(service.owner)
    named: dict[int, str] = {}
    if isinstance(obj, Service):
        named = {p.port: p.target_port for p in obj.ports if isinstance(p.target_port, str)}
    elif isinstance(obj, ServiceEntry):
        named = {p.number: p.name for p in obj.ports if p.name}
    for port in service.ports:
        found = pod.ports.get(named[port.port]) if port.port in named else None
        if found is None and port.port in named and isinstance(obj, Service):
            continue
        yield PortRecord(port.port, found or port.target or port.port)


def _of_endpoints(
    world: Snapshot,
    entry: ServiceEntry,
    services: Sequence[ServiceRecord],
    waypoints: Waypoints | None,
    mesh: Mesh,
) -> Iterator[WorkloadRecord]:
    """Source: serviceEntryWorkloadBuilder. An entry of which no record is left has no endpoints either.

    An endpoint that is listed may have a waypoint of its own, or its namespace's, for workloads.
    """
    if not services:
        return
    hbone, native = takes_hbone(entry.meta)
    implicit = not entry.endpoints and entry.workload_selector is None and entry.resolution in {*DNS, "DYNAMIC_DNS"}
    listed: list[tuple[Endpoint, Sequence[ServiceRecord]]] = [(e, services) for e in entry.endpoints]
    if implicit:
        listed = [(Endpoint(s.hostname), (s,)) for s in services]
    for endpoint, behind in listed:
        address = endpoint.address
        meta = ObjectMeta(entry.meta.namespace, entry.meta.name, labels=endpoint.labels)
        yield WorkloadRecord(
            f"{CLUSTER}/networking.istio.io/ServiceEntry/{entry.meta.namespace}/{entry.meta.name}/{address}",
            entry.meta.namespace,
            entry.meta.name,
            (address,) if is_ip(address) else (),
            "" if is_ip(address) else address,
            hbone=hbone,
            native=native,
            service_account=endpoint.service_account,
            canonical_name=next((v for x in CANONICAL if (v := entry.meta.labels.get(x))), entry.meta.name),
            canonical_revision=_revision(entry.meta),
            workload_name=entry.meta.name,
            waypoint=None if implicit else _waypoint_of(world, meta, waypoints, mesh),
            services={s.full_name: tuple(_ports_of_endpoint(entry, endpoint, s)) for s in behind},
        )


def _ports_of_endpoint(entry: ServiceEntry, endpoint: Endpoint, service: ServiceRecord) -> Iterator[PortRecord]:
    """Source: constructServicesFromWorkloadEntry: the endpoint's own port of that name goes before targetPort."""
    names = {p.number: p.name for p in entry.ports}
    for port in service.ports:
        yield PortRecord(port.port, endpoint.ports.get(names.get(port.port, ""), port.target or port.port))


def _revision(meta: ObjectMeta) -> str:
    return next((v for x in REVISION if (v := meta.labels.get(x))), "latest")


def _waypoint_of(world: Snapshot, meta: ObjectMeta, waypoints: Waypoints | None, mesh: Mesh) -> GatewayAddress | None:
    """The waypoint of a workload; none of one that is a gateway itself. Source: computeWaypoint."""
    own = (waypoints or {}).get((meta.namespace, meta.labels.get(GATEWAY_LABEL, "")))
    return None if own and own.address else waypoint_of(world, meta, waypoints, mesh, "workload")
