"""What to do about an entry without an address: a promise, so it is what the operator itself would do, or leave.

Each remedy is held by tests/core/test_remedies.py: applied to the objects, the fault is gone and nothing else is worse.
"""

from dnsalias_operator.core.entries.repair import Cure, cure
from dnsalias_operator.core.findings.subject import Look
from dnsalias_operator.core.reasons import Reason
from dnsalias_operator.model.names import REPAIR_ANNOTATION, SERVICE_ANNOTATION

AT_ANY_ADDRESS = (
    "no address helps an HTTP_PROXY port: give it the protocol TCP and an address, take it out, or export the "
    "entry to no namespace (exportTo: ['~'])"
)
OUTSIDE = (
    "list its real addresses in spec.addresses, or give the port the protocol TLS if its clients speak TLS: what is "
    "outside the mesh gets no address from the operator"
)
UNKNOWN = (
    f"annotate it {SERVICE_ANNOTATION}: <name> if it stands for a Service, else list in spec.addresses the addresses "
    "that its clients dial"
)


def without_address(look: Look) -> str:
    """The remedy for an entry that is a catch-all for the lack of an address."""
    would = cure(look.world, look.entry, look.rules)
    if would.addresses is not None:
        return f"{_by_operator(look)}, or set spec.addresses to {list(would.addresses)}{_beside(would)}"
    if would.why is None or would.why.reason is Reason.OUTSIDE_MESH:
        return OUTSIDE
    if would.why.reason is Reason.NO_SERVICE:
        return UNKNOWN
    return f"make the edit that reason {would.why.reason} asks for: {would.why.message}"


def by_sidecar(namespace: str, port: int) -> str:
    """The remedy where a Sidecar makes the entry a catch-all."""
    return f"a Sidecar of namespace {namespace} takes port {port} for bytes: give that egress port the protocol HTTP"


def _by_operator(look: Look) -> str:
    if look.decision is not None and look.decision.selected:
        switched = "" if look.rules.repairs else " once foreign_entries is patch"
        return f"the operator does it{switched}: see `dnsalias plan`"
    return f'annotate it {REPAIR_ANNOTATION}: "true" and let the operator do it'


def _beside(would: Cure) -> str:
    """What else the operator would set."""
    if would.contained:
        return ", an address that nobody has"
    return f" and spec.endpoints to {list(would.endpoints)}" if would.endpoints else ""
