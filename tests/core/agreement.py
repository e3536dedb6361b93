"""How well the listener model agrees with recordings of a real istiod and Envoy.

    python -m tests.core.agreement FILE.json.gz... [--show N]

A recording is gzipped JSON: `seed`, `from` (the client's namespace), `objects` (as the API server returned them),
`rejected`, `errors`, and `listeners`: rows of bind, port, default, sni, cidr, http, cluster, route. `clients`, where
there are any, are more pods of the same world, each with `from`, `labels` and `listeners`. `how` says how it was made.
A file named RELEASE-VARIANT-SEED is of that release of Istio, else one that `how` names, else of the one that is the
model's default; the variant dnscapture is of sidecars with DNS capture.

Agreement is the share of ports, of all that are recorded or predicted for a client, whose full rows are equal whatever
their order. A port is by chance where they are not, and equal what the model predicts if services that istiod promises
no order for come the other way round.
"""

import argparse
import gzip
import json
import os
import re
import sys
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

from dnsalias_operator.core.istio.listeners import Client, Row, by_chance, outbound
from dnsalias_operator.core.istio.protocols import entry_protocol, service_protocol
from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.meta import Raw
from dnsalias_operator.model.release import MEASURED
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.snapshot import Snapshot
from tests.core.features import features
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
    release: str = MEASURED
    dns_capture: bool = False

    def snapshot(self) -> Snapshot:
        """The objects as the model reads them; kinds it does not know are left out."""
        return Snapshot(KINDS[o["kind"]].parse(o) for o in self.objects if o["kind"] in KINDS)


@dataclass(frozen=True, slots=True)
class Agreement:
    """Recorded and predicted rows by port, over the ports of either, and those ``by_chance``."""

    recorded: Mapping[Port, Rows]
    predicted: Mapping[Port, Rows]
    by_chance: frozenset[Port] = frozenset()

    @property
    def ports(self) -> list[Port]:
        """Every port that is recorded or predicted."""
        return sorted({*self.recorded, *self.predicted})

    @property
    def disagreements(self) -> list[Port]:
        """The ports whose rows differ, and not by chance."""
        return [p for p in self.ports if self.recorded.get(p) != self.predicted.get(p) and p not in self.by_chance]

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
        release, variant = _named_as(path.name, data.get("how", ""))
        return Recording(
            seed=data["seed"],
            objects=tuple(data["objects"]),
            views=tuple(View.of(raw) for raw in (data, *data.get("clients", ()))),
            release=release,
            dns_capture=variant == "dnscapture",
        )
    except (EOFError, KeyError, TypeError, zlib.error) as error:
        raise ValueError(f"not a recording of listeners: {error!r}") from error


def mesh_of(recording: Recording, **given: Any) -> Mesh:  # noqa: ANN401 (fields of Mesh)
    """What the recorded mesh was told, where the recording says so, and what is given."""
    known = {"istio_version": recording.release, "dns_capture": recording.dns_capture}
    return Mesh(**{**known, **{name: value for name, value in given.items() if value}})


def compare(recording: Recording, mesh: Mesh) -> Agreement:
    """Hold the model's rows for the recording's objects and clients against the recorded ones."""
    snapshot = recording.snapshot()
    recorded: dict[Port, Rows] = {}
    predicted: dict[Port, Rows] = {}
    for number, view in enumerate(recording.views):
        recorded |= _by_port(number, view.rows)
        listeners = outbound(snapshot, view.client, mesh)
        predicted |= _by_port(number, (row for listener in listeners for row in listener.every_row))
    turned: set[Port] = set()
    for port in Agreement(recorded, predicted).disagreements:
        others = by_chance(snapshot, recording.views[port.view].client, mesh, port.number)
        rows = (Counter(row for listener in other for row in listener.every_row) for other in others)
        turned |= {port} if recorded.get(port, Counter()) in rows else set()
    return Agreement(recorded, predicted, frozenset(turned))


def report(recording: Recording, mesh: Mesh, show: int, result: Agreement | None = None) -> Iterator[str]:
    """The lines the command prints for one file."""
    result = result or compare(recording, mesh)
    clients = ", ".join(_named(view.client) for view in recording.views)
    yield f"seed {recording.seed}, client in {clients}; {mesh.assumptions()}"
    yield _score(result)
    empty = Agreement(result.recorded, {})
    yield f"an empty model would score {empty.share:.2%}"
    yield "features of the world:"
    for (group, name), count in sorted(features(recording.snapshot(), recording.objects, mesh).items()):
        yield f"  {group:<18} {name:<28} {count:>6}"
    yield from differences(recording, result, mesh, show)


def differences(recording: Recording, result: Agreement, mesh: Mesh, show: int) -> Iterator[str]:
    """The rows of ports that disagree, with the objects that claim each."""
    wrong = result.disagreements
    for port in wrong[:show]:
        yield f"port {port.number}, from {_named(recording.views[port.view].client)}:"
        recorded, predicted = result.recorded.get(port, Counter()), result.predicted.get(port, Counter())
        for mark, rows in (("  both     ", recorded & predicted), ("- recorded ", recorded - predicted)):
            yield from (f"  {mark} {_shown(row)}" for row in rows.elements())
        yield from (f"  + predicted {_shown(row)}" for row in (predicted - recorded).elements())
        yield from (f"    {line}" for line in _claimants(recording.snapshot(), port.number, mesh))
    if len(wrong) > show:
        yield f"{len(wrong) - show} more ports disagree; --show {len(wrong)} prints them"


def main(arguments: list[str] | None = None) -> int:
    """Print the report of one file, or a line for each; 2 where one cannot be read, 1 where one disagrees."""
    parser = argparse.ArgumentParser(prog="python -m tests.core.agreement", description=__doc__)
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE")
    parser.add_argument("--show", type=int, default=5, metavar="N", help="disagreeing ports to print (default 5)")
    parser.add_argument("--dns-capture", action="store_true", help="the client's sidecar has DNS capture on")
    parser.add_argument("--registry-only", action="store_true", help="outboundTrafficPolicy is REGISTRY_ONLY")
    parser.add_argument("--dual-stack", action="store_true", help="the client has an IPv6 address too")
    parser.add_argument("--istio-dual-stack", action="store_true", help="istiod runs with ISTIO_DUAL_STACK")
    options = parser.parse_args(arguments)
    given = {
        "dual_stack": options.dual_stack,
        "istio_dual_stack": options.istio_dual_stack,
        "dns_capture": options.dns_capture,
        "outbound_traffic_policy": "REGISTRY_ONLY" if options.registry_only else None,
    }
    worst = 0
    try:
        for path in options.files:
            try:
                recording = load(path)
            except (OSError, ValueError) as error:
                sys.stderr.write(f"{path}: {error}\n")
                worst = 2
                continue
            mesh = mesh_of(recording, **given)
            result = compare(recording, mesh)
            worst = max(worst, int(bool(result.disagreements)))
            if len(options.files) == 1:
                lines = report(recording, mesh, options.show, result)
            else:
                lines = iter((f"{path.name}: {_score(result)}", *differences(recording, result, mesh, options.show)))
            sys.stdout.write("".join(f"{line}\n" for line in lines))
            sys.stdout.flush()
    except BrokenPipeError:
        # The reader (head, a pager) has seen enough; a closed stdout must not fail again when Python exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return worst


def _named_as(name: str, how: str) -> tuple[str, str]:
    """Release and variant of a recording, from its file's name or from how it was made."""
    named = re.match(r"(1\.\d+(?:\.\d+)?(?:-rc\.\d+)?)-([a-z]+)", name)
    told = re.search(r"\b1\.\d+(?:\.[-\w.]*\w)?", how)
    release = named[1] if named else told[0] if told else MEASURED
    return release, named[2] if named else ""


def _score(result: Agreement) -> str:
    total, wrong, chance = len(result.ports), len(result.disagreements), len(result.by_chance)
    told = f", {chance} of them by chance" if chance else ""
    return f"agreement {result.share:.2%}: {total - wrong} of {total} ports{told}"


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


def _claimants(snapshot: Snapshot, port: int, mesh: Mesh) -> Iterator[str]:
    for obj in snapshot.claimants(port):
        if isinstance(obj, Service):
            what = [*(service_protocol(p, mesh) for p in obj.ports if p.port == port), *obj.cluster_ips, obj.type]
        else:
            protocols = (entry_protocol(p) for p in obj.ports if p.number == port)
            what = [*protocols, obj.resolution, *obj.hosts, *(obj.addresses or ("no address",))]
        export_to = ",".join(obj.export_to or ("default",))
        yield f"{obj.key}: {' '.join(what)}, exportTo {export_to}, created {obj.meta.created}"


if __name__ == "__main__":
    sys.exit(main())
