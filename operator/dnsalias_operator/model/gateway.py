"""An Istio Gateway as far as it shows which pods are gateways: those that it selects, and the ports that it opens."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dnsalias_operator.model.meta import ObjectMeta, Raw, empty, integer, mapping, mappings, texts
from dnsalias_operator.model.names import Key


@dataclass(frozen=True, slots=True)
class Gateway:
    """A networking.istio.io Gateway.

    ``selector`` is empty where it has none, and then the Gateway is for every gateway. ``ports`` are the numbers of its
    servers.
    """

    meta: ObjectMeta
    selector: Mapping[str, str]
    ports: frozenset[int]
    raw: Raw = field(default_factory=empty, compare=False, repr=False)

    @property
    def key(self) -> Key:
        """Identity."""
        return Key("Gateway", self.meta.namespace, self.meta.name)

    @classmethod
    def parse(cls, raw: Raw) -> "Gateway":
        """Read a Gateway; total over any mapping."""
        spec = mapping(raw.get("spec"))
        numbers = (integer(mapping(server.get("port")).get("number")) for server in mappings(spec.get("servers")))
        return cls(
            meta=ObjectMeta.parse(raw),
            selector=texts(spec.get("selector")),
            ports=frozenset(number for number in numbers if number),
            raw=raw,
        )
