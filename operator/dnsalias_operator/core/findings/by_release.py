"""Faults that only some releases of Istio make of an object. Checks of `lint`, computed from `listeners`.

The rules are in docs/istio.md, "Releases".
"""

from collections.abc import Iterator

from dnsalias_operator.core.findings import catalog
from dnsalias_operator.core.findings.annotations import annotations_without_meaning
from dnsalias_operator.core.findings.subject import Look
from dnsalias_operator.core.istio.listeners import Client, bound, listeners_on, pod_classes, reach
from dnsalias_operator.core.istio.listeners.scope import keeps_one_service, scope_of
from dnsalias_operator.core.istio.protocols import ADDRESS_BOUND, class_of, entry_protocol
from dnsalias_operator.core.istio.service_names import service_host
from dnsalias_operator.core.outcome import Finding, Severity
from dnsalias_operator.core.traffic.catch_all import catches_all, catches_now, for_its_own
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.snapshot import Snapshot


def first_address_only(look: Look) -> Iterator[Finding]:
    """A port that has no listener at the entry's second address and those after it: in 1.22 and 1.23."""
    world, entry, mesh = look.world, look.entry, look.rules.mesh
    first, *others = list(dict.fromkeys(a for a in map(bound, entry.addresses) if a)) or [""]
    missed = [a for a in others if mesh.dual_stack or ":" not in a]
    for port in entry.ports if missed else ():
        if class_of(entry_protocol(port)) not in ADDRESS_BOUND:
            continue
        every = pod_classes(world, mesh, port.number)
        hit = [pods for pods in every if _has_one(world, pods.client, entry.key, port.number, mesh)]
        if where := reach(world, every, hit):
            message = (
                f"Istio {mesh.release} listens on {first} and not on {', '.join(missed)}, in sidecars that no Sidecar "
                f"applies to: connections there are not the entry's, in {where}"
            )
            yield catalog.FIRST_ADDRESS_ONLY.at(entry.key, message, port=port.number)


def service_findings(world: Snapshot, service: Service, rules: Rules) -> Iterator[Finding]:
    """The findings of one Service: its annotations, and a port of an ExternalName one that takes any connection."""
    yield from annotations_without_meaning(service)
    mesh = rules.mesh
    for port in catches_all(service, mesh) if service.type == "ExternalName" else ():
        now = catches_now(world, service, mesh, port)
        seen = (
            f"in {now} it takes every connection to that port that no other listener claims"
            if now
            else ("today others take them, and it will as soon as that changes")
        )
        message = (
            f"Istio {mesh.release} listens on 0.0.0.0:{port} for {service_host(service, mesh)} and matches any "
            f"address; {seen}"
        )
        severity = Severity.WARNING if for_its_own(service, mesh) else None
        yield catalog.EXTERNAL_NAME_CATCHES_ALL.at(service.key, message, port=port, severity=severity)


def _has_one(world: Snapshot, client: Client, key: Key, port: int, mesh: Mesh) -> bool:
    """Whether the client gets one service a hostname, and the entry's among them."""
    if not any(keeps_one_service(egress, mesh) for egress in scope_of(world, client, mesh).on(port)):
        return False
    return any(row.owner == key for listener in listeners_on(world, client, mesh, port) for row in listener.rows)
