"""Every address and port that ztunnel's records have, and what becomes of a client's calls to each."""

from collections.abc import Iterator
from dataclasses import dataclass

from dnsalias_operator.core.istio.ambient.calls import Answer, Way, answers, in_prefix
from dnsalias_operator.core.istio.ambient.names import resolved
from dnsalias_operator.core.istio.ambient.records import Records
from dnsalias_operator.core.istio.ambient.slots import chosen
from dnsalias_operator.model.mesh import Mesh


@dataclass(frozen=True, slots=True)
class Call:
    """What becomes of calls to an address or prefix and a port, None where all ports are alike.

    ``answers`` are several where it is by chance which one holds.
    """

    address: str
    port: int | None
    answers: tuple[Answer, ...]

    @property
    def by_chance(self) -> bool:
        """Whether nobody can say which of several records gets them."""
        return len(self.answers) > 1


@dataclass(frozen=True, slots=True)
class Name:
    """What a client gets for a host: addresses of ztunnel, or () where the question goes on to the cluster's DNS."""

    host: str
    addresses: tuple[str, ...]


def calls_from(records: Records, namespace: str, mesh: Mesh, port: int | None = None) -> tuple[Call, ...]:
    """The calls of a client of ``namespace``, sorted by address and port; those to one port where that is given."""
    return tuple(sorted(_calls(records, namespace, mesh, port), key=lambda c: (c.address, c.port or 0)))


def names_for(records: Records, namespace: str, mesh: Mesh) -> tuple[Name, ...]:
    """What a client of ``namespace`` gets for every host that a record has."""
    hosts = dict.fromkeys(s.hostname for s in records.services if s.public or s.namespace == namespace)
    return tuple(
        Name(host, tuple(dict.fromkeys(ip for s in resolved(records, host, namespace, mesh) for ip in s.ips)))
        for host in sorted(hosts)
    )


def _calls(records: Records, namespace: str, mesh: Mesh, port: int | None) -> Iterator[Call]:
    ports: dict[str, dict[int, None]] = {}
    prefixes: set[str] = set()
    for service in records.services:
        if not service.public and service.namespace != namespace:
            continue
        prefixes.update(service.prefixes)
        for ip in service.ips:
            ports.setdefault(ip, {}).update(dict.fromkeys(p.port for p in service.ports))
    for ip, listed in ports.items():
        for number in listed if port is None else {*listed} & {port}:
            yield Call(ip, number, answers(records, namespace, ip, number, mesh))
    for prefix in prefixes:
        there = chosen([s for s in records.with_prefix if prefix in s.prefixes], namespace, mesh)
        yield Call(prefix, None, tuple(in_prefix(records, record, "", port or 0) for record in there))


def is_harmful(answer: Answer) -> bool:
    """Whether calls do not arrive as those to a Service do: reset, or in plaintext."""
    return answer.way in (Way.RESET, Way.PLAINTEXT, Way.BOTH)
