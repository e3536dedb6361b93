"""The fault of the incident: ports whose listener takes connections to any address. A check of `findings`.

Source: docs/istio.md, "Catch-alls"; for what a Sidecar makes of an entry's ports, `traffic.catch_all`.
"""

from collections.abc import Iterator, Mapping

from dnsalias_operator.core.findings import catalog, remedies
from dnsalias_operator.core.findings.subject import Look
from dnsalias_operator.core.outcome import Finding
from dnsalias_operator.core.traffic.catch_all import (
    catches,
    catches_all,
    catches_despite_address,
    catches_now,
    matched_by_address,
)


def catch_all(look: Look) -> Iterator[Finding]:
    """A port whose listener takes connections to any address: by its protocol, or where a Sidecar makes it do so."""
    by_protocol = catches(look.world, look.entry, look.rules.mesh)
    by_sidecar = {port: name for name, port in sorted(matched_by_address(look.world, look.entry, look.rules.mesh))}
    for port in sorted({*by_protocol, *by_sidecar}):
        seen = "" if look.counted else _reach(look, port)
        hosts = ", ".join(look.entry.hosts) or "no host"
        message = f"listens on 0.0.0.0:{port} for {hosts} and matches any address{seen}"
        yield catalog.CATCH_ALL.at(look.entry.key, message, port=port, remedy=_remedy(look, port, by_sidecar))


def _remedy(look: Look, port: int, by_sidecar: Mapping[int, str]) -> str | None:
    if look.counted:
        return None
    if port in catches_despite_address(look.entry, look.rules.mesh):
        return remedies.AT_ANY_ADDRESS
    alone = port in catches_all(look.entry, look.rules.mesh)
    return remedies.without_address(look) if alone else remedies.by_sidecar(by_sidecar[port], port)


def _reach(look: Look, port: int) -> str:
    now = catches_now(look.world, look.entry, look.rules.mesh, port)
    if now:
        return f"; in {now} it takes every connection to that port that no other listener claims"
    return "; today others take them, or nobody imports it, and it will as soon as that changes"
