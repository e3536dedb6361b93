"""How well the model of ambient mode agrees with what a real istiod told, and what pods of real ztunnels got.

    python -m tests.core.ambient_agreement FILE.json... [--base FILE] [--release 1.31]

Takes every kind of recording in tests/core/data/ambient. A list is of calls: of each ``what`` was tried, ``result`` and
the ``access`` log of ztunnel; tests/core/ambient_scenes.py has what stood in the cluster then, by ``what``. An object
is of records, as istiod told them of its ``objects``:

- ``wds`` as a list has all of them; as an object with ``services`` and ``workloads`` too, by an API server;
- ``services`` and ``workloads_with_it`` are those that the objects brought about beside those of --base (00-base.json
  in the file's directory, unless it is given), and ``entry_status`` the status that each entry has got.

Objects without creationTimestamp are as old as their place says, or all of one second, if that explains more: istiod
then takes the one or the other, by chance. Agreement is the share of records, or of calls, that
are predicted in all that was recorded of them, and no other.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from dnsalias_operator.core.istio.ambient import Pod, Records, Waypoint, records_of
from dnsalias_operator.model.kinds import kind_of
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.release import MEASURED
from dnsalias_operator.model.snapshot import Snapshot
from tests.core.ambient_calls import held
from tests.core.ambient_forms import Form, of_service, of_workload

BASE = "00-base.json"
FIRST_CREATED = 1_700_000_000
OF_THE_API_SERVER = ("default", "kubernetes")
"""The Service that every API server has, with ports of its own."""


@dataclass
class Agreement:
    """``compared`` counts records or calls; ``differences`` says what is wrong with those that are not as predicted."""

    compared: int = 0
    differences: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Agreeing ones of all, 1.0 where there is none."""
        wrong = len(self.differences) + len(self.unknown)
        return 1 - wrong / self.compared if self.compared else 1.0

    def hold(self, recorded: Mapping[str, Form], predicted: Mapping[str, Form]) -> None:
        """Compare records by name."""
        for name in sorted({*recorded, *predicted}):
            self.compared += 1
            if _in_order(recorded.get(name)) != _in_order(predicted.get(name)):
                self.differences.append(f"{name}: recorded {recorded.get(name)}, predicted {predicted.get(name)}")


def compare(path: Path, mesh: Mesh, base: Path | None = None) -> Agreement:
    """Hold the model against one file.

    Raises:
        ValueError: it is no recording of these kinds.
    """
    try:
        found = json.loads(path.read_text())
        if isinstance(found, list):
            return _calls(found, mesh)
        if "wds" in found:
            return min((_whole(turned, mesh) for turned in _orders(found)), key=lambda a: len(a.differences))
        beside = json.loads((base or path.parent / BASE).read_text())
        return min((_beside(turned, beside, mesh) for turned in _orders(found)), key=lambda a: len(a.differences))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a recording of ambient mode: {error!r}") from error


def predicted(objects: Iterable[Form], mesh: Mesh, *, api_server: bool) -> Records:
    """The records of these objects, as applied one after the other to an API server or to a fake of it."""
    made = [_as_stored(raw, place, api_server=api_server) for place, raw in enumerate(objects)]
    typed = [(kind_of(_group(raw), raw["kind"]), raw) for raw in made]
    world = Snapshot((kind.parse(raw) for kind, raw in typed if kind), namespaces_known=True)
    pods = [Pod.parse(raw) for raw in made if raw["kind"] == "Pod"]
    gateways = [Waypoint.parse(r) for r in made if r["kind"] == "Gateway" and _group(r) == "gateway.networking.k8s.io"]
    return records_of(world, mesh, pods, {(w.namespace, w.name): w for w in gateways})


def _orders(found: Form) -> Iterator[Form]:
    """The recording, its objects with the status that they have got; and with them the other way round.

    ``entry_status`` is by name, or as long as the objects or as the entries. What the API server refused is left out.
    """
    refused = json.dumps(found.get("refused_by_api") or [])
    objects = [o for o in found["objects"] if f'"{o["metadata"]["name"]}"' not in refused]
    statuses = found.get("entry_status") or {}
    if not isinstance(statuses, Mapping):
        entries = [o for o in objects if o["kind"] == "ServiceEntry"]
        listed = objects if len(statuses) == len(objects) else entries
        statuses = {_place(o): status for o, status in zip(listed, statuses, strict=False)}
    with_status = [{**o, "status": s} if (s := statuses.get(_place(o))) else o for o in objects]
    yield {**found, "objects": with_status}
    yield {**found, "objects": with_status[::-1]}


def _place(raw: Form) -> str:
    return f"{raw['metadata'].get('namespace', '')}/{raw['metadata']['name']}"


def compare_whole(objects: Iterable[Form], records: Iterable[Form], mesh: Mesh) -> Agreement:
    """Hold the model against every record of a world."""
    return _whole({"objects": [*objects], "wds": [*records]}, mesh)


def _whole(found: Form, mesh: Mesh) -> Agreement:
    """Every record is recorded."""
    wds = found["wds"]
    api_server = isinstance(wds, Mapping)
    services = wds["services"] if api_server else [r["service"] for r in wds if "service" in r]
    workloads = wds["workloads"] if api_server else [r["workload"] for r in wds if "workload" in r]
    made = predicted(found["objects"], mesh, api_server=api_server)
    result = Agreement()
    recorded = [s for s in services if (s["namespace"], s["name"]) != OF_THE_API_SERVER]
    result.hold({_named(s): s for s in recorded}, {s.full_name: of_service(s) for s in made.services})
    result.hold({w["uid"]: w for w in workloads}, {w.uid: of_workload(w) for w in made.workloads})
    return result


def _beside(found: Form, base: Form, mesh: Mesh) -> Agreement:
    """The services of the objects' hosts are recorded, and of workloads what has to do with them."""
    recorded_services = found["services"] or ()
    entries = [o for o in found["objects"] if o["kind"] == "ServiceEntry"]
    made = predicted([*base["objects"], *found["objects"]], mesh, api_server=True)
    hosts = {s["hostname"] for s in recorded_services} | {h for e in entries for h in e["spec"].get("hosts", ())}
    services = [s for s in made.services if s.hostname in hosts]
    names = {s.full_name for s in services} | {_named(s) for s in recorded_services}
    result = Agreement()
    result.hold({_named(s): s for s in recorded_services}, {s.full_name: of_service(s) for s in services})
    recorded = {w["uid"]: w for w in found["workloads_with_it"] or ()}
    fields = {name for w in recorded.values() for name in w} | {"uid", "services"}
    having = [w for w in map(of_workload, made.workloads) if names & w.get("services", {}).keys()]
    result.hold(recorded, {w["uid"]: _narrowed(w, fields, names) for w in having})
    return result


def _calls(found: list[Form], mesh: Mesh) -> Agreement:
    """Those that could not be measured do not count."""
    calls = [call for call in found if not call["what"].endswith("could not be measured")]
    result = Agreement(compared=len(calls))
    for call in calls:
        problem = held(call, mesh)
        if problem is None:
            result.unknown.append(f"{call['what']}: no scene says what stood in the cluster")
        elif problem:
            result.differences.append(f"{call['what']}: {problem}")
    return result


def _narrowed(form: Form, fields: set[str], names: set[str]) -> Form:
    kept = {name: value for name, value in form.items() if name in fields}
    return {**kept, "services": {name: ports for name, ports in form["services"].items() if name in names}}


def _as_stored(raw: Form, place: int, *, api_server: bool) -> Form:
    """What an object has once it is applied: its age, of a pod its address, of a Service its families."""
    made: Form = json.loads(json.dumps(raw))
    born = datetime.fromtimestamp(FIRST_CREATED + place, UTC).isoformat()
    made["metadata"].setdefault("creationTimestamp", born)
    if "ip" in made:
        ready = [{"type": "Ready", "status": "True"}]
        made["status"] = {"podIPs": [{"ip": made.pop("ip")}], "phase": "Running", "conditions": ready}
    if api_server and made["kind"] == "Service" and (ip := made["spec"].get("clusterIP")):
        made["spec"].setdefault("ipFamilies", ["IPv6" if ":" in ip else "IPv4"])
    return made


def _group(raw: Form) -> str:
    return str(raw["apiVersion"]).rpartition("/")[0]


def _named(service: Form) -> str:
    return f"{service['namespace']}/{service['hostname']}"


def _in_order(form: Form | None) -> str:
    return json.dumps(form, sort_keys=True)


def lines_of(path: Path, result: Agreement, what: str = "") -> Iterator[str]:
    """What the program prints for one file."""
    agreeing = result.compared - len(result.differences) - len(result.unknown)
    yield f"{path.name}: agreement {result.share:.2%}: {agreeing} of {result.compared}{what}"
    yield from (f"  {line}" for line in (*result.differences, *result.unknown))


def main(arguments: list[str] | None = None) -> int:
    """Print a line for each file and what disagrees; 2 where one cannot be read, 1 where one disagrees."""
    parser = argparse.ArgumentParser(prog="python -m tests.core.ambient_agreement", description=__doc__)
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE")
    parser.add_argument("--base", type=Path, help="what stood in the cluster before")
    parser.add_argument("--release", default=MEASURED, help=f"release of Istio (default {MEASURED})")
    options = parser.parse_args(arguments)
    mesh, worst = Mesh(istio_version=options.release), 0
    for path in options.files:
        try:
            result = compare(path, mesh, options.base)
        except (OSError, ValueError) as error:
            sys.stderr.write(f"{path}: {error}\n")
            worst = 2
            continue
        worst = max(worst, int(result.share < 1))
        sys.stdout.write("".join(f"{line}\n" for line in lines_of(path, result)))
    return worst


if __name__ == "__main__":
    sys.exit(main())
