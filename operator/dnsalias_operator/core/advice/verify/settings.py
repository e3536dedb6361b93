"""Which setting would explain that a sidecar differs from its prediction: each is tried, one at a time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    """What one setting comes to."""

    name: str
    value: Any
    mesh: Mesh
    agreed: int


def explain(world: Snapshot, client: Client, mesh: Mesh, rows: Iterable[Row], verdict: Verdict) -> Explanation | None:
    """The setting with which all ports agree, else the one with which more do; None where none helps.

    Where one alone does not explain everything, another is looked for beside it. Ports that are not compared, or agree
    by chance, do not count.
    """
    ignored = {*verdict.by_chance, *(d.port for d in verdict.not_compared)}
    seen = {port: seen_rows for port, seen_rows in by_port(rows).items() if port not in ignored}
    wrong = [difference.port for difference in verdict.differences]
    found: dict[str, Any] = {}
    agreed = len(set(verdict.ports) - ignored) - len(wrong)
    others: tuple[tuple[str, Any], ...] = ()
    while wrong and len(found) < MOST_SETTINGS:
        trials = list(_trials(world, client, mesh, seen, wrong, found))
        best = max(trials, key=lambda trial: trial.agreed, default=None)
        if best is None or best.agreed <= agreed:
            break
        others = tuple((t.name, t.value) for t in trials if t.agreed == best.agreed and t.name != best.name)
        found[best.name], mesh, agreed = best.value, best.mesh, best.agreed
        wrong = [port for port in _ports(world, seen) if not agrees(world, client, mesh, port, _of(seen, port))]
    total = agreed + len(wrong)
    return Explanation(found, agreed, total, others) if found else None


def _trials(
    world: Snapshot, client: Client, mesh: Mesh, seen: Mapping[int, Rows], wrong: Sequence[int], done: Iterable[str]
) -> Iterator[_Trial]:
    """The settings that make any of the wrong ports agree, with how many ports then do."""
    for name, value in _candidates(world, client, mesh, seen):
        if name in done or getattr(mesh, name) == value:
            continue
        other = mesh.model_copy(update={name: value})
        if any(agrees(world, client, other, port, _of(seen, port)) for port in wrong[:SAMPLE]):
            ports = _ports(world, seen)
            yield _Trial(name, value, other, sum(agrees(world, client, other, p, _of(seen, p)) for p in ports))


def _candidates(world: Snapshot, client: Client, mesh: Mesh, seen: Mapping[int, Rows]) -> Iterator[tuple[str, Any]]:
    """Every value worth trying of each setting, the likeliest first: of equal ones the first is told."""
    yield "dns_capture", not mesh.dns_capture
    for policy in ("ALLOW_ANY", "REGISTRY_ONLY"):
        yield "outbound_traffic_policy", policy
    for default in ((PUBLIC,), (PRIVATE,), (NOBODY,), (client.namespace,)):
        yield "default_service_export_to", default
    yield "dual_stack", not mesh.dual_stack
    yield "istio_dual_stack", not mesh.istio_dual_stack
    yield "multi_cluster", not mesh.multi_cluster
    for namespace in sorted({sidecar.meta.namespace for sidecar in world.sidecars()}):
        yield "root_namespace", namespace
    for domain in _domains(seen):
        yield "cluster_domain", domain
    for release in sorted(RELEASES, key=lambda text: _distance(Release.parse(text), mesh.release)):
        yield "istio_version", release


def _domains(seen: Mapping[int, Rows]) -> list[str]:
    hosts = {host_of(row.cluster or "") for rows in seen.values() for row in rows}
    return sorted({host.partition(".svc.")[2] for host in hosts} - {""})


def _distance(one: Release, other: Release) -> tuple[int, int]:
    return abs(one.minor - other.minor), abs(min(one.patch, 99) - min(other.patch, 99))


def _ports(world: Snapshot, seen: Mapping[int, Rows]) -> list[int]:
    return sorted({*world.ports(), *seen})


def _of(seen: Mapping[int, Rows], port: int) -> Rows:
    return seen.get(port, Rows())
