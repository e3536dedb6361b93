"""A Kubernetes Service as a typed view that keeps the raw object."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dnsalias_operator.model.meta import ObjectMeta, Raw, empty, integer, is_ip, mapping, mappings, strings, text, texts
from dnsalias_operator.model.names import EXPORT_TO_ANNOTATION, Key


@dataclass(frozen=True, slots=True)
class ServicePort:
    """One entry of ``spec.ports``. ``target_port`` is a number, a container port's name, or None (same as ``port``)."""

    name: str
    port: int
    protocol: str = "TCP"
    app_protocol: str | None = None
    target_port: int | str | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """A core/v1 Service.

    ``cluster_ips`` holds only real addresses (both families, primary first): it is empty for headless and ExternalName
    Services and for one from a file that the API server has not given an address yet. ``export_to`` is the split value
    of the annotation networking.istio.io/exportTo, None where it is not set. ``outer_ips`` are the addresses by which
    it is called from outside: its externalIPs, and those of its load balancer.
    """

    meta: ObjectMeta
    type: str
    cluster_ips: tuple[str, ...]
    headless: bool
    external_name: str
    ports: tuple[ServicePort, ...]
    selector: Mapping[str, str]
    export_to: tuple[str, ...] | None
    outer_ips: tuple[str, ...] = ()
    raw: Raw = field(default_factory=empty, compare=False, repr=False)

    @property
    def key(self) -> Key:
        """Identity."""
        return Key("Service", self.meta.namespace, self.meta.name)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every address by which it is called, the clusterIPs first."""
        return (*self.cluster_ips, *self.outer_ips)

    @classmethod
    def parse(cls, raw: Raw) -> "Service":
        """Read a Service; total over any mapping."""
        spec = mapping(raw.get("spec"))
        meta = ObjectMeta.parse(raw)
        first = text(spec.get("clusterIP"))
        balancer = mapping(mapping(raw.get("status")).get("loadBalancer"))
        balanced = tuple(text(i.get("ip")) for i in mappings(balancer.get("ingress")))
        listed = strings(spec.get("clusterIPs")) or ((first,) if first else ())
        export_to = meta.annotations.get(EXPORT_TO_ANNOTATION)
        return cls(
            meta=meta,
            type=text(spec.get("type")) or "ClusterIP",
            cluster_ips=tuple(ip for ip in listed if is_ip(ip)),
            headless="None" in (first, *listed),
            external_name=text(spec.get("externalName")),
            ports=tuple(
                ServicePort(
                    name=text(p.get("name")),
                    port=port,
                    protocol=text(p.get("protocol")) or "TCP",
                    app_protocol=p.get("appProtocol") if isinstance(p.get("appProtocol"), str) else None,
                    target_port=p.get("targetPort") if isinstance(p.get("targetPort"), int | str) else None,
                )
                for p in mappings(spec.get("ports"))
                if (port := integer(p.get("port"))) is not None
            ),
            selector=texts(spec.get("selector")),
            export_to=None if export_to is None else tuple(e for e in (x.strip() for x in export_to.split(",")) if e),
            outer_ips=tuple(ip for ip in (*strings(spec.get("externalIPs")), *balanced) if is_ip(ip)),
            raw=raw,
        )


def tcp_ports(service: Service) -> tuple[ServicePort, ...]:
    """The ports an alias can have: those of protocol TCP."""
    return tuple(p for p in service.ports if p.protocol == "TCP")
