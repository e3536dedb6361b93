"""An Istio DestinationRule as far as it decides what a client's sidecar sends: TLS, and whether it picks endpoints."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dnsalias_operator.model.meta import ObjectMeta, Raw, empty, integer, mapping, mappings, strings, text, texts
from dnsalias_operator.model.names import Key


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """``tls`` of a traffic policy. ``mode`` is DISABLE where none is given, the API's first value."""

    mode: str
    credential: str = ""


@dataclass(frozen=True, slots=True)
class TrafficPolicy:
    """A traffic policy, of a host or of one port; ``passthrough`` is its simple load balancer PASSTHROUGH.

    ``ports`` are the settings of ports as listed, which may name one twice.
    """

    tls: TlsSettings | None = None
    passthrough: bool = False
    ports: tuple[tuple[int, "TrafficPolicy"], ...] = ()


@dataclass(frozen=True, slots=True)
class DestinationRule:
    """A networking.istio.io DestinationRule; subsets are left out.

    ``host`` is as written. ``workload_selector`` is None where it is not set. ``policy`` is None where there is none.
    """

    meta: ObjectMeta
    host: str
    export_to: tuple[str, ...]
    workload_selector: Mapping[str, str] | None
    policy: TrafficPolicy | None
    raw: Raw = field(default_factory=empty, compare=False, repr=False)

    @property
    def key(self) -> Key:
        """Identity."""
        return Key("DestinationRule", self.meta.namespace, self.meta.name)

    @classmethod
    def parse(cls, raw: Raw) -> "DestinationRule":
        """Read a DestinationRule; total over any mapping."""
        spec = mapping(raw.get("spec"))
        selector, policy = spec.get("workloadSelector"), spec.get("trafficPolicy")
        return cls(
            meta=ObjectMeta.parse(raw),
            host=text(spec.get("host")),
            export_to=strings(spec.get("exportTo")),
            workload_selector=texts(selector.get("matchLabels")) if isinstance(selector, Mapping) else None,
            policy=_policy(policy) if isinstance(policy, Mapping) else None,
            raw=raw,
        )


def _policy(raw: Raw) -> TrafficPolicy:
    tls = raw.get("tls")
    return TrafficPolicy(
        tls=_tls(tls) if isinstance(tls, Mapping) else None,
        passthrough=text(mapping(raw.get("loadBalancer")).get("simple")) == "PASSTHROUGH",
        ports=tuple(
            (number, _policy({k: v for k, v in settings.items() if k != "portLevelSettings"}))
            for settings in mappings(raw.get("portLevelSettings"))
            if (number := integer(mapping(settings.get("port")).get("number"))) is not None
        ),
    )


def _tls(raw: Raw) -> TlsSettings:
    return TlsSettings(mode=text(raw.get("mode")) or "DISABLE", credential=text(raw.get("credentialName")))
