"""Where the ServiceEntries of this cluster are read, in a mesh of several clusters.

Source: pilot/pkg/bootstrap/configcontroller.go and pilot/pkg/serviceregistry/serviceentry/controller.go: istiod reads
entries from the cluster of its own configuration alone, and gives them to each proxy that asks it, of whatever cluster.
"""

from dnsalias_operator.model.mesh import Mesh

NOT_READ = (
    "this is a remote cluster (topology remote): the istiod that serves it reads ServiceEntries in the primary cluster "
    "alone"
)
MAY_BE_ELSEWHERE = (
    " (if it is in another cluster alone, create it here too, with the same name, ports and selector: it needs no pods "
    "here)"
)
"""Its name has to resolve here, and the pods of the other cluster are its endpoints (measured: docs/clusters.md)."""
_WHERE = {
    "single": "",
    "multi-primary": " in this cluster; any other needs the DnsAlias as well",
    "primary": " in this cluster and those whose proxies its istiod serves",
    "remote": "",
}


def served_where(mesh: Mesh) -> str:
    """In which clusters an entry of this one has effect, to be added to a sentence; "" where there is one cluster."""
    return _WHERE[mesh.topology]
