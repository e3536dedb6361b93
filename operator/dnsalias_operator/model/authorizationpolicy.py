"""An Istio AuthorizationPolicy (v1, v1beta1: one schema), as far as it says whom it is for and which hosts it names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from dnsalias_operator.model.meta import ObjectMeta, Raw, empty, mapping, mappings, strings, text, texts
from dnsalias_operator.model.names import ISTIO_GROUP, Key


class Target(NamedTuple):
    """An object of the policy's own namespace; ``group`` is "" for the core group."""

    group: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class AuthorizationPolicy:
    """A security.istio.io AuthorizationPolicy.

    ``targets`` is empty where it is for workloads: those of its ``selector``, of the whole namespace where that is
    empty, and of the mesh in the root namespace. ``hosts`` are the Host headers that its rules ask for, in `hosts` or
    `notHosts`.
    """

    meta: ObjectMeta
    targets: tuple[Target, ...]
    selector: Mapping[str, str]
    action: str
    hosts: tuple[str, ...]
    raw: Raw = field(default_factory=empty, compare=False, repr=False)

    @property
    def key(self) -> Key:
        """Identity."""
        return Key("AuthorizationPolicy", self.meta.namespace, self.meta.name)

    @classmethod
    def parse(cls, raw: Raw) -> "AuthorizationPolicy":
        """Read an AuthorizationPolicy; total over any mapping."""
        spec = mapping(raw.get("spec"))
        listed = (mapping(spec.get("targetRef")), *mappings(spec.get("targetRefs")))
        return cls(
            meta=ObjectMeta.parse(raw),
            targets=tuple(_target(ref) for ref in listed if ref),
            selector=texts(mapping(spec.get("selector")).get("matchLabels")),
            action=text(spec.get("action")) or "ALLOW",
            hosts=_hosts(spec),
            raw=raw,
        )

    def covers_service(self, name: str) -> bool:
        """Whether it is attached to the Service of that name."""
        return Target("", "Service", name) in self.targets

    def covers_entry(self, name: str) -> bool:
        """Whether it is attached to the ServiceEntry of that name."""
        return Target(ISTIO_GROUP, "ServiceEntry", name) in self.targets


def _target(ref: Raw) -> Target:
    group = text(ref.get("group"))
    return Target("" if group == "core" else group, text(ref.get("kind")), text(ref.get("name")))


def _hosts(spec: Raw) -> tuple[str, ...]:
    to = (t for rule in mappings(spec.get("rules")) for t in mappings(rule.get("to")))
    operations = [mapping(each.get("operation")) for each in to]
    return tuple(dict.fromkeys(h for o in operations for name in ("hosts", "notHosts") for h in strings(o.get(name))))
