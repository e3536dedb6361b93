"""Objects of any shape, through everything that reads them: no exception, no broken line, nothing without a bound."""

import io
import json
import logging
import re
from typing import Any

import jsonschema
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dnsalias_operator.core.aliases.conditions import desired_status
from dnsalias_operator.core.istio.listeners import Client, outbound
from dnsalias_operator.core.plan import lint, plan
from dnsalias_operator.core.triggers import affected
from dnsalias_operator.model.crd import crd
from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.meta import ObjectMeta
from dnsalias_operator.model.names import KIND
from dnsalias_operator.model.snapshot import LiveSnapshot, Snapshot
from dnsalias_operator.model.status import LONGEST_MESSAGE
from dnsalias_operator.shell.decided import Decisions
from dnsalias_operator.shell.reporting.logs import ConsoleFormatter, JsonFormatter
from dnsalias_operator.shell.reporting.metrics import Metrics
from dnsalias_operator.shell.watching.store import Store
from tests.policy.mutations import Raw, anything, hostile_worlds, objects, texts
from tools import make

profile = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
RULES = make.rules(host_rules=[{"suffixes": ["db.hello"], "namespaces": ["abc"], "export_to": ["."]}])
STATUS = crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]
LONGEST_LABEL = 253
"""What a label of a metric may have: a name of Kubernetes."""


def snapshot(raws: list[Raw]) -> Snapshot:
    """Their world, the last of one key counting."""
    return Snapshot((KINDS[raw["kind"]].parse(raw) for raw in raws), namespaces_known=True)


@profile
@given(kind=st.sampled_from(list(KINDS)), raw=st.dictionaries(texts, anything), meta=anything, spec=anything)
def test_parsers_take_anything(kind: str, raw: dict[str, Any], meta: object, spec: object) -> None:
    """Every typed view reads any mapping, and what it cannot read counts as absent."""
    for one in (raw, {**raw, "metadata": meta}, {**raw, "metadata": meta, "spec": spec, "status": spec}):
        assert KINDS[kind].parse(one).key.kind == kind
        assert isinstance(ObjectMeta.parse(one), ObjectMeta)


@profile
@given(raws=hostile_worlds)
def test_the_core_decides_any_world(raws: list[Raw]) -> None:
    """Plan, lint, listeners and triggers give an answer for any world, and what is planned can be read again."""
    world = snapshot(raws)
    decided = plan(world, RULES)
    plan(decided.after, RULES)
    lint(world, RULES)
    outbound(world, Client("abc"), RULES.mesh)
    for obj in world.objects():
        affected(world, None, obj, RULES)
    for change in decided.changes:
        KINDS[change.key.kind].parse(change.after or {})


@profile
@given(raws=hostile_worlds)
def test_a_status_fits_its_schema(raws: list[Raw]) -> None:
    """Whatever a message is made from, the status that is written is one that the CRD lets pass."""
    world = snapshot(raws)
    for decision in plan(world, RULES).aliases:
        alias = world.alias(decision.key.namespace, decision.key.name)
        assert alias is not None
        status = desired_status(decision, alias, "2026-01-01T00:00:00Z")
        if status is not None:
            jsonschema.validate(status, STATUS)


@profile
@given(raws=st.lists(objects(), min_size=1, max_size=8), data=st.data())
def test_the_store_takes_any_event(raws: list[Raw], data: st.DataObject) -> None:
    """Events, lists and answers of any shape go into the store, and out again."""
    store = Store(list(KINDS))
    for raw in raws:
        store.observe(raw["kind"], raw, deleted=data.draw(st.booleans()))
        store.put(raw["kind"], raw)
    for kind in KINDS:
        store.sweep(kind, set(), "5")
    plan(LiveSnapshot(store.world.objects()), RULES)


@profile
@given(raws=hostile_worlds)
def test_metrics_have_bounded_labels(raws: list[Raw]) -> None:
    """No value of an object becomes a label but names of Kubernetes, so no series grows with what people write."""
    world = snapshot(raws)
    decided = plan(world, RULES)
    found: dict[Any, Any] = {}
    for finding in lint(world, RULES):
        found[finding.key] = (*found.get(finding.key, ()), finding)
    decisions = Decisions({a.key: a for a in decided.aliases}, {e.key: e for e in decided.entries}, found)
    exposed = Metrics(decisions).exposition().decode()
    keys = {part for obj in world.objects() for part in (obj.key.namespace, obj.key.name)}
    for line in exposed.split("\n"):
        for name, value in re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', line):
            assert len(value) <= LONGEST_LABEL, line
            if name in ("namespace", "name"):
                assert value in keys
            elif line.startswith(("dnsalias_unfixed", "dnsalias_aliases", "dnsalias_findings")):
                assert re.fullmatch(r"[A-Za-z0-9]+", value), line


@profile
@given(message=texts, value=anything, field=st.sampled_from(("object", "reason", "error")))
def test_a_log_line_is_one_line(message: str, value: object, field: str) -> None:
    """Whatever is logged, each form gives one line to every reader, and JSON gives it back."""
    record = logging.LogRecord("x", logging.INFO, "x.py", 1, message.replace("%", "%%"), (), None)
    record.fields = {field: value, "list": [value]}
    for formatter in (JsonFormatter(), ConsoleFormatter()):
        line = formatter.format(record)
        assert len(line.splitlines()) == 1
        assert line.isprintable()
        io.TextIOWrapper(io.BytesIO(), encoding="utf-8").write(line)
    assert json.loads(JsonFormatter().format(record))["message"] == record.getMessage()


def test_what_is_endless_is_cut() -> None:
    """A message made from thousands of hosts fits the status, and a log line of it stays readable."""
    hosts = [f"{n}.{'a' * 60}.hello" for n in range(4096)]
    # It has a uid, so an API server has it: older CRDs of Istio take entries of any length.
    entry = make.entry("api", *hosts, ports=[], namespace="abc", meta={"uid": "of-old"})
    service = make.service("api", ports=[make.port(80, "http")], ip="10.96.0.1", namespace="abc")
    alias = make.alias("api", "new.hello", "api", namespace="abc")
    world = snapshot([service, entry, alias])
    (decision,) = plan(world, RULES).aliases
    assert len(decision.conditions[0].message) > LONGEST_MESSAGE
    found = world.alias("abc", "api")
    assert found is not None
    jsonschema.validate(desired_status(decision, found, "2026-01-01T00:00:00Z"), STATUS)
    record = logging.LogRecord("x", logging.INFO, "x.py", 1, decision.conditions[0].message, (), None)
    assert all(len(form.format(record)) < 10_000 for form in (JsonFormatter(), ConsoleFormatter()))


def test_the_world_is_hostile_enough() -> None:
    """Among the objects there are aliases that cannot be read and entries that decisions are made about."""
    seen: set[str] = set()

    @settings(profile, max_examples=300)
    @given(raws=hostile_worlds)
    def look(raws: list[Raw]) -> None:
        world = snapshot(raws)
        decided = plan(world, RULES)
        seen.update("unreadable" for alias in world.aliases() if alias.spec is None)
        seen.update(c.verb.value for c in decided.changes)
        seen.update(f"{e.state}" for e in decided.entries if e.state)
        seen.update(obj.key.kind for obj in world.objects())

    look()
    # What hypothesis draws depends on the modules that are loaded: only what is common is asked for.
    assert {"unreadable", "unfixed", KIND, "Service", "ServiceEntry", "Sidecar", "Namespace"} - seen == set()
    assert seen & {"create", "repair", "update"}
