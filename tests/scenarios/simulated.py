"""A cluster in memory for the core's runs: what an API server and its controllers would do to the objects of a file.

It stamps uids and ages, fills clusterIPs, collects garbage, and keeps the part of managedFields that the operator
reads. The same scenarios run on a real API server (test_operator.py), which tells whether this is right.
"""

import copy
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from dnsalias_operator.core.outcome import Change, Verb
from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.meta import mappings
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.snapshot import Snapshot
from tests.scenarios.scenario import Do, Raw, Scenario

START = 1_767_225_600
TICK = 10
"""Seconds between two creations: far more than the resolution of a timestamp."""


class Cluster:
    """Objects by key; ``now`` is its clock in seconds since the epoch."""

    def __init__(self, scenario: Scenario) -> None:
        """Create the scenario's objects one after another."""
        self.objects: dict[Key, Raw] = {}
        self.now = START
        self._created = 0
        for raw in scenario.objects:
            self.create(raw)

    def snapshot(self) -> Snapshot:
        """The world as the operator's store would have it."""
        return Snapshot((KINDS[raw["kind"]].parse(raw) for raw in self.dump()), namespaces_known=True)

    def dump(self) -> list[Raw]:
        """Every object, as `kubectl get -o yaml` prints it."""
        return [copy.deepcopy(raw) for raw in self.objects.values()]

    def create(self, raw: Mapping[str, Any], manager: str = "somebody") -> None:
        """Store a new object with what a server adds to it."""
        made = copy.deepcopy(dict(raw))
        meta = made["metadata"] = dict(made["metadata"])
        key = Key(made["kind"], meta.get("namespace", ""), meta["name"])
        assert key not in self.objects, f"{key} exists"
        self._created += 1
        self.now += TICK
        meta["uid"] = f"uid-{self._created}-{key.kind.lower()}-{key.name}"
        meta["resourceVersion"] = str(self._created)
        meta["generation"] = 1
        if "creationTimestamp" in raw["metadata"] and raw["metadata"]["creationTimestamp"] is None:
            del meta["creationTimestamp"]
        else:
            meta["creationTimestamp"] = datetime.fromtimestamp(self.now, UTC).isoformat().replace("+00:00", "Z")
        meta["managedFields"] = [_fields(manager, "Update", made.get("spec") or {})]
        if meta.get("ownerReferences"):
            meta["ownerReferences"] = [self._owner(o, key.namespace) for o in meta["ownerReferences"]]
        spec = made.get("spec") or {}
        if key.kind == "Service" and spec.get("clusterIP"):
            made["spec"] = {"clusterIPs": [spec["clusterIP"]], **spec}
        self.objects[key] = made

    def do(self, done: Do) -> None:
        """Carry out one `do` of a step."""
        if done.create is not None:
            self.create(done.create)
        elif done.delete is not None:
            self.delete(done.delete)
        else:
            assert done.patch is not None
            assert done.merge is not None
            self.patch(done.patch, done.merge)

    def patch(self, key: Key, merge: Mapping[str, Any]) -> None:
        """Merge-patch an object (RFC 7386) as somebody else; what they change is theirs from then on."""
        before = self.objects[key]
        after = merged(before, merge)
        old, new = before.get("spec") or {}, after.get("spec") or {}
        taken = {name for name in {*old, *new} if old.get(name) != new.get(name)}
        meta = after["metadata"]
        managed = [_without(m, taken) for m in mappings(meta["managedFields"])]
        theirs = {name: value for name, value in new.items() if name in taken}
        meta["managedFields"] = [m for m in managed if m["fieldsV1"]["f:spec"]] + [_fields("editor", "Update", theirs)]
        if taken:
            meta["generation"] = meta["generation"] + 1
        self.objects[key] = after

    def delete(self, key: Key) -> None:
        """Remove an object, and what it owns alone."""
        uid = self.objects.pop(key)["metadata"]["uid"]
        for other, raw in list(self.objects.items()):
            owners = raw["metadata"].get("ownerReferences") or []
            if owners and all(o["uid"] == uid for o in owners):
                self.delete(other)

    def write(self, change: Change) -> None:
        """Carry out one write of the operator."""
        if change.before is not None:
            assert change.uid == self.objects[change.key]["metadata"]["uid"], f"{change.key}: uid precondition"
        if change.verb in (Verb.DELETE, Verb.RECREATE):
            self.delete(change.key)
        if change.verb in (Verb.CREATE, Verb.RECREATE):
            self.create(change.apply, "dnsalias-operator")
        elif change.after is not None:
            self.objects[change.key] = copy.deepcopy(dict(change.after))

    def _owner(self, reference: Raw, namespace: str) -> Raw:
        owner = self.objects[Key(reference["kind"], namespace, reference["name"])]
        return {"uid": owner["metadata"]["uid"], **reference}


def _fields(manager: str, operation: str, spec: Mapping[str, Any]) -> Raw:
    return {
        "manager": manager,
        "operation": operation,
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:spec": {f"f:{name}": {} for name in spec}},
    }


def _without(managed: Mapping[str, Any], taken: set[str]) -> Raw:
    spec = managed["fieldsV1"]["f:spec"]
    left = {name: value for name, value in spec.items() if name.removeprefix("f:") not in taken}
    return {**managed, "fieldsV1": {"f:spec": left}}


def merged(old: object, patch: object) -> Any:  # noqa: ANN401 (any JSON)
    """The JSON after a merge patch (RFC 7386)."""
    if not isinstance(patch, Mapping):
        return patch
    out = dict(old) if isinstance(old, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            out.pop(name, None)
        else:
            out[name] = merged(out.get(name), value)
    return out
