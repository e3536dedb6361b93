"""Random ServiceEntries, of the kinds that istiod's validation lets pass."""

from collections.abc import Callable, Mapping, Sequence

from tools.dataplane.world_cell import EXPORTS, NAMESPACES, SELECTOR, Cell, Object

PROTOCOLS = (
    *("TCP", "TCP", "tcp", "TLS", "TLS", "Tls", "HTTPS", "HTTP", "HTTP2", "GRPC", "GRPC-WEB", "HTTP_PROXY"),
    *("MONGO", "MYSQL", "REDIS", "UDP", None),
)
SHARED_PROTOCOLS = ("HTTP", "HTTP2", "GRPC", "TLS")
"""All that istiod allows with several hosts."""
DYNAMIC_PROTOCOLS = ("HTTP", "TLS")
"""istiod allows HTTP2 and GRPC too, and then makes a cluster that Envoy refuses, so that no new sidecar gets ready."""
RESOLUTIONS = ("DNS", "DNS", "DNS", "NONE", "NONE", "STATIC", "STATIC", "DNS_ROUND_ROBIN", "DYNAMIC_DNS")
BY_NAME = ("DNS", "DNS_ROUND_ROBIN")
NETWORKED = ("NONE", "STATIC")
"""The resolutions that allow networks as addresses."""
NETWORKS = (
    *("0.0.0.0/0", "0.0.0.0/1", "0.0.0.0/8", "10.0.0.0/8", "10.96.96.0/20", "::/0", "fd00:10:96::/112"),
    *("{network}.0/24", "{vip}/24", "{vip}/32", "{vip}/31"),
)
ADDRESSES: Sequence[Callable[[Cell], list[str]]] = (
    *(lambda _: [],) * 3,
    *(lambda cell: [cell.vip],) * 4,
    *(lambda cell: [cell.own],) * 2,
    *(lambda cell: [cell.random.choice(NETWORKS).format(network=cell.network, vip=cell.vip)],) * 2,
    lambda cell: [cell.vip, cell.own],
    lambda cell: [cell.own6],
    lambda cell: [cell.vip, cell.own6],
    lambda cell: [cell.vip6, cell.vip],
    lambda cell: [cell.own, f"{cell.own}/32"],
    lambda cell: [cell.own, f"{cell.network}.0/24"],
    lambda _: ["0.0.0.0"],  # noqa: S104
)
STATIC_ENDPOINTS: Sequence[list[str]] = (["10.1.0.5"], ["10.1.0.5", "10.1.0.6"], ["fd00:1::5"], [])
ENDPOINT_NAMES = ("traefik.abc.svc.cluster.local", "api.nowhere.example", "10.1.0.7")
AUTO_ALLOCATE = "networking.istio.io/enable-autoallocate-ip"
LABELS: Sequence[Mapping[str, str]] = (*({},) * 40, *({AUTO_ALLOCATE: value} for value in ("false", "False", "true")))


def entry(cell: Cell, number: int) -> Object:
    """The entry of that number in a cell."""
    random = cell.random
    metadata = cell.metadata(f"e{cell.index}-{number}")
    if labels := random.choice(LABELS):
        metadata["labels"] = dict(labels)
    resolution = random.choice(RESOLUTIONS)
    hosts = random.choice(_hosts(cell, number))
    protocols: Sequence[str | None] = SHARED_PROTOCOLS if len(hosts) > 1 else PROTOCOLS
    if resolution == "DYNAMIC_DNS":
        hosts, protocols = [f"*.w{cell.index}-{number}.team"], DYNAMIC_PROTOCOLS
    spec: Object = {
        "hosts": hosts,
        "ports": [_port(cell, port, random.choice(protocols)) for port in cell.ports()],
        "resolution": resolution,
        "location": random.choice(("MESH_INTERNAL", "MESH_EXTERNAL")),
        **_endpoints(cell, resolution, wildcard=any("*" in host for host in hosts)),
    }
    addresses = random.choice(ADDRESSES)(cell)
    if resolution not in NETWORKED:
        addresses = [address for address in addresses if "/" not in address]
    if addresses and resolution != "DYNAMIC_DNS":
        spec["addresses"] = addresses
    if export := random.choice(EXPORTS):
        spec["exportTo"] = export
    return {"apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry", "metadata": metadata, "spec": spec}


def _hosts(cell: Cell, number: int) -> Sequence[list[str]]:
    own, wildcard = cell.host(number), f"*.w{cell.index}-{number}.team"
    return (
        *([own],) * 14,
        [wildcard],
        [f"*w{cell.index}-{number}.team"],  # a wildcard to Istio, and none to Envoy
        [own, f"b{cell.index}-{number}.team"],
        [own, wildcard],
        [cell.host(0)],  # of another entry of the cell, perhaps in another namespace
        [f"s{cell.index}.{cell.random.choice(NAMESPACES)}.svc.cluster.local"],  # of the cell's Service, perhaps
    )


def _port(cell: Cell, number: int, protocol: str | None) -> Object:
    port: Object = {"name": f"p-{number}", "number": number}
    if protocol is not None:
        port["protocol"] = protocol
    if target := cell.random.choice((*(None,) * 9, 9443)):
        port["targetPort"] = target
    return port


def _endpoints(cell: Cell, resolution: str, *, wildcard: bool) -> Object:
    """Those that the resolution allows; a name with a wildcard cannot be looked up, so DNS then needs some."""
    random = cell.random
    if resolution == "STATIC":
        addresses = random.choice(STATIC_ENDPOINTS)
        if not addresses:
            return {"workloadSelector": {"labels": SELECTOR}}
        return {"endpoints": [{"address": address} for address in addresses]}
    if resolution in BY_NAME and (wildcard or random.choice((True, True, True, False))):
        return {"endpoints": [{"address": random.choice(ENDPOINT_NAMES)}]}
    if resolution == "NONE" and random.choice((*(False,) * 9, True)):
        return {"workloadSelector": {"labels": SELECTOR}}
    return {}
