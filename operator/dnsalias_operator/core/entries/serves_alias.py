"""Whether somebody else's ServiceEntry already is what an alias would be: then it is repaired, not doubled."""

from collections.abc import Set as AbstractSet

from dnsalias_operator.core.entries.destination import other_endpoint, selects_others
from dnsalias_operator.core.entries.ownership import as_written, claims_to_be_ours, is_ours, opted_out
from dnsalias_operator.core.entries.stands_for import stands_for
from dnsalias_operator.core.hosts.holders import has_host
from dnsalias_operator.core.istio.protocols import PortClass, class_of, entry_protocol
from dnsalias_operator.model.dnsalias import DnsAlias, DnsAliasSpec, chosen_ports
from dnsalias_operator.model.names import REPAIR_ANNOTATION, SERVICE_ANNOTATION, Key
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot

RESOLUTIONS = ("DNS", "STATIC")


def foreign_entries(world: Snapshot, alias: DnsAlias) -> list[ServiceEntry]:
    """Entries of others for the alias' host in its namespace, by name, also those that are being deleted."""
    if alias.spec is None:
        return []
    return [
        e
        for e in world.entries_for_host(alias.spec.host)
        if e.meta.namespace == alias.meta.namespace and not claims_to_be_ours(e)
    ]


def mismatch(world: Snapshot, alias: DnsAlias, entry: ServiceEntry, rules: Rules) -> str:
    """The edit that would make the entry correspond to the alias, or "" where it does."""
    if (edit := _unlike(world, alias, entry, rules)) or alias.spec is None:
        return edit
    service = world.service(alias.meta.namespace, alias.spec.service_ref.name)
    ports = frozenset(p.port for p in chosen_ports(alias.spec, service)[0]) if service else frozenset[int]()
    return _lacking(entry, ports) or _unserved(entry, ports)


def _unlike(world: Snapshot, alias: DnsAlias, entry: ServiceEntry, rules: Rules) -> str:
    """The edit without which the entry is another one than the alias', or ""."""
    spec = alias.spec
    if spec is None or spec.host not in entry.hosts:
        return f"set spec.hosts to [{spec.host if spec else ''}]"
    if len(entry.hosts) > 1:
        return f"take {', '.join(h for h in entry.hosts if h != spec.host)} out of spec.hosts (one host an entry)"
    if opted_out(entry):
        return f"remove the annotation {REPAIR_ANNOTATION}: false"
    if entry.resolution not in RESOLUTIONS:
        return f"set spec.resolution to DNS (it is {entry.resolution})"
    return _elsewhere(world, alias, spec, entry, rules)


def _lacking(entry: ServiceEntry, ports: AbstractSet[int]) -> str:
    lacking = sorted(ports - {p.number for p in entry.ports})
    return f"add port {', '.join(map(str, lacking))} to spec.ports" if lacking else ""


def _unserved(entry: ServiceEntry, ports: AbstractSet[int]) -> str:
    """The edit without which nobody who calls one of the ports is answered, or ""."""
    if entry.export_to == ("~",):
        return 'take "~" out of spec.exportTo (nobody sees the entry)'
    # A byte stream is sent to the address, where the Service's own listener takes it.
    requests = any(class_of(entry_protocol(p)) is PortClass.HTTP for p in entry.ports if p.number in ports)
    if requests and entry.resolution == "STATIC" and not entry.endpoints and entry.workload_selector is None:
        return "set spec.resolution to DNS (it is STATIC without endpoints, so that every request fails)"
    return ""


def _elsewhere(world: Snapshot, alias: DnsAlias, spec: DnsAliasSpec, entry: ServiceEntry, rules: Rules) -> str:
    """The edit that would lead the entry to the alias' Service, or "".

    What we put into it ourselves follows the alias; while the Service is gone, what cannot be known still fits.
    """
    base, key = as_written(entry, rules), Key("Service", alias.meta.namespace, spec.service_ref.name)
    named = stands_for(world, base, rules).named
    if named not in (key, None):
        return f"annotate it {SERVICE_ANNOTATION}: {key.name} (it stands for {named})"
    if other := other_endpoint(world, base, key, rules.mesh):
        return f"lead spec.endpoints to {key} alone, by its DNS name (one is {other})"
    service = world.service(key.namespace, key.name)
    if service is not None and selects_others(base, service):
        return f"make spec.workloadSelector the selector of {key}"
    return ""


def generated_entry(world: Snapshot, alias: DnsAlias) -> ServiceEntry | None:
    """The entry that we made for the alias, or None."""
    entry = world.entry(alias.meta.namespace, alias.meta.name)
    return entry if entry is not None and is_ours(entry, alias) else None


def corresponds(world: Snapshot, alias: DnsAlias, entry: ServiceEntry, rules: Rules) -> bool:
    """Whether the alias is served by that entry: it has its host, the entry fits, and none of ours is there already."""
    return is_alias_entry(world, alias, entry, rules) and not mismatch(world, alias, entry, rules)


def is_alias_entry(world: Snapshot, alias: DnsAlias, entry: ServiceEntry, rules: Rules) -> bool:
    """Whether the alias puts the entry into the operator's care, which it may even where the entry does not serve it.

    What keeps it from serving, such as a port that the Service has gained, is the owner's to fix. It is no reason to
    take a patch away, which would make a catch-all of it again; nor to give none, since what was there before must not
    decide (docs/decisions/0012-care-and-service.md).
    """
    return (
        alias.meta.namespace == entry.meta.namespace
        and has_host(world, rules, alias)
        and generated_entry(world, alias) is None
        and not _unlike(world, alias, entry, rules)
    )
