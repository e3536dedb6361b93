"""A small mesh for the tests of `dnsalias verify`, and what sidecars in it have."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from dnsalias_operator.core.istio.listeners import Client, Row, outbound
from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import AUTO_ALLOCATE_LABEL
from dnsalias_operator.model.snapshot import Snapshot
from tools import make

DATA = Path(__file__).parent / "data"
REAL, REAL_OBJECTS = DATA / "sidecar.json", DATA / "sidecar-objects.json"
"""A real sidecar's dump, with what predictions are not about cut away, and the objects of its cluster."""
NAMESPACE = "shop"
OLD, NEW = ({"creationTimestamp": f"2026-0{month}-01T00:00:00Z"} for month in (1, 2))
UNALLOCATED = {**NEW, "labels": {AUTO_ALLOCATE_LABEL: "false"}}
"""Of an entry that istiod gives no address."""
OBJECTS = [
    make.service("web", ports=[make.port(80, "http")], ip="10.96.0.10", namespace=NAMESPACE, meta=OLD),
    make.service("db", ports=[make.port(5432)], ip="10.96.0.11", namespace=NAMESPACE, meta=OLD),
    make.service("far", ports=[make.port(5432)], ip="10.96.0.12", namespace="other", meta=OLD),
    make.entry("caught", "legacy.team", ports=[make.entry_port(9000)], namespace=NAMESPACE, meta=UNALLOCATED),
    make.entry(
        "wide",
        "wide.team",
        ports=[make.entry_port(5432)],
        namespace=NAMESPACE,
        meta=NEW,
        addresses=["10.96.0.0/24"],
        resolution="STATIC",
    ),
    {
        **make.entry("named", "named.team", ports=[make.entry_port(9100)], namespace=NAMESPACE, meta=NEW),
        "status": {"addresses": [{"host": "named.team", "value": "240.240.0.1"}]},
    },
    make.sidecar("defaults", "./*", namespace="elsewhere", meta=OLD),
]


def rows(**mesh: Any) -> list[Row]:  # noqa: ANN401
    """What the sidecar of that mesh has."""
    world = Snapshot(KINDS[raw["kind"]].parse(raw) for raw in OBJECTS)
    listeners = outbound(world, Client(NAMESPACE, {"app": "web"}), Mesh(**mesh))
    return [row for listener in listeners for row in listener.every_row]


def leading_elsewhere(row: Row) -> Row:
    """The row as an EnvoyFilter may change it."""
    return replace(row, cluster="elsewhere", route=None)
