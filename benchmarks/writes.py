"""The requests that the operator would make, decided by its own core: what the bare client is told to send."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from benchmarks.bare import PORT, UID, VERSION
from benchmarks.requests import Call
from dnsalias_operator.core.aliases.conditions import desired_status
from dnsalias_operator.core.outcome import Change, Verb
from dnsalias_operator.core.plan import decide_alias, decide_entry
from dnsalias_operator.model.kinds import KINDS, Object
from dnsalias_operator.model.meta import mapping
from dnsalias_operator.model.names import API_VERSION, ISTIO_API_VERSION, KIND, OWN_MANAGER, REPAIR_MANAGER, Key
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.snapshot import Snapshot
from tools import make

ALIASES = "/apis/dnsalias.io/v1alpha1/dnsaliases"
ENTRIES = "/apis/networking.istio.io/v1/serviceentries"
SERVICES = "/api/v1/services"
APPLY = "application/apply-patch+yaml"
NOW = "2026-01-01T00:00:00Z"


def of(kind: str, raw: Mapping[str, Any]) -> Object:
    """A typed object of what a LIST gave, which has no kind."""
    return KINDS[kind].parse({"apiVersion": KINDS[kind].api_version, "kind": kind, **raw})


def stamped(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """A manifest as the API server will have it, with placeholders for what only it can tell."""
    meta = {"uid": UID, "resourceVersion": VERSION, "generation": 1, "creationTimestamp": NOW}
    return {**manifest, "metadata": {**manifest["metadata"], **meta}}


def for_aliases(services: Iterable[Object], aliases: Iterable[Mapping[str, Any]]) -> dict[str, list[Call]]:
    """Entry and status of each alias, by the key under which the bare client sees the alias."""
    typed = [of(KIND, stamped(alias)) for alias in aliases]
    world, rules = Snapshot([*services, *typed], namespaces_known=True), make.rules()
    return {f"{ALIASES}/{a.meta.namespace}/{a.meta.name}": _alias(world, a.key, rules) for a in typed}


def for_entries(world: Snapshot, keys: Iterable[Key]) -> dict[str, list[Call]]:
    """The repair of each entry, by the key under which the bare client sees the entry."""
    rules = make.rules()
    decided = {key: decide_entry(world, key, rules) for key in keys}
    return {
        f"{ENTRIES}/{key.namespace}/{key.name}": [_change(change) for change in decision.changes]
        for key, decision in decided.items()
        if decision
    }


def for_services(world: Snapshot, keys: Iterable[Key]) -> dict[str, list[Call]]:
    """What follows when the targetPort of a Service becomes `PORT`: the entry of its alias, updated."""
    rules, found = make.rules(), {}
    for key in keys:
        service = world.service(key.namespace, key.name)
        if service is None:
            continue
        (first, *rest) = service.raw["spec"]["ports"]
        ports = [{**first, "targetPort": PORT}, *rest]
        changed = of("Service", {**service.raw, "spec": {**service.raw["spec"], "ports": ports}})
        after = world.with_changes({key: changed})
        decisions = (decide_alias(after, alias.key, rules) for alias in after.aliases_of(key.namespace, key.name))
        calls = [_change(change) for decision in decisions if decision for change in decision.changes]
        found[f"{SERVICES}/{key.namespace}/{key.name}"] = calls
    return found


def _alias(world: Snapshot, key: Key, rules: Rules) -> list[Call]:
    decision, alias = decide_alias(world, key, rules), world.alias(key.namespace, key.name)
    if decision is None or alias is None:
        return []
    body = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": key.name, "namespace": key.namespace, "uid": UID},
        "status": desired_status(decision, alias, NOW),
    }
    path = f"/apis/{API_VERSION}/namespaces/{key.namespace}/dnsaliases/{key.name}/status"
    status = Call("PATCH", f"{path}?fieldManager={OWN_MANAGER}&force=true", json.dumps(body), APPLY)
    return [*(_change(change) for change in decision.changes), status]


def _change(change: Change) -> Call:
    key = change.key
    meta = {k: v for k, v in mapping(change.apply.get("metadata")).items() if k != "managedFields"}
    path = f"/apis/{ISTIO_API_VERSION}/namespaces/{key.namespace}/serviceentries"
    body = {**change.apply, "apiVersion": ISTIO_API_VERSION, "metadata": meta}
    match change.verb:
        case Verb.CREATE:
            return Call("POST", f"{path}?fieldManager={OWN_MANAGER}", json.dumps(body))
        case Verb.UPDATE:
            return Call("PATCH", f"{path}/{key.name}?fieldManager={OWN_MANAGER}&force=true", json.dumps(body), APPLY)
        case Verb.REPAIR:
            query = f"fieldManager={REPAIR_MANAGER}&force=false"
            return Call("PATCH", f"{path}/{key.name}?{query}", json.dumps(body), APPLY)
        case _:
            raise ValueError(f"{change.verb} is no part of a benchmark")
