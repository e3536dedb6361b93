"""Every name this operator writes or reads: API group, annotations, labels, field managers, object keys.

Every name that leaves the process is defined here, once.
"""

import re
from typing import NamedTuple

GROUP = "dnsalias.io"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
KIND = "DnsAlias"
PLURAL = "dnsaliases"
SINGULAR = "dnsalias"
SHORT_NAME = "dna"

ISTIO_GROUP = "networking.istio.io"
ISTIO_VERSIONS = ("v1", "v1beta1", "v1alpha3")
ISTIO_API_VERSION = f"{ISTIO_GROUP}/v1"
SECURITY_GROUP = "security.istio.io"

OWN_MANAGER = "dnsalias-operator"
"""Field manager of the ServiceEntries we generate and of DnsAlias status."""
REPAIR_MANAGER = "dnsalias-repair"
"""Field manager of the fields we repair in other people's ServiceEntries."""

MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
ALIAS_LABEL = f"{GROUP}/alias"
"""On our ServiceEntries: the name of the DnsAlias. Ownership in files, where uids are unknown."""

REPAIR_ANNOTATION = f"{GROUP}/repair"
"""On any ServiceEntry: "true" opts it in to repair, "false" out."""
SERVICE_ANNOTATION = f"{GROUP}/service"
"""On any ServiceEntry: the name of the Service it stands for."""
SERVICE_UID_ANNOTATION = f"{GROUP}/service-uid"
"""On our ServiceEntries: uid of the Service they were made from."""
RECREATED_FOR_ANNOTATION = f"{GROUP}/recreated-for"
"""On our ServiceEntries: uid of the Service for which the entry was recreated, once, to be younger."""

AUTO_ALLOCATE_LABEL = f"{ISTIO_GROUP}/enable-autoallocate-ip"
"""On a ServiceEntry: "false" keeps istiod from allocating addresses to it."""
CONTROL_PLANES_ANNOTATION = "topology.istio.io/controlPlaneClusters"
"""On the root Namespace: the clusters whose istiods manage this one."""
NETWORK_LABEL = "topology.istio.io/network"
EXPORT_TO_ANNOTATION = "networking.istio.io/exportTo"
AMBIENT_LABEL = "istio.io/dataplane-mode"
AMBIENT = "ambient"
WAYPOINT_LABELS = ("istio.io/use-waypoint", "istio.io/use-waypoint-namespace")
"""Labels by which a Service or an entry has a waypoint; each has its own (docs/istio.md, "Ambient")."""
TLS_MODE_LABEL = "security.istio.io/tlsMode"
"""On pods, and on inline endpoints: `istio` where the workload takes mTLS. Injection sets it on pods."""


LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
LABEL_PATTERN = f"^{LABEL}$"
"""Of the names of Services and namespaces. Source: RFC 1123 labels, as Kubernetes' names are."""
REVISION_PATTERN = f"^({LABEL})?$"
"""Of a revision of istiod: a label, or nothing."""
DOMAIN_PATTERN = rf"^{LABEL}(\.{LABEL})*$"
"""Of DNS names in the form in which names are compared: lower case, no dot at either end."""
_OBJECT_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([-a-z0-9.]*[a-z0-9])?")


def is_object_name(text: str) -> bool:
    """Whether an object or a namespace can be called so; anything else could change the path of a request.

    Source: DNS subdomain names, https://kubernetes.io/docs/concepts/overview/working-with-objects/names/.
    """
    return _OBJECT_NAME.fullmatch(text) is not None


class Key(NamedTuple):
    """Identity of an object in one cluster; sorts by kind, namespace, name.

    ``kind`` is the Kubernetes kind ("Service", "ServiceEntry", "DnsAlias", "Namespace"); ``namespace`` is
    empty for cluster-scoped kinds.
    """

    kind: str
    namespace: str
    name: str

    @property
    def possible(self) -> bool:
        """Whether an object can have that name and namespace: annotations and references can hold anything."""
        return is_object_name(self.name) and (not self.namespace or is_object_name(self.namespace))

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"
