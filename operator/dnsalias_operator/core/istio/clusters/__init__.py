"""The model of what a client's sidecar sends to the clusters that its listeners and routes lead to.

`cluster` finds the service that a cluster is made from, `rules` the DestinationRule that applies, `peers` what
PeerAuthentications make workloads take, `gateways` which pods they do not apply to, and `sends` puts them together.
Held against a real istiod and Envoy by tests/dataplane/test_mtls.py.

Limits. Pods are not known: where it depends on them, that is the answer. Subsets, VirtualServices, ambient and
MeshConfig's enableAutoMtls are not modelled; selectors of PeerAuthentications see no labels that istiod adds itself
(topology).
"""

from dnsalias_operator.core.istio.clusters.cluster import Cluster, Workload, cluster_of, clusters_on
from dnsalias_operator.core.istio.clusters.gateways import IsGateway, are_gateways, leads_to_gateways, passing_hosts
from dnsalias_operator.core.istio.clusters.peers import Demand, of_namespace, of_pods, of_workload
from dnsalias_operator.core.istio.clusters.refused import refused
from dnsalias_operator.core.istio.clusters.rules import namespaces_with_rules
from dnsalias_operator.core.istio.clusters.sends import ClientTls, Sent, gets_mtls, if_all, sends

__all__ = [
    "ClientTls",
    "Cluster",
    "Demand",
    "IsGateway",
    "Sent",
    "Workload",
    "are_gateways",
    "cluster_of",
    "clusters_on",
    "gets_mtls",
    "if_all",
    "leads_to_gateways",
    "namespaces_with_rules",
    "of_namespace",
    "of_pods",
    "of_workload",
    "passing_hosts",
    "refused",
    "sends",
]
