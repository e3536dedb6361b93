"""Why an alias may not have its host: small checks, each named for the fault it finds (see refusals.py)."""

from dnsalias_operator.core.case import ACCEPTED, Case, Refusal
from dnsalias_operator.core.hostpolicy import reach, ruling
from dnsalias_operator.core.hosts import idna_label, public_suffix, reserved, shadowed_service
from dnsalias_operator.model.dnsalias import DnsAlias
from dnsalias_operator.model.names import Key


def host_reserved(case: Case) -> Refusal | None:
    """The host is one that no alias may have."""
    why = reserved(case.spec.host, case.rules.mesh)
    if not why:
        return None
    return Refusal(ACCEPTED, "HostReserved", f"host {case.spec.host} is reserved: {why}; choose another host")


def host_public(case: Case) -> Refusal | None:
    """The host is under a real public suffix, and the settings forbid that."""
    suffix = public_suffix(case.spec.host) if case.rules.forbid_public_suffixes else ""
    if not suffix:
        return None
    message = (
        f"host {case.spec.host} is under the public suffix {suffix}, which the setting forbid_public_suffixes refuses; "
        "choose a name that exists inside the mesh only"
    )
    return Refusal(ACCEPTED, "PublicSuffix", message)


def host_idna(case: Case) -> Refusal | None:
    """A label is in IDNA form: two such names may look the same to people."""
    label = "" if case.rules.internationalized_hosts else idna_label(case.spec.host)
    if not label:
        return None
    message = (
        f"host {case.spec.host} has the label {label} in IDNA form, which people may take for another name; use plain "
        "letters, or set internationalized_hosts"
    )
    return Refusal(ACCEPTED, "HostInternationalized", message)


def host_not_allowed(case: Case) -> Refusal | None:
    """The settings give hosts under that suffix to other namespaces, or to none."""
    fault = ruling(case.world, case.rules, case.spec.host, case.alias.meta.namespace).fault
    return Refusal(ACCEPTED, "HostNotAllowed", fault) if fault else None


def host_is_service(case: Case) -> Refusal | None:
    """The host is the short name of a Service that exists."""
    service = shadowed_service(case.world, case.spec.host)
    if service is None:
        return None
    message = (
        f"host {case.spec.host} is the name of {service.key}: pods would resolve it to that Service, and the alias "
        "would take its virtual host; choose another host"
    )
    return Refusal(ACCEPTED, "HostIsService", message)


def host_held(case: Case) -> Refusal | None:
    """An older alias whose visibility overlaps has the host."""
    holder = holder_of(case)
    if holder is None:
        return None
    message = f"host {case.spec.host} is held by {holder}, which is older; delete that one or choose another host"
    return Refusal(ACCEPTED, "HostHeld", message)


def holder_of(case: Case) -> Key | None:
    """The alias that holds this one's host: oldest creation, then namespace and name; None where this one does."""
    mine = _claim(case.alias)
    for other in sorted(case.world.aliases_for_host(case.spec.host), key=_claim):
        if _claim(other) >= mine:
            return None
        # Who may not have the host cannot keep it from those who may.
        theirs = reach(case.world, case.rules, other, other.spec) if other.spec else None
        if not other.meta.deleting and theirs is not None and theirs.overlaps(case.asked):
            return other.key
    return None


def _claim(alias: DnsAlias) -> tuple[float, str, str]:
    created = float("inf") if alias.meta.created is None else alias.meta.created
    return (created, alias.meta.namespace, alias.meta.name)
