"""A match of a listener in words: what a connection is meant for, and where it goes."""

from collections.abc import Callable
from dataclasses import dataclass

from dnsalias_operator.cli.printing.report.ports import Match
from dnsalias_operator.core.istio.listeners import Row
from dnsalias_operator.core.istio.listeners.rows import BLACKHOLE, PASSTHROUGH, WILDCARD, WILDCARD6
from dnsalias_operator.model.names import Key

Hosts = Callable[[Key], str]
"""Hosts of an object, "" for one that has none."""


@dataclass(frozen=True, slots=True)
class Label:
    """Two lines of text: what it is, and a note on it."""

    title: str
    note: str


def meant(match: Match) -> Label:
    """What a connection that matches is meant for."""
    row = match.row
    if match.rest:
        return Label(f"any other address:{row.port}", "every address without its own listener")
    if row.sni:
        return Label(", ".join(row.sni), "TLS with this name (SNI)")
    if row.cidr:
        return Label(", ".join(row.cidr), f"addresses in this range, port {row.port}")
    if row.http:
        return Label("plaintext HTTP", "matched by its Host header")
    return Label(f"[{row.bind}]:{row.port}" if ":" in row.bind else f"{row.bind}:{row.port}", "an address of its own")


def ends(match: Match, hosts: Hosts) -> Label:
    """Where such a connection goes."""
    row = match.row
    if row.cluster == PASSTHROUGH:
        return Label("where it was sent", "passes through the sidecar")
    if row.cluster == BLACKHOLE:
        return Label("nowhere", "blocked: REGISTRY_ONLY")
    owner = match.owner
    if owner is None:
        return Label(match.cluster, "shared, matched by Host")
    named = hosts(owner)
    return Label(f"{owner.namespace}/{owner.name}", f"{owner.kind} for {named}" if named else owner.kind)


def kind(match: Match) -> str:
    """How it is drawn: ``taken`` from its destination, ``blocked``, ``through`` or ``own``."""
    if match.taken:
        return "taken"
    return {PASSTHROUGH: "through", BLACKHOLE: "blocked"}.get(match.cluster, "own")


def looks_at(row: Row) -> str:
    """What the row matches of a connection, in the words of `dnsalias listeners`."""
    parts = [
        *(["SNI " + ", ".join(row.sni)] if row.sni else []),
        *(["CIDR " + ", ".join(row.cidr)] if row.cidr else []),
        *(["plaintext HTTP"] if row.http else []),
    ]
    return " and ".join(parts) or ("anything else" if row.bind in (WILDCARD, WILDCARD6) else "everything")
