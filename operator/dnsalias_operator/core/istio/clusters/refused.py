"""Clusters that istiod makes and Envoy refuses: a sidecar that starts then is never ready, others keep what they had.

Source: setUpstreamProtocol and buildDFPCluster in pilot/pkg/networking/core/cluster_builder.go,
setAutoSniAndAutoSanValidation in pilot/pkg/networking/core/cluster_tls.go; convertResolution in
pilot/pkg/networking/core/cluster.go. The refusals are Envoy's own (measured).
"""

from dnsalias_operator.core.istio.clusters.sends import ClientTls, Sent
from dnsalias_operator.core.istio.listeners.services import Resolution
from dnsalias_operator.core.istio.protocols import Protocol
from dnsalias_operator.model.serviceentry import ServiceEntry

H2 = frozenset({Protocol.HTTP2, Protocol.GRPC})


def refused(sent: Sent, pods: int = 0) -> str:
    """Why Envoy refuses the cluster, or "". ``pods`` are endpoints that it is known to have beside its inline ones."""
    cluster, rule = sent.cluster, sent.rule
    if cluster.resolution is Resolution.DYNAMIC_DNS:
        if cluster.protocol in H2 and sent.tls is ClientTls.PLAINTEXT:
            return f"resolution DYNAMIC_DNS with a port of {cluster.protocol}, and the sidecar adds no TLS"
        return ""
    one = isinstance(cluster.service, ServiceEntry) and cluster.service.resolution == "DNS_ROUND_ROBIN"
    kept = rule is not None and rule.at(cluster.port).passthrough
    if one and not kept and len(cluster.inline) + pods > 1:
        return "resolution DNS_ROUND_ROBIN with more than one endpoint"
    return ""
