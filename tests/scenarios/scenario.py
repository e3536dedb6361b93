"""The form of a scenario file, and how it is read and held against what happened.

A file is one world and what must come of it. `objects` are Kubernetes objects in the order of their creation: each is
certainly older than the next (an explicit `creationTimestamp: null` makes an age unknown, as in files never applied).
What a cluster would fill in is left out: uids, also those in ownerReferences, clusterIPs where clusterIP is given.

    about: one or two sentences of prose
    settings: {}                     # of the operator, flat (settings.py)
    cluster: ""                      # why it cannot be run on a real API server, empty where it can
    alone: ""                        # why it shares its cluster with no other scenario, empty where it may
    objects: []
    expect:
      changes: [{verb: repair, object: ServiceEntry abc/x, reason: LacksAddresses, spec: {}}]
      findings: [DA001 critical ServiceEntry abc/x 443]
      entries: {abc/x: contained WouldShadowService warning}
      conditions: {abc/alias: {Accepted: "True", Ready: False/HostHeld}}
    steps: [{about: "", do: [{patch: Service abc/x, merge: {}}, {delete: Service abc/x}, {create: {}}], expect: {}}]

`changes` is everything that is written, in order. `spec` is what is sent: all of it for a repair, the named part of it
for our own entries. `findings` are those of the world before any change, `entries` every entry in our care and
`conditions` those named of every DnsAlias, both once the changes are made. A step is done when the world before it has
converged, and states what it is about to state; `changes` always.
"""

import ipaddress
import re
from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict

from dnsalias_operator.model.names import Key
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.settings import Settings

FOLDER = Path(__file__).parent
NAMESPACES = ("abc", "billing", "data", "shop")
"""The namespaces a scenario may use beside istio-system; as words they mean nothing else in any file."""
OWN_ADDRESS = "<own>"
"""Stands for an address of the containment range: which one is decided by a hash of the uid."""

Raw = dict[str, Any]


def key(text: object) -> Key:
    """Read `Kind namespace/name`, or `Kind name` where the kind has no namespace."""
    kind, _, rest = str(text).partition(" ")
    namespace, _, name = rest.rpartition("/")
    return Key(kind, namespace, name)


ObjectKey = Annotated[Key, BeforeValidator(key)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Expected(_Strict):
    """One write that must come."""

    verb: Literal["create", "update", "recreate", "delete", "repair", "replace"]
    object: ObjectKey
    reason: str
    spec: Raw | None = None


class Expect(_Strict):
    """What must come of a world; None: this file does not say."""

    changes: tuple[Expected, ...]
    findings: tuple[str, ...] | None = None
    entries: dict[str, str] | None = None
    conditions: dict[str, dict[str, str]] | None = None


class Do(_Strict):
    """One thing that somebody else does: exactly one of the three."""

    patch: ObjectKey | None = None
    merge: Raw | None = None
    delete: ObjectKey | None = None
    create: Raw | None = None


class Step(_Strict):
    """What others do to a converged world, and what must come of it."""

    about: str
    do: tuple[Do, ...]
    expect: Expect


class Scenario(_Strict):
    """One file."""

    about: str
    settings: Raw = {}
    cluster: str = ""
    alone: str = ""
    objects: tuple[Raw, ...]
    expect: Expect
    steps: tuple[Step, ...] = ()

    @cached_property
    def rules(self) -> Rules:
        """What the core is told."""
        return Settings(**self.settings).rules


def names() -> list[str]:
    """The names of all scenario files, without the suffix."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


@cache
def load(name: str) -> Scenario:
    """Read one file as it stands."""
    return parse((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))


def load_apart(name: str, number: int) -> Scenario:
    """Read one file with names, hosts and addresses that no other number has, so that worlds can share a cluster."""
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    text = re.sub(rf"\b({'|'.join(NAMESPACES)})\b", rf"s{number:02}-\1", text)
    text = re.sub(r"\.hello\b", f".hello-{number:02}", text)
    text = re.sub(r"\b10\.96\.0\.(\d+)", rf"10.96.{number}.\1", text)
    return parse(re.sub(r"\bfd00:10:96::(\w+)", rf"fd00:10:96::{number:x}0\1", text))


def parse(text: str) -> Scenario:
    """Read the text of a file."""
    return Scenario.model_validate(yaml.load(text, yaml.CSafeLoader))


def holds(expected: object, actual: object, rules: Rules) -> bool:
    """Whether ``actual`` has everything ``expected`` names: of mappings a part, of lists all, of `<own>` the range."""
    if isinstance(expected, Mapping):
        return isinstance(actual, Mapping) and all(
            name in actual and holds(value, actual[name], rules) for name, value in expected.items()
        )
    if isinstance(expected, list):
        return (
            isinstance(actual, list)
            and len(expected) == len(actual)
            and all(holds(e, a, rules) for e, a in zip(expected, actual, strict=True))
        )
    if expected == OWN_ADDRESS:
        return ipaddress.ip_address(str(actual)) in ipaddress.ip_network(rules.containment_range)
    return expected == actual


def spec_holds(expected: Expected, actual: Mapping[str, Any], rules: Rules) -> bool:
    """Whether what is sent is what was expected; a repair sends nothing else."""
    if expected.spec is None:
        return True
    return holds(expected.spec, actual, rules) and (expected.verb != "repair" or set(actual) == set(expected.spec))


def shown(changes: Iterable[Expected]) -> list[str]:
    """Changes as text, so that a difference is easy to read."""
    return [f"{c.verb} {c.object} {c.reason}" for c in changes]
