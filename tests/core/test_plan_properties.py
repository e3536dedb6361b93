"""What holds of every plan: the same for the same world, done when it is done, and harmless to everything else."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dnsalias_operator.core.entries.ownership import claims_to_be_ours
from dnsalias_operator.core.istio.listeners import clients_that_matter, owner_of, sees
from dnsalias_operator.core.outcome import Plan, Severity, State, Verb
from dnsalias_operator.core.plan import lint, plan
from dnsalias_operator.core.traffic.catch_all import catches_all
from dnsalias_operator.core.traffic.takeover import DIRECT, Receivers, receivers
from dnsalias_operator.model.kinds import KINDS, Object
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import KIND, Key
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot
from tests.core import plan_worlds
from tests.core.plan_worlds import Raw

profile = settings(
    max_examples=100, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
"""The same examples in every run: what is found stays found, and a run's time stays what it is."""

LATE, LATER = 4_000_000_000, 4_000_000_010


def snapshot(raws: list[Raw]) -> Snapshot:
    """The world of these objects."""
    return Snapshot(KINDS[raw["kind"]].parse(raw) for raw in raws)


def objects(world: Snapshot) -> list[Object]:
    """Every object of a world."""
    return [o for kind in ("Service", "ServiceEntry", KIND) for o in world.find("kind", kind)]


@profile
@given(raws=plan_worlds.worlds(), rules=plan_worlds.rules, data=st.data())
def test_order_of_objects_does_not_matter(raws: list[Raw], rules: Rules, data: st.DataObject) -> None:
    """The same objects in another order give the same changes, decisions and findings."""
    other = snapshot(data.draw(st.permutations(raws)))
    world = snapshot(raws)
    assert plan(world, rules) == plan(other, rules)
    assert lint(world, rules) == lint(other, rules)


@profile
@given(raws=plan_worlds.worlds(), rules=plan_worlds.rules)
def test_applied_plan_leaves_nothing_to_do(raws: list[Raw], rules: Rules) -> None:
    """A world with the plan applied gives an empty plan and the same decisions about every object."""
    decided = plan(snapshot(raws), rules)
    again = plan(decided.after, rules)
    assert again.changes == ()
    assert again.aliases == decided.aliases
    assert again.entries == decided.entries


@profile
@given(raws=plan_worlds.worlds(), rules=plan_worlds.rules)
def test_what_is_not_ours_survives(raws: list[Raw], rules: Rules) -> None:
    """Of other people's entries only the fields that a repair names change, of all other objects none, to the byte."""
    world = snapshot(raws)
    decided = plan(world, rules)
    repaired = {c.key: {f.removeprefix("spec.") for f in c.fields} for c in decided.changes if c.verb is Verb.REPAIR}
    for old in objects(world):
        new = decided.after.get(old.key)
        assert new is not None
        if isinstance(old, ServiceEntry):
            assert not claims_to_be_ours(old)
            assert _rest(new, repaired.get(old.key, set())) == _rest(old, repaired.get(old.key, set()))
        else:
            assert new is old
    for change in decided.changes:
        if change.verb is Verb.REPAIR:
            assert set(change.apply["spec"]) <= {"addresses", "endpoints"}
            assert set(change.apply["metadata"]) <= {"name", "namespace", "uid", "resourceVersion"}


def _rest(obj: Object, fields: set[str]) -> str:
    """An entry's text without those spec fields and without the record of who owns what."""
    spec = {name: value for name, value in obj.raw["spec"].items() if name not in fields}
    meta = {name: value for name, value in obj.raw["metadata"].items() if name != "managedFields"}
    return json.dumps({**obj.raw, "metadata": meta, "spec": spec})


@profile
@given(raws=plan_worlds.worlds(), rules=plan_worlds.rules)
def test_no_service_loses_its_address(raws: list[Raw], rules: Rules) -> None:
    """No connection that reached a Service at its clusterIP ends elsewhere once the plan is applied.

    Asked for clients to which the Service is exported: to the others it is an address like any other.
    """
    world = snapshot(raws)
    assert losses(world, plan(world, rules), rules) == []


@profile
@given(raws=plan_worlds.worlds(), rules=plan_worlds.rules)
def test_no_clusterip_is_written_for_other_clusters(raws: list[Raw], rules: Rules) -> None:
    """Where proxies of other clusters read the entries, no write has a clusterIP, and none that was given stays."""
    single, primary = (rules.model_copy(update={"mesh": Mesh(topology=t)}) for t in ("single", "primary"))
    world = snapshot(raws)
    ips = {ip for service in world.services() for ip in service.cluster_ips}
    by_owner = {e.key: ips.intersection(e.addresses) for e in world.entries()}
    for begun in (world, plan(world, single).after):
        decided = plan(begun, primary)
        sent = [a for c in decided.changes for a in (c.apply.get("spec") or {}).get("addresses", ())]
        assert ips.isdisjoint(sent)
        after = {e.key: ips.intersection(e.addresses) for e in decided.after.entries()}
        assert rules.foreign_entries == "observe" or all(found == by_owner.get(k, set()) for k, found in after.items())


@profile
@given(raws=plan_worlds.worlds(), rules=plan_worlds.rules)
def test_no_new_critical_finding(raws: list[Raw], rules: Rules) -> None:
    """A plan adds no critical finding to a world, whatever it leaves in it."""
    decided = plan(snapshot(raws), rules)
    before, after = aged(snapshot(raws), decided), aged(decided.after, decided)
    assert critical(after, rules) <= critical(before, rules)


@profile
@given(raws=plan_worlds.worlds(), rules=plan_worlds.rules)
def test_no_catch_all_is_called_cured(raws: list[Raw], rules: Rules) -> None:
    """What a plan calls fixed or contained takes no connection that no other listener claims."""
    decided = plan(snapshot(raws), rules)
    cured = [e.key for e in decided.entries if e.state in (State.FIXED, State.CONTAINED)]
    after = [entry for key in cured if (entry := decided.after.entry(key.namespace, key.name))]
    assert {entry.key: catches_all(entry, rules.mesh) for entry in after} == dict.fromkeys(cured, ())


@profile
@given(first=plan_worlds.worlds(), second=plan_worlds.worlds(), rules=plan_worlds.rules)
def test_converged_world_that_drifts_converges_again(first: list[Raw], second: list[Raw], rules: Rules) -> None:
    """After Services and aliases of a converged world were exchanged, one plan is enough again, and does no harm."""
    settled = plan(snapshot(first), rules).after
    new = [o for o in map(_parsed, second) if not isinstance(o, ServiceEntry)]
    world = Snapshot([*map(_stamped, settled.entries()), *new])
    decided = plan(world, rules)
    assert plan(decided.after, rules).changes == ()
    assert plan(Snapshot(reversed(objects(world))), rules) == decided
    assert losses(world, decided, rules) == []


def losses(world: Snapshot, decided: Plan, rules: Rules) -> list[str]:
    """The connections to Services of ``world`` that the plan takes away from them."""
    found = []
    before, after = aged(world, decided), aged(decided.after, decided)
    for service in before.services():
        for ip, port in product(service.cluster_ips, {p.port for p in service.ports}):
            clients = {c for w in (before, after) for c in clients_that_matter(w, rules.mesh, port)}
            for client in (c for c in clients if sees(service, c.namespace, rules.mesh)):
                was, now = (receivers(owner_of(w, client, rules.mesh, ip, port)) for w in (before, after))
                if lost(service, was, now):
                    found.append(f"{service.key} {ip}:{port} from {client.namespace}: {was}, {now}")
    return found


def critical(world: Snapshot, rules: Rules) -> set[tuple[str, Key, int | None]]:
    """The critical findings of a world."""
    return {(f.code, f.key, f.port) for f in lint(world, rules) if f.severity is Severity.CRITICAL}


def aged(world: Snapshot, decided: Plan) -> Snapshot:
    """The world with every unknown age at its worst, but for what the plan creates: that is younger than all."""
    made = {c.key for c in decided.changes if c.verb in (Verb.CREATE, Verb.RECREATE)}
    changed: dict[Key, Object | None] = {}
    for obj in objects(world):
        if isinstance(obj, ServiceEntry) and obj.key in made:
            changed[obj.key] = replace(obj, meta=replace(obj.meta, created=LATER))
        elif isinstance(obj, ServiceEntry) and obj.meta.created is None:
            changed[obj.key] = replace(obj, meta=replace(obj.meta, created=0))
        elif isinstance(obj, Service) and obj.meta.created is None:
            changed[obj.key] = replace(obj, meta=replace(obj.meta, created=LATE))
    return world.with_changes(changed)


def lost(service: Service, was: Receivers, now: Receivers) -> bool:
    """Whether plaintext HTTP or any other bytes reached the Service and do not any more."""
    host = f"{service.meta.name}.{service.meta.namespace}.svc.cluster.local"
    pairs = ((was.http, now.http), (was.other, now.other))
    return any(_reaches(host, old) and not _still_reaches(host, old, new) for old, new in pairs)


def _reaches(host: str, where: str) -> bool:
    """Whether bytes sent there arrive at the Service: own cluster or route, the shared HTTP route, or no listener."""
    return where == DIRECT or where.endswith(f"||{host}") or where.startswith(f"route {host}:") or _shared(where)


def _still_reaches(host: str, was: str, now: str) -> bool:
    # The shared route tells by the Host header: as good as before only where it was not all the Service's already.
    return _reaches(host, now) and (not _shared(now) or not was.endswith(f"||{host}"))


def _shared(where: str) -> bool:
    return where.startswith("route ") and where.removeprefix("route ").isdigit()


def _stamped(entry: ServiceEntry) -> ServiceEntry:
    """The entry with the age that the API server gave it, where a plan has made it."""
    if not claims_to_be_ours(entry):
        return entry
    created = datetime.fromtimestamp(LATER, UTC).isoformat()
    return ServiceEntry.parse({**entry.raw, "metadata": {**entry.raw["metadata"], "creationTimestamp": created}})


def _parsed(raw: Raw) -> Object:
    return KINDS[raw["kind"]].parse(raw)
