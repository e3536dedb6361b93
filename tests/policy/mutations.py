"""Objects of any shape: good ones in which some fields were replaced by arbitrary JSON, or are missing.

What hypothesis finds by itself in a whole object of arbitrary JSON is mostly that it is no object; a good one with a
few bad fields gets deep into the code.
"""

import copy
from typing import Any

from hypothesis import strategies as st

from tests.core import worlds

Raw = dict[str, Any]

NASTY = (
    "\n",
    "a\nb",
    "\r\n",
    "\x00",
    "\x1b[31mred\x1b[0m",
    "\u2028",
    "\u2029",
    "\x85",
    "\u202e",
    "\ufeff",
    "\ud800",
    '"',
    "\\",
    "{}",
    'x" y="z',
    '{"level":"error"}',
    "<script>alert(1)</script>",
    "]]><x>&amp;",
    "%s%n",
    "${jndi:ldap://x}",
    "../../etc/passwd",
    "a" * 300,
    "0.0.0.0/0",
    "::/0",
    "fe80::1%eth0",
    "10.96.0.1/33",
    "256.1.1.1",
    "*",
    "~",
    ".",
    "-1",
    "9" * 30,
    "2026-99-99T99:99:99Z",
    "0000-00-00T00:00:00Z",
    "9999-12-31T23:59:59+99:99",
    "None",
    "true",
    "no such namespace/and/more",
)
texts = st.one_of(st.text(max_size=12), st.sampled_from(NASTY))
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from((0, -1, 65536, 2**31, 2**63, 10**400)),
    st.floats(),
    texts,
)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
)
good = st.one_of(
    worlds.services(), worlds.entries(), worlds.aliases(), worlds.sidecars(), worlds.namespaces(), worlds.services()
)


def _paths(value: object, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The place of every value inside of ``value``."""
    inside: list[tuple[Any, Any]] = []
    if isinstance(value, dict | list):
        inside = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
    return [place for key, child in inside for place in ((*here, key), *_paths(child, (*here, key)))]


FIELDS = (
    ("metadata", "annotations"),
    ("metadata", "annotations", "networking.istio.io/exportTo"),
    ("metadata", "annotations", "dnsalias.io/service"),
    ("metadata", "annotations", "dnsalias.io/repair"),
    ("metadata", "creationTimestamp"),
    ("metadata", "deletionTimestamp"),
    ("metadata", "finalizers"),
    ("metadata", "generation"),
    ("metadata", "labels"),
    ("metadata", "managedFields"),
    ("metadata", "ownerReferences"),
    ("metadata", "resourceVersion"),
    ("metadata", "uid"),
    ("spec",),
    ("spec", "addresses"),
    ("spec", "clusterIP"),
    ("spec", "clusterIPs"),
    ("spec", "egress"),
    ("spec", "endpoints"),
    ("spec", "exportTo"),
    ("spec", "externalName"),
    ("spec", "host"),
    ("spec", "hosts"),
    ("spec", "location"),
    ("spec", "outboundTrafficPolicy"),
    ("spec", "ports"),
    ("spec", "resolution"),
    ("spec", "selector"),
    ("spec", "serviceRef"),
    ("spec", "subjectAltNames"),
    ("spec", "type"),
    ("spec", "workloadSelector"),
    ("status",),
    ("status", "addresses"),
    ("status", "conditions"),
)
"""Fields that are read of some kind, whether or not the good object has them."""


@st.composite
def objects(draw: st.DrawFn) -> Raw:
    """One object of a kind that is read; its kind, name and namespace are what an API server lets be."""
    raw: Raw = copy.deepcopy(draw(good))
    for _ in range(draw(st.integers(0, 4))):
        places = [p for p in _paths(raw) if p[0] not in ("kind", "apiVersion") and p not in _IDENTITY]
        place = draw(st.sampled_from((*places, *FIELDS)))
        _put(raw, place, draw(anything), remove=draw(st.booleans()) and draw(st.booleans()))
    return raw


_IDENTITY = {("metadata",), ("metadata", "name"), ("metadata", "namespace")}


def _put(raw: Raw, place: tuple[Any, ...], value: object, *, remove: bool) -> None:
    """Set or remove what stands at ``place``, as far as the way there still exists."""
    node: Any = raw
    for step in place[:-1]:
        if isinstance(node, dict):
            node = node.setdefault(step, {})
        elif isinstance(node, list) and isinstance(step, int) and step < len(node):
            node = node[step]
        else:
            return
    last = place[-1]
    if isinstance(node, dict):
        if remove:
            node.pop(last, None)
        else:
            node[last] = value
    elif isinstance(node, list) and isinstance(last, int) and last < len(node):
        node[last] = value


hostile_worlds = st.builds(
    lambda hostile, sound: [*hostile, *sound], st.lists(objects(), min_size=1, max_size=6), st.lists(good, max_size=4)
)
"""Hostile objects, and sound ones beside them to which the operator must still do right."""
