"""The mesh as it is: what MeshConfig, istiod's Deployment and the injector's values say, and which `Mesh` comes of it.

`documents` recognises what holds any of it, `fields` reads a MeshConfig, `shared` a second one, `istiod` the
Deployment and the injector's values, `workloads` what pods say themselves, `selectors` what chooses namespaces,
`topology` which of several clusters it is, `effective` makes the `Mesh` that predictions assume, and `revisions` the
rules where not all clients have the same. Everything is total: what cannot be read is a fault in words, and the
default is assumed in its place.
"""

from dnsalias_operator.core.istio.meshconfig.documents import names_of, read_document, read_text
from dnsalias_operator.core.istio.meshconfig.effective import Contradiction, contradictions, effective
from dnsalias_operator.core.istio.meshconfig.found import DENIED, NOTHING, Fact, Found, joined
from dnsalias_operator.core.istio.meshconfig.revisions import (
    differing,
    effective_rules,
    mesh_for,
    revisions_in,
    with_revisions,
)
from dnsalias_operator.core.istio.meshconfig.shared import is_shared, shared_name, with_shared, without_shared
from dnsalias_operator.core.istio.meshconfig.topology import located
from dnsalias_operator.core.istio.meshconfig.workloads import PROXY_CONFIG, WORKLOADS, read_capture

__all__ = [
    "DENIED",
    "NOTHING",
    "PROXY_CONFIG",
    "WORKLOADS",
    "Contradiction",
    "Fact",
    "Found",
    "contradictions",
    "differing",
    "effective",
    "effective_rules",
    "is_shared",
    "joined",
    "located",
    "mesh_for",
    "names_of",
    "read_capture",
    "read_document",
    "read_text",
    "revisions_in",
    "shared_name",
    "with_revisions",
    "with_shared",
    "without_shared",
]
