"""The fault of the incident: ports whose listener takes connections to any address. A check of `findings`.

Source: docs/istio.md, "Catch-alls"; for what a Sidecar makes of an entry's ports, `traffic.catch_all`.
"""

from collections.abc import Iterator, Mapping

from dnsalias_operator.core.findings import catalog, remedies
from dnsalias_operator.core.findings.subject import Look
from dnsalias_operator.core.istio.ambient import has_sidecars
from dnsalias_operator.core.istio.listeners import Reach
from dnsalias_operator.core.outcome import Finding, Hazard, Severity
from dnsalias_operator.core.traffic.catch_all import (
    catches,
    catches_all,
    catches_despite_address,
    catches_now,
    for_its_own,
    matched_by_address,
)
from dnsalias_operator.model.lookups import Claimant
from dnsalias_operator.model.mesh import Mesh

NOBODY = Reach(everywhere=False, namespaces=())


def catch_all(look: Look) -> Iterator[Finding]:
    """A port whose listener takes connections to any address: by its protocol, or where a Sidecar makes it do so.

    There is none without sidecars: in ambient mode what no record has passes.
    """
    if not has_sidecars(look.world, look.rules.mesh):
        return
    by_protocol = catches(look.world, look.entry, look.rules.mesh)
    by_sidecar = {port: name for name, port in sorted(matched_by_address(look.world, look.entry, look.rules.mesh))}
    hosts = ", ".join(look.entry.hosts) or "no host"
    for port in sorted({*by_protocol, *by_sidecar}):
        now = NOBODY if look.counted else catches_now(look.world, look.entry, look.rules.mesh, port)
        seen = "" if look.counted else _seen(look, now)
        yield catalog.CATCH_ALL.at(
            look.entry.key,
            f"listens on 0.0.0.0:{port} for {hosts} and matches any address{seen}",
            port=port,
            severity=harm(look.entry, look.rules.mesh),
            remedy=_remedy(look, port, by_sidecar),
            hazard=hazard(look, acts=bool(now)),
        )


def harm(obj: Claimant, mesh: Mesh) -> Severity:
    """How bad it is that an object is a catch-all: a warning where only its own namespace gets it."""
    return Severity.WARNING if for_its_own(obj, mesh) else Severity.CRITICAL


def hazard(look: Look, *, acts: bool = False) -> Hazard:
    """The listener that catch-alls of one port share: of one sidecar, so of those that are exported alike."""
    scope = look.scope
    where = "everywhere" if scope.everywhere else ", ".join(sorted(scope.namespaces))
    return Hazard(f"catch-all in {where}", acts)


def _remedy(look: Look, port: int, by_sidecar: Mapping[int, str]) -> str | None:
    if look.counted:
        return None
    if port in catches_despite_address(look.entry, look.rules.mesh):
        return remedies.AT_ANY_ADDRESS
    by_itself = port not in by_sidecar or port in catches_all(look.entry, look.rules.mesh)
    return remedies.without_address(look) if by_itself else remedies.by_sidecar(by_sidecar[port], port)


def _seen(look: Look, now: Reach) -> str:
    if now:
        return f"; in {now} it takes every connection to that port that no other listener claims"
    where = (
        f" for the pods of namespace {look.entry.meta.namespace}" if for_its_own(look.entry, look.rules.mesh) else ""
    )
    return f"; today others take them, or nobody imports it, and it will as soon as that changes{where}"
