"""What a state must not depend on: entries and conditions beside those of an operator that meets the objects first."""

import json
from datetime import UTC, datetime

from dnsalias_operator.core.plan import plan
from dnsalias_operator.model.kinds import KINDS, Object
from dnsalias_operator.model.names import KIND
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.snapshot import LiveSnapshot
from tests.faults.sweep import Hand, Raw
from tests.scenarios.live import key_of, patched
from tools import make

ROUNDS = 10
"""More plans than a first look ever needs; one that goes on undoes itself."""


def unlike_a_fresh_start(objects: list[Raw]) -> list[str]:
    """How entries and conditions differ from those of an operator that meets these objects for the first time.

    It starts without our entries, without what was patched into others', and makes its own with the ages that they
    have. Two things may depend on what was there before: which address of the containment range an entry has, and who
    serves an alias whose host somebody else's entry has as well (the one that was first: ours, then, is left there).
    """
    rules, born = make.rules(), {key_of(raw): raw["metadata"].get("creationTimestamp") for raw in objects}
    entries = [raw for raw in objects if raw["kind"] == "ServiceEntry"]
    foreign = {(raw["metadata"]["namespace"], h) for raw in entries if not _ours(raw, objects) for h in _hosts(raw)}
    ours = {key_of(raw) for raw in entries if _ours(raw, objects) and not foreign & _claims(raw)}
    fresh = LiveSnapshot(
        (_parsed(_unpatched(raw)) for raw in objects if key_of(raw) not in ours), namespaces_known=True
    )
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    decided = plan(fresh, rules)
    for _ in range(ROUNDS):
        if not decided.changes:
            break
        for change in decided.changes:
            if change.after is None:
                fresh.discard(change.key)
                continue
            meta = {"creationTimestamp": born.get(change.key) or now, **change.after["metadata"]}
            fresh.put(KINDS[change.key.kind].parse({**change.after, "metadata": meta}))
        decided = plan(fresh, rules)
    assert not decided.changes, decided.changes
    wanted = {e.key: _shape(dict(e.raw["spec"]), rules) for e in fresh.entries()}
    have = {key_of(raw): _shape(raw["spec"], rules) for raw in objects if raw["kind"] == "ServiceEntry"}
    out = [
        f"{key}: {have.get(key)} instead of {wanted.get(key)}"
        for key in {*wanted, *have}
        if wanted.get(key) != have.get(key)
    ]
    for decision in decided.aliases:
        raw = next(o for o in objects if key_of(o) == decision.key)
        told = {c["type"]: (c["status"], c["reason"]) for c in raw.get("status", {}).get("conditions", ())}
        if told != {c.type: (c.status, c.reason) for c in decision.conditions}:
            out.append(f"{decision.key}: {told} instead of {decision.conditions}")
    return out


def not_theirs(objects: list[Raw], hand: Hand) -> list[str]:
    """Entries of others of which anything but what we patched is not as they wrote it."""
    out = []
    for raw in objects:
        if raw["kind"] != "ServiceEntry" or _ours(raw, objects):
            continue
        rest = {name: value for name, value in raw["spec"].items() if name not in patched(raw)}
        wrote = hand.theirs.get(key_of(raw))
        if wrote is not None and rest != wrote:
            out.append(f"{key_of(raw)}: {rest} instead of {wrote}")
    return out


def _hosts(raw: Raw) -> list[str]:
    return list(raw["spec"].get("hosts", ()))


def _claims(raw: Raw) -> set[tuple[str, str]]:
    return {(raw["metadata"]["namespace"], host) for host in _hosts(raw)}


def _ours(raw: Raw, objects: list[Raw]) -> bool:
    living = {o["metadata"]["uid"] for o in objects if o["kind"] == KIND}
    return any(owner["uid"] in living for owner in raw["metadata"].get("ownerReferences", ()))


def _unpatched(raw: Raw) -> Raw:
    """An entry as it would be without us; anything else as it is, without status."""
    out = {name: value for name, value in raw.items() if name != "status"}
    if raw["kind"] == "ServiceEntry":
        ours = patched(raw)
        out["spec"] = {name: value for name, value in raw["spec"].items() if name not in ours}
        managed = [m for m in raw["metadata"].get("managedFields", ()) if m["manager"] != "dnsalias-repair"]
        out["metadata"] = {**raw["metadata"], "managedFields": managed}
    return out


def _shape(spec: Raw, rules: Rules) -> str:
    prefix = rules.containment_range.rpartition(".0.0/")[0]
    shown = [("<own>" if str(a).startswith(prefix) else a) for a in spec.get("addresses", ())]
    ports = sorted(spec.get("ports", ()), key=lambda port: str(port.get("name")))
    return json.dumps({**spec, "addresses": shown, "ports": ports}, sort_keys=True)


def _parsed(raw: Raw) -> Object:
    return KINDS[raw["kind"]].parse(raw)
