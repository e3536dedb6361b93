"""The mesh as it is: what MeshConfig, istiod's Deployment and the injector's values say, and which `Mesh` comes of it.

`documents` recognises what holds any of it, `fields` reads a MeshConfig, `istiod` the Deployment and the injector's
values, `selectors` what chooses namespaces, `topology` which of several clusters it is, and `effective` makes the
`Mesh` that predictions assume. Everything is total: what cannot be read is a fault in words, and the default is assumed
in its place.
"""

from dnsalias_operator.core.istio.meshconfig.documents import names_of, read_document, read_text
from dnsalias_operator.core.istio.meshconfig.effective import Contradiction, contradictions, effective
from dnsalias_operator.core.istio.meshconfig.found import DENIED, NOTHING, Fact, Found, joined
from dnsalias_operator.core.istio.meshconfig.topology import located

__all__ = [
    "DENIED",
    "NOTHING",
    "Contradiction",
    "Fact",
    "Found",
    "contradictions",
    "effective",
    "joined",
    "located",
    "names_of",
    "read_document",
    "read_text",
]
