"""An Istio Gateway as far as it shows which pods are gateways: those that it selects, and the ports that it opens."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dnsalias_operator.model.meta import ObjectMeta, Raw, empty, integer, mapping, mappings, strings, texts
from dnsalias_operator.model.names import Key

PASSING = "AUTO_PASSTHROUGH"


@dataclass(frozen=True, slots=True)
class Gateway:
    """A networking.istio.io Gateway.

    ``selector`` is empty where it has none, and then the Gateway is for every gateway. ``ports`` are the numbers of its
    servers. ``passing`` are the hosts of those that let TLS pass by its SNI (AUTO_PASSTHROUGH), as between networks;
    None where it has none such.
    """

    meta: ObjectMeta
    selector: Mapping[str, str]
    ports: frozenset[int]
    passing: tuple[str, ...] | None = None
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
            passing=_passing(spec),
            raw=raw,
        )


def _passing(spec: Mapping[str, Any]) -> tuple[str, ...] | None:
    """A host may have the namespace before it of which VirtualServices are bound to it."""
    servers = [s for s in mappings(spec.get("servers")) if mapping(s.get("tls")).get("mode") == PASSING]
    hosts = (host.rpartition("/")[2] for server in servers for host in strings(server.get("hosts")))
    return tuple(dict.fromkeys(hosts)) if servers else None
