"""Random Services."""

from collections.abc import Mapping, Sequence

from tools.dataplane.world_cell import EXPORTS, SELECTOR, Cell, Object

EXPORT_TO = "networking.istio.io/exportTo"
SERVICE_EXPORTS = (*EXPORTS, ["*", "~"], ["~", "abc"])
"""Nobody checks an annotation."""
PORTS: Sequence[Mapping[str, str]] = (
    *({"name": name} for name in ("tcp", "https", "tls-z", "http", "http2-q", "grpc-x", "grpc-web-y", "foo")),
    *({"name": name} for name in ("mongo", "mysql", "redis-a", "udp", "tcpx")),
    *({"name": "x", "appProtocol": p} for p in ("tcp", "tls", "https", "http", "http2", "grpc", "grpc-web", "mysql")),
    *({"name": "http", "appProtocol": p} for p in ("tcp", "example.com/own", "redis", "HTTPS")),
    *({"name": "tcp", "appProtocol": f"kubernetes.io/{p}"} for p in ("h2c", "ws", "wss", "none")),
    {"name": "dns", "protocol": "UDP"},
)
"""How a port tells its protocol, or does not."""
FORMS = (*("one",) * 24, *("dual", "dual reversed") * 2, "IPv6", "headless", "headless", "external", "balanced", "node")
WITH_SELECTOR = 0.3


def service(cell: Cell) -> Object:
    """The Service of a cell: mostly with an IPv4 clusterIP and one port."""
    random = cell.random
    metadata = cell.metadata(f"s{cell.index}")
    if export := random.choice(SERVICE_EXPORTS):
        metadata["annotations"] = {EXPORT_TO: ",".join(export)}
    spec = {"ports": _ports(cell), **_addresses(cell, random.choice(FORMS))}
    if random.random() < WITH_SELECTOR:
        spec["selector"] = SELECTOR
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def _ports(cell: Cell) -> list[Object]:
    ports = []
    for number, port in enumerate(cell.ports()):
        form = cell.random.choice(PORTS)
        # several ports need names that differ; what stands before the dash is what tells the protocol
        name = form["name"] if number == 0 else f"{form['name']}-{number}"
        ports.append({"protocol": "TCP", **form, "name": name, "port": port, "targetPort": 8443 + number})
    return ports


def _addresses(cell: Cell, form: str) -> Object:
    if form == "headless":
        return {"clusterIP": "None"}
    if form == "external":
        return {"type": "ExternalName", "externalName": cell.host(0)}
    ips = {"IPv6": [cell.vip6], "dual": [cell.vip, cell.vip6], "dual reversed": [cell.vip6, cell.vip]}
    chosen = ips.get(form, [cell.vip])
    spec: Object = {"clusterIP": chosen[0], "clusterIPs": chosen}
    spec["ipFamilies"] = ["IPv6" if ":" in ip else "IPv4" for ip in chosen]
    spec["ipFamilyPolicy"] = "SingleStack" if len(chosen) == 1 else "RequireDualStack"
    types = {"balanced": "LoadBalancer", "node": "NodePort"}
    return {**spec, "type": types.get(form, "ClusterIP")}
