"""Scenarios on a real API server: puts the objects there in their order of age, and holds what becomes of them.

Every scenario has its own namespaces, hosts and addresses there (`scenario.load_apart`), so that many run at once.
"""

import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.meta import ObjectMeta
from dnsalias_operator.model.names import KIND, REPAIR_MANAGER, Key
from dnsalias_operator.model.snapshot import Snapshot
from tests.scenarios.scenario import NAMESPACES, Do, Expect, Expected, Raw, Scenario, spec_holds
from tools.controlplane.api import MERGE, Api, ApiError

ROOTS = {
    "Service": ("/api/v1", "services"),
    "ServiceEntry": ("/apis/networking.istio.io/v1", "serviceentries"),
    "Sidecar": ("/apis/networking.istio.io/v1", "sidecars"),
    "DestinationRule": ("/apis/networking.istio.io/v1", "destinationrules"),
    "VirtualService": ("/apis/networking.istio.io/v1", "virtualservices"),
    KIND: ("/apis/dnsalias.io/v1alpha1", "dnsaliases"),
    "Namespace": ("/api/v1", "namespaces"),
}
NAME_LABEL = "kubernetes.io/metadata.name"
WRITTEN = ("ServiceEntry", "VirtualService")
"""What the operator writes."""
A_SECOND = 1.05
"""Time stamps have whole seconds: what is created this much later is younger for certain."""


def path(key: Key) -> str:
    """Where the API server has an object; of a key without a name, its collection."""
    root, plural = ROOTS[key.kind]
    inside = f"/namespaces/{key.namespace}" if key.namespace else ""
    return f"{root}{inside}/{plural}" + (f"/{key.name}" if key.name else "")


def key_of(raw: Raw) -> Key:
    """Identity of an object."""
    meta = raw["metadata"]
    return Key(raw["kind"], meta.get("namespace", ""), meta["name"])


def waves(objects: Iterable[Raw]) -> Iterator[list[Raw]]:
    """Objects in their order, in as few groups as age allows: in one, all are of one kind and no host is twice."""
    wave: list[Raw] = []
    for raw in objects:
        hosts = [o["spec"].get("host") for o in wave if o["kind"] == KIND]
        if wave and (raw["kind"] != wave[0]["kind"] or (raw["kind"] == KIND and raw["spec"]["host"] in hosts)):
            yield wave
            wave = []
        wave.append(raw)
    if wave:
        yield wave


class Cluster:
    """The API server as those see it who make the world of the scenarios."""

    def __init__(self, api: Api) -> None:
        """Speak to the server as ``api`` does."""
        self.api = api

    def get(self, key: Key) -> Raw | None:
        """An object, or None."""
        try:
            return dict(self.api.get(path(key)))
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def everything(self) -> list[Raw]:
        """Every object that the core reads."""
        return [
            {"apiVersion": f"{root.removeprefix('/apis/').removeprefix('/api/')}", "kind": kind, **item}
            for kind, (root, plural) in ROOTS.items()
            for item in self.api.get(f"{root}/{plural}")["items"]
        ]

    def create(self, raw: Raw) -> Raw:
        """Create an object; what a scenario leaves out of an ownerReference is filled in, its status is set."""
        meta = dict(raw["metadata"])
        key = key_of(raw)
        if "ownerReferences" in meta:
            meta["ownerReferences"] = [self._owner(o, key.namespace) for o in meta["ownerReferences"]]
        if key.kind == "Namespace" and self.get(key):
            return dict(self.api.request("PATCH", path(key), {"metadata": meta}, MERGE))
        collection = f"{path(key._replace(name=''))}?fieldManager=dns-controller"
        made = self.api.create(collection, {**raw, "metadata": meta})
        if "status" in raw:
            made = self.api.request("PATCH", f"{path(key)}/status", {"status": raw["status"]}, MERGE)
        return dict(made)

    def do(self, done: Do) -> Raw:
        """Carry out one `do` of a step; the object as it is right after it, or was when it was deleted."""
        if done.create is not None:
            return self.create(done.create)
        if done.delete is not None:
            was = self.get(done.delete)
            assert was is not None, f"{done.delete} does not exist"
            self.api.delete(path(done.delete))
            return was
        assert done.patch is not None
        return dict(self.api.request("PATCH", f"{path(done.patch)}?fieldManager=editor", done.merge, MERGE))

    def load(self, scenarios: Iterable[Scenario]) -> None:
        """Create namespaces and objects, a second between what must not be of one age."""
        listed = list(scenarios)
        for name in sorted({n for s in listed for n in namespaces(s)}):
            if self.get(Key("Namespace", "", name)) is None:
                self.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        pending = [list(waves(s.objects)) for s in listed]
        while any(pending):
            for left in pending:
                for raw in left.pop(0) if left else ():
                    self.create(raw)
            time.sleep(A_SECOND)

    def clear(self) -> None:
        """Delete every object of the scenarios, and what they wrote into their namespaces."""
        kinds = (KIND, "ServiceEntry", "Service", "Sidecar", "DestinationRule", "VirtualService")
        there = self.everything()
        left = [key_of(o) for o in there if o["kind"] in kinds and key_of(o).name != "kubernetes"]
        for key in sorted(left, key=lambda k: kinds.index(k.kind)):
            try:
                self.api.delete(path(key))
            except ApiError as error:  # the garbage collector was quicker
                if error.status != 404:
                    raise
        for key, meta in [(key_of(o), o["metadata"]) for o in there if o["kind"] == "Namespace"]:
            given = [name for name in meta.get("labels", {}) if name != NAME_LABEL]
            if given and is_of_scenario(key.name):
                self.api.request("PATCH", path(key), {"metadata": {"labels": dict.fromkeys(given)}}, MERGE)

    def _owner(self, reference: Raw, namespace: str) -> Raw:
        owner = self.get(Key(reference["kind"], namespace, reference["name"]))
        assert owner is not None
        return {"uid": owner["metadata"]["uid"], **reference}


_OF_SCENARIO = rf"s\d{{2,}}-(?:{'|'.join(NAMESPACES)})"


def is_of_scenario(namespace: str) -> bool:
    """Whether a namespace is one that `scenario.load_apart` makes of a scenario's."""
    return re.fullmatch(_OF_SCENARIO, namespace) is not None


def namespaces(scenario: Scenario) -> set[str]:
    """The namespaces of a scenario's objects, also of those that come later, and those it names."""
    words = re.findall(rf"\b{_OF_SCENARIO}\b", scenario.model_dump_json())
    return {*words, *(raw["metadata"].get("namespace", "") for raw in scenario.objects)} - {""}


def snapshot(objects: Iterable[Raw]) -> Snapshot:
    """The core's view of them."""
    return Snapshot((KINDS[raw["kind"]].parse(raw) for raw in objects), namespaces_known=True)


@dataclass
class Watched:
    """One scenario in a cluster: ``before`` are the entries and VirtualServices there when a phase began."""

    name: str
    scenario: Scenario
    before: dict[Key, Raw] = field(default_factory=dict)

    @cached_property
    def namespaces(self) -> set[str]:
        """Those that are the scenario's alone."""
        return namespaces(self.scenario)

    def begin(self, objects: Iterable[Raw]) -> None:
        """Remember the entries that the operator is about to see."""
        self.before = self._entries(objects)

    def did(self, done: Do, result: Raw) -> None:
        """Note what a step did to entries: as they are right after it is how the operator finds them."""
        if done.delete is not None:
            uid = result["metadata"]["uid"]
            self.before.pop(done.delete, None)
            self.before = {key: raw for key, raw in self.before.items() if _owners(raw) != {uid}}
        elif result["kind"] in WRITTEN:
            self.before[key_of(result)] = result

    def faults(self, objects: Iterable[Raw], unfixed: dict[str, str], expect: Expect) -> list[str]:
        """What is not (yet) as expected. ``unfixed`` is the operator's metric: reason by namespace/name."""
        listed = list(objects)
        return [
            *self._entry_faults(self._entries(listed), expect),
            *self._state_faults(unfixed, expect),
            *self._condition_faults(listed, expect),
        ]

    def _entries(self, objects: Iterable[Raw]) -> dict[Key, Raw]:
        mine = self.namespaces
        return {key_of(o): o for o in objects if o["kind"] in WRITTEN and o["metadata"]["namespace"] in mine}

    def _entry_faults(self, now: dict[Key, Raw], expect: Expect) -> Iterator[str]:
        """Entries are what the changes made of them, and those without a change are as they were."""
        changed = {c.object: c for c in expect.changes}  # of a deletion and a creation the latter
        gone = {key for key, c in changed.items() if c.verb == "delete"}
        if set(now) != {*self.before, *changed} - gone:
            yield f"entries are {sorted(map(str, now))}"
        for key, raw in now.items():
            change, old = changed.get(key), self.before.get(key)
            if change is None:
                if old is not None and raw["spec"] != old["spec"]:
                    yield f"{key} was changed: {raw['spec']}"
                continue
            same = old is not None and old["metadata"]["uid"] == raw["metadata"]["uid"]
            if same != (change.verb in ("repair", "update", "replace")):
                yield f"{key} is {'still' if same else 'not'} the object it was, after {change.verb}"
            elif change.verb == "repair" and old is not None:
                yield from self._repair_faults(raw, old, change)
            elif not spec_holds(change, raw["spec"], self.scenario.rules):
                yield f"{key}: {raw['spec']} instead of {change.spec}"

    def _repair_faults(self, raw: Raw, old: Raw, change: Expected) -> Iterator[str]:
        """The named fields are as sent and ours, those we gave up are gone, everything else is as it was."""
        wanted = change.spec or {}
        sent = {name: value for name, value in raw["spec"].items() if name in wanted}
        rest = {name: value for name, value in raw["spec"].items() if name not in wanted}
        given_up = patched(old) - set(wanted)
        theirs = {n: value for n, value in old["spec"].items() if n not in wanted and n not in given_up}
        if not spec_holds(change, sent, self.scenario.rules):
            yield f"{change.object}: {sent} instead of {wanted}"
        if rest != theirs:
            yield f"{change.object}: other fields are {rest} instead of {theirs}"
        if patched(raw) != set(wanted):
            yield f"{change.object}: ours are {sorted(patched(raw))} instead of {sorted(wanted)}"

    def _state_faults(self, unfixed: dict[str, str], expect: Expect) -> Iterator[str]:
        if expect.entries is None:
            return
        mine = {key: reason for key, reason in unfixed.items() if key.partition("/")[0] in self.namespaces}
        wanted = {key: state.split()[1] for key, state in expect.entries.items() if state != "fixed"}
        if mine != wanted:
            yield f"the metric tells of {mine} instead of {wanted}"

    def _condition_faults(self, objects: list[Raw], expect: Expect) -> Iterator[str]:
        mine = self.namespaces
        for alias, wanted in (expect.conditions or {}).items():
            found = next((o for o in objects if o["kind"] == KIND and str(key_of(o)) == f"{KIND} {alias}"), None)
            if found is None or alias.partition("/")[0] not in mine:
                yield f"{alias} does not exist"
                continue
            told = {c["type"]: c for c in found.get("status", {}).get("conditions", [])}
            have = {t: _condition(told.get(t, {})) for t in wanted}
            if have != wanted:
                yield f"{alias}: {have} instead of {wanted}"
            if found.get("status", {}).get("observedGeneration") != found["metadata"]["generation"]:
                yield f"{alias}: the status is of an older generation"


def _owners(raw: Raw) -> set[str]:
    return {owner["uid"] for owner in raw["metadata"].get("ownerReferences", [])}


def _condition(told: dict[str, Any]) -> str:
    return "True" if told.get("status") == "True" else f"{told.get('status')}/{told.get('reason')}"


def patched(raw: Raw) -> set[str]:
    """The fields of ``spec`` that the repair manager owns."""
    managed = ObjectMeta.parse(raw).managed if raw else ()
    ours = [m for m in managed if m.manager == REPAIR_MANAGER and m.operation == "Apply"]
    return {name for name in ("addresses", "endpoints") for m in ours if m.owns("spec", name)}
