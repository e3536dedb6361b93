"""DNS for aliases outside the sidecar: rewrites for CoreDNS, from the host of an alias to its Service's own name.

A rewrite names the Service, so it survives a new clusterIP, serves both address families and follows headless Services;
the plugin `hosts` would carry addresses that go stale. An exact rewrite puts the asked name back into the answer.
Source: the documentation of CoreDNS' plugin `rewrite`; docs/istio.md, "Names and DNS" (an entry makes no DNS record).
"""

from collections.abc import Iterable

from dnsalias_operator.core.istio.service_names import service_host
from dnsalias_operator.core.outcome import AliasDecision
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.snapshot import Snapshot
from dnsalias_operator.model.status import ACCEPTED, RESOLVED_REFS


def rewrites(world: Snapshot, decisions: Iterable[AliasDecision], mesh: Mesh) -> tuple[str, ...]:
    """One line of a Corefile for each alias that is accepted and has its Service, sorted by host."""
    lines = []
    for decided in decisions:
        held = {c.type for c in decided.conditions if c.status == "True"}
        alias = world.alias(decided.key.namespace, decided.key.name)
        if alias is None or alias.spec is None or not {ACCEPTED, RESOLVED_REFS} <= held:
            continue
        service = world.service(alias.meta.namespace, alias.spec.service_ref.name)
        if service is not None:
            lines.append(rewrite(alias.spec.host, service, mesh))
    return tuple(sorted(lines))


def rewrite(host: str, service: Service, mesh: Mesh) -> str:
    """The line of a Corefile that makes one name resolve to the Service."""
    return f"rewrite stop name exact {host} {service_host(service, mesh)} answer auto"
