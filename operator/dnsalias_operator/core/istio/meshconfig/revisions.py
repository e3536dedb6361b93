"""Several revisions of istiod in one mesh: which there are beside the one that is assumed, and where they differ.

Each namespace's sidecars are served by the istiod of its label ``istio.io/rev``, by that one's release and MeshConfig.
What is decided has to hold under each of them (`Rules.beside`), and in pods that capture DNS otherwise than the mesh.
Source: docs/mesh.md, "Several revisions".
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from dnsalias_operator.core.istio.meshconfig.effective import effective
from dnsalias_operator.core.istio.meshconfig.found import DENIED, Found, joined, shown
from dnsalias_operator.model.mesh import MOST_NAMED, Mesh, listed
from dnsalias_operator.model.names import LABEL
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.snapshot import Snapshot

REVISION = "istio.io/rev"
_NO_DIFFERENCE = frozenset({"read_from", "istio_revision", "limits_entries", "only_for"})
_OF_ISTIOD = ("istio_version", "istio_dual_stack", "ip_autoallocate", "cluster_domain")
"""Facts that come from istiod's Deployment; the cluster's domain also from the injector."""


def revisions_in(namespaces: Iterable[Mapping[str, str]], own: str) -> tuple[str, ...]:
    """The revisions that labels of Namespaces name, but for the ``own`` one that is read anyway; sorted."""
    named = {labels.get(REVISION, "") for labels in namespaces}
    return tuple(sorted(name for name in named if re.fullmatch(LABEL, name) and _plain(name) != _plain(own)))


def with_revisions(found: Found, others: Mapping[str, Found]) -> Found:
    """What was found of the mesh, with what was found of its other revisions, by name."""
    unread: list[str] = []
    for name, other in others.items():
        if other.config:
            continue
        denied = tuple(line for line in other.unread if line.startswith(DENIED))
        unread += denied or (f"the MeshConfig of revision {name} (label {REVISION} of Namespaces)",)
    known = tuple((name, other) for name, other in others.items() if other.config)
    faults = tuple(f"revision {name}: {fault}" for name, other in known for fault in other.faults)
    return replace(joined((found, Found(faults=faults, unread=tuple(unread)))), others=known)


def effective_rules(given: Rules, found: Found, world: Snapshot) -> Rules:
    """The rules in the mesh as it is, and in its other revisions where these differ."""
    mesh = effective(given.mesh, found, world)
    told = ((name, effective(given.mesh, _completed(other, found), world)) for name, other in found.others)
    # Which of several clusters it is does not depend on a revision.
    others = ((name, other.model_copy(update={"topology": mesh.topology})) for name, other in told)
    beside = [
        other.model_copy(update={"istio_revision": name, "only_for": f"where istiod is of revision {name}"})
        for name, other in others
        if any(_differences(mesh, other))
    ]
    # Their own capture: of pods of any revision, but those of the others are judged as these say already.
    if wheres := tuple(where for capture, where in found.captures if capture != mesh.dns_capture):
        capture = not mesh.dns_capture
        about = f"in pods with DNS capture {_switch(capture)}"
        beside.append(mesh.model_copy(update={"dns_capture": capture, "read_from": wheres, "only_for": about}))
    return given.model_copy(update={"mesh": mesh, "beside": tuple(beside)})


def mesh_for(rules: Rules, world: Snapshot, namespace: str, revision: str = "") -> Mesh:
    """The mesh as the pods of a namespace have it: that of the revision that it names, where that one differs.

    ``revision`` is what a pod itself says, which goes before: its namespace may name a tag.
    """
    found = next((n for n in world.namespaces() if n.meta.name == namespace), None)
    named = _plain(revision or (found.meta.labels.get(REVISION, "") if found else ""))
    if not (named or revision) or named == _plain(rules.mesh.istio_revision):
        return rules.mesh
    return next((mesh for mesh in rules.beside if _plain(mesh.istio_revision) == named), rules.mesh)


def differing(rules: Rules, world: Snapshot) -> tuple[str, ...]:
    """A line for each revision that differs from the one that is assumed, and one for workloads that differ."""
    lines = []
    for other in rules.beside:
        if other.istio_revision == rules.mesh.istio_revision:
            more = f" and {len(other.read_from) - MOST_NAMED} more" * (len(other.read_from) > MOST_NAMED)
            wheres = ", ".join(other.read_from[:MOST_NAMED])
            lines.append(f"pods have DNS capture {_switch(other.dns_capture)} of their own: {wheres}{more}")
            continue
        name = other.istio_revision
        spaces = frozenset(n.meta.name for n in world.namespaces() if n.meta.labels.get(REVISION) == name)
        where = f" ({listed(spaces)})" if spaces else ""
        lines.append(f"revision {name}{where} has {'; '.join(_differences(rules.mesh, other))}")
    return tuple(lines)


def _differences(mesh: Mesh, other: Mesh) -> Iterator[str]:
    for field in Mesh.model_fields:
        one, two = getattr(mesh, field), getattr(other, field)
        if field not in _NO_DIFFERENCE and one != two:
            yield f"{field} {_said(two)} instead of {_said(one)}"


def _switch(capture: bool) -> str:  # noqa: FBT001 (what is said)
    return "on" if capture else "off"


def _said(value: object) -> str:
    return listed(value) if isinstance(value, frozenset) else shown(value)


def _completed(other: Found, found: Found) -> Found:
    """What another revision says; where its Deployment was not read, what it would say is taken to be the same."""
    if any(line.startswith("Deployment ") for line in other.read):
        return other
    facts = tuple(f for f in found.facts if f.name in _OF_ISTIOD and other.get(f.name) is None)
    return replace(other, facts=other.facts + facts)


def _plain(revision: str) -> str:
    return "" if revision == "default" else revision
