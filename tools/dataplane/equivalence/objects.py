"""The objects of a row: its Service, a second Service of the same pods, and the alias or the foreign entry."""

from typing import Any

from tools import make
from tools.dataplane.equivalence.rows import Row

CLIENT = "equivalence-client"
"""The namespace of the client pod."""
PODS = {"app": "server"}
"""Labels of every server pod of a namespace, and selector of every Service there."""
PROTOCOLS = {"http": "HTTP", "grpc": "GRPC", "tls": "TLS", "mysql": "MySQL", "tcp": "TCP"}
"""The protocol of an entry's port, by the kind of the row."""
EVERYWHERE = {
    "Service": "/api/v1/services",
    "DnsAlias": "/apis/dnsalias.io/v1alpha1/dnsaliases",
    "ServiceEntry": "/apis/networking.istio.io/v1/serviceentries",
    "PeerAuthentication": "/apis/security.istio.io/v1/peerauthentications",
}
"""Where all objects of a kind are listed."""


def namespace(row: Row) -> str:
    """Where the row's objects and server pods are."""
    return f"{row.mtls.lower()}-{row.sidecars}"


def name(row: Row) -> str:
    """Of the row's Service, and of its alias or entry."""
    return f"row-{row.number}"


def port(row: Row) -> int:
    """The Service's port; every row has its own, so that no row can hide what another does."""
    return 10000 + row.number


def target_port(row: Row) -> int:
    """Where the pods listen."""
    return 11000 + row.number


def host(row: Row) -> str:
    """The alias."""
    return f"row-{row.number}.equal"


def service_host(row: Row) -> str:
    """The Service's own name, and the host of its clusters."""
    return f"{name(row)}.{namespace(row)}.svc.cluster.local"


def collection(made: dict[str, Any]) -> str:
    """Where the object is created."""
    root, _, plural = EVERYWHERE[made["kind"]].rpartition("/")
    return f"{root}/namespaces/{made['metadata']['namespace']}/{plural}"


def path(made: dict[str, Any]) -> str:
    """Where the object is."""
    return f"{collection(made)}/{made['metadata']['name']}"


def service(row: Row, address: str | None = None) -> dict[str, Any]:
    """The Service, on a given clusterIP or any."""
    return _service(row, name(row), port(row), address)


def second_service(row: Row) -> dict[str, Any]:
    """Another Service of the same port of the same pods."""
    return _service(row, f"{name(row)}-too", 12000 + row.number, None)


def alias(row: Row) -> dict[str, Any]:
    """The DnsAlias."""
    return make.alias(name(row), host(row), name(row), namespace=namespace(row), endpoints=row.endpoints)


def entry(row: Row) -> dict[str, Any]:
    """The entry as a dns-controller writes it that leaves out addresses, and endpoints where it has no selector."""
    one = make.entry_port(port(row), PROTOCOLS[row.protocol])
    meta = {"labels": make.MANAGED, "annotations": {"dnsalias.io/service": name(row)}}
    made = make.foreign(name(row), host(row), ports=[one], namespace=namespace(row), meta=meta)
    if row.endpoints == "Workloads":
        one["targetPort"] = target_port(row)
        made["spec"] |= {"resolution": "STATIC", "workloadSelector": {"labels": PODS}}
    return made


def peer_authentication(row: Row) -> dict[str, Any]:
    """The mTLS mode of the row's namespace."""
    spec = {"mtls": {"mode": row.mtls}}
    return make.manifest("security.istio.io/v1", "PeerAuthentication", "default", spec, namespace=namespace(row))


def _service(row: Row, called: str, number: int, address: str | None) -> dict[str, Any]:
    ports = [make.port(number, f"{row.protocol}-p", targetPort=target_port(row))]
    return make.service(called, ports=ports, ip=address or "", namespace=namespace(row), selector=PODS)
