"""The findings of ambient mode that the catalog has, from DA040 on."""

from dnsalias_operator.core.findings.fault import Fault
from dnsalias_operator.core.outcome import Severity

SHARED_BY_AMBIENT_ENTRIES = Fault(
    "DA040",
    "Shares an entry's address with ambient clients about",
    Severity.CRITICAL,
    "delete the ServiceEntry and create it again with an address that nobody else has; changed in place, it would "
    "leave the other one closed to ambient clients until one of its pods changes",
)
CUTS_OFF_BY_PREFIX = Fault(
    "DA041",
    "Prefix cuts off ambient clients",
    Severity.CRITICAL,
    "list single addresses that no Service has instead of a prefix",
)
LEADS_A_SERVICE_NAME = Fault(
    "DA042",
    "Leads a Service's name elsewhere for ambient clients",
    Severity.CRITICAL,
    "use a host that is no Service's name",
)
PLAINTEXT_IN_AMBIENT = Fault(
    "DA043",
    "Called in plaintext by ambient clients",
    Severity.WARNING,
    "give the entry the Service's own pods (location MESH_INTERNAL, resolution STATIC, targetPort as the Service has "
    "it, and a workloadSelector that is the Service's selector), or delete it and declare a DnsAlias",
)
SELECTS_ELSEWHERE = Fault(
    "DA044",
    "Selects pods of another namespace",
    Severity.WARNING,
    "move the entry to the namespace of the pods, or delete it and declare a DnsAlias there",
)
PAST_THE_WAYPOINT = Fault(
    "DA045",
    "Goes past the Service's waypoint",
    Severity.WARNING,
    "label it istio.io/use-waypoint as the Service is",
)
POLICY_NOT_AT_ENTRY = Fault(
    "DA046",
    "Policy of the Service does not cover the entry",
    Severity.CRITICAL,
    "name the ServiceEntry in spec.targetRefs of the policy as well",
)

AMBIENT_FAULTS: tuple[Fault, ...] = (
    SHARED_BY_AMBIENT_ENTRIES,
    CUTS_OFF_BY_PREFIX,
    LEADS_A_SERVICE_NAME,
    PLAINTEXT_IN_AMBIENT,
    SELECTS_ELSEWHERE,
    PAST_THE_WAYPOINT,
    POLICY_NOT_AT_ENTRY,
)
