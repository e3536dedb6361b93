"""Whose a ServiceEntry is: ours by a live owner, orphaned, selected for repair, or somebody else's business."""

import hashlib
import ipaddress
from dataclasses import replace
from typing import Any

from dnsalias_operator.model.dnsalias import DnsAlias
from dnsalias_operator.model.names import (
    ALIAS_LABEL,
    API_VERSION,
    GROUP,
    KIND,
    REPAIR_ANNOTATION,
    REPAIR_MANAGER,
)
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.selector import Selector
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot
from dnsalias_operator.model.virtualservice import VirtualService

MAX_LABEL = 63
MAX_NAME = 253
ROUTE_SUFFIX = "-alias"


def alias_label(name: str) -> str:
    """Value of our label for an alias of that name: the name, or where that is too long its start and a hash."""
    if len(name) <= MAX_LABEL:
        return name
    return f"{name[:52]}-{hashlib.sha256(name.encode()).hexdigest()[:10]}"


def route_names(alias: str) -> tuple[str, ...]:
    """Names that the VirtualService of an alias may have, the preferred one first.

    An alias is often called as its Service, and so is the Service's own VirtualService.
    """
    return (alias, *([f"{alias}{ROUTE_SUFFIX}"] if len(alias) + len(ROUTE_SUFFIX) <= MAX_NAME else []))


def owner_reference(alias: DnsAlias) -> dict[str, Any]:
    """The controller reference of a generated entry; it never blocks the alias' deletion."""
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "name": alias.meta.name,
        "uid": alias.meta.uid,
        "controller": True,
    }


def is_ours(entry: ServiceEntry | VirtualService, alias: DnsAlias) -> bool:
    """Whether the object was generated for this alias: by controller uid, or, in files without uids, by label."""
    if entry.meta.namespace != alias.meta.namespace:
        return False
    if alias.meta.uid:
        return any(
            o.controller and o.uid == alias.meta.uid and o.kind == KIND and o.api_version.startswith(f"{GROUP}/")
            for o in entry.meta.owners
        )
    return not entry.meta.owners and entry.meta.labels.get(ALIAS_LABEL) == alias_label(alias.meta.name)


def live_owner(world: Snapshot, entry: ServiceEntry) -> DnsAlias | None:
    """The DnsAlias that the entry was generated for, if it still exists."""
    alias = world.alias(entry.meta.namespace, entry.meta.name)
    return alias if alias is not None and is_ours(entry, alias) else None


def claims_to_be_ours(entry: ServiceEntry) -> bool:
    """Whether the entry carries our marks, with or without a live owner: such a one is never repaired."""
    return ALIAS_LABEL in entry.meta.labels or any(
        o.controller and o.kind == KIND and o.api_version.startswith(f"{GROUP}/") for o in entry.meta.owners
    )


def opted_out(entry: ServiceEntry) -> bool:
    """Whether the entry's owner wrote that it must not be repaired."""
    return entry.meta.annotations.get(REPAIR_ANNOTATION, "").lower() == "false"


def excluded(entry: ServiceEntry, rules: Rules) -> bool:
    """Whether the entry lives where nothing is ever repaired."""
    return entry.meta.namespace in (rules.mesh.root_namespace, *rules.repair_skip_namespaces)


def selected(entry: ServiceEntry, rules: Rules) -> bool:
    """Whether settings or an annotation put somebody else's entry into our care."""
    if opted_out(entry) or excluded(entry, rules) or claims_to_be_ours(entry):
        return False
    opted_in = entry.meta.annotations.get(REPAIR_ANNOTATION, "").lower() == "true"
    return opted_in or Selector.parse(rules.repair_selector).matches(entry.meta.labels)


def patched_fields(entry: ServiceEntry) -> frozenset[str]:
    """The spec fields that our repair manager owns, by the entry's managedFields: the record of what we patched."""
    return frozenset(
        name
        for name in ("addresses", "endpoints")
        for managed in entry.meta.managed
        if managed.manager == REPAIR_MANAGER and managed.operation == "Apply" and managed.owns("spec", name)
    )


def other_managers(entry: ServiceEntry | VirtualService, *fields: str) -> tuple[str, ...]:
    """Names of the other managers that own one of these spec fields, sorted."""
    return tuple(
        sorted(
            {
                m.manager
                for m in entry.meta.managed
                if m.manager != REPAIR_MANAGER and any(m.owns("spec", f) for f in fields)
            }
        )
    )


def in_range(address: str, rules: Rules) -> bool:
    """Whether an address is one of ours by its range."""
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(rules.containment_range)
    except ValueError:
        return False


def all_in_range(entry: ServiceEntry, rules: Rules) -> bool:
    """Whether the entry has addresses, and all of them are of the range, whoever wrote them."""
    return bool(entry.addresses) and all(in_range(address, rules) for address in entry.addresses)


def is_contained(entry: ServiceEntry, rules: Rules) -> bool:
    """Whether the entry has an address that we gave it: all are of the range, and nobody else wrote them.

    Files do not say who wrote what: there the range decides.
    """
    if not all_in_range(entry, rules):
        return False
    return "addresses" in patched_fields(entry) or not other_managers(entry, "addresses")


def as_written(entry: ServiceEntry, rules: Rules) -> ServiceEntry:
    """The entry without what we put into it: the fields our manager owns, and an address of the containment range."""
    ours = patched_fields(entry)
    return replace(
        entry,
        addresses=() if "addresses" in ours or is_contained(entry, rules) else entry.addresses,
        endpoints=() if "endpoints" in ours else entry.endpoints,
    )
