"""The rows of the table: every combination of what may matter to an alias, and a choice that has every pair."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

VALUES: Mapping[str, tuple[str, ...]] = {
    "protocol": ("http", "grpc", "tls", "mysql", "tcp"),
    "mtls": ("STRICT", "PERMISSIVE", "DISABLE"),
    "sidecars": ("all", "none", "half"),
    "older": ("Service", "alias"),
    "endpoints": ("Workloads", "Service"),
    "origin": ("generated", "repaired"),
}
"""What a row says, and the values it may have; see ``Row``."""


@dataclass(frozen=True, order=True)
class Row:
    """One combination.

    Attributes:
        protocol: http (HTTP/1.1), grpc, tls (ended by the application, with SNI), mysql (TCP, the server speaks first)
            or tcp (the client does).
        mtls: mode of the PeerAuthentication of the servers' namespace.
        sidecars: which of the servers' pods have one.
        older: which was there first. "alias": the Service was created after the DnsAlias or foreign entry.
        endpoints: what the alias leads to: the Service's pods by its selector, or the Service by its DNS name.
        origin: "generated" from a DnsAlias, or a foreign entry without addresses (and endpoints) that is "repaired".
    """

    protocol: str
    mtls: str
    sidecars: str
    older: str
    endpoints: str
    origin: str

    @property
    def number(self) -> int:
        """Its place in the whole product, from 0: names and ports come from it."""
        place = 0
        for name, values in VALUES.items():
            place = place * len(values) + values.index(getattr(self, name))
        return place

    @property
    def situation(self) -> tuple[str, str]:
        """What decides which server pods it shares with others."""
        return self.mtls, self.sidecars


def product() -> tuple[Row, ...]:
    """All of them."""
    return tuple(Row(*values) for values in itertools.product(*VALUES.values()))


def pairwise() -> tuple[Row, ...]:
    """Few rows in which every two values of two columns meet: greedily, the row with most new pairs next."""
    everything = product()
    missing = {pair for row in everything for pair in pairs(row)}
    chosen: list[Row] = []
    while missing:
        best = max(everything, key=lambda row: len(missing.intersection(pairs(row))))
        missing.difference_update(pairs(best))
        chosen.append(best)
    return tuple(sorted(chosen, key=lambda row: row.number))


def chosen() -> tuple[Row, ...]:
    """The rows of CI: those of ``pairwise``, and where the shape of an HTTP alias decides whether it works."""
    http = [row for row in product() if row.protocol in ("http", "grpc")]
    strict = {r for r in http if r.mtls == "STRICT" and r.sidecars != "none" and r.older == "Service"}
    late = {r for r in http if r.protocol == "http" and r.situation == ("PERMISSIVE", "all") and r.older == "alias"}
    return tuple(sorted({*pairwise(), *strict, *late}, key=lambda row: row.number))


def pairs(row: Row) -> Iterator[Sequence[tuple[str, str]]]:
    """Every two values of the row, with the names of their columns."""
    named = [(field.name, str(getattr(row, field.name))) for field in fields(row)]
    return itertools.combinations(named, 2)
