"""What a client's sidecar sends to a cluster: as it came, TLS, or mTLS.

Source: buildUpstreamTLSSettings and applyUpstreamTLSSettings in pilot/pkg/networking/core/cluster_tls.go;
applyTrafficPolicy in pilot/pkg/networking/core/cluster_traffic_policy.go; BestEffortInferServiceMTLSMode in
pilot/pkg/model/push_context.go; checkMtlsEnabled in pilot/pkg/xds/endpoints/mtls_checker.go.
Ambient is not modelled.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from dnsalias_operator.core.istio.clusters.cluster import NO_MTLS, TAKES_MTLS, Cluster, Workload
from dnsalias_operator.core.istio.clusters.peers import of_namespace, of_workload
from dnsalias_operator.core.istio.clusters.rules import NOTHING, Rule, rule_for
from dnsalias_operator.core.istio.listeners import Client
from dnsalias_operator.core.istio.listeners.services import Resolution
from dnsalias_operator.model.destinationrule import TlsSettings
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import TLS_MODE_LABEL
from dnsalias_operator.model.peerauthentication import MtlsMode
from dnsalias_operator.model.snapshot import Snapshot


class ClientTls(StrEnum):
    """What the sidecar adds to a connection.

    PLAINTEXT is nothing: the bytes go as the application sent them. BY_ENDPOINT is mTLS to the endpoints that take it
    and nothing to the others. IF_ALL is mTLS where there are endpoints and none is without it, else nothing: where
    the destination is kept, endpoints are all alike. TLS is what a DestinationRule sets up with its own certificates.
    """

    PLAINTEXT = "plaintext"
    MTLS = "mTLS"
    TLS = "TLS"
    BY_ENDPOINT = "by endpoint"
    IF_ALL = "if all"


@dataclass(frozen=True, slots=True)
class Sent:
    """What a client sends to a cluster, and why.

    ``rule`` is the DestinationRule that applies, if there is one; ``mtls`` are those of the cluster's inline endpoints
    that get mTLS where that goes by endpoint.
    """

    cluster: Cluster
    tls: ClientTls
    because: str
    rule: Rule | None = None
    mtls: tuple[Workload, ...] = ()

    @property
    def plaintext_to(self) -> tuple[Workload, ...]:
        """The inline endpoints that get nothing added."""
        if self.tls is ClientTls.PLAINTEXT:
            return self.cluster.inline
        if self.tls is ClientTls.BY_ENDPOINT:
            return tuple(w for w in self.cluster.inline if w not in self.mtls)
        return ()

    def __str__(self) -> str:
        if self.tls is ClientTls.IF_ALL:
            return "mTLS if all pods take it"
        if self.tls is not ClientTls.BY_ENDPOINT:
            return str(self.tls)
        taking, listed = len(set(self.mtls)), len(set(self.cluster.inline))
        sent_as = f"mTLS to {taking} of {listed}" if 0 < taking < listed else "mTLS" if taking else "plaintext"
        if self.cluster.pods:
            return f"{sent_as}, and mTLS to pods that take it" if listed else "mTLS to pods that take it"
        return sent_as


def sends(snapshot: Snapshot, client: Client, mesh: Mesh, cluster: Cluster) -> Sent:
    """What a client sends to a cluster, as far as it does not depend on endpoints that are not known.

    Only the mesh's and the namespace's PeerAuthentications decide about a cluster, those of workloads about endpoints.
    """
    rule = rule_for(snapshot, client, cluster.hostname, cluster.namespace, mesh)
    policy = rule.at(cluster.port) if rule else NOTHING
    if rule and policy.tls:
        tls, why = _by_rule(rule, policy.tls), f"{rule.key}: {policy.tls.mode}"
    elif not mesh.enable_auto_mtls:
        tls, why = ClientTls.PLAINTEXT, "enableAutoMtls is false, and no DestinationRule asks for mTLS"
    elif cluster.external:
        tls, why = ClientTls.PLAINTEXT, f"{cluster.service.key} has location MESH_EXTERNAL"
    elif (demand := of_namespace(snapshot, cluster.namespace, mesh)).mode is MtlsMode.DISABLE:
        tls, why = ClientTls.PLAINTEXT, str(demand)
    elif cluster.resolution is Resolution.PASSTHROUGH or (rule and rule.policy and rule.policy.passthrough):
        tls, why = _kept(cluster)
    elif rule and policy.passthrough and cluster.resolution is not Resolution.DYNAMIC_DNS:
        tls, why = ClientTls.MTLS, f"{rule.key}: PASSTHROUGH on port {cluster.port}"
    else:
        sent = Sent(cluster, ClientTls.BY_ENDPOINT, _by_label(cluster), rule)
        return replace(sent, mtls=tuple(w for w in cluster.inline if gets_mtls(snapshot, sent, w, mesh)))
    return Sent(cluster, tls, why, rule)


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


def _by_label(cluster: Cluster) -> str:
    if cluster.resolution is Resolution.DYNAMIC_DNS:
        return "resolution DYNAMIC_DNS: no endpoint says that it takes mTLS"
    if cluster.inline and not cluster.pods and all(w.tls_mode != TAKES_MTLS for w in cluster.inline):
        return f"no endpoint has the label {TLS_MODE_LABEL}: {TAKES_MTLS}"
    return f"by the label {TLS_MODE_LABEL} of each endpoint"


def _kept(cluster: Cluster) -> tuple[ClientTls, str]:
    """Where the destination is kept: resolution NONE, a headless Service, or PASSTHROUGH by rule."""
    why = f"it keeps the destination, so all endpoints must have the label {TLS_MODE_LABEL}"
    if cluster.pods:
        return ClientTls.IF_ALL, why
    return if_all(w.tls_mode for w in cluster.numbered), why


def _by_rule(rule: Rule, tls: TlsSettings) -> ClientTls:
    """Source: buildUpstreamClusterTLSContext; a sidecar gets no credentials by a rule that is not for chosen pods."""
    if tls.mode == "ISTIO_MUTUAL":
        return ClientTls.MTLS
    fetched = tls.credential and not tls.credential.startswith("configmap://")
    if tls.mode == "DISABLE" or (fetched and rule.selector is None):
        return ClientTls.PLAINTEXT
    return ClientTls.TLS
