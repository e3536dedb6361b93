"""How well the listener model agrees with a recording of a real istiod and Envoy.

    python -m tests.core.agreement FILE.json.gz [--show N]

A recording is gzipped JSON: `seed`, `from` (the client's namespace), `objects` (as the API server returned them),
`rejected`, `errors`, and `listeners`: rows of bind, port, default, sni, cidr, http, cluster, route. `clients`, where
there are any, are more pods of the same world, each with `from`, `labels` and `listeners`. Agreement is the share of
ports, of all that are recorded or predicted for a client, whose full rows are equal whatever their order.
"""

import argparse
import gzip
import json
import os
import sys
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

from dnsalias_operator.core.istio.listeners import Client, Row, outbound
from dnsalias_operator.core.istio.listeners.imports import imports_of
from dnsalias_operator.core.istio.listeners.rows import WILDCARD
from dnsalias_operator.core.istio.protocols import entry_protocol, service_protocol
from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.meta import Raw
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.sidecar import Sidecar
from dnsalias_operator.model.snapshot import Snapshot
from tools.dataplane.recorded import row_of

Rows = Counter[Row]


class Port(NamedTuple):
    """A port of one client's sidecar; ``view`` numbers the clients of a recording from 0."""

    view: int
    number: int


@dataclass(frozen=True, slots=True)
class View:
    """A client of a recorded world and the rows that its Envoy held."""

    client: Client
    rows: tuple[Row, ...]

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Self:
        """Read one; KeyError or TypeError where it is none."""
        return cls(Client(raw["from"], raw.get("labels", {})), tuple(row_of(r) for r in raw["listeners"]))


@dataclass(frozen=True, slots=True)
class Recording:
    """A recorded world: its objects, and one client or more that looked at it."""

    seed: int
    objects: tuple[Raw, ...]
    views: tuple[View, ...]

    def snapshot(self) -> Snapshot:
        """The objects as the model reads them; kinds it does not know are left out."""
        return Snapshot(KINDS[o["kind"]].parse(o) for o in self.objects if o["kind"] in KINDS)


@dataclass(frozen=True, slots=True)
class Agreement:
    """Recorded and predicted rows by port, over the ports of either."""

    recorded: Mapping[Port, Rows]
    predicted: Mapping[Port, Rows]

    @property
    def ports(self) -> list[Port]:
        """Every port that is recorded or predicted."""
        return sorted({*self.recorded, *self.predicted})

    @property
    def disagreements(self) -> list[Port]:
        """The ports whose rows differ."""
        return [p for p in self.ports if self.recorded.get(p) != self.predicted.get(p)]

    @property
    def share(self) -> float:
        """Agreeing ports per port, 1.0 where there is none."""
        return 1 - len(self.disagreements) / len(self.ports) if self.ports else 1.0


def load(path: Path) -> Recording:
    """Read a recording; OSError or ValueError where the file is none."""
    try:
        data = json.loads(gzip.decompress(path.read_bytes()))
        if not all(isinstance(obj, dict) and isinstance(obj.get("kind"), str) for obj in data["objects"]):
            raise ValueError("not a recording of listeners: an object has no kind")
        return Recording(
            seed=data["seed"],
            objects=tuple(data["objects"]),
            views=tuple(View.of(raw) for raw in (data, *data.get("clients", ()))),
        )
    except (EOFError, KeyError, TypeError, zlib.error) as error:
        raise ValueError(f"not a recording of listeners: {error!r}") from error


def compare(recording: Recording, mesh: Mesh) -> Agreement:
    """Hold the model's rows for the recording's objects and clients against the recorded ones."""
    snapshot = recording.snapshot()
    recorded: dict[Port, Rows] = {}
    predicted: dict[Port, Rows] = {}
    for number, view in enumerate(recording.views):
        recorded |= _by_port(number, view.rows)
        listeners = outbound(snapshot, view.client, mesh)
        predicted |= _by_port(number, (row for listener in listeners for row in listener.every_row))
    return Agreement(recorded, predicted)


def features(recording: Recording) -> Counter[tuple[str, str]]:
    """How often each feature occurs in the recorded world, so that a reader sees what agreement is about."""
    snapshot = recording.snapshot()
    counts: Counter[tuple[str, str]] = Counter(("kind", str(o.get("kind"))) for o in recording.objects)
    for service in snapshot.services():
        counts.update(_of_service(service))
    for entry in snapshot.entries():
        counts.update(_of_entry(entry))
    for sidecar in snapshot.sidecars():
        counts.update(_of_sidecar(sidecar))
    return counts


def report(recording: Recording, mesh: Mesh, show: int) -> Iterator[str]:
    """The lines the command prints."""
    result = compare(recording, mesh)
    total, wrong = len(result.ports), result.disagreements
    clients = ", ".join(_named(view.client) for view in recording.views)
    yield f"seed {recording.seed}, client in {clients}; {mesh.assumptions()}"
    yield f"agreement {result.share:.2%}: {total - len(wrong)} of {total} ports"
    empty = Agreement(result.recorded, {})
    yield f"an empty model would score {empty.share:.2%}"
    yield "features of the world:"
    for (group, name), count in sorted(features(recording).items()):
        yield f"  {group:<18} {name:<28} {count:>6}"
    for port in wrong[:show]:
        yield f"port {port.number}, from {_named(recording.views[port.view].client)}:"
        recorded, predicted = result.recorded.get(port, Counter()), result.predicted.get(port, Counter())
        for mark, rows in (("  both     ", recorded & predicted), ("- recorded ", recorded - predicted)):
            yield from (f"  {mark} {_shown(row)}" for row in rows.elements())
        yield from (f"  + predicted {_shown(row)}" for row in (predicted - recorded).elements())
        yield from (f"    {line}" for line in _claimants(recording.snapshot(), port.number))
    if len(wrong) > show:
        yield f"{len(wrong) - show} more ports disagree; --show {len(wrong)} prints them"


def main(arguments: list[str] | None = None) -> int:
    """Print the report; 2 where the file cannot be read, else 0."""
    parser = argparse.ArgumentParser(prog="python -m tests.core.agreement", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--show", type=int, default=5, metavar="N", help="disagreeing ports to print (default 5)")
    parser.add_argument("--dns-capture", action="store_true", help="the client's sidecar has DNS capture on")
    parser.add_argument("--registry-only", action="store_true", help="outboundTrafficPolicy is REGISTRY_ONLY")
    parser.add_argument("--dual-stack", action="store_true", help="the client has an IPv6 address too")
    parser.add_argument("--istio-dual-stack", action="store_true", help="istiod runs with ISTIO_DUAL_STACK")
    options = parser.parse_args(arguments)
    mesh = Mesh(
        dual_stack=options.dual_stack,
        istio_dual_stack=options.istio_dual_stack,
        dns_capture=options.dns_capture,
        outbound_traffic_policy="REGISTRY_ONLY" if options.registry_only else "ALLOW_ANY",
    )
    try:
        recording = load(options.file)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{options.file}: {error}\n")
        return 2
    try:
        sys.stdout.write("".join(f"{line}\n" for line in report(recording, mesh, options.show)))
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader (head, a pager) has seen enough; a closed stdout must not fail again when Python exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _by_port(view: int, rows: Iterable[Row]) -> dict[Port, Rows]:
    found: dict[Port, Rows] = defaultdict(Counter)
    for row in rows:
        found[Port(view, row.port)][row] += 1
    return dict(found)


def _named(client: Client) -> str:
    labels = ",".join(f"{name}={value}" for name, value in sorted(client.labels.items()))
    return f"namespace {client.namespace}" + (f" with {labels}" if labels else "")


def _shown(row: Row) -> str:
    match = [f"sni={','.join(row.sni)}"] if row.sni else []
    match += [f"cidr={','.join(row.cidr)}"] if row.cidr else []
    match += ["http"] if row.http else []
    kind = "default" if row.default else "match"
    target = row.cluster or f"route {row.route}"
    return f"{row.bind}:{row.port} {kind} [{' '.join(match) or 'all'}] -> {target}"


def _claimants(snapshot: Snapshot, port: int) -> Iterator[str]:
    for obj in snapshot.claimants(port):
        if isinstance(obj, Service):
            what = [*(service_protocol(p) for p in obj.ports if p.port == port), *obj.cluster_ips, obj.type]
        else:
            protocols = (entry_protocol(p) for p in obj.ports if p.number == port)
            what = [*protocols, obj.resolution, *obj.hosts, *(obj.addresses or ("no address",))]
        export_to = ",".join(obj.export_to or ("default",))
        yield f"{obj.key}: {' '.join(what)}, exportTo {export_to}, created {obj.meta.created}"


def _of_service(service: Service) -> Iterator[tuple[str, str]]:
    form = "headless" if service.headless else f"{len(service.cluster_ips)} clusterIPs"
    yield "service type", f"{service.type} {form}"
    yield "service ports", str(len(service.ports))
    yield "service exportTo", _export(service.export_to)
    for port in service.ports:
        yield "service protocol", service_protocol(port)


def _of_entry(entry: ServiceEntry) -> Iterator[tuple[str, str]]:
    yield "entry resolution", entry.resolution + (" workloadSelector" if entry.workload_selector is not None else "")
    yield "entry hosts", f"{len(entry.hosts)}{' wildcard' if any('*' in h for h in entry.hosts) else ''}"
    yield "entry ports", str(len(entry.ports))
    yield "entry exportTo", _export(entry.export_to)
    yield "entry addresses", " + ".join(map(_form, entry.addresses)) or "none"
    if entry.auto_addresses:
        yield "entry addresses", "allocated by istiod"
    for port in entry.ports:
        yield "entry protocol", entry_protocol(port)


def _of_sidecar(sidecar: Sidecar) -> Iterator[tuple[str, str]]:
    yield "sidecar policy", sidecar.outbound_policy or "unset"
    yield "sidecar selector", "unset" if sidecar.workload_selector is None else f"{len(sidecar.workload_selector)}"
    for listener in sidecar.egress:
        exact = imports_of(listener.hosts, sidecar.meta.namespace).exact
        port = "any port" if listener.port is None else f"{listener.protocol}{'' if listener.captured else ' NONE'}"
        yield "sidecar egress", f"{port}{' ' * bool(listener.bind)}{listener.bind}"
        yield "sidecar hosts", "all exact" if exact else "wide"
        yield from (("sidecar hosts", "excluding") for host in listener.hosts if host.startswith("~"))


def _export(export_to: tuple[str, ...] | None) -> str:
    if export_to is None:
        return "unset"
    return ",".join(sorted(e if e in ("*", ".", "~") else "name" for e in export_to))


def _form(address: str) -> str:
    ip, slash, bits = address.partition("/")
    if ip == WILDCARD:
        return address
    family = "IPv6" if ":" in ip else "IPv4"
    return f"{family} /{bits}" if slash else family


if __name__ == "__main__":
    sys.exit(main())
