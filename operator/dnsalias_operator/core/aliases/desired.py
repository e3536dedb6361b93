"""The manifest that an alias asks for, with the address that it may have: its Service's, or one of its own."""

from functools import partial
from typing import Any

from dnsalias_operator.core.aliases.case import Case
from dnsalias_operator.core.aliases.generate import generate
from dnsalias_operator.core.entries.containment import containment_address
from dnsalias_operator.core.istio.ambient import ambient_clients
from dnsalias_operator.core.istio.sharing import forbidden
from dnsalias_operator.core.outcome import Refusal
from dnsalias_operator.core.reasons import Reason, Why
from dnsalias_operator.core.traffic.catch_all import streams_on_wildcard
from dnsalias_operator.model.names import RECREATED_FOR_ANNOTATION
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.status import ACCEPTED


def desired(case: Case, service: Service, ours: ServiceEntry | None) -> dict[str, Any] | Refusal:
    """What is to be written, or why nothing may be.

    The entry has an address of its own, not its Service's, where no clusterIP may be shared (`sharing`), and where a
    Sidecar makes HTTP ports ports of bytes: they are matched by an address, and with the
    Service's they might get the requests to it.
    """
    recreated_for = ours.meta.annotations.get(RECREATED_FOR_ANNOTATION, "") if ours else ""
    export_to, mesh = case.scope.export_to(case.alias.meta.namespace), case.rules.mesh
    made = partial(generate, case.alias, case.spec, service, case.ports, export_to, mesh, recreated_for)
    manifest = made()
    plain = ServiceEntry.parse(manifest)
    none_shared = forbidden(case.world, mesh) if plain.addresses else None
    if none_shared and none_shared.reason is Reason.AMBIENT_CLIENTS and ours and _stays(case, ours):
        return manifest  # neither a change nor its deletion would give the Service its address back (DA020 says so)
    if none_shared:
        address = containment_address(case.world, ours or plain, case.rules) if case.rules.containment else ""
        return made(address=address) if address else _no_address(case, none_shared.about)
    harmed = streams_on_wildcard(case.world, plain, mesh)
    if not case.rules.containment or not harmed:
        return manifest
    apart = made(address=containment_address(case.world, ours or plain, case.rules))
    # Not where nothing is gained: a Sidecar that binds the wildcard address itself gives no entry one of its own.
    return apart if streams_on_wildcard(case.world, ServiceEntry.parse(apart), mesh) < harmed else manifest


def limits(case: Case) -> str:
    """What to add about who may see an alias that is served; "" where everybody may, as its spec says.

    ztunnel does not read exportTo: who is told of an entry is a matter of serviceEntryVisibility alone
    (docs/ambient.md, "What ztunnel is told").
    """
    mesh, namespace = case.rules.mesh, case.alias.meta.namespace
    read = case.scope.everywhere or namespace in mesh.private_entries | mesh.hidden_entries
    about = "" if read else ambient_clients(case.world, mesh)
    beyond = about and f"{about}, and pods in that mode are told of the alias in every namespace, whatever its exportTo"
    return "; ".join(filter(None, (case.ceiling, beyond)))


def leaves_shared_address(case: Case, ours: ServiceEntry) -> Why | None:
    """Why our entry has to be deleted and created rather than changed; None where it need not.

    Measured: patched to another address, it would leave its Service closed to clients in ambient mode until one of the
    Service's pods changes (docs/istio.md, "Ambient").
    """
    shared = _shared(case, ours)
    about = ambient_clients(case.world, case.rules.mesh) if shared else ""
    if shared is None or not about or ours.workload_selector is None:
        return None
    return Why(Reason.LEAVES_SHARED_ADDRESS, f"{about}, where the clusterIP of {shared.key} may not be shared")


def moves_off_shared_address(case: Case, ours: ServiceEntry) -> Why | None:
    """Why our entry is changed in place to an address of its own; None where it need not, or may not.

    Sidecars take such a change at once, and the Service's own listener has its address again (docs/istio.md, "Shared
    addresses").
    """
    shared, none_shared = _shared(case, ours), forbidden(case.world, case.rules.mesh)
    if shared is None or none_shared is None or none_shared.reason is Reason.AMBIENT_CLIENTS:
        return None
    return Why(Reason.LEAVES_SHARED_ADDRESS, f"{none_shared.about}: {none_shared.harm} of {shared.key}")


def _stays(case: Case, ours: ServiceEntry) -> bool:
    return ours.workload_selector is None and _shared(case, ours) is not None


def _shared(case: Case, ours: ServiceEntry) -> Service | None:
    return next((s for a in ours.addresses for s in case.world.services_at(a)), None)


def _no_address(case: Case, about: str) -> Refusal:
    why = f"no address is free in {case.rules.containment_range}" if case.rules.containment else "containment is off"
    message = f"{about}, so that the alias needs an address of its own, and {why}; change containment or its range"
    return Refusal(Reason.NO_ADDRESS_FREE, message, ACCEPTED)
