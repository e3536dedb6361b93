"""What a page shows of one port: for each class of pods, where connections go now and after the plan."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from dnsalias_operator.core.findings.catalog import CATCH_ALL, SHADOWS_SERVICE, TAKES_OVER_SERVICE
from dnsalias_operator.core.istio.listeners import Pods, Row, alike, listeners_on, pod_classes, reach
from dnsalias_operator.core.istio.listeners.rows import BLACKHOLE, PASSTHROUGH, WILDCARD, WILDCARD6
from dnsalias_operator.core.istio.listeners.scope import scope_of
from dnsalias_operator.core.outcome import Finding, Severity
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.snapshot import Snapshot

MOST_CLASSES = 40
"""Most classes of pods that are examined for one port: a Sidecar in each of a thousand namespaces makes more."""
_OF_SERVICES = (TAKES_OVER_SERVICE.code, SHADOWS_SERVICE.code)

Place = tuple[str, tuple[str, ...], tuple[str, ...], bool, bool]
"""What a row matches: bind, SNI, CIDR, plaintext HTTP, and whether it takes what no other row matches."""


@dataclass(frozen=True, slots=True)
class Match:
    """A row of the model, and whose it is: None for the mesh's own and for an HTTP route that many share.

    ``taken``: it sends connections to an object that they are not meant for.
    """

    row: Row
    taken: bool
    owner: Key | None

    @property
    def rest(self) -> bool:
        """Whether it is for every address without a listener of its own."""
        return self.row.match_all and self.row.bind == WILDCARD

    @property
    def cluster(self) -> str:
        """Where a connection that matches goes, in Envoy's terms."""
        return self.row.cluster or f"route {self.row.route}"


@dataclass(frozen=True, slots=True)
class Line:
    """One match of one port, and who gets it now and after the plan; None where there is no such match."""

    now: Match | None
    then: Match | None

    @property
    def row(self) -> Row:
        """The row of either: they match the same."""
        found = self.now or self.then
        assert found is not None  # noqa: S101 (a line is made of at least one)
        return found.row

    @property
    def changes(self) -> bool:
        """Whether another destination gets it after the plan."""
        if self.now is None or self.then is None:
            return True
        return (self.now.cluster, self.now.owner) != (self.then.cluster, self.then.owner)


@dataclass(frozen=True, slots=True)
class View:
    """What the pods of some namespaces (``pods``, in words) get on a port."""

    pods: str
    lines: tuple[Line, ...]

    def matches(self, *, then: bool) -> list[Match]:
        """Matches as they are or as they will be: first what is taken, then any other address, then the others."""
        found = [match for line in self.lines if (match := line.then if then else line.now)]
        changed = {line.then for line in self.lines if line.changes} if then else set()

        def order(match: Match) -> tuple[object, ...]:
            row = match.row
            # Addresses are what people know a Service by, so they come before names and ranges.
            special = bool(row.sni or row.cidr or row.http)
            return (not match.taken, not match.rest, match not in changed, special, row.bind, row.sni)

        return sorted(found, key=order)


@dataclass(frozen=True, slots=True)
class Port:
    """Everything about one port. ``taking`` take the traffic of others now, ``waiting`` are its other catch-alls.

    ``unseen`` counts classes of pods beyond `MOST_CLASSES`.
    """

    number: int
    taking: tuple[Key, ...]
    waiting: tuple[Key, ...]
    views: tuple[View, ...]
    unseen: int

    @property
    def changes(self) -> bool:
        """Whether the plan changes anything here."""
        return any(line.changes for view in self.views for line in view.lines)

    @property
    def fixed(self) -> bool:
        """Whether nothing is taken after the plan."""
        return not any(line.then and line.then.taken for view in self.views for line in view.lines)


@dataclass(frozen=True)
class World:
    """One of the two worlds that are compared, with the findings in it that are shown."""

    snapshot: Snapshot
    mesh: Mesh
    findings: tuple[Finding, ...]

    @cached_property
    def takers(self) -> dict[int, list[Key]]:
        """For each port the objects with a finding that says that they take the traffic of others."""
        found: dict[int, list[Key]] = {}
        for finding in self.findings:
            taking = finding.code == CATCH_ALL.code or (finding.code in _OF_SERVICES and _critical(finding))
            if taking and finding.port is not None:
                found.setdefault(finding.port, []).append(finding.key)
        return found

    def matches(self, pods: Pods, number: int) -> dict[Place, Match]:
        """What one class of pods gets on a port; connections that nothing matches have a row as well."""
        takers = {f.key for f in self.findings if f.code in _OF_SERVICES and f.port == number and _critical(f)}
        listeners = listeners_on(self.snapshot, pods.client, self.mesh, number)
        rows = [row for listener in listeners for row in listener.every_row]
        if not any(row.match_all and row.bind == WILDCARD for row in rows):
            through = scope_of(self.snapshot, pods.client, self.mesh).fall_through
            rows.append(Row(WILDCARD, number, True, (), (), False, through, None))
        # A chain that matches everything leaves nothing to the default chain, which comes last.
        return {_place(row): self._match(row, takers) for row in reversed(rows)}

    def _match(self, row: Row, takers: set[Key]) -> Match:
        taken = self._taken(row, takers)
        shared = row.http and row.bind in (WILDCARD, WILDCARD6) and not taken
        return Match(row, taken, None if shared else row.owner)

    def _taken(self, row: Row, takers: set[Key]) -> bool:
        if row.match_all and row.bind == WILDCARD:
            return row.cluster not in (PASSTHROUGH, BLACKHOLE)
        return row.owner in takers and bool(self.snapshot.services_at(row.bind))


def _critical(finding: Finding) -> bool:
    return finding.severity is Severity.CRITICAL


def ports(now: World, then: World, changed: Iterable[Key]) -> list[Port]:
    """Ports on which traffic is taken, those of waiting catch-alls, and those on which the plan changes a listener."""
    taken = now.takers
    touched = {number for key in changed for world in (now, then) for number in _ports_of(world.snapshot, key)}
    made = [_port(now, then, number, taken.get(number, [])) for number in sorted({*taken, *touched})]
    shown = [port for port in made if port.number in taken or port.changes]
    return sorted(shown, key=lambda port: (not port.taking, not port.waiting, port.number))


def _ports_of(world: Snapshot, key: Key) -> list[int]:
    entry = world.entry(key.namespace, key.name) if key.kind == "ServiceEntry" else None
    return [port.number for port in entry.ports] if entry else []


def _port(now: World, then: World, number: int, takers: list[Key]) -> Port:
    every: dict[object, Pods] = {}
    for pods in chain.from_iterable(pod_classes(world.snapshot, world.mesh, number) for world in (now, then)):
        every.setdefault((pods.client.namespace, tuple(sorted(pods.client.labels.items()))), pods)
    looked_at = list(every.values())[:MOST_CLASSES]
    seen = alike(looked_at, lambda pods: tuple(_lines(now.matches(pods, number), then.matches(pods, number))))
    views = [View(str(reach(now.snapshot, every.values(), same)), lines) for lines, same in seen.items()]
    views.sort(key=lambda view: (not view.matches(then=False)[0].taken, view.pods))
    winners = {line.now.owner for view in views for line in view.lines if line.now and line.now.taken}
    taking = tuple(key for key in dict.fromkeys(takers) if key in winners)
    waiting = tuple(key for key in dict.fromkeys(takers) if key not in winners)
    return Port(number, taking, waiting, tuple(views), len(every) - len(looked_at))


def _place(row: Row) -> Place:
    # A lone match-all chain is no default chain to Envoy, and matches the same.
    return (row.bind, row.sni, row.cidr, row.http, row.default or row.match_all)


def _lines(now: Mapping[Place, Match], then: Mapping[Place, Match]) -> Iterator[Line]:
    """Matches side by side: those of addresses shared by all first, what no other matches last among them."""

    def order(place: Place) -> tuple[object, ...]:
        bind, sni, cidr, http, rest = place
        return (bind not in (WILDCARD, WILDCARD6), bind, rest, sni, cidr, http)

    for place in sorted({*now, *then}, key=order):
        yield Line(now.get(place), then.get(place))
