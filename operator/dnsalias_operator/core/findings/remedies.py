"""What to do about an entry without an address: a promise, so it is what the operator itself would do, or leave.

Each remedy is held by a test: applied to the objects, the fault is gone and nothing else is worse.
"""

from collections.abc import Sequence

from dnsalias_operator.core.entries.ownership import claims_to_be_ours, excluded, live_owner
from dnsalias_operator.core.entries.repair import Fix, fix
from dnsalias_operator.core.findings.subject import Look
from dnsalias_operator.core.istio.service_names import service_host
from dnsalias_operator.core.reasons import Reason
from dnsalias_operator.model.names import REPAIR_ANNOTATION, SERVICE_ANNOTATION, Key

AT_ANY_ADDRESS = (
    "no address helps an HTTP_PROXY port: give it the protocol TCP and an address, take it out, or export the "
    "entry to no namespace (exportTo: ['~'])"
)
OUTSIDE = (
    "list its real addresses in spec.addresses, or give the port the protocol TLS if its clients speak TLS: what is "
    "outside the mesh gets no address from the operator"
)
BEYOND_INPUT = (
    "create the Service or correct the endpoint: a name that DNS does not answer can block starting sidecars; if the "
    "Service exists elsewhere, give its manifest as well"
)
OF_OURS = "delete the ServiceEntry once: the operator creates it again, younger than the Service"
FIRST_ONLY = "list the Service's first clusterIP only"
UNSEEN = (
    "lead the entry to the Service (endpoints: its name, and no targetPort), or delete it and declare a DnsAlias "
    "instead"
)
NO_CLUSTER = "put its ports into that entry, or give it another host"
POOLED = "put the endpoints of all of them into one entry, or give each another host"
ONE_ENTRY = "put the ports of all of them into one entry"


def of_alias(reason: Reason, message: str) -> str:
    """The remedy for an alias that is not served: what its message ends with, and where the reason is explained."""
    _, more, last = message.rpartition("; ")
    explained = f"`dnsalias explain {reason}` explains it"
    if reason is Reason.INVALID:
        return f"correct the fields that the message names; {explained}"
    return f"{last}; {explained}" if more else f"{explained}, and says what to do"


def of_entry(reason: Reason) -> str:
    """The remedy for an entry that cannot be fixed: its message names it, and may name more behind that."""
    return f"make the change that the message names; `dnsalias explain {reason}` explains it"


def without_address(look: Look) -> str:
    """The remedy for an entry that is a catch-all for the lack of an address."""
    would = fix(look.world, look.entry, look.rules)
    if would.addresses is not None:
        return f"{_by_operator(look)}set spec.addresses to {list(would.addresses)}{_beside(would)}"
    if would.why is None or would.why.reason is Reason.OUTSIDE_MESH:
        return OUTSIDE
    if would.why.reason is Reason.NO_SERVICE:
        return _unknown(look)
    return f"make the edit that reason {would.why.reason} asks for: {would.why.message}"


def without_endpoints(look: Look) -> str:
    """The remedy for an entry that leaves it to its host's name where its calls go."""
    would = fix(look.world, look.entry, look.rules)
    if would.endpoints is not None:
        return f"{_by_operator(look)}set spec.endpoints to {list(would.endpoints)}"
    service = look.service
    if service is None or service.headless or service.type == "ExternalName":
        return "set spec.endpoints to what its hosts stand for"
    lead = f"set spec.endpoints to [{service_host(service, look.rules.mesh)!r}]"
    targets = any(p.target_port not in (0, p.number) for p in look.entry.ports)
    return f"{lead}, and take targetPort out of its ports" if targets else lead


def takes_over(look: Look, *, unseen: bool, second: bool) -> str | None:
    """The remedy where the entry takes a Service's address though its protocols are right; None: the usual one.

    ``unseen`` is whether the Service has no listener there, ``second`` whether the address is not its first one.
    """
    if live_owner(look.world, look.entry) is not None:
        return OF_OURS
    if second:
        return FIRST_ONLY
    return UNSEEN if unseen else None


def stale_address(look: Look) -> str:
    """The remedy for an entry whose addresses are not its Service's."""
    if _never(look):
        return "delete it and declare a DnsAlias instead"
    care = "" if _selected(look) else f'annotate it {REPAIR_ANNOTATION}: "true", '
    return (
        f"{care}remove spec.addresses and let the operator fill it in: it knows where the clusterIP would do harm (an "
        "entry older than the Service, or with other protocols)"
    )


def _selected(look: Look) -> bool:
    return look.decision is not None and look.decision.selected


def _never(look: Look) -> bool:
    """Whether the operator repairs no such entry, whatever it is annotated with."""
    return bool(look.rules.namespace) or excluded(look.entry, look.rules) or claims_to_be_ours(look.entry)


def _unknown(look: Look) -> str:
    if _never(look):
        return "list in spec.addresses the addresses that its clients dial"
    care = "" if _selected(look) else f' and {REPAIR_ANNOTATION}: "true"'
    return (
        f"annotate it {SERVICE_ANNOTATION}: <name>{care} if it stands for a Service, else list in spec.addresses the "
        "addresses that its clients dial"
    )


def by_sidecar(namespace: str, port: int) -> str:
    """The remedy where a Sidecar makes the entry a catch-all."""
    return f"a Sidecar of namespace {namespace} takes port {port} for bytes: give that egress port the protocol HTTP"


def _by_operator(look: Look) -> str:
    """What the operator would do, and "or"; nothing where it does nothing."""
    if _never(look):
        return ""
    if _selected(look):
        switched = "" if look.rules.repairs else " once foreign_entries is patch"
        return f"the operator does it{switched}: see `dnsalias plan`, or "
    return f'annotate it {REPAIR_ANNOTATION}: "true" and let the operator do it, or '


def _beside(would: Fix) -> str:
    """What else the operator would set."""
    if would.contained:
        return ", an address that nobody has"
    return f" and spec.endpoints to {list(would.endpoints)}" if would.endpoints else ""


def external_name(service: Key) -> str:
    """The remedy for an entry that is meant to lead a Service without pods out of the mesh."""
    return f"delete it and give {service} type ExternalName, or use a host that is no Service's name"


def dead_target(service: Key, port: int, target: int, have: Sequence[int], *, taken: bool) -> str:
    """The remedy for a port that leads to one that the Service lacks.

    ``have`` are those that it has; ``taken`` is whether another entry has the port at its address.
    """
    if port in have:
        lead = f"take targetPort and the endpoints' ports of port {port} out, so that {service} is called at {port}"
    elif have:
        lead = f"set targetPort of port {port} to one that {service} has, such as {have[0]}"
    else:
        lead = f"remove port {port} from the ServiceEntry"
    return lead if taken else f"{lead}, or add port {target} to {service}"
