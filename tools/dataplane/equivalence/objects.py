"""The objects of a row: its Service, a second Service of the same pods, and the alias or the foreign entry."""

from typing import Any

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
FOREIGN = {"app.kubernetes.io/managed-by": "dns-controller"}


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
    return {
        "apiVersion": "dnsalias.io/v1alpha1",
        "kind": "DnsAlias",
        "metadata": {"name": name(row), "namespace": namespace(row)},
        "spec": {"host": host(row), "serviceRef": {"name": name(row)}, "endpoints": row.endpoints},
    }


def entry(row: Row) -> dict[str, Any]:
    """The entry as a dns-controller writes it that leaves out addresses, and endpoints where it has no selector."""
    one: dict[str, Any] = {"number": port(row), "name": "p", "protocol": PROTOCOLS[row.protocol]}
    spec: dict[str, Any] = {"hosts": [host(row)], "location": "MESH_INTERNAL", "resolution": "DNS", "ports": [one]}
    if row.endpoints == "Workloads":
        one["targetPort"] = target_port(row)
        spec |= {"resolution": "STATIC", "workloadSelector": {"labels": PODS}}
    metadata = {"name": name(row), "namespace": namespace(row), "labels": FOREIGN}
    metadata["annotations"] = {"dnsalias.io/service": name(row)}
    return {"apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry", "metadata": metadata, "spec": spec}


def peer_authentication(row: Row) -> dict[str, Any]:
    """The mTLS mode of the row's namespace."""
    return {
        "apiVersion": "security.istio.io/v1",
        "kind": "PeerAuthentication",
        "metadata": {"name": "default", "namespace": namespace(row)},
        "spec": {"mtls": {"mode": row.mtls}},
    }


def _service(row: Row, called: str, number: int, address: str | None) -> dict[str, Any]:
    listed = {"name": f"{row.protocol}-p", "port": number, "targetPort": target_port(row)}
    spec: dict[str, Any] = {"selector": PODS, "ports": [listed]}
    if address:
        spec["clusterIP"] = address
    metadata = {"name": called, "namespace": namespace(row)}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}
