"""An entry that has a name of a Service for a host: a check of `findings`, computed from `traffic.service_hit`."""

from collections.abc import Iterator

from dnsalias_operator.core.findings import catalog, remedies
from dnsalias_operator.core.findings.subject import Look
from dnsalias_operator.core.outcome import Finding, Severity
from dnsalias_operator.core.traffic.service_hit import Effect, Hit, services_hit

_GRAVE = frozenset({Effect.ELSEWHERE, Effect.FAILS, Effect.SHARED, Effect.BY_CHANCE})
_TOLD = {
    Effect.ELSEWHERE: "its calls to {ports} end at this entry's servers",
    Effect.FAILS: "its calls to {ports} fail",
    Effect.SHARED: "its calls to {ports} are shared with this entry's endpoints",
    Effect.BY_CHANCE: "sidecars answer the name with the address of one of the two, by chance",
    Effect.PAST: "its calls to {ports} pass its sidecars' mTLS and rules by",
    Effect.SAME: "its calls to {ports} go this entry's way, and get there without the Service's own rules",
}
MOST_TOLD = 3
"""Services that a message names at most."""


def named_as_service(look: Look) -> Iterator[Finding]:
    """A host that is a name of Services whose calls change by it."""
    for host in look.entry.hosts:
        hits = hit_by(look, host)
        if hits:
            severity = Severity.CRITICAL if hits[0].effect in _GRAVE else Severity.WARNING
            told = "; ".join(f"host {host} is a name of {hit.service.key}: {_told(hit)}" for hit in hits[:MOST_TOLD])
            more = f"; and {len(hits) - MOST_TOLD} more like this" if len(hits) > MOST_TOLD else ""
            remedy = remedies.external_name(hits[0].service.key) if _without_pods(hits[0]) else None
            message = told + more
            yield catalog.NAMED_AS_SERVICE.at(look.entry.key, message, severity=severity, remedy=remedy)


def hit_by(look: Look, host: str) -> tuple[Hit, ...]:
    """The Services that a host of the entry is a name of, and whose calls change by it."""
    question = ("services hit", look.entry.key, host, look.rules.mesh)
    return look.world.remembered(question, lambda: services_hit(look.world, look.entry, host, look.rules.mesh))


def _without_pods(hit: Hit) -> bool:
    return hit.effect is Effect.FAILS and not hit.service.selector


def _told(hit: Hit) -> str:
    ports = f"port{'s' * (len(hit.ports) > 1)} {', '.join(map(str, hit.ports))}"
    why = ""
    if _without_pods(hit):
        why = " (it selects no pods, and sidecars do not look up this entry's endpoints for it)"
    return f"{_TOLD[hit.effect].format(ports=ports)}{why}, for clients in {hit.where}"
