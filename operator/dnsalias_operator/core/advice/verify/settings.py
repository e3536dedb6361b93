"""Which setting would explain that a sidecar differs from its prediction: each is tried, one at a time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from dnsalias_operator.core.advice.verify.compare import Rows, Verdict, agrees, by_port, host_of
from dnsalias_operator.core.istio.listeners import Client, Row
from dnsalias_operator.core.istio.listeners.services import NOBODY, PRIVATE, PUBLIC
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.release import Release
from dnsalias_operator.model.snapshot import Snapshot

RELEASES = (
    *(f"1.{minor}" for minor in range(20, 33)),
    *("1.22.3", "1.22.4", "1.23.0", "1.24.2", "1.24.5", "1.25.2", "1.30.2"),
    "1.11",
)
"""One of each stretch of releases between which a rule of the listeners changes."""
SAMPLE = 50
"""Ports on which a setting is tried first: one that explains none of these is not tried on the others."""
MOST_SETTINGS = 3
"""How many settings may be wrong together."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The settings with which most ports agree: ``agreed`` of ``ports``; ``others`` are settings that do as well."""

    settings: Mapping[str, Any]
    agreed: int
    ports: int
    others: tuple[tuple[str, Any], ...] = ()

    @property
    def complete(self) -> bool:
        """Whether it explains everything."""
        return self.agreed == self.ports


@dataclass(frozen=True, slots=True)
class _Trial:
    """What one setting comes to: the ports that then still differ."""

    name: str
    value: Any
    mesh: Mesh
    wrong: tuple[int, ...]


def explain(world: Snapshot, client: Client, mesh: Mesh, rows: Iterable[Row], verdict: Verdict) -> Explanation | None:
    """The setting with which all ports agree, else the one with which more do; None where none helps.

    Where one alone does not explain everything, another is looked for beside it. Ports that are not compared, or agree
    by chance, do not count.
    """
    ignored = {*verdict.by_chance, *(d.port for d in verdict.not_compared)}
    seen = {port: found for port, found in by_port(rows).items() if port not in ignored}
    asked = _Asked(world, client, seen, ignored)
    wrong = tuple(difference.port for difference in verdict.differences)
    settings: dict[str, Any] = {}
    others: tuple[tuple[str, Any], ...] = ()
    while wrong and len(settings) < MOST_SETTINGS:
        trials = [t for t in _trials(asked, mesh, wrong) if t.name not in settings and len(t.wrong) < len(wrong)]
        if not trials:
            break
        best = min(trials, key=lambda trial: len(trial.wrong))
        others = tuple((t.name, t.value) for t in trials if len(t.wrong) == len(best.wrong) and t is not best)
        settings[best.name], mesh, wrong = best.value, best.mesh, best.wrong
    total = len(set(verdict.ports) - ignored)
    return Explanation(settings, max(0, total - len(wrong)), total, others) if settings else None


@dataclass(frozen=True, slots=True)
class _Asked:
    """The sidecar that is to be explained: its client, and its rows by port without those ``ignored``."""

    world: Snapshot
    client: Client
    seen: Mapping[int, Rows]
    ignored: AbstractSet[int]

    def wrong(self, mesh: Mesh, ports: Iterable[int]) -> tuple[int, ...]:
        """Those of the ports that differ in that mesh."""
        return tuple(p for p in ports if not agrees(self.world, self.client, mesh, p, self.seen.get(p, Rows())))

    @property
    def ports(self) -> list[int]:
        """All that may have a listener, in this mesh or in another."""
        return sorted({*self.world.ports(), *self.seen} - self.ignored)


def _trials(asked: _Asked, mesh: Mesh, wrong: Sequence[int]) -> Iterator[_Trial]:
    """The settings that make any of the wrong ports agree."""
    first = wrong[:SAMPLE]
    for name, value in _candidates(asked, mesh):
        other = mesh.model_copy(update={name: value})
        if other != mesh and len(asked.wrong(other, first)) < len(first):
            yield _Trial(name, value, other, asked.wrong(other, asked.ports))


def _candidates(asked: _Asked, mesh: Mesh) -> Iterator[tuple[str, Any]]:
    """Every value worth trying of each setting, the likeliest first: of equal ones the first is reported."""
    yield "dns_capture", not mesh.dns_capture
    for policy in ("ALLOW_ANY", "REGISTRY_ONLY"):
        yield "outbound_traffic_policy", policy
    for default in ((PUBLIC,), (PRIVATE,), (NOBODY,), (asked.client.namespace,)):
        yield "default_service_export_to", default
    yield "dual_stack", not mesh.dual_stack
    yield "istio_dual_stack", not mesh.istio_dual_stack
    for topology in ("single", "remote"):
        yield "topology", topology
    for namespace in sorted({sidecar.meta.namespace for sidecar in asked.world.sidecars()}):
        yield "root_namespace", namespace
    for domain in _domains(asked.seen):
        yield "cluster_domain", domain
    for release in sorted(RELEASES, key=lambda text: _distance(Release.parse(text), mesh.release)):
        yield "istio_version", release


def _domains(seen: Mapping[int, Rows]) -> list[str]:
    hosts = {host_of(row.cluster or "") for rows in seen.values() for row in rows}
    return sorted({host.partition(".svc.")[2] for host in hosts} - {""})


def _distance(one: Release, other: Release) -> tuple[int, int]:
    return abs(one.minor - other.minor), abs(min(one.patch, 99) - min(other.patch, 99))
