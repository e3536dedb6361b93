"""What ztunnel's DNS proxy answers for a name.

On by default; istio-cni sends the pods' questions to it by `ambient.dnsCapture`, from 1.25 on by default.
Source: find_server and get_addresses in src/dns/server.rs of ztunnel, find_best_match in src/state/service.rs.
"""

from collections.abc import Iterator

from dnsalias_operator.core.istio.ambient.records import Records, ServiceRecord
from dnsalias_operator.model.mesh import Mesh


def captures_dns(mesh: Mesh) -> bool:
    """Whether pods ask ztunnel, unless the installation says otherwise (istio-cni's ``ambient.dnsCapture``)."""
    return mesh.since(1, 25)


def resolved(records: Records, name: str, namespace: str, mesh: Mesh) -> tuple[ServiceRecord, ...]:
    """The record whose addresses a client of ``namespace`` gets for ``name``; several where that is by chance.

    () where no record with an address has the name: then the question goes on to the cluster's DNS.
    """
    for host in _asked(name, namespace, mesh):
        there = [s for s in records.of_host(host) if s.public or s.namespace == namespace]
        own = [s for s in there if s.namespace == namespace]
        canonical = [s for s in there if s.canonical]
        if there:
            return tuple(s for s in own or canonical or there if s.ips)
    return ()


def _asked(name: str, namespace: str, mesh: Mesh) -> Iterator[str]:
    """The hosts that are looked up, in order: the name, with the pod's search domains, and wildcards around it."""
    name = name.lower().removesuffix(".")
    yield name
    for domain in (f"{namespace}.svc.{mesh.cluster_domain}", f"svc.{mesh.cluster_domain}", mesh.cluster_domain):
        yield f"{name}.{domain}"
    labels = name.split(".")
    yield from ("*." + ".".join(labels[n:]) for n in range(1, len(labels)))
