"""The fault of the incident: ports whose listener takes connections to any address. A check of `findings`.

Source: docs/istio.md, "Catch-alls"; for what a Sidecar makes of an entry's ports, `traffic.catch_all`.
"""

from collections.abc import Iterator

from dnsalias_operator.core.findings import catalog
from dnsalias_operator.core.findings.subject import Look
from dnsalias_operator.core.outcome import Finding
from dnsalias_operator.core.traffic.catch_all import (
    catches,
    catches_despite_address,
    catches_now,
    told_apart_by_address,
)

_AT_ANY_ADDRESS = (
    "no address helps an HTTP_PROXY port: give it the protocol TCP and an address, take it out, or export the "
    "entry to no namespace (exportTo: ['~'])"
)


def catch_all(look: Look) -> Iterator[Finding]:
    """A port whose listener takes connections to any address: by its protocol, or where a Sidecar makes it do so."""
    by_protocol = catches(look.world, look.entry, look.rules.mesh)
    by_sidecar = {port: name for name, port in sorted(told_apart_by_address(look.world, look.entry, look.rules.mesh))}
    despite_address = catches_despite_address(look.entry, look.rules.mesh)
    for port in sorted({*by_protocol, *by_sidecar}):
        seen = "" if look.counted else _reach(look, port)
        hosts = ", ".join(look.entry.hosts) or "no host"
        message = f"listens on 0.0.0.0:{port} for {hosts} and matches any address{seen}"
        remedy = _AT_ANY_ADDRESS if port in despite_address else look.blocked
        if port not in by_protocol:
            remedy = (
                f"a Sidecar of namespace {by_sidecar[port]} takes port {port} for bytes: give that egress port the "
                "protocol HTTP, or the entry an address that nobody has"
            )
        yield catalog.CATCH_ALL.at(look.entry.key, message, port=port, remedy=remedy)


def _reach(look: Look, port: int) -> str:
    now = catches_now(look.world, look.entry, look.rules.mesh, port)
    if now:
        return f"; in {now} it takes every connection to that port that no other listener claims"
    return "; today others take them, or nobody imports it, and it will as soon as that changes"
