"""What must be the same whatever happened on the way, and what must never be there."""

import json
import re
from collections import Counter
from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from typing import Any

from dnsalias_operator.core.aliases.conditions import desired_status
from dnsalias_operator.core.plan import plan
from dnsalias_operator.model.names import ALIAS_LABEL, KIND, RECREATED_FOR_ANNOTATION, Key
from dnsalias_operator.model.rules import Rules
from tests.scenarios.live import key_of, snapshot
from tests.scenarios.scenario import OWN_ADDRESS, Raw

_UID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_IPV4 = re.compile(r"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b")
_RECREATED_FIELD = f'"f:{RECREATED_FOR_ANNOTATION}": {{}}, '
_PASSING = ("resourceVersion", "creationTimestamp", "generation", "uid")


def settled(objects: Iterable[Raw], namespaces: set[str], rules: Rules) -> dict[str, str]:
    """The aliases and entries of some namespaces as text, by name, without what differs between any two runs.

    Left out are uids, times, versions, and addresses that the API server or a hash of the uid chose: these are named
    by what they are of. Who owns which field stays: it is the record of what was patched. Left out as well is the mark
    that an entry was made anew once: it is history, which ends where the entry was deleted and the operator killed.
    """
    listed = list(objects)
    uids = {raw["metadata"]["uid"]: f"uid of {key_of(raw)}" for raw in listed}
    ips = {ip: f"address {n} of {key_of(raw)}" for raw in listed for n, ip in enumerate(_cluster_ips(raw))}
    own = ip_network(rules.containment_range)

    def address(match: re.Match[str]) -> str:
        return ips.get(match[0]) or (OWN_ADDRESS if _within(match[0], own) else match[0])

    out = {}
    for raw in listed:
        key = key_of(raw)
        if key.kind not in ("ServiceEntry", KIND) or key.namespace not in namespaces:
            continue
        text = json.dumps(_lasting(raw), indent=1, sort_keys=True)
        text = _UID.sub(lambda match: uids.get(match[0], "uid of nothing that is there"), text)
        out[str(key)] = _IPV4.sub(address, text)
    return out


def _lasting(raw: Raw) -> Raw:
    meta = {k: v for k, v in raw["metadata"].items() if k not in _PASSING}
    managed = [{k: v for k, v in m.items() if k != "time"} for m in meta.get("managedFields", ())]
    if "annotations" in meta:
        meta["annotations"] = {k: v for k, v in meta["annotations"].items() if k != RECREATED_FOR_ANNOTATION}
        managed = json.loads(json.dumps(managed).replace(_RECREATED_FIELD, ""))
    meta["managedFields"] = sorted(managed, key=json.dumps)
    out = {**raw, "metadata": meta}
    if raw["kind"] == KIND and "status" in raw:
        status: dict[str, Any] = {**raw["status"]}
        if "observedGeneration" in status:  # else these are the conditions of the CRD, before any of ours
            status["observedGeneration"] -= raw["metadata"]["generation"]
        status["conditions"] = [
            {k: v for k, v in c.items() if k not in ("lastTransitionTime", "observedGeneration")}
            for c in status.get("conditions", ())
        ]
        out["status"] = status
    return out


def _cluster_ips(raw: Raw) -> list[str]:
    return list(raw["spec"].get("clusterIPs", ())) if raw["kind"] == "Service" else []


def _within(text: str, network: Any) -> bool:  # noqa: ANN401 (of either family)
    try:
        return ip_address(text) in network
    except ValueError:
        return False


def orphans(objects: Iterable[Raw]) -> list[str]:
    """Entries with our marks that no living alias owns."""
    listed = list(objects)
    living = {raw["metadata"]["uid"] for raw in listed if raw["kind"] == KIND}
    return [
        str(key_of(raw))
        for raw in listed
        if raw["kind"] == "ServiceEntry"
        and ALIAS_LABEL in raw["metadata"].get("labels", {})
        and not living & {owner["uid"] for owner in raw["metadata"].get("ownerReferences", ())}
    ]


def duplicates(objects: Iterable[Raw]) -> list[str]:
    """Aliases that own more than one entry."""
    owners = Counter(
        owner["uid"]
        for raw in objects
        if raw["kind"] == "ServiceEntry"
        for owner in raw["metadata"].get("ownerReferences", ())
        if owner["kind"] == KIND
    )
    return [uid for uid, count in owners.items() if count > 1]


def left_to_do(objects: Iterable[Raw], rules: Rules) -> list[str]:
    """What a fresh decision about the whole world would write, statuses included."""
    world = snapshot(objects)
    decided = plan(world, rules)
    out = [f"{change.verb} {change.key} {change.reason}" for change in decided.changes]
    for decision in decided.aliases:
        alias = world.alias(decision.key.namespace, decision.key.name)
        if alias is None:
            continue
        wanted = desired_status(decision, alias, "")
        if wanted is not None:
            out.append(f"status {decision.key}: {wanted} instead of {alias.status}")
    return out


def world_of(objects: Iterable[Raw], kinds: Iterable[str]) -> dict[str, set[Key]]:
    """The keys that are there, by kind: what a store must have, and nothing else."""
    found: dict[str, set[Key]] = {kind: set() for kind in kinds}
    for raw in objects:
        found[raw["kind"]].add(key_of(raw))
    return found
