"""Why an alias may not have its host: small checks, each named for the fault it finds."""

from collections.abc import Callable, Mapping

from dnsalias_operator.core.hosts.claim import Claim
from dnsalias_operator.core.hosts.names import idna_label, public_suffix, reserved, shadowed_service
from dnsalias_operator.core.hosts.rules import asked_scope, ruling
from dnsalias_operator.core.outcome import Refusal
from dnsalias_operator.core.reasons import Reason
from dnsalias_operator.model.dnsalias import DnsAlias
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.snapshot import Snapshot
from dnsalias_operator.model.status import ACCEPTED


def host_reserved(claim: Claim) -> Refusal | None:
    """The host is one that no alias may have."""
    why = reserved(claim.spec.host, claim.rules.mesh)
    if not why:
        return None
    return Refusal(Reason.HOST_RESERVED, f"host {claim.spec.host} is reserved: {why}; choose another host", ACCEPTED)


def host_public(claim: Claim) -> Refusal | None:
    """The host is under a real public suffix, and the settings forbid that."""
    suffix = public_suffix(claim.spec.host) if claim.rules.forbid_public_suffixes else ""
    if not suffix:
        return None
    message = (
        f"host {claim.spec.host} is under the public suffix {suffix}, which the setting forbid_public_suffixes "
        "refuses; choose a name that exists inside the mesh only"
    )
    return Refusal(Reason.PUBLIC_SUFFIX, message, ACCEPTED)


def host_idna(claim: Claim) -> Refusal | None:
    """A label is in IDNA form: two such names may look the same to people."""
    label = "" if claim.rules.internationalized_hosts else idna_label(claim.spec.host)
    if not label:
        return None
    message = (
        f"host {claim.spec.host} has the label {label} in IDNA form, which people may take for another name; use plain "
        "letters, or set internationalized_hosts"
    )
    return Refusal(Reason.HOST_INTERNATIONALIZED, message, ACCEPTED)


def host_not_allowed(claim: Claim) -> Refusal | None:
    """The settings give hosts under that suffix to other namespaces, or to none."""
    fault = ruling(claim.world, claim.rules, claim.spec.host, claim.alias.meta.namespace).fault
    return Refusal(Reason.HOST_NOT_ALLOWED, fault, ACCEPTED) if fault else None


def host_is_service(claim: Claim) -> Refusal | None:
    """The host is the short name of a Service that exists."""
    service = shadowed_service(claim.world, claim.spec.host)
    if service is None:
        return None
    message = (
        f"host {claim.spec.host} is the name of {service.key}: pods would resolve it to that Service, and the alias "
        "would take its virtual host; choose another host"
    )
    return Refusal(Reason.HOST_IS_SERVICE, message, ACCEPTED)


def host_held(claim: Claim) -> Refusal | None:
    """An alias that came first and whose visibility overlaps has the host."""
    holder = holder_of(claim)
    if holder is None:
        return None
    message = f"host {claim.spec.host} is held by {holder}, which is older; delete that one or choose another host"
    return Refusal(Reason.HOST_HELD, message, ACCEPTED)


def holder_of(claim: Claim) -> Key | None:
    """The alias that holds this one's host in a namespace that this one asks for; None where nobody does."""
    return blocked_by(claim.world, claim.rules, claim.spec.host).get(claim.alias.key)


def blocked_by(world: Snapshot, rules: Rules, host: str) -> Mapping[Key, Key]:
    """Of the aliases of a host, each that does not get it, with the oldest holder in its way."""
    return world.remembered(("blocked by", host, rules), lambda: _blocked_by(world, rules, host))


def _blocked_by(world: Snapshot, rules: Rules, host: str) -> dict[Key, Key]:
    """Give the host away, oldest creation first, then by namespace and name.

    Who may not have it, or does not get it, keeps it from nobody. Holders have no namespace in common, so that one
    look a namespace says.
    """
    blocked: dict[Key, Key] = {}
    holders: list[Key] = []
    everywhere: int | None = None
    first: dict[str, int] = {}
    for alias in sorted(world.aliases_for_host(host), key=_claim):
        scope = asked_scope(world, rules, alias, alias.spec) if alias.spec and not alias.meta.deleting else None
        if scope is None or not (scope.everywhere or scope.namespaces):
            continue
        ahead = [first[n] for n in scope.namespaces if n in first]
        if scope.everywhere:
            ahead = list(first.values())
        if everywhere is not None:
            ahead.append(everywhere)
        if ahead:
            blocked[alias.key] = holders[min(ahead)]
            continue
        if scope.everywhere:
            everywhere = len(holders)
        first |= dict.fromkeys(scope.namespaces, len(holders))
        holders.append(alias.key)
    return blocked


def _claim(alias: DnsAlias) -> tuple[float, str, str]:
    created = float("inf") if alias.meta.created is None else alias.meta.created
    return (created, alias.meta.namespace, alias.meta.name)


HOST_CHECKS: tuple[Callable[[Claim], Refusal | None], ...] = (
    host_reserved,
    host_idna,
    host_public,
    host_not_allowed,
    host_is_service,
    host_held,
)


def has_host(world: Snapshot, rules: Rules, alias: DnsAlias) -> bool:
    """Whether the host is the alias' own: it passes each of these checks and is not being deleted.

    An alias that does not have its host says nothing of what others have under that name. The checks behind these are
    not asked: a Service that is gone for a moment leaves the host where it is.
    """
    if alias.spec is None or alias.meta.deleting:
        return False
    claim = Claim(world, rules, alias, alias.spec)
    return all(check(claim) is None for check in HOST_CHECKS)
