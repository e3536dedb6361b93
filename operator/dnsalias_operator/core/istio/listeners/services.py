"""What istiod makes of an object before it builds listeners: its internal services, one a host and address.

Source: convertServices in pilot/pkg/serviceregistry/serviceentry/conversion.go, ConvertService in
pilot/pkg/serviceregistry/kube/conversion.go, GetAddressForProxy in pilot/pkg/model/service.go.
"""

from dataclasses import dataclass
from enum import StrEnum

from dnsalias_operator.core.istio.listeners.addresses import bound
from dnsalias_operator.core.istio.listeners.rows import WILDCARD, WILDCARD6
from dnsalias_operator.core.istio.protocols import Protocol, entry_protocol, service_protocol
from dnsalias_operator.core.istio.service_names import service_host
from dnsalias_operator.model.lookups import Claimant
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.meta import mapping, mappings, text
from dnsalias_operator.model.names import EXPORT_TO_ANNOTATION, Key
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry

PUBLIC, PRIVATE, NOBODY = "*", ".", "~"
"""Values of exportTo that are no namespace's name."""

AUTO_ALLOCATE_LABEL = "networking.istio.io/enable-autoallocate-ip"


class Resolution(StrEnum):
    """How istiod finds the endpoints; only what listeners depend on is told apart."""

    PASSTHROUGH = "Passthrough"
    ALIAS = "Alias"
    DYNAMIC_DNS = "DynamicDNS"
    OTHER = "Other"


@dataclass(frozen=True, slots=True)
class Upstream:
    """One internal service of istiod, as the sidecar of an IPv4 or a dual-stack pod sees it.

    ``address`` is an IP, a CIDR with a prefix shorter than the address, "0.0.0.0" for none, or "" where the object has
    an address that is not known (a Service from a file). ``extra`` are addresses that a dual-stack pod's sidecar binds
    together with it. ``name`` is what istiod breaks ties of age by.
    """

    key: Key
    hostname: str
    name: str
    created: int | None
    address: str
    resolution: Resolution
    selects: bool
    public: bool
    ports: tuple[tuple[int, Protocol], ...]
    extra: tuple[str, ...] = ()

    @property
    def namespace(self) -> str:
        """Namespace of the object it was made from."""
        return self.key.namespace

    @property
    def kubernetes(self) -> bool:
        """Whether it was made from a Service; these go before ServiceEntries where a hostname is contested."""
        return self.key.kind == "Service"

    @property
    def wildcarded(self) -> bool:
        """Whether its hostname begins with a wildcard."""
        return self.hostname.startswith("*")


def export_to(obj: Claimant, mesh: Mesh) -> frozenset[str]:
    """The effective exportTo of an object: its own, else the mesh's default, else public.

    A Service's annotation that holds nothing but commas is a value like any other, and names no namespace.
    """
    own = obj.export_to
    if isinstance(obj, Service) and not own:
        own = ("",) if obj.meta.annotations.get(EXPORT_TO_ANNOTATION) else None
    return frozenset(own or mesh.default_service_export_to or (PUBLIC,))


def service_key(hostname: str, mesh: Mesh) -> Key | None:
    """Key of the Service that would have this hostname, or None where no Service can."""
    head = hostname.removesuffix(f".svc.{mesh.cluster_domain}")
    name, dot, namespace = head.partition(".")
    if head == hostname or not dot or "." in namespace:
        return None
    return Key("Service", namespace, name)


def upstreams(obj: Claimant, mesh: Mesh) -> tuple[Upstream, ...]:
    """The internal services istiod makes of an object, in the order of its hosts and addresses."""
    return (_of_service(obj, mesh),) if isinstance(obj, Service) else _of_entry(obj, mesh)


def hostnames(obj: Claimant, mesh: Mesh) -> tuple[str, ...]:
    """The names under which istiod files the services of an object."""
    return (service_host(obj, mesh),) if isinstance(obj, Service) else obj.hosts


def full_name(host: str, namespace: str, mesh: Mesh) -> str:
    """A host as a rule of ``namespace`` means it: a name without a dot is a Service of that namespace.

    Source: ResolveShortnameToFQDN in pilot/pkg/model/config.go.
    """
    return host if "." in host or host == "*" else f"{host}.{namespace}.svc.{mesh.cluster_domain}"


def _of_service(service: Service, mesh: Mesh) -> Upstream:
    if service.type == "ExternalName" and service.external_name:
        resolution = Resolution.ALIAS
    else:
        resolution = Resolution.PASSTHROUGH if service.headless else Resolution.OTHER
    # An IPv4 proxy takes the first address of its own family; where there is none Istio keeps the primary one.
    ipv4 = () if mesh.dual_stack else tuple(ip for ip in service.cluster_ips if ":" not in ip)
    unknown = WILDCARD if service.headless else ""
    return Upstream(
        key=service.key,
        hostname=service_host(service, mesh),
        name=service.meta.name,
        created=service.meta.created,
        address=next(iter((*ipv4, *service.cluster_ips)), unknown),
        resolution=resolution,
        selects=bool(service.selector),
        public=PUBLIC in export_to(service, mesh),
        ports=tuple((p.port, service_protocol(p)) for p in service.ports),
        extra=service.cluster_ips[1:] if _binds_all(mesh) else (),
    )


_RESOLUTIONS = {"NONE": Resolution.PASSTHROUGH, "DYNAMIC_DNS": Resolution.DYNAMIC_DNS}


def _of_entry(entry: ServiceEntry, mesh: Mesh) -> tuple[Upstream, ...]:
    ports = tuple((p.number, entry_protocol(p)) for p in entry.ports)
    public = PUBLIC in export_to(entry, mesh)
    # A host or address that is listed twice makes one service: the name of istiod's record holds both.
    pairs = dict.fromkeys((host, binds) for host in entry.hosts for binds in _addresses(entry, host, mesh))
    return tuple(
        Upstream(
            key=entry.key,
            hostname=host,
            name=host,
            created=entry.meta.created,
            address=address,
            resolution=_RESOLUTIONS.get(entry.resolution, Resolution.OTHER),
            selects=bool(entry.workload_selector),
            public=public,
            ports=ports,
            extra=extra,
        )
        for host, (address, *rest) in pairs
        for extra in (tuple(rest),)
    )


def _addresses(entry: ServiceEntry, host: str, mesh: Mesh) -> tuple[tuple[str, ...], ...]:
    """The addresses of a host, each with those that are bound together with it."""
    if entry.addresses:
        found: tuple[tuple[str, ...], ...] = tuple((a,) for a in map(bound, entry.addresses) if a)
    else:
        found = (_allocated(entry, host, mesh) or (WILDCARD,),)
    return tuple((a, WILDCARD6) if mesh.dual_stack and (a, *rest) == (WILDCARD,) else (a, *rest) for a, *rest in found)


def _allocated(entry: ServiceEntry, host: str, mesh: Mesh) -> tuple[str, ...]:
    """The automatic addresses of a host that such a proxy uses, IPv4 first; () where there are none.

    Only proxies with DNS capture use them; not for resolution NONE, nor with the opt-out label. A new entry has none
    until istiod has written its status. Source: pilot/pkg/networking/serviceentry/ip_autoallocation.go,
    nodeUsesAutoallocatedIPs in pilot/pkg/model/service.go.
    """
    opted_out = entry.meta.labels.get(AUTO_ALLOCATE_LABEL, "").lower() == "false"
    if not mesh.dns_capture or entry.resolution == "NONE" or opted_out:
        return ()
    status = mappings(mapping(entry.raw.get("status")).get("addresses"))
    values = [v for s in status if text(s.get("host")) == host and bound(v := text(s.get("value"))) and "/" not in v]
    ipv4, ipv6 = [v for v in values if ":" not in v], [v for v in values if ":" in v]
    found = (*ipv4[-1:], *(ipv6[-1:] if mesh.dual_stack else ()))
    return found if _binds_all(mesh) else found[:1]


def _binds_all(mesh: Mesh) -> bool:
    """Whether a sidecar binds all addresses of a service.

    Source: getAllAddressesForProxy in pilot/pkg/model/service.go.
    """
    return mesh.dual_stack and mesh.istio_dual_stack
