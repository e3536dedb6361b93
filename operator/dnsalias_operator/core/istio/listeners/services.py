"""What istiod makes of an object before it builds listeners: its internal services, one a host and address.

Source: convertServices in pilot/pkg/serviceregistry/serviceentry/conversion.go, ConvertService in
pilot/pkg/serviceregistry/kube/conversion.go.
"""

from dataclasses import dataclass
from enum import StrEnum

from dnsalias_operator.core.istio.listeners.families import addresses_of, binds_all, primary
from dnsalias_operator.core.istio.listeners.rows import WILDCARD
from dnsalias_operator.core.istio.protocols import Protocol, entry_protocol, service_protocol
from dnsalias_operator.core.istio.service_names import service_host
from dnsalias_operator.model.lookups import Claimant
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import EXPORT_TO_ANNOTATION, Key
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry

PUBLIC, PRIVATE, NOBODY = "*", ".", "~"
"""Values of exportTo that are no namespace's name."""


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
    together with it. ``name`` is what istiod breaks ties of age by. ``place`` is the service whose place in the order
    it takes, None for its own.
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
    place: "Upstream | None" = None

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

    A Service's annotation that holds nothing but commas is a value like any other, and names no namespace. Before 1.24
    spaces in it are part of the names. Before 1.30.3 a default counts for "." where it holds that, else for "*", and
    nobody gets anything by one that only names namespaces (source: initServiceRegistry in
    pilot/pkg/model/push_context.go).

    What serviceEntryVisibility says of an entry's namespace caps both (source: serviceExportTo there). What is in a
    namespace that istiod does not discover is for nobody; nor is an entry of a remote cluster (`core.istio.topology`).
    """
    if not mesh.discovers(obj.meta.namespace):
        return frozenset((NOBODY,))
    own = _exported(obj, mesh)
    if not isinstance(obj, ServiceEntry) or own == {NOBODY}:
        return own
    if mesh.remote or obj.meta.namespace in mesh.hidden_entries:
        return frozenset((NOBODY,))
    if obj.meta.namespace in mesh.private_entries:
        return frozenset((PRIVATE if own & {PUBLIC, PRIVATE, obj.meta.namespace} else NOBODY,))
    return own


def _exported(obj: Claimant, mesh: Mesh) -> frozenset[str]:
    own = obj.export_to
    if isinstance(obj, Service):
        annotation = obj.meta.annotations.get(EXPORT_TO_ANNOTATION)
        if annotation and not mesh.since(1, 24):
            own = tuple(annotation.split(","))
        own = own or (("",) if annotation else None)
    if own:
        return frozenset(own)
    default = frozenset(mesh.default_service_export_to or (PUBLIC,))
    if not mesh.since(1, 30, 3):
        default = frozenset([next((value for value in (PRIVATE, PUBLIC) if value in default), NOBODY)])
    return default


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
    external = service.type == "ExternalName" and bool(service.external_name)
    if external and mesh.since(1, 21):
        resolution = Resolution.ALIAS
    else:
        resolution = Resolution.PASSTHROUGH if service.headless else Resolution.OTHER
    unknown = WILDCARD if service.headless or external else ""
    return Upstream(
        key=service.key,
        hostname=service_host(service, mesh),
        name=service.meta.name,
        created=service.meta.created,
        address=primary(service.cluster_ips, mesh) or unknown,
        resolution=resolution,
        selects=bool(service.selector),
        public=PUBLIC in export_to(service, mesh),
        ports=tuple((p.port, service_protocol(p, mesh)) for p in service.ports),
        extra=service.cluster_ips[1:] if binds_all(mesh) else (),
    )


_RESOLUTIONS = {"NONE": Resolution.PASSTHROUGH, "DYNAMIC_DNS": Resolution.DYNAMIC_DNS}


def _of_entry(entry: ServiceEntry, mesh: Mesh) -> tuple[Upstream, ...]:
    if entry.resolution == "DYNAMIC_DNS" and not mesh.since(1, 28):
        return ()  # no value of the field: the API server refuses the object
    ports = tuple((p.number, entry_protocol(p)) for p in entry.ports)
    public = PUBLIC in export_to(entry, mesh)
    # A host or address that is listed twice makes one service: the name of istiod's record holds both.
    pairs = dict.fromkeys((host, binds) for host in entry.hosts for binds in addresses_of(entry, host, mesh))
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
