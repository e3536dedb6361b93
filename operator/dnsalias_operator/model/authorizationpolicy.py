"""An Istio AuthorizationPolicy (v1, v1beta1: one schema) as far as it shows whom it is for and which hosts it names."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dnsalias_operator.model.meta import ObjectMeta, Raw, empty, mapping, mappings, strings, text, texts
from dnsalias_operator.model.names import Key


@dataclass(frozen=True, slots=True)
class AuthorizationPolicy:
    """A security.istio.io AuthorizationPolicy.

    ``selector`` is empty where it is for the whole namespace, or for the mesh in the root namespace. ``targets`` are
    kind and name of what it is bound to instead, which only waypoints and gateways go by. ``hosts`` are the Host
    headers that its rules ask for, in `hosts` or `notHosts`.
    """

    meta: ObjectMeta
    selector: Mapping[str, str]
    action: str
    targets: tuple[tuple[str, str], ...] = ()
    hosts: tuple[str, ...] = ()
    raw: Raw = field(default_factory=empty, compare=False, repr=False)

    @property
    def key(self) -> Key:
        """Identity."""
        return Key("AuthorizationPolicy", self.meta.namespace, self.meta.name)

    @classmethod
    def parse(cls, raw: Raw) -> "AuthorizationPolicy":
        """Read an AuthorizationPolicy; total over any mapping."""
        spec = mapping(raw.get("spec"))
        bound = [mapping(spec.get("targetRef")), *mappings(spec.get("targetRefs"))]
        return cls(
            meta=ObjectMeta.parse(raw),
            selector=texts(mapping(spec.get("selector")).get("matchLabels")),
            action=text(spec.get("action")) or "ALLOW",
            targets=tuple((text(b.get("kind")), text(b.get("name"))) for b in bound if b),
            hosts=_hosts(spec),
            raw=raw,
        )


def _hosts(spec: Raw) -> tuple[str, ...]:
    to = (t for rule in mappings(spec.get("rules")) for t in mappings(rule.get("to")))
    operations = [mapping(each.get("operation")) for each in to]
    return tuple(dict.fromkeys(h for o in operations for name in ("hosts", "notHosts") for h in strings(o.get(name))))
