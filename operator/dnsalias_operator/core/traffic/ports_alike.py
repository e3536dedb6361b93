"""Port numbers of the objects of one host that come to the same: of each kind only one has to be asked about.

What becomes of a port (`one_host`) depends on who else has its number, on the protocols there, and on which endpoints
are the same, but not on the number itself, apart from those that the sidecar keeps and those that Sidecars name.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

from dnsalias_operator.core.istio.listeners.claims import CAPTURE_PORTS, STATIC_PORTS
from dnsalias_operator.core.istio.protocols import Protocol, class_of, entry_protocol, service_protocol
from dnsalias_operator.core.traffic.ends import FORMS
from dnsalias_operator.model.lookups import Claimant
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot

MOST_RENAMED = 10_000
"""A number with more ports and targets than that is like no other."""


@dataclass(frozen=True, slots=True)
class _Port:
    """A port of an object: ``owner`` is its place in the group, ``targets`` where its endpoints listen."""

    owner: int
    number: int
    name: str
    protocol: Protocol
    targets: tuple[int, ...]


def ports_alike(world: Snapshot, group: Sequence[Claimant], mesh: Mesh) -> list[list[int]]:
    """The numbers of ports of entries that have a listener, those that come to the same together; sorted by the first.

    Two are alike where one becomes the other if numbers, names and endpoints' ports are renamed: what is compared of
    these is only which are equal. Endpoints belong to a port by its name, so ports of other numbers with such a name
    count too, and whatever else these numbers have.
    """
    ports = [port for owner, obj in enumerate(group) for port in _ports(owner, obj, mesh)]
    by_number = _filed((port.number, port) for port in ports)
    by_name = _filed((port.name, port) for port in ports)
    entries = {owner for owner, obj in enumerate(group) if isinstance(obj, ServiceEntry)}
    found: dict[Hashable, list[int]] = {}
    for number in sorted({p.number for p in ports if p.owner in entries and class_of(p.protocol) in FORMS}):
        names = dict.fromkeys(port.name for port in by_number[number])
        numbers = dict.fromkeys((number, *(port.number for name in names for port in by_name[name])))
        meant = [port for each in numbers for port in by_number[each]]
        kept = number in STATIC_PORTS | CAPTURE_PORTS or bool(world.sidecars_with_port(number))
        if kept or sum(1 + len(port.targets) for port in meant) > MOST_RENAMED:
            found[number] = [number]
        else:
            found.setdefault(_shape(meant), []).append(number)
    return list(found.values())


def _filed(items: Iterable[tuple[Hashable, _Port]]) -> dict[Hashable, list[_Port]]:
    found: dict[Hashable, list[_Port]] = {}
    for value, port in items:
        found.setdefault(value, []).append(port)
    return found


def _ports(owner: int, obj: Claimant, mesh: Mesh) -> list[_Port]:
    if isinstance(obj, Service):
        return [_Port(owner, p.port, p.name, service_protocol(p, mesh), ()) for p in obj.ports]
    own = [*dict.fromkeys(tuple(sorted(e.ports.items())) for e in obj.endpoints if e.ports), ()]
    maps = [dict(ports) for ports in own]
    return [
        _Port(
            owner, p.number, p.name, entry_protocol(p), tuple(m.get(p.name) or p.target_port or p.number for m in maps)
        )
        for p in obj.ports
    ]


def _shape(ports: Iterable[_Port]) -> Hashable:
    """The ports with each number, name and target replaced by how many others came before it."""
    numbers: dict[int, int] = {}
    names: dict[str, int] = {}
    targets: dict[int, int] = {}
    return tuple(
        (
            port.owner,
            numbers.setdefault(port.number, len(numbers)),
            names.setdefault(port.name, len(names)),
            port.protocol,
            tuple(targets.setdefault(target, len(targets)) for target in port.targets),
        )
        for port in ports
    )
