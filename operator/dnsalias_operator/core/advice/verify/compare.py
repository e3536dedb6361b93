"""A sidecar's listeners and the predicted ones, row by row on each port."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dnsalias_operator.core.advice.verify.claimed import Claimed, claimed_on, rules_of
from dnsalias_operator.core.istio.listeners import Client, Listener, Loss, Row, by_chance, listeners_on, outbound
from dnsalias_operator.core.istio.listeners.services import service_key
from dnsalias_operator.core.istio.listeners.unfollowed import unfollowed_on
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.snapshot import Snapshot

Rows = Counter[Row]


@dataclass(frozen=True, slots=True)
class PortDifference:
    """A port whose rows are not the predicted ones.

    ``envoy`` are the rows that only the sidecar has, ``predicted`` those that only the model has, ``both`` the others.
    ``claimed`` are the objects that claim the port, ``lost`` who the model says gets nothing there, ``rules`` what it
    followed. ``unread`` are hosts that the sidecar has here, and no object that was read. ``not_modelled`` is what is
    known not to be followed on this port: such a port counts as not compared.
    """

    port: int
    envoy: tuple[Row, ...]
    predicted: tuple[Row, ...]
    both: tuple[Row, ...]
    claimed: tuple[Claimed, ...] = ()
    lost: tuple[Loss, ...] = ()
    rules: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    not_modelled: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome for one sidecar.

    ``ports`` are all, of the sidecar and of the prediction. ``differences`` are those that disagree, ``not_compared``
    those that do and hold something that is not modelled. ``by_chance`` are ports that are as predicted if services
    without a promised order come the other way round. ``of_pods`` are rows that were left out: those of single pods.
    """

    ports: tuple[int, ...]
    differences: tuple[PortDifference, ...]
    not_compared: tuple[PortDifference, ...] = ()
    by_chance: tuple[int, ...] = ()
    of_pods: tuple[Row, ...] = ()

    @property
    def agreed(self) -> int:
        """How many ports are as predicted."""
        return len(self.ports) - len(self.differences) - len(self.not_compared)


def compare(world: Snapshot, client: Client, mesh: Mesh, rows: Iterable[Row]) -> Verdict:
    """Hold a sidecar's rows against the prediction for that client."""
    seen = by_port(rows)
    predicted = _listeners_by_port(outbound(world, client, mesh))
    ports = sorted(seen.keys() | predicted.keys())
    differences: list[PortDifference] = []
    known: list[PortDifference] = []
    chance: list[int] = []
    of_pods: list[Row] = []
    for port in ports:
        expected = Counter(row for listener in predicted.get(port, ()) for row in listener.every_row)
        mine, left_out = without_pods(seen.get(port, Counter()), expected, world, mesh)
        of_pods += left_out
        if mine == expected:
            continue
        others = by_chance(world, client, mesh, port)
        if any(mine == Counter(row for listener in other for row in listener.every_row) for other in others):
            chance.append(port)
            continue
        found = _difference(world, client, mesh, port, mine, predicted.get(port, ()))
        (known if found.not_modelled else differences).append(found)
    return Verdict(tuple(ports), tuple(differences), tuple(known), tuple(chance), tuple(of_pods))


def agrees(world: Snapshot, client: Client, mesh: Mesh, port: int, seen: Rows) -> bool:
    """Whether the rows of a port are as predicted, chance apart."""
    expected = Counter(row for listener in listeners_on(world, client, mesh, port) for row in listener.every_row)
    return without_pods(seen, expected, world, mesh)[0] == expected


def by_port(rows: Iterable[Row]) -> dict[int, Rows]:
    """The rows of each port."""
    found: dict[int, Rows] = defaultdict(Counter)
    for row in rows:
        found[row.port][row] += 1
    return dict(found)


def without_pods(seen: Rows, predicted: Rows, world: Snapshot, mesh: Mesh) -> tuple[Rows, list[Row]]:
    """The rows without listeners of single pods, and those: pods are in no object that is read.

    istiod makes one for each pod of a headless Service, and of an entry of resolution NONE that selects pods.
    """
    own = {row.bind for row in predicted}
    others = {row.bind for row in seen} - own
    theirs = {row.bind for row in seen if row.bind in others and row.cluster and _keeps_pods(row.cluster, world, mesh)}
    if not theirs:
        return seen, []
    left_out = [row for row in seen.elements() if row.bind in theirs]
    return seen - Counter(left_out), left_out


def host_of(cluster: str) -> str:
    """The host of an outbound cluster's name, "" where it is none."""
    parts = cluster.split("|")
    return parts[3] if parts[0] == "outbound" and len(parts) == 4 else ""  # noqa: PLR2004 (outbound|PORT|SUBSET|HOST)


def _keeps_pods(cluster: str, world: Snapshot, mesh: Mesh) -> bool:
    host = host_of(cluster)
    key = service_key(host, mesh)
    service = world.service(key.namespace, key.name) if key else None
    if service is not None:
        return service.headless
    return any(e.workload_selector is not None and e.resolution == "NONE" for e in world.entries_for_host(host))


def _listeners_by_port(found: Iterable[Listener]) -> Mapping[int, list[Listener]]:
    listeners: dict[int, list[Listener]] = defaultdict(list)
    for listener in found:
        listeners[listener.port].append(listener)
    return listeners


def _difference(
    world: Snapshot, client: Client, mesh: Mesh, port: int, seen: Rows, predicted: Iterable[Listener]
) -> PortDifference:
    expected = Counter(row for listener in predicted for row in listener.every_row)
    only_expected = _sorted(expected - seen)
    lost = tuple(loss for listener in predicted for loss in listener.lost)
    return PortDifference(
        port=port,
        envoy=_sorted(seen - expected),
        predicted=only_expected,
        both=_sorted(expected & seen),
        claimed=claimed_on(world, client, mesh, port, {row.owner for row in expected} | {loss.loser for loss in lost}),
        lost=lost,
        rules=rules_of(world, client, mesh, only_expected),
        unread=tuple(sorted({host for row in seen if (host := _unread(row, world, mesh))})),
        not_modelled=unfollowed_on(world, client, mesh, port),
    )


def _unread(row: Row, world: Snapshot, mesh: Mesh) -> str:
    host = host_of(row.cluster or "")
    key = service_key(host, mesh) if host else None
    known = not host or world.entries_for_host(host) or (key and world.service(key.namespace, key.name))
    return "" if known else host


def _sorted(rows: Rows) -> tuple[Row, ...]:
    return tuple(sorted(rows.elements(), key=_order))


def _order(row: Row) -> tuple[object, ...]:
    return (row.bind, row.default, row.cidr, row.sni, row.http, row.cluster or "", row.route or "")
