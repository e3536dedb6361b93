"""Rows of listeners as people and programs see them."""

from dnsalias_operator.cli.terminal import clean
from dnsalias_operator.core.istio.listeners import Row


def as_dict(row: Row) -> dict[str, object]:
    """The machine form of a row, as in the recordings of real sidecars."""
    return {
        "bind": row.bind,
        "port": row.port,
        "default": row.default,
        "sni": list(row.sni),
        "cidr": list(row.cidr),
        "http": row.http,
        "cluster": row.cluster,
        "route": row.route,
    }


def cells_of(row: Row) -> tuple[str, ...]:
    """What people see of a row: bind, port, match, destination, and the object it was made for."""
    matches = [
        *(["sni " + ",".join(row.sni)] if row.sni else []),
        *(["cidr " + ",".join(row.cidr)] if row.cidr else []),
        *(["plaintext HTTP"] if row.http else []),
    ]
    match = " and ".join(matches) or ("what no other matches" if row.default else "everything")
    destination = row.cluster or (f"route {row.route}" if row.route else "neither a cluster nor a route")
    return tuple(clean(cell) for cell in (row.bind, row.port, match, destination, row.owner or "the mesh"))
