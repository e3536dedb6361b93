"""Builders of small worlds for tests of the listener model: every argument is a fact that the model can depend on."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from dnsalias_operator.core.istio.listeners import Client, Row, owner_of
from dnsalias_operator.model.kinds import Object
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import EXPORT_TO_ANNOTATION, Key
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.sidecar import Sidecar
from dnsalias_operator.model.snapshot import Snapshot
from dnsalias_operator.model.virtualservice import VirtualService
from tools import make

VIP = "10.96.0.10"
ELSEWHERE = "93.184.216.34"
PORT = 443
OLDER, NEWER = 1_700_000_000, 1_700_000_100
MESH = Mesh()
CLIENT = Client("default")


def service(
    name: str = "svc",
    *,
    namespace: str = "abc",
    protocol: str = "tcp",
    port: int = PORT,
    ips: Iterable[str] = (VIP,),
    created: int | None = OLDER,
    export_to: str | None = None,
    spec: Mapping[str, Any] | None = None,
) -> Service:
    """A Service with one port whose name is ``protocol``; ``spec`` adds to or replaces fields of its spec."""
    meta = _created(created) | ({} if export_to is None else {"annotations": {EXPORT_TO_ANNOTATION: export_to}})
    given = {"clusterIPs": list(ips), "ports": [make.port(port, protocol, protocol="TCP")], **(spec or {})}
    return Service.parse(make.service(name, namespace=namespace, meta=meta, **given))


def entry(
    name: str = "alias",
    *,
    hosts: Iterable[str] = ("svc.hello",),
    namespace: str = "abc",
    protocol: str | None = "TCP",
    port: int = PORT,
    addresses: Iterable[str] = (),
    resolution: str = "DNS",
    created: int | None = NEWER,
    export_to: Iterable[str] = (),
    labels: Mapping[str, str] | None = None,
    spec: Mapping[str, Any] | None = None,
    allocated: Mapping[str, str] | None = None,
) -> ServiceEntry:
    """A ServiceEntry with one port; ``allocated`` is istiod's address by host; ``spec`` adds to its spec."""
    meta = _created(created) | ({"labels": dict(labels)} if labels else {})
    lists = {"addresses": list(addresses), "exportTo": list(export_to)}
    given = {"ports": [make.entry_port(port, protocol)], "resolution": resolution}
    given |= {field: value for field, value in lists.items() if value}
    made = make.entry(name, *hosts, namespace=namespace, meta=meta, **(given | dict(spec or {})))
    status = {"addresses": [{"host": host, "value": value} for host, value in (allocated or {}).items()]}
    return ServiceEntry.parse({**made, "status": status})


def sidecar(
    *hosts: str,
    name: str = "default",
    namespace: str = "default",
    created: int | None = OLDER,
    egress: Sequence[Mapping[str, Any]] | None = None,
    selector: Mapping[str, str] | None = None,
    spec: Mapping[str, Any] | None = None,
) -> Sidecar:
    """A Sidecar with one egress listener for those hosts, or with ``egress``; ``selector`` are its pods' labels."""
    given: dict[str, Any] = {} if egress is None else {"egress": list(egress)}
    given |= {} if selector is None else {"workloadSelector": {"labels": dict(selector)}}
    given |= dict(spec or {})
    return Sidecar.parse(make.sidecar(name, *hosts, namespace=namespace, meta=_created(created), **given))


def virtual_service(*hosts: str, namespace: str = "abc", **spec: Any) -> VirtualService:  # noqa: ANN401
    """A VirtualService for those hosts; ``spec`` are further fields of its spec."""
    given, meta = {"hosts": list(hosts), **spec}, _created(OLDER)
    return VirtualService.parse(
        make.manifest(make.NETWORKING, "VirtualService", "routes", given, namespace=namespace, meta=meta)
    )


def world(*objects: Object) -> Snapshot:
    """A snapshot of those objects."""
    return Snapshot(objects)


def takers(
    snapshot: Snapshot, address: str, *, client: Client = CLIENT, mesh: Mesh = MESH, port: int = PORT
) -> tuple[str, str]:
    """Who gets raw bytes and who plaintext HTTP sent to the address: names of owners, "-" where it passes through."""
    rows = owner_of(snapshot, client, mesh, address, port)
    raw = next((r for r in rows if not r.http and not r.sni), None)
    return _name(raw), _name(next((r for r in rows if r.http), raw))


def targets(rows: Iterable[Row]) -> set[tuple[str, str]]:
    """What each row matches, and where it leads: cluster or route."""
    return {(_match(r), r.cluster or f"route {r.route}") for r in rows}


def _match(row: Row) -> str:
    return " ".join((*row.sni, *row.cidr, *(("http",) if row.http else ()), *(("default",) if row.default else ())))


def _name(row: Row | None) -> str:
    owner: Key | None = row.owner if row else None
    return owner.name if owner else "-"


def _created(created: int | None) -> dict[str, Any]:
    return {} if created is None else {"creationTimestamp": datetime.fromtimestamp(created, UTC).isoformat()}
