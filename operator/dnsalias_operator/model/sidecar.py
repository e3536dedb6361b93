"""An Istio Sidecar (v1, v1beta1, v1alpha3: one schema): what the sidecars of some pods import, and from which ports."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dnsalias_operator.model.meta import ObjectMeta, Raw, empty, integer, mapping, mappings, strings, text, texts
from dnsalias_operator.model.names import Key


@dataclass(frozen=True, slots=True)
class EgressListener:
    """One entry of ``spec.egress``.

    ``hosts`` are as written (``NAMESPACE/HOST``). ``port`` is None where the listener is for every port; 0 is that of
    a Unix domain socket. ``captured`` is False for captureMode NONE: the application dials the listener itself.
    """

    hosts: tuple[str, ...]
    port: int | None = None
    protocol: str = ""
    bind: str = ""
    captured: bool = True


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A networking.istio.io Sidecar, as far as outbound listeners depend on it.

    ``workload_selector`` is None where it is not set (the Sidecar is its namespace's default), an empty mapping where
    it has no labels. ``outbound_policy`` is "" where none is set; one without a mode is REGISTRY_ONLY, the API's first
    value. ``egress_proxy`` is the cluster that the policy sends unknown traffic to, "" where it names none.
    """

    meta: ObjectMeta
    workload_selector: Mapping[str, str] | None
    egress: tuple[EgressListener, ...]
    outbound_policy: str = ""
    egress_proxy: str = ""
    raw: Raw = field(default_factory=empty, compare=False, repr=False)

    @property
    def key(self) -> Key:
        """Identity."""
        return Key("Sidecar", self.meta.namespace, self.meta.name)

    @property
    def imports_from(self) -> frozenset[str]:
        """Namespaces from which it may import something; ``*`` means all, and is the value if egress is unset."""
        if not self.egress:
            return frozenset(("*",))
        spelled = (host.partition("/")[0] for e in self.egress for host in e.hosts if not host.startswith("~"))
        return frozenset(self.meta.namespace if ns == "." else ns for ns in spelled)

    @classmethod
    def parse(cls, raw: Raw) -> "Sidecar":
        """Read a Sidecar; total over any mapping."""
        spec = mapping(raw.get("spec"))
        selector, policy = spec.get("workloadSelector"), spec.get("outboundTrafficPolicy")
        return cls(
            meta=ObjectMeta.parse(raw),
            workload_selector=texts(selector.get("labels")) if isinstance(selector, Mapping) else None,
            egress=tuple(_egress(e) for e in mappings(spec.get("egress"))),
            outbound_policy=(text(policy.get("mode")) or "REGISTRY_ONLY") if isinstance(policy, Mapping) else "",
            egress_proxy=_cluster(mapping(mapping(policy).get("egressProxy"))),
            raw=raw,
        )


def _egress(raw: Raw) -> EgressListener:
    port = raw.get("port")
    return EgressListener(
        hosts=strings(raw.get("hosts")),
        port=(integer(port.get("number")) or 0) if isinstance(port, Mapping) else None,
        protocol=text(mapping(port).get("protocol")),
        bind=text(raw.get("bind")),
        captured=text(raw.get("captureMode")) != "NONE",
    )


def _cluster(destination: Raw) -> str:
    """The outbound cluster of a Destination.

    Source: GetDestinationCluster in pilot/pkg/networking/core/route/route.go.
    """
    host, subset = text(destination.get("host")), text(destination.get("subset"))
    number = integer(mapping(destination.get("port")).get("number")) or 0
    return f"outbound|{number}|{subset}|{host}" if host else ""
