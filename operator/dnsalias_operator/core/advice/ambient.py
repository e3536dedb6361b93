"""What pods in ambient mode get at the addresses of one alias or entry, and for its hosts."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dnsalias_operator.core.istio.ambient import (
    Answer,
    Records,
    ambient_clients,
    answers,
    assumed_pods,
    records_of,
    resolved,
)
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.snapshot import Snapshot

OTHERS = ""
"""As a namespace: every one that has no record of its own at the address."""


@dataclass(frozen=True, slots=True)
class AmbientAnswer:
    """What becomes of a call to ``address``:``port`` by a pod of ``namespace`` (`OTHERS`: of any other one).

    ``ends`` are several where it is by chance which record gets it.
    """

    address: str
    port: int
    namespace: str
    ends: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class AmbientView:
    """What clients in ambient mode get; empty where there are none.

    ``names`` are the addresses that ztunnel answers with for a host; () where the cluster's DNS is asked.
    """

    answers: tuple[AmbientAnswer, ...] = ()
    names: tuple[tuple[str, tuple[str, ...]], ...] = ()


NOTHING = AmbientView()


def seen_in_ambient_mode(
    world: Snapshot, addresses: Iterable[str], ports: Iterable[int], hosts: Iterable[str], mesh: Mesh
) -> AmbientView:
    """What they get at every address and port, in that order, and for every host."""
    if not ambient_clients(world, mesh):
        return NOTHING
    records = records_of(world, mesh, assumed_pods(world))
    labelled = [n.meta.name for n in world.namespaces_in_ambient_mode()]
    found = tuple(
        answer
        for address in dict.fromkeys(addresses)
        for port in dict.fromkeys(ports)
        for answer in _at(records, address, port, labelled, mesh)
    )
    named = ((host, resolved(records, host, OTHERS, mesh)) for host in hosts)
    return AmbientView(found, tuple((h, tuple(ip for s in there for ip in s.ips)) for h, there in named))


def _at(records: Records, address: str, port: int, labelled: list[str], mesh: Mesh) -> Iterator[AmbientAnswer]:
    """Those of namespaces with a record there, then once for all others; once in all where everybody gets the same.

    Where no label says where clients are, the setting does: they may be anywhere.
    """
    apart = {record.namespace for record in records.at(address)}
    clients = {n if n in apart else OTHERS for n in labelled} if mesh.ambient == "auto" else apart | {OTHERS}
    found = {client: answers(records, client, address, port, mesh) for client in sorted(clients, reverse=True)}
    first, *rest = found.values()
    if all(ends == first for ends in rest):
        found = {OTHERS: first}
    for client, ends in found.items():
        yield AmbientAnswer(address, port, client, ends)
