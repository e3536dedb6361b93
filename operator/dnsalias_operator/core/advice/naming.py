"""How a pod resolves the name of an alias, and what stands before it.

Source: docs/istio.md, "Names and DNS" (an entry makes no DNS record; a sidecar with DNS capture answers with the
entry's addresses, else with those that istiod allocated); resolv.conf(5) and the Kubernetes documentation "DNS for
Services and Pods": a name with fewer than five dots is tried with the search domains first.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from dnsalias_operator.core.advice.coredns import rewrite
from dnsalias_operator.core.hosts.names import public_suffix, shadowed_service
from dnsalias_operator.core.istio.service_names import SHORT_LABELS
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot

NDOTS = 5


@dataclass(frozen=True, slots=True)
class Naming:
    """How one host resolves.

    ``answered`` are the addresses with which sidecars that capture DNS answer; () where the pod's DNS is asked.
    ``rewrite`` is the line for CoreDNS that makes that DNS answer, "" where there is no Service to lead to. ``notes``
    are sentences about what may answer instead.
    """

    host: str
    answered: tuple[str, ...]
    rewrite: str
    notes: tuple[str, ...]


def naming(world: Snapshot, host: str, entry: ServiceEntry | None, service: Service | None, mesh: Mesh) -> Naming:
    """Tell how ``host`` resolves for pods; ``entry`` is the one that serves it, if there is one."""
    answered: tuple[str, ...] = ()
    if mesh.dns_capture and entry is not None:
        allocated = () if entry.resolution == "NONE" else entry.auto_addresses.get(host, ())
        answered = entry.addresses or allocated
    line = rewrite(host, service, mesh) if service is not None and "*" not in host else ""
    return Naming(host, answered, line, tuple(_notes(world, host, mesh) if service else ()))


def _notes(world: Snapshot, host: str, mesh: Mesh) -> Iterator[str]:
    labels = host.split(".")
    if host.count(".") < NDOTS:
        service = shadowed_service(world, host)
        if service is not None:
            yield (
                f"pods resolve {host} to {service.key}: the search domain svc.{mesh.cluster_domain} comes before any "
                "record of the name itself"
            )
        if len(labels) == SHORT_LABELS:
            for near in (s for s in world.services() if s.headless and s.meta.name == labels[-1]):
                yield (
                    f"in namespace {near.meta.namespace} a pod of hostname {labels[0]} behind the headless {near.key} "
                    "would answer first, by the search domain of that namespace"
                )
    if suffix := public_suffix(host):
        yield f"{host} is under the public suffix {suffix}: DNS that does not know the alias may give a public address"
