"""What a sidecar sends to its clusters, and what it was predicted to: nothing added, TLS or mTLS."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dnsalias_operator.core.istio.clusters import (
    ClientTls,
    Cluster,
    Sent,
    Workload,
    clusters_on,
    gets_mtls,
    refused,
    sends,
)
from dnsalias_operator.core.istio.clusters.envoy import EnvoyCluster
from dnsalias_operator.core.istio.listeners import Client
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class ClusterDifference:
    """A cluster that is not as predicted: what Envoy does, what was predicted, and because of what."""

    name: str
    envoy: str
    predicted: str
    because: str = ""


def clusters_differ(
    world: Snapshot, client: Client, mesh: Mesh, clusters: Mapping[str, EnvoyCluster]
) -> tuple[ClusterDifference, ...]:
    """Everything in which a sidecar's clusters are not the predicted ones, sorted by name.

    Pods are not known: where a cluster, or what is sent to it, depends on them, anything that they can make of it is as
    predicted. A port that differs in its endpoints only by pods does not differ.
    """
    every = {c.name: c for port in world.ports() for c in clusters_on(world, client, mesh, port)}
    found = []
    for name in sorted(every.keys() | clusters.keys()):
        cluster, real = every.get(name), clusters.get(name)
        if cluster is None:
            found.append(ClusterDifference(name, "is there", "nothing", "no object that was read has that port"))
        else:
            found += _differences(world, mesh, cluster, sends(world, client, mesh, cluster), real)
    return tuple(found)


def _differences(
    world: Snapshot, mesh: Mesh, cluster: Cluster, sent: Sent, real: EnvoyCluster | None
) -> Iterator[ClusterDifference]:
    refusal = refused(sent)
    if real is None:
        if not (refusal or cluster.needs_pods or _of_several(cluster)):
            yield ClusterDifference(cluster.name, "nothing", str(sent), sent.because)
        return
    if refusal:
        yield ClusterDifference(cluster.name, "is there", "refused", refusal)
    elif real.tls is None or (sent.tls is not real.tls and not _depends_on_pods(sent, real)):
        yield ClusterDifference(cluster.name, real.tls or "sockets that Istio does not make", str(sent), sent.because)
    elif sent.tls is ClientTls.BY_ENDPOINT and real.endpoints is not None:
        yield from _endpoints(world, mesh, sent, real)


def _of_several(cluster: Cluster) -> bool:
    """Whether pods may add the endpoint with which Envoy refuses it."""
    return cluster.pods and getattr(cluster.service, "resolution", "") == "DNS_ROUND_ROBIN"


def _depends_on_pods(sent: Sent, real: EnvoyCluster) -> bool:
    return sent.tls is ClientTls.IF_ALL and real.tls in (ClientTls.MTLS, ClientTls.PLAINTEXT)


def _endpoints(world: Snapshot, mesh: Mesh, sent: Sent, real: EnvoyCluster) -> Iterator[ClusterDifference]:
    there = {(e.address, e.port): e.mtls for e in real.endpoints or ()}
    listed: dict[tuple[str, int], Workload] = {(w.address, w.port): w for w in sent.cluster.inline}
    for place in sorted(listed.keys() & there.keys()):
        expected = gets_mtls(world, sent, listed[place], mesh)
        if expected != there[place]:
            words = {mtls: f"{'mTLS' if mtls else 'plaintext'} to {place[0]}:{place[1]}" for mtls in (True, False)}
            yield ClusterDifference(sent.cluster.name, words[not expected], words[expected], sent.because)
