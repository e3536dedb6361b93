"""The mesh as it is, from what was read: a file named for it, the objects of the input, or a cluster."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from dnsalias_operator.cli.reading.inputs import Inputs, Item
from dnsalias_operator.cli.terminal import note
from dnsalias_operator.core.istio.meshconfig import (
    DENIED,
    PROXY_CONFIG,
    WORKLOADS,
    Found,
    contradictions,
    differing,
    effective_rules,
    is_shared,
    joined,
    names_of,
    read_capture,
    read_document,
    read_text,
    shared_name,
    with_revisions,
    with_shared,
)
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.meta import Raw, mapping, text
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.snapshot import Snapshot

_KINDS = ("ConfigMap", "Deployment", "IstioOperator")
_REVISION = re.compile(r"istio-(?!sidecar-injector)(.+)")


class MeshConfigError(Exception):
    """The file of --mesh-config cannot be used; the message says why."""


def read_mesh_file(path: str) -> Found:
    """What the file of --mesh-config says.

    Raises:
        MeshConfigError: it cannot be read, or says nothing of the mesh.
    """
    try:
        content = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MeshConfigError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    found = read_text(content, path)
    if not found.read:
        raise MeshConfigError("; ".join(found.faults))
    return found


def found_in(items: Iterable[Item], mesh: Mesh) -> Found:
    """What the objects among these documents say, in the order in which their values count.

    Those of the revision that is set. If none is set and there is just one, with a name, it is meant.
    """
    objects = [item.raw for item in items if item.typed is None and item.raw.get("kind") in _KINDS]
    revision = mesh.istio_revision
    if objects and not revision and not any(_name(raw) == "istio" for raw in objects):
        named = {name for raw in objects if _holds_config(raw) and (name := _of_revision(_name(raw)))}
        revision = next(iter(named)) if len(named) == 1 else ""
    others = {_of_revision(_name(raw)) for raw in objects if _holds_config(raw)} - {revision, None}
    rank = {kind_and_name: number for number, kind_and_name in enumerate(names_of(revision))}
    ordered = sorted(objects, key=lambda raw: rank.get((text(raw.get("kind")), _name(raw)), len(rank)))
    found = joined(read_document(raw, revision) for raw in ordered)
    beside = {name: joined(read_document(raw, name) for raw in objects) for name in sorted(filter(None, others))}
    return with_revisions(found, beside) if beside else found


def mesh_in(inputs: Inputs, rules: Rules, own: Iterable[Item] = ()) -> Found:
    """What the input says of the mesh: a file that was named for it goes before the rest.

    Of the rest it is what a world's ``own`` documents say, where they say anything.
    """
    mine = tuple(own)
    found = joined((inputs.mesh, found_in(mine, rules.mesh) or found_in(inputs.items, rules.mesh)))
    read = {PROXY_CONFIG, *WORKLOADS}
    workloads = (item.raw for item in mine or inputs.items if item.typed is None and item.raw.get("kind") in read)
    found = joined((found, *map(read_capture, workloads)))
    name = shared_name(found)
    near = (item.raw for item in (*mine, *inputs.items) if is_shared(item.raw, name))
    return with_shared(found, next(near, None)) if name else found


def in_mesh(inputs: Inputs, rules: Rules, world: Snapshot) -> Rules:
    """The rules in the mesh as it is; what cannot be used, and what contradicts a setting, goes to standard error."""
    found = mesh_in(inputs, rules)
    ruled = rules_in(found, rules, world)
    for line in complaints(found, rules.mesh, world):
        note(line)
    for line in by_revision(ruled, world):
        note(line)
    return ruled


def rules_in(found: Found, rules: Rules, world: Snapshot) -> Rules:
    """The rules with the mesh that comes of what was found."""
    return effective_rules(rules, found, world)


def by_revision(ruled: Rules, world: Snapshot) -> Iterator[str]:
    """Where other revisions of istiod differ from the one that is assumed, or pods from the mesh."""
    for line in differing(ruled, world):
        yield f"warning: {line}; what would do harm in any of them counts (docs/mesh.md)"


def complaints(found: Found, mesh: Mesh, world: Snapshot) -> Iterator[str]:
    """What of it cannot be used, what contradicts a setting, and what may not be read."""
    for line in (*found.faults, *contradictions(mesh, found, world)):
        yield f"warning: {line}"
    denied = [line.removeprefix(DENIED) for line in found.unread if line.startswith(DENIED)]
    if denied:
        yield f"note: {DENIED}{', '.join(denied)}; settings and defaults are assumed in their place (docs/mesh.md)"


def _of_revision(name: str) -> str | None:
    """The revision that a ConfigMap of that name is of; None: of none that has a name."""
    match = _REVISION.fullmatch(name)
    return match[1] if match else None


def _name(raw: Raw) -> str:
    return text(mapping(raw.get("metadata")).get("name"))


def _holds_config(raw: Raw) -> bool:
    return raw.get("kind") == "ConfigMap" and "mesh" in mapping(raw.get("data"))
