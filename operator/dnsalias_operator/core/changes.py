"""Changes as values: the body that is sent, and the object before and after."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from dnsalias_operator.core.outcome import Change, Verb
from dnsalias_operator.core.reasons import Reason, Why
from dnsalias_operator.model.names import REPAIR_MANAGER, Key
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.virtualservice import VirtualService

REPAIRED = ("addresses", "endpoints")


def created(key: Key, manifest: dict[str, Any], message: str, *, not_before: int = 0) -> Change:
    """A POST of one of ours."""
    return Change(Verb.CREATE, key, None, manifest, manifest, Reason.GENERATED, message, not_before=not_before)


def deleted(entry: ServiceEntry | VirtualService, why: Why) -> Change:
    """A delete of one of ours."""
    return Change(Verb.DELETE, entry.key, entry.raw, None, {}, why.reason, why.message, uid=entry.meta.uid)


def recreated(entry: ServiceEntry, manifest: dict[str, Any], why: Why, not_before: int) -> Change:
    """Delete and create one of ours: it is then the youngest, and nobody holds what its addresses were."""
    return Change(
        Verb.RECREATE,
        entry.key,
        entry.raw,
        manifest,
        manifest,
        why.reason,
        why.message,
        uid=entry.meta.uid,
        not_before=not_before,
    )


def restored(entry: ServiceEntry | VirtualService, manifest: dict[str, Any]) -> Change | None:
    """What brings one of ours back to its manifest, or None where nothing differs.

    Labels, annotations and owners of others stay; in ``spec`` nothing but the manifest's stays.
    """
    fields = drift(entry.raw, manifest)
    if not fields:
        return None
    message = f"{', '.join(fields)} differ from what the alias declares"
    after = _merged(entry.raw, manifest)
    extra = _foreign_spec(entry.raw, manifest)
    if extra:
        return Change(
            Verb.REPLACE, entry.key, entry.raw, after, after, Reason.DRIFT, message, uid=entry.meta.uid, fields=fields
        )
    body = {**manifest, "metadata": {**manifest["metadata"], **({"uid": entry.meta.uid} if entry.meta.uid else {})}}
    return Change(
        Verb.UPDATE, entry.key, entry.raw, after, body, Reason.DRIFT, message, uid=entry.meta.uid, fields=fields
    )


def drift(raw: Mapping[str, Any], manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """Paths under which an entry differs from its manifest: spec fields, our labels, annotations and owner."""
    have, want = raw.get("spec") or {}, manifest["spec"]
    out = [f"spec.{k}" for k in sorted({*have, *want}) if _comparable(k, have.get(k)) != _comparable(k, want.get(k))]
    meta = raw.get("metadata") or {}
    for group in ("labels", "annotations"):
        mine, theirs = manifest["metadata"].get(group, {}), meta.get(group) or {}
        out += [f"metadata.{group}[{k}]" for k, v in sorted(mine.items()) if theirs.get(k) != v]
    owners = meta.get("ownerReferences") or []
    if any(all(o != {**o, **mine} for o in owners) for mine in manifest["metadata"].get("ownerReferences", [])):
        out.append("metadata.ownerReferences")
    return tuple(out)


def _comparable(field: str, value: Any) -> Any:  # noqa: ANN401 (a field of a raw object)
    # `ports` is a map by name to the API server, which may return another order (docs/istio.md, "Validation and
    # server-side apply").
    if field == "ports" and isinstance(value, list):
        return sorted(value, key=lambda p: str(p.get("name")) if isinstance(p, dict) else "")
    return value


def _foreign_spec(raw: Mapping[str, Any], manifest: Mapping[str, Any]) -> bool:
    """Whether ``spec`` has something that a server-side apply of the manifest would leave there."""
    have, want = raw.get("spec") or {}, manifest["spec"]
    if set(have) - set(want):
        return True
    # Of a VirtualService, each list is replaced as a whole.
    names = {p["name"] for p in want.get("ports", ())}
    ports = (have.get("ports") or []) if names else []
    by_name = {p["name"]: p for p in want.get("ports", ())}
    return any(p.get("name") not in names or set(p) - set(by_name[p["name"]]) for p in ports) or (
        set((have.get("workloadSelector") or {}).get("labels") or {})
        > set((want.get("workloadSelector") or {}).get("labels") or {})
    )


def _merged(raw: Mapping[str, Any], manifest: Mapping[str, Any]) -> dict[str, Any]:
    after: dict[str, Any] = deepcopy(dict(raw))
    after["spec"] = manifest["spec"]
    meta = after.setdefault("metadata", {})
    for group in ("labels", "annotations"):
        if group in manifest["metadata"]:
            meta[group] = {**(meta.get(group) or {}), **manifest["metadata"][group]}
    for mine in manifest["metadata"].get("ownerReferences", []):
        others = [o for o in meta.get("ownerReferences") or [] if o.get("uid") != mine["uid"]]
        meta["ownerReferences"] = [*others, mine]
    return after


def repaired(
    entry: ServiceEntry,
    wanted: Mapping[str, Any],
    owned: frozenset[str],
    why: Why,
    *,
    inferred: bool = False,
) -> Change | None:
    """The server-side apply of our repair manager that makes it own just the fields ``wanted``, or None if it does."""
    spec = entry.raw.get("spec") or {}
    fields = tuple(
        f for f in REPAIRED if (f in wanted and spec.get(f) != wanted[f]) or (f in owned and f not in wanted)
    )
    if not fields:
        return None
    body: dict[str, Any] = {
        "apiVersion": entry.api_version,
        "kind": "ServiceEntry",
        "metadata": {
            "name": entry.meta.name,
            "namespace": entry.meta.namespace,
            # Both together: an apply that meets no such object, or another version of it, is refused.
            **({"uid": entry.meta.uid} if entry.meta.uid else {}),
            **({"resourceVersion": entry.meta.resource_version} if entry.meta.resource_version else {}),
        },
        **({"spec": wanted} if wanted else {}),
    }
    return Change(
        Verb.REPAIR,
        entry.key,
        entry.raw,
        _with_fields(entry.raw, wanted, owned),
        body,
        why.reason,
        why.message,
        uid=entry.meta.uid,
        fields=tuple(f"spec.{f}" for f in fields),
        inferred=inferred,
    )


def _with_fields(raw: Mapping[str, Any], wanted: Mapping[str, Any], owned: frozenset[str]) -> dict[str, Any]:
    """The object as it will be. Every other field keeps its value and its place."""
    spec = {k: v for k, v in (raw.get("spec") or {}).items() if k in wanted or k not in owned}
    spec.update(wanted)
    after = {**raw, "spec": spec}
    managed = (raw.get("metadata") or {}).get("managedFields")
    if managed is not None:
        others = [m for m in managed if m.get("manager") != REPAIR_MANAGER or m.get("operation") != "Apply"]
        mine = {
            "manager": REPAIR_MANAGER,
            "operation": "Apply",
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:spec": {f"f:{f}": {} for f in wanted}},
        }
        after["metadata"] = {**raw["metadata"], "managedFields": [*others, *([mine] if wanted else [])]}
    return after
