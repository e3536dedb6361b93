"""The closed list of findings: code, title, what it means, what to do. docs/findings.md has a section for each code.

A retired code is never given to another fault.
"""

from collections.abc import Iterable

from dnsalias_operator.core.findings.ambient_faults import AMBIENT_FAULTS
from dnsalias_operator.core.findings.fault import Fault
from dnsalias_operator.core.outcome import Severity

CATCH_ALL = Fault(
    "DA001",
    "Catch-all listener",
    Severity.CRITICAL,
    "do what `dnsalias plan` shows, or what `dnsalias lint` says for this entry",
)
LACKS_ADDRESSES = Fault(
    "DA002",
    "Lacks addresses",
    Severity.WARNING,
    "do what `dnsalias plan` shows, or what `dnsalias lint` says for this entry",
)
LACKS_ENDPOINTS = Fault(
    "DA003",
    "Lacks endpoints",
    Severity.WARNING,
    "do what `dnsalias plan` shows, or what `dnsalias lint` says for this entry",
)
TAKES_OVER_SERVICE = Fault(
    "DA004",
    "Takes over a Service's VIP",
    Severity.CRITICAL,
    "give the port in the ServiceEntry the protocol of the Service's port, or list in spec.addresses an address that "
    "no Service has instead",
)
SHADOWS_SERVICE = Fault(
    "DA005",
    "Shadows a Service",
    Severity.CRITICAL,
    "delete and recreate the ServiceEntry so that it is younger than the Service, and export it to '*'; "
    "or declare a DnsAlias instead",
)
STALE_ADDRESS = Fault(
    "DA006",
    "Stale address",
    Severity.WARNING,
    "do what `dnsalias plan` shows, or what `dnsalias lint` says for this entry",
)
HOST_CLAIMED_TWICE = Fault(
    "DA007",
    "Host claimed twice",
    Severity.WARNING,
    "keep one of the claims, or export them to namespaces that do not overlap",
)
RESERVED_HOST = Fault(
    "DA008",
    "Reserved host",
    Severity.WARNING,
    "use a host that is no Service's name and not under the cluster domain",
)
COVERS_SERVICES = Fault(
    "DA009",
    "Address covers Services",
    Severity.WARNING,
    "list single addresses that no Service has instead of 0.0.0.0 or a CIDR that holds clusterIPs",
)
UNKNOWN_ENDPOINT = Fault(
    "DA010",
    "Endpoint is no known Service",
    Severity.WARNING,
    "create the Service or correct the endpoint: a name that DNS does not answer can block starting sidecars",
)
NOT_REPAIRABLE = Fault(
    "DA011",
    "Not repairable",
    Severity.INFO,
    "change the ServiceEntry at its source; the API forbids what the operator would add",
)
PORT_NOT_ON_SERVICE = Fault(
    "DA012",
    "Port is not on the Service",
    Severity.WARNING,
    "remove the port from the ServiceEntry, or add it to the Service",
)
ORPHAN = Fault(
    "DA013",
    "Orphaned entry",
    Severity.WARNING,
    "delete the ServiceEntry if its DnsAlias is gone for good; the operator never touches it without one",
)
ALIAS_REFUSED = Fault(
    "DA014",
    "DnsAlias is not served",
    Severity.WARNING,
    "do what the message says; `dnsalias explain` with its reason explains it",
)
CANNOT_CURE = Fault(
    "DA015",
    "Cannot be fixed",
    Severity.WARNING,
    "make the change that the message names; `dnsalias explain` with its reason explains it",
)
CONTAINED = Fault(
    "DA016",
    "Contained, not fixed",
    Severity.WARNING,
    "make the change that the message names; until then the entry takes no traffic of others",
)
PUBLIC_SUFFIX = Fault(
    "DA017",
    "Host is under a public suffix",
    Severity.INFO,
    "make sure that you own the domain: inside the mesh the alias hides the public name",
)
PLAINTEXT_INTO_STRICT = Fault(
    "DA018",
    "Plaintext into STRICT",
    Severity.CRITICAL,
    "give the entry the Service's own pods (location MESH_INTERNAL, resolution STATIC, and a workloadSelector that is "
    "the Service's selector), or delete it and declare a DnsAlias",
)
REFUSED_BY_ENVOY = Fault(
    "DA019",
    "Refused by Envoy",
    Severity.CRITICAL,
    "change the entry, or export it to no namespace (exportTo: ['~']) until it is changed",
)
SHARED_WITH_AMBIENT = Fault(
    "DA020",
    "Shares an address with ambient clients about",
    Severity.CRITICAL,
    "delete the ServiceEntry and create it again with an address that no Service has; changed in place, it would leave "
    "the Service closed to ambient clients until one of its pods changes",
)
SHARED_BY_ENTRIES = Fault(
    "DA021",
    "Another entry gets its connections",
    Severity.CRITICAL,
    "list in spec.addresses an address that the other entry does not have, or give one of the two another port",
)
NAMED_AS_SERVICE = Fault(
    "DA022",
    "Has the name of a Service",
    Severity.CRITICAL,
    "use a host that is no Service's name",
)
MIXED_ADDRESSES = Fault(
    "DA023",
    "Name leads to addresses without the port",
    Severity.CRITICAL,
    "put the ports of all of them into one entry, or list the same spec.addresses in each",
)
SHARED_ENDPOINTS = Fault(
    "DA024",
    "Calls go to endpoints of other entries",
    Severity.CRITICAL,
    "give each another host, or a namespace of its own",
)
SENDS_NOWHERE = Fault(
    "DA025",
    "Port sends nowhere",
    Severity.CRITICAL,
    "list spec.endpoints, or set a workloadSelector",
)
REFUSED_BY_ISTIO = Fault(
    "DA026",
    "Refused by Istio",
    Severity.WARNING,
    "correct the fields that the message names",
)
MEANINGLESS_ANNOTATION = Fault(
    "DA027",
    "Annotation that means nothing",
    Severity.WARNING,
    "correct the annotation, or take it off",
)
POLICY_LEFT_OUT = Fault(
    "DA028",
    "Policy of the Service stops at the alias",
    Severity.WARNING,
    "bind the same to the alias' host as well",
)
LED_ELSEWHERE = Fault(
    "DA029",
    "VirtualService leads the alias elsewhere",
    Severity.WARNING,
    "choose another host for the alias, or take the gateway mesh out of the VirtualService",
)
FIRST_ADDRESS_ONLY = Fault(
    "DA030",
    "Only the first address listens",
    Severity.WARNING,
    "list the address that clients call first; or give the clients' namespaces a Sidecar (egress hosts */*); or use "
    "Istio 1.24.3 or newer",
)
EXTERNAL_NAME_CATCHES_ALL = Fault(
    "DA031",
    "ExternalName Service is a catch-all",
    Severity.CRITICAL,
    "remove spec.ports, which an ExternalName Service does not need, or give the port a name that begins with http or "
    "tls; or use Istio 1.21 or newer",
)
ENTRIES_WITHOUT_LIMIT = Fault(
    "DA032",
    "MeshConfig lets entries reach every namespace",
    Severity.INFO,
    "set serviceEntryVisibility in MeshConfig: applyToSidecars true, defaultVisibility NAMESPACE, and a policy with "
    "PUBLIC for the namespaces whose entries are for everybody",
)
PUBLIC_BY_DEFAULT = Fault(
    "DA033",
    "MeshConfig makes entries public by default",
    Severity.INFO,
    "set defaultServiceExportTo in MeshConfig to ['.'], after every Service and ServiceEntry that is for other "
    "namespaces has an exportTo of its own",
)
READ_IN_OTHER_CLUSTERS = Fault(
    "DA034",
    "Other clusters get a clusterIP of this one",
    Severity.WARNING,
    "list in spec.addresses an address that no Service of any cluster has, or delete the ServiceEntry and declare a "
    "DnsAlias instead",
)
COPIED_FROM_ANOTHER_CLUSTER = Fault(
    "DA035",
    "Copied from another cluster",
    Severity.WARNING,
    "delete it here, copy no ServiceEntries with the label dnsalias.io/alias, and declare the DnsAlias in this cluster",
)
STOPS_AT_THE_GATEWAY = Fault(
    "DA036",
    "East-west gateway lets the alias not pass",
    Severity.WARNING,
    "add the alias' host to the hosts of the gateway's server with tls.mode AUTO_PASSTHROUGH, in every cluster",
)

FAULTS: tuple[Fault, ...] = (
    CATCH_ALL,
    LACKS_ADDRESSES,
    LACKS_ENDPOINTS,
    TAKES_OVER_SERVICE,
    SHADOWS_SERVICE,
    STALE_ADDRESS,
    HOST_CLAIMED_TWICE,
    RESERVED_HOST,
    COVERS_SERVICES,
    UNKNOWN_ENDPOINT,
    NOT_REPAIRABLE,
    PORT_NOT_ON_SERVICE,
    ORPHAN,
    ALIAS_REFUSED,
    CANNOT_CURE,
    CONTAINED,
    PUBLIC_SUFFIX,
    PLAINTEXT_INTO_STRICT,
    REFUSED_BY_ENVOY,
    SHARED_WITH_AMBIENT,
    SHARED_BY_ENTRIES,
    NAMED_AS_SERVICE,
    MIXED_ADDRESSES,
    SHARED_ENDPOINTS,
    SENDS_NOWHERE,
    REFUSED_BY_ISTIO,
    MEANINGLESS_ANNOTATION,
    POLICY_LEFT_OUT,
    LED_ELSEWHERE,
    FIRST_ADDRESS_ONLY,
    EXTERNAL_NAME_CATCHES_ALL,
    ENTRIES_WITHOUT_LIMIT,
    PUBLIC_BY_DEFAULT,
    READ_IN_OTHER_CLUSTERS,
    COPIED_FROM_ANOTHER_CLUSTER,
    STOPS_AT_THE_GATEWAY,
    *AMBIENT_FAULTS,
)
TITLES = {fault.code: fault.title for fault in FAULTS}


def runs(codes: Iterable[str]) -> str:
    """The codes that there are, as text: those that follow each other as `DA001 to DA019`."""
    found: list[list[str]] = []
    for code in sorted(codes):
        if found and int(code[2:]) == int(found[-1][-1][2:]) + 1:
            found[-1].append(code)
        else:
            found.append([code])
    return ", ".join(run[0] if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in found)
