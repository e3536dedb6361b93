"""A real sidecar's configuration held against the prediction for that very pod.

`seen` is what was read of it, and the mesh that it says it is in; `compare` holds its listeners against the model,
`clusters` what it sends; `claimed` says whose a port is and which rule the model followed, `settings` which setting
would explain the differences; `anonymous` makes a report of them that names nobody.
"""

from dnsalias_operator.core.advice.verify.anonymous import Anonymous, report
from dnsalias_operator.core.advice.verify.claimed import Claimed
from dnsalias_operator.core.advice.verify.clusters import ClusterDifference, clusters_differ
from dnsalias_operator.core.advice.verify.compare import PortDifference, Verdict, compare
from dnsalias_operator.core.advice.verify.seen import Seen, client_of, mesh_of
from dnsalias_operator.core.advice.verify.settings import Explanation, explain

__all__ = [
    "Anonymous",
    "Claimed",
    "ClusterDifference",
    "Explanation",
    "PortDifference",
    "Seen",
    "Verdict",
    "client_of",
    "clusters_differ",
    "compare",
    "explain",
    "mesh_of",
    "report",
]
