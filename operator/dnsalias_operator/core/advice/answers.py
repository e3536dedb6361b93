"""Who gets a connection to an address and port: the listener rows that decide it, from every kind of pod."""

from collections.abc import Iterable
from dataclasses import dataclass

from dnsalias_operator.core.istio.listeners import Pods, Reach, Row, alike, owner_of, pod_classes, reach, unfollowed
from dnsalias_operator.core.istio.listeners.rows import WILDCARD
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.snapshot import Snapshot

ELSEWHERE = WILDCARD
"""As an address: every address that has no listener of its own on the port."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What decides a connection to ``address``:``port`` that begins in the namespaces ``where``.

    No ``rows``: no listener takes it, and it goes where it was sent to. Chains that are for the SNI of other hosts are
    left out.
    """

    address: str
    port: int
    where: Reach
    rows: tuple[Row, ...]


def who_answers(
    world: Snapshot, addresses: Iterable[str], ports: Iterable[int], hosts: Iterable[str], mesh: Mesh
) -> tuple[Answer, ...]:
    """Ask for every address and port, in that order; pods that get the same answer are grouped."""
    named = frozenset(hosts)
    return tuple(
        answers
        for address in dict.fromkeys(addresses)
        for port in dict.fromkeys(ports)
        for answers in _at(world, address, port, named, mesh)
    )


def _at(world: Snapshot, address: str, port: int, hosts: frozenset[str], mesh: Mesh) -> list[Answer]:
    def rows_for(pods: Pods) -> tuple[Row, ...]:
        return tuple(
            row
            for row in owner_of(world, pods.client, mesh, address, port)
            if (not row.sni or hosts & set(row.sni)) and not (address == ELSEWHERE and row.cidr)
        )

    every = pod_classes(world, mesh, port)
    found = [Answer(address, port, reach(world, every, same), rows) for rows, same in alike(every, rows_for).items()]
    return sorted(found, key=lambda a: (not a.where.everywhere, a.where.namespaces))


def not_followed(world: Snapshot, ports: Iterable[int], mesh: Mesh) -> tuple[str, ...]:
    """What the answers for these ports do not follow, for any kind of pod; one sentence each."""
    asked = ((pods.client, port) for port in dict.fromkeys(ports) for pods in pod_classes(world, mesh, port))
    return tuple(dict.fromkeys(line for client, port in asked for line in unfollowed(world, client, mesh, port)))
