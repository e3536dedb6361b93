"""What the hosts of a Sidecar's egress listener import: which hostnames of which namespaces.

Source: convertIstioListenerToWrapper, selectServices and the methods of hostClassification in
pilot/pkg/model/sidecar.go; Matches and SubsetOf in pkg/config/host/name.go.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from dnsalias_operator.model.mesh import Mesh

ALL = "*"
"""In place of a namespace: all of them."""
OWN = "."
"""In place of a namespace: the client's own."""
EXCLUDED = "~"
"""Before a namespace: not these. Alone it stands before `ALL`."""


@dataclass(frozen=True, slots=True)
class Hosts:
    """The hosts given for one namespace, or for `ALL`."""

    exact: frozenset[str] = frozenset()
    wild: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()

    def matches(self, hostname: str) -> bool:
        """Whether a service of that hostname is meant: by the same name, or by a wildcard that covers all of it."""
        return hostname in self.exact or any(covers(pattern, hostname) for pattern in self.wild)

    def excludes(self, hostname: str) -> bool:
        """Whether a service of that hostname is left out, however it is meant."""
        return any(covers(pattern, hostname) for pattern in self.excluded)

    def overlaps(self, hostname: str) -> bool:
        """Whether a VirtualService's host, which may be a wildcard itself, has anything to do with them."""
        if hostname in self.exact or any(overlap(pattern, hostname) for pattern in self.wild):
            return True
        return hostname.startswith("*") and any(covers(hostname, name) for name in self.exact)


@dataclass(frozen=True, slots=True)
class Imports:
    """All hosts of one egress listener, by namespace.

    ``exact`` is true where istiod looks each host up, instead of going through what is exported to the client.
    """

    hosts: Mapping[str, Hosts]
    exact: bool

    def meant_by(self, namespace: str, hostname: str) -> Hosts | None:
        """The hosts by which a service is imported: those of its namespace go before those for all; None: by none."""
        own, shared = self.hosts.get(namespace), self.hosts.get(ALL)
        if any(hosts and hosts.excludes(hostname) for hosts in (own, shared)):
            return None
        return next((hosts for hosts in (own, shared) if hosts and hosts.matches(hostname)), None)

    def touches(self, namespace: str, hostname: str) -> bool:
        """Whether a VirtualService of that namespace with that host is imported."""
        own, shared = self.hosts.get(namespace), self.hosts.get(ALL)
        if any(hosts and hosts.excludes(hostname) for hosts in (own, shared)):
            return False
        return any(hosts and hosts.overlaps(hostname) for hosts in (own, shared))


EVERYTHING = Imports({ALL: Hosts(wild=("*",))}, exact=False)
"""What a client without a Sidecar imports, and one whose Sidecar names no egress listener."""


def covers(pattern: str, hostname: str) -> bool:
    """Whether every name that ``hostname`` stands for is one of ``pattern``; a wildcard is any text, at the front."""
    if not pattern.startswith("*"):
        return pattern == hostname
    if not hostname.startswith("*"):
        return hostname.endswith(pattern[1:])
    return len(hostname) >= len(pattern) and hostname[1:].endswith(pattern[1:])


def overlap(left: str, right: str) -> bool:
    """Whether some name is in both."""
    return covers(left, right) or covers(right, left)


def imports_of(hosts: tuple[str, ...], namespace: str, mesh: Mesh) -> Imports:
    """The hosts of an egress listener as they apply to clients in ``namespace``; malformed ones count for nothing.

    Since 1.31 hosts can be excluded, and where every host is a full name in a named namespace each is looked up by
    itself. Before, `~` is no namespace's name, so that such a host imports nothing.
    """
    return _imports(hosts, namespace, mesh.since(1, 31), mesh.since(1, 31))


@lru_cache(maxsize=4096)
def _imports(hosts: tuple[str, ...], namespace: str, exclusions: bool, lookups: bool) -> Imports:  # noqa: FBT001
    exact: dict[str, set[str]] = {}
    wild: dict[str, list[str]] = {}
    excluded: dict[str, list[str]] = {}
    for host in hosts:
        if host.count("/") != 1:
            continue
        where, _, name = host.partition("/")
        excluding = exclusions and where.startswith(EXCLUDED)
        if excluding:
            where = where.removeprefix(EXCLUDED) or ALL
        if where == OWN:
            where = namespace
        if excluding:
            excluded.setdefault(where, []).append(name)
        elif name.startswith("*"):
            wild.setdefault(where, []).append(name)
        else:
            exact.setdefault(where, set()).add(name)
    found = {
        where: Hosts(frozenset(exact.get(where, ())), tuple(wild.get(where, ())), tuple(excluded.get(where, ())))
        for where in sorted({*exact, *wild, *excluded})
    }
    return Imports(found, exact=lookups and not wild and ALL not in exact)
