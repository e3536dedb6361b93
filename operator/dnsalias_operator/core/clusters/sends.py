"""What a client's sidecar sends to a cluster: as it came, TLS, or mTLS.

Source: buildUpstreamTLSSettings and applyUpstreamTLSSettings in pilot/pkg/networking/core/cluster_tls.go;
applyTrafficPolicy in cluster_traffic_policy.go; BestEffortInferServiceMTLSMode in pilot/pkg/model/push_context.go;
checkMtlsEnabled in pilot/pkg/xds/endpoints/mtls_checker.go. MeshConfig.enableAutoMtls is taken to be on, as it is by
default; ambient is not modelled.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from dnsalias_operator.core.clusters.cluster import NO_MTLS, TAKES_MTLS, Cluster, Workload
from dnsalias_operator.core.clusters.peers import of_namespace, of_workload
from dnsalias_operator.core.clusters.rules import NOTHING, Rule, rule_for
from dnsalias_operator.core.listeners import Client
from dnsalias_operator.core.listeners.services import Resolution
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import TLS_MODE_LABEL
from dnsalias_operator.model.peerauthentication import MtlsMode
from dnsalias_operator.model.snapshot import Snapshot


class ClientTls(StrEnum):
    """What the sidecar adds to a connection.

    PLAINTEXT is nothing: the bytes go as the application sent them. BY_ENDPOINT is mTLS to the endpoints that take it
    and nothing to the others. IF_ALL is mTLS where there are endpoints and none is without it, else nothing: where
    the destination is kept, endpoints cannot be told apart. TLS is what a DestinationRule sets up with certificates of
    its own.
    """

    PLAINTEXT = "plaintext"
    MTLS = "mTLS"
    TLS = "TLS"
    BY_ENDPOINT = "by endpoint"
    IF_ALL = "if all"


@dataclass(frozen=True, slots=True)
class Sent:
    """What a client sends to a cluster, and why. ``rule`` is the DestinationRule that applies, if there is one."""

    cluster: Cluster
    tls: ClientTls
    because: str
    rule: Rule | None = None


def sends(snapshot: Snapshot, client: Client, mesh: Mesh, cluster: Cluster) -> Sent:
    """What a client sends to a cluster, as far as it does not depend on endpoints that are not known.

    Only the mesh's and the namespace's PeerAuthentications decide about a cluster, those of workloads about endpoints.
    """
    rule = rule_for(snapshot, client, cluster.hostname, cluster.namespace, mesh)
    policy = rule.at(cluster.port) if rule else NOTHING
    if rule and policy.tls:
        return Sent(cluster, _by_rule(rule, policy.tls.mode, policy.tls.credential), f"{rule.key}: {policy.tls.mode}", rule)
    if cluster.external:
        return Sent(cluster, ClientTls.PLAINTEXT, f"{cluster.service.key} has location MESH_EXTERNAL", rule)
    demand = of_namespace(snapshot, cluster.namespace, mesh)
    if demand.mode is MtlsMode.DISABLE:
        return Sent(cluster, ClientTls.PLAINTEXT, str(demand), rule)
    whole = bool(rule and rule.policy and rule.policy.passthrough)
    if cluster.resolution is Resolution.PASSTHROUGH or whole:
        kept = "it keeps the destination (resolution NONE, a headless Service, or PASSTHROUGH)"
        if cluster.pods:
            return Sent(cluster, ClientTls.IF_ALL, kept, rule)
        tls = if_all(w.tls_mode for w in cluster.inline)
        what = "none of its endpoints is without" if tls is ClientTls.MTLS else "no endpoint, or one without,"
        return Sent(cluster, tls, f"{kept}, and has {what} {TLS_MODE_LABEL}", rule)
    if policy.passthrough and cluster.resolution is not Resolution.DYNAMIC_DNS:
        return Sent(cluster, ClientTls.MTLS, f"{rule.key if rule else ''}: PASSTHROUGH on port {cluster.port}", rule)
    return Sent(cluster, ClientTls.BY_ENDPOINT, f"by {TLS_MODE_LABEL} of each endpoint", rule)


def if_all(tls_modes: Iterable[str]) -> ClientTls:
    """What IF_ALL comes to for these endpoints."""
    modes = set(tls_modes)
    return ClientTls.MTLS if modes and NO_MTLS not in modes else ClientTls.PLAINTEXT


def gets_mtls(snapshot: Snapshot, sent: Sent, workload: Workload, mesh: Mesh) -> bool:
    """Whether an endpoint of a BY_ENDPOINT cluster gets mTLS: it says that it takes it, and it was not switched off."""
    if workload.tls_mode != TAKES_MTLS:
        return False
    by_rule = sent.rule.tls_mode(sent.cluster.port) if sent.rule else None
    if by_rule is not None:
        return by_rule == "ISTIO_MUTUAL"
    demand = of_workload(snapshot, workload.namespace, workload.labels, workload.port, mesh)
    return demand.mode is not MtlsMode.DISABLE


def _by_rule(rule: Rule, mode: str, credential: str) -> ClientTls:
    """Source: buildUpstreamClusterTLSContext; a sidecar gets no credentials by a rule that is not for chosen pods."""
    if mode == "ISTIO_MUTUAL":
        return ClientTls.MTLS
    fetched = credential and not credential.startswith("configmap://")
    if mode == "DISABLE" or (fetched and rule.selector is None):
        return ClientTls.PLAINTEXT
    return ClientTls.TLS
