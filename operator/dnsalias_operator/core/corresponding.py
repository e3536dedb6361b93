"""Whether somebody else's ServiceEntry already is what an alias would be: then it is repaired, not doubled."""

from dnsalias_operator.core.generate import chosen_ports
from dnsalias_operator.core.hostrefusals import has_host
from dnsalias_operator.core.ownership import claims_to_be_ours, is_ours, opted_out
from dnsalias_operator.model.dnsalias import DnsAlias
from dnsalias_operator.model.names import REPAIR_ANNOTATION
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot

RESOLUTIONS = ("DNS", "STATIC")


def foreign_entries(world: Snapshot, alias: DnsAlias) -> list[ServiceEntry]:
    """Entries of others for the alias' host in its namespace, by name."""
    if alias.spec is None:
        return []
    return [
        e
        for e in world.entries_for_host(alias.spec.host)
        if e.meta.namespace == alias.meta.namespace and not claims_to_be_ours(e) and not e.meta.deleting
    ]


def mismatch(world: Snapshot, alias: DnsAlias, entry: ServiceEntry) -> str:
    """The edit that would make the entry correspond to the alias, or "" where it does."""
    spec = alias.spec
    if spec is None or spec.host not in entry.hosts:
        return f"set spec.hosts to [{spec.host if spec else ''}]"
    if len(entry.hosts) > 1:
        return f"take {', '.join(h for h in entry.hosts if h != spec.host)} out of spec.hosts (one host an entry)"
    if opted_out(entry):
        return f"remove the annotation {REPAIR_ANNOTATION}: false"
    if entry.resolution not in RESOLUTIONS:
        return f"set spec.resolution to DNS or STATIC (it is {entry.resolution})"
    service = world.service(alias.meta.namespace, spec.service_ref.name)
    if service is not None:
        have = {p.number for p in entry.ports}
        lacking = [str(p.port) for p in chosen_ports(spec, service)[0] if p.port not in have]
        if lacking:
            return f"add port {', '.join(lacking)} to spec.ports"
    return ""


def generated_entry(world: Snapshot, alias: DnsAlias) -> ServiceEntry | None:
    """The entry that we made for the alias, or None."""
    entry = world.entry(alias.meta.namespace, alias.meta.name)
    return entry if entry is not None and is_ours(entry, alias) else None


def corresponds(world: Snapshot, alias: DnsAlias, entry: ServiceEntry, rules: Rules) -> bool:
    """Whether the alias is served by that entry: it has its host, the entry fits, and none of ours is there already."""
    return (
        alias.meta.namespace == entry.meta.namespace
        and has_host(world, rules, alias)
        and generated_entry(world, alias) is None
        and not mismatch(world, alias, entry)
    )
