"""The closed list of reasons, and the one shape of a "why not".

A reason is one word: of a condition, of an entry that stays unfixed, of a write, of an entry that cannot be adopted.
The same words are labels of metrics, reasons of Events and arguments of `dnsalias explain`, and scripts depend on them:
a word never gets another meaning.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Self


class Part(NamedTuple):
    """A part of docs/ that explains reasons, one section each: the file, and the heading of the first level."""

    file: str
    title: str


HOLDS = Part("conditions.md", "When all is well")
WAITING = Part("conditions.md", "Before the operator has seen it")
NOT_ACCEPTED = Part("conditions.md", "Accepted is False")
NOT_RESOLVED = Part("conditions.md", "ResolvedRefs is False")
NOT_PROGRAMMED = Part("conditions.md", "Programmed is False")
NOT_FOLLOWED = Part("conditions.md", "PoliciesFollowed is False")
UNFIXED = Part("findings.md", "Unfixed reasons")
LEFT_ALONE = Part("findings.md", "Entries left as they are")
WRITTEN = Part("findings.md", "Reasons of writes")
NOT_ADOPTED = Part("adopt.md", "What cannot be adopted")


class Reason(StrEnum):
    """Every reason: its word, what it means in one sentence, and the parts of docs/ that have a section for it.

    The parts say what a reason is about: a condition of an alias, an unfixed entry, a write, or an adoption. One
    decision may pass its reason on to another: a patched alias has the reason of its entry, and the write that deletes
    the entry of a refused alias has the reason of its condition.
    """

    _value_: str
    means: str
    parts: tuple[Part, ...]

    def __new__(cls, word: str, means: str, *parts: Part) -> Self:
        """A string that carries the rest beside its text."""
        self = str.__new__(cls, word)
        self._value_ = word
        self.means, self.parts = means, parts
        return self

    ACCEPTED = "Accepted", "The spec may be served.", HOLDS
    RESOLVED_REFS = "ResolvedRefs", "The Service and its ports are found.", HOLDS
    PROGRAMMED = "Programmed", "The ServiceEntry stands as it should.", HOLDS
    READY = "Ready", "The alias is served.", HOLDS

    POLICIES_FOLLOWED = "PoliciesFollowed", "What is bound to the Service applies to calls by the alias.", HOLDS

    INVALID = "Invalid", "The spec does not satisfy the schema.", NOT_ACCEPTED
    NOT_READ_HERE = (
        "NotReadHere",
        "This is a remote cluster: the istiod that serves it reads no ServiceEntries here.",
        NOT_ACCEPTED,
        UNFIXED,
    )
    NOT_DISCOVERED = (
        "NotDiscovered",
        "The namespace is none that istiod sees, so nobody would get the alias.",
        NOT_ACCEPTED,
    )
    PLAINTEXT_IN_AMBIENT = (
        "PlaintextInAmbient",
        "There are clients in ambient mode, whose calls by a DNS endpoint are sent in plaintext.",
        NOT_ACCEPTED,
    )
    HOST_RESERVED = "HostReserved", "The host has a meaning of its own to every pod.", NOT_ACCEPTED
    HOST_INTERNATIONALIZED = "HostInternationalized", "A label of the host is in IDNA form.", NOT_ACCEPTED
    HOST_NOT_ALLOWED = "HostNotAllowed", "The settings do not give the host to this namespace.", NOT_ACCEPTED
    PUBLIC_SUFFIX = "PublicSuffix", "The host is under a public suffix, which the settings forbid.", NOT_ACCEPTED
    HOST_IS_SERVICE = "HostIsService", "The host is the name of a Service.", NOT_ACCEPTED
    HOST_HELD = "HostHeld", "An older DnsAlias has the host.", NOT_ACCEPTED
    NOT_EXPORTED = "NotExported", "No namespace may see both the alias and its Service.", NOT_ACCEPTED
    WOULD_SHADOW_SERVICE = (
        "WouldShadowService",
        "The alias or the entry would take traffic of a Service, or takes it already.",
        NOT_ACCEPTED,
        UNFIXED,
    )
    WOULD_CATCH_ALL = (
        "WouldCatchAll",
        "Every connection to a port would be taken in a namespace whose Sidecar takes that port for bytes.",
        NOT_ACCEPTED,
        UNFIXED,
    )
    WOULD_SHADOW_ENTRY = (
        "WouldShadowEntry",
        "The alias or the entry would take an address, a port or a host from another entry.",
        NOT_ACCEPTED,
        UNFIXED,
    )
    NO_ADDRESS_FREE = "NoAddressFree", "The alias needs an address of its own, and none can be had.", NOT_ACCEPTED
    NAME_TAKEN = "NameTaken", "A ServiceEntry of the alias' name was not made for it.", NOT_ACCEPTED
    ENTRY_MISMATCH = "EntryMismatch", "Somebody else's entry has the host and does not fit the alias.", NOT_ACCEPTED

    SERVICE_NOT_FOUND = "ServiceNotFound", "The Service does not exist.", NOT_RESOLVED, UNFIXED
    SERVICE_IS_EXTERNAL_NAME = "ServiceIsExternalName", "The Service is an ExternalName.", NOT_RESOLVED
    NO_MATCHING_PORT = "NoMatchingPort", "The Service does not have such a TCP port.", NOT_RESOLVED
    HTTP_PROXY_UNSUPPORTED = (
        "HttpProxyUnsupported",
        "A port is HTTP_PROXY, which takes every connection to it whatever the addresses are.",
        NOT_RESOLVED,
        UNFIXED,
    )
    HEADLESS_SERVICE = "HeadlessService", "The Service is headless, and a port is not HTTP.", NOT_RESOLVED
    ADDRESS_UNKNOWN = "AddressUnknown", "The Service has no clusterIP yet.", NOT_RESOLVED, UNFIXED
    NO_SELECTOR = "NoSelector", "Workloads are asked for, and the Service selects none.", NOT_RESOLVED
    AMBIGUOUS_TARGET_PORT = "AmbiguousTargetPort", "Two ports go to one named targetPort.", NOT_RESOLVED
    PLAINTEXT_ENDPOINTS = (
        "PlaintextEndpoints",
        "HTTP by a DNS endpoint is sent in plaintext, which the Service's pods may refuse.",
        NOT_RESOLVED,
        UNFIXED,
    )

    ENTRY_EXCLUDED = "EntryExcluded", "The alias' entry is in a namespace that is never repaired.", NOT_PROGRAMMED
    WAITING_FOR_AGE = "WaitingForAge", "An entry created now could count as older than its Service.", NOT_PROGRAMMED
    PENDING = (
        "Pending",
        "What is to come has not come yet: no operator has seen the alias, or the old entry is not gone.",
        WAITING,
        NOT_PROGRAMMED,
    )
    TAKEN_BACK = "TakenBack", "What was written was reverted a moment ago.", NOT_PROGRAMMED, UNFIXED
    CONTESTED = "Contested", "What is written is reverted again and again.", NOT_PROGRAMMED, UNFIXED
    WRITE_FAILED = "WriteFailed", "The write failed, and nobody refused it.", NOT_PROGRAMMED, UNFIXED, NOT_FOLLOWED
    WRITE_REFUSED = "WriteRefused", "The API server refuses the write.", NOT_PROGRAMMED, UNFIXED, NOT_FOLLOWED

    OWN_CLUSTER = "OwnCluster", "Calls by the alias have a cluster of their own.", NOT_FOLLOWED
    HOST_ROUTED = "HostRouted", "A VirtualService of somebody else leads the alias' host elsewhere.", NOT_FOLLOWED
    ROUTE_NAME_TAKEN = "RouteNameTaken", "The names of the alias' VirtualService are taken.", NOT_FOLLOWED
    ROUTES_NOT_FOLLOWED = (
        "RoutesNotFollowed",
        "What VirtualServices do to calls of the Service cannot be written for the alias.",
        NOT_FOLLOWED,
    )
    KEEPS_DESTINATION = "KeepsDestination", "The Service's cluster sends a call to the address dialled.", NOT_FOLLOWED
    FORBIDDEN = "Forbidden", "The operator lacks the right to write VirtualServices.", NOT_FOLLOWED

    OBSERVE_ONLY = "ObserveOnly", "The settings keep the repair from being written.", UNFIXED
    NO_SERVICE = "NoService", "Nothing says which Service the entry stands for.", UNFIXED
    AMBIGUOUS_SERVICE = "AmbiguousService", "The entry may stand for more than one Service.", UNFIXED
    SERVICE_HAS_NO_ADDRESS = "ServiceHasNoAddress", "The Service is headless or an ExternalName.", UNFIXED
    ADDRESS_SET_BY_OWNER = "AddressSetByOwner", "The owner wrote an address that acts as none.", UNFIXED
    STALE_ADDRESS = "StaleAddress", "No address of the entry belongs to its Service.", UNFIXED
    TARGET_PORT_NOT_ON_SERVICE = "TargetPortNotOnService", "Requests would arrive at no port of the Service.", UNFIXED
    PROTOCOL_MISMATCH = "ProtocolMismatch", "A port has another protocol class than the Service's.", UNFIXED
    OUTSIDE_MESH = "OutsideMesh", "The entry stands for nothing in the mesh: no address of ours helps.", UNFIXED
    WOULD_CUT_OFF_CALLERS = (
        "WouldCutOffCallers",
        "With the address callers of the entry or the alias would be lost.",
        NOT_ACCEPTED,
        UNFIXED,
    )
    UNCOVERS_CATCH_ALL = (
        "UncoversCatchAll",
        "Another catch-all stands behind the entry, and would take HTTP of others that the entry lets pass.",
        UNFIXED,
    )
    AMBIENT_CLIENTS = (
        "AmbientClients",
        "Clients in ambient mode are about, for whom no shared address is safe.",
        UNFIXED,
    )
    READ_IN_OTHER_CLUSTERS = (
        "ReadInOtherClusters",
        "Proxies of other clusters read the entry, and a clusterIP belongs to this cluster alone.",
        UNFIXED,
    )
    NOT_REPAIRABLE = "NotRepairable", "The API lets the entry have nothing of what it lacks.", UNFIXED

    MATCHED_BY_SNI = "MatchedBySni", "The entry is matched by SNI, and an address would narrow it.", LEFT_ALONE

    GENERATED = "Generated", "The entry of a DnsAlias is made.", WRITTEN
    DRIFT = "Drift", "The entry of a DnsAlias was changed by somebody.", WRITTEN
    HOST_CHANGED = "HostChanged", "The entry of a DnsAlias is for another host.", WRITTEN
    SERVICE_REPLACED = "ServiceReplaced", "The Service was deleted and created again.", WRITTEN
    LEAVES_SHARED_ADDRESS = (
        "LeavesSharedAddress",
        "The entry had an address that ambient clients, or other clusters, cannot share.",
        WRITTEN,
    )
    GIVES_WAY_TO_SERVICE = "GivesWayToService", "The entry came before its Service.", WRITTEN
    LACKS_ADDRESSES = "LacksAddresses", "The entry gets its Service's addresses.", WRITTEN
    LACKS_ENDPOINTS = "LacksEndpoints", "The entry gets its Service's DNS name as endpoint.", WRITTEN
    LACKS_ADDRESSES_AND_ENDPOINTS = "LacksAddressesAndEndpoints", "The entry gets both.", WRITTEN
    WITHDRAWN = "Withdrawn", "What was patched in is taken out again.", WRITTEN
    UNROUTED = "Unrouted", "Calls by the alias take a cluster of their own again.", WRITTEN
    REPAIRED = "Repaired", "An Event: an entry got what it lacked.", WRITTEN
    CONTAINED = "Contained", "An Event: an entry got an address of its own, and takes nothing of others.", WRITTEN

    OTHER_ENDPOINTS = "OtherEndpoints", "The entry has an endpoint that is not its Service.", NOT_ADOPTED
    OTHER_WORKLOADS = "OtherWorkloads", "The entry selects other pods than its Service does.", NOT_ADOPTED
    PORT_ELSEWHERE = "PortElsewhere", "A port of the entry leads to another port.", NOT_ADOPTED
    SHARES_ENTRY = "SharesEntry", "Another host of the entry cannot be adopted.", NOT_ADOPTED
    NO_HOST = "NoHost", "The entry has no host.", NOT_ADOPTED
    BEING_DELETED = "BeingDeleted", "The DnsAlias for the host is being deleted.", NOT_ADOPTED


@dataclass(frozen=True, slots=True)
class Why:
    """The reason, and for people the sentence that says what was found and what to do.

    Most often a "why not"; where nothing is wrong there is None in its place.
    """

    reason: Reason
    message: str
