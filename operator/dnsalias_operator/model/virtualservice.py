"""An Istio VirtualService as far as it touches outbound listeners: the TCP and TLS ports that it routes."""

from dataclasses import dataclass, field

from dnsalias_operator.model.meta import ObjectMeta, Raw, empty, integer, mapping, mappings, strings, text
from dnsalias_operator.model.names import ALIAS_LABEL, KIND, Key

MESH_GATEWAY = "mesh"
"""The gateway name that means all sidecars."""


@dataclass(frozen=True, slots=True)
class StreamRoute:
    """One match of ``spec.tls`` or ``spec.tcp`` that leads somewhere; ``port`` 0 where it is for every port."""

    tls: bool
    port: int


@dataclass(frozen=True, slots=True)
class VirtualService:
    """A networking.istio.io VirtualService. ``routes`` are those that sidecars apply; HTTP routes make no listener.

    ``destinations`` are the hosts, as written, to which HTTP routes lead that sidecars apply.
    """

    meta: ObjectMeta
    hosts: tuple[str, ...]
    export_to: tuple[str, ...]
    routes: tuple[StreamRoute, ...]
    destinations: tuple[str, ...] = ()
    raw: Raw = field(default_factory=empty, compare=False, repr=False)

    @property
    def key(self) -> Key:
        """Identity."""
        return Key("VirtualService", self.meta.namespace, self.meta.name)

    @property
    def routes_requests(self) -> bool:
        """Whether sidecars apply HTTP routes of it."""
        return self.in_mesh and bool(mappings(mapping(self.raw.get("spec")).get("http")))

    @property
    def in_mesh(self) -> bool:
        """Whether sidecars apply it at all, and not gateways alone."""
        bound = strings(mapping(self.raw.get("spec")).get("gateways"))
        return not bound or MESH_GATEWAY in bound

    @property
    def of_alias(self) -> bool:
        """Whether it has the marks of one that was made for a DnsAlias: it leads to the Service, with its routes."""
        return ALIAS_LABEL in self.meta.labels and any(o.controller and o.kind == KIND for o in self.meta.owners)

    @classmethod
    def parse(cls, raw: Raw) -> "VirtualService":
        """Read a VirtualService; total over any mapping."""
        spec = mapping(raw.get("spec"))
        bound = strings(spec.get("gateways"))
        applied = not bound or MESH_GATEWAY in bound
        return cls(
            meta=ObjectMeta.parse(raw),
            hosts=strings(spec.get("hosts")),
            export_to=strings(spec.get("exportTo")),
            routes=_routes(spec) if applied else (),
            destinations=_destinations(spec) if applied else (),
            raw=raw,
        )


def _routes(spec: Raw) -> tuple[StreamRoute, ...]:
    """Source: the loops over routes in pilot/pkg/networking/core/tls.go; a TCP route without a match takes all."""
    found: dict[StreamRoute, None] = {}
    for kind in ("tls", "tcp"):
        for route in mappings(spec.get(kind)):
            if not mappings(route.get("route")):
                continue
            matches = mappings(route.get("match"))
            for match in matches:
                bound = strings(match.get("gateways"))
                if not bound or MESH_GATEWAY in bound:
                    found[StreamRoute(kind == "tls", integer(match.get("port")) or 0)] = None
            if kind == "tcp" and not matches:
                found[StreamRoute(tls=False, port=0)] = None
    return tuple(found)


def _destinations(spec: Raw) -> tuple[str, ...]:
    to = (mapping(d.get("destination")) for http in mappings(spec.get("http")) for d in mappings(http.get("route")))
    return tuple(dict.fromkeys(filter(None, (text(destination.get("host")) for destination in to))))
