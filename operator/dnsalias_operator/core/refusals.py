"""Why an alias is not served: an ordered chain of small checks, each named for the fault it finds.

Each check gets all that is known (`Case`) and gives a `Refusal` or None; the first one decides.
"""

from collections.abc import Callable
from dataclasses import dataclass

from dnsalias_operator.core.generate import ambiguous_target_port, chosen_ports, endpoints_of, tcp_ports
from dnsalias_operator.core.hosts import public_suffix, reserved, shadowed_service
from dnsalias_operator.core.protocols import PortClass, class_of, service_protocol
from dnsalias_operator.core.visibility import Scope
from dnsalias_operator.model.dnsalias import DnsAlias, DnsAliasSpec, Endpoints
from dnsalias_operator.model.names import AMBIENT_LABEL, Key
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.service import Service, ServicePort
from dnsalias_operator.model.snapshot import Snapshot

ACCEPTED = "Accepted"
RESOLVED_REFS = "ResolvedRefs"
PROGRAMMED = "Programmed"
READY = "Ready"


@dataclass(frozen=True, slots=True)
class Refusal:
    """The condition that turns False, its reason (one word of a closed list), and what was found and what to do."""

    condition: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Case:
    """What the checks look at. ``scope`` is the alias' visibility, never wider than the Service's."""

    world: Snapshot
    rules: Rules
    alias: DnsAlias
    spec: DnsAliasSpec
    service: Service | None

    @property
    def ports(self) -> tuple[ServicePort, ...]:
        """The Service's TCP ports that the alias asks for."""
        return chosen_ports(self.spec, self.service)[0] if self.service else ()

    @property
    def asked(self) -> Scope:
        """The visibility that the alias asks for."""
        return Scope.of(self.spec.export_to, self.alias.meta.namespace, self.rules.default_export_to)

    @property
    def scope(self) -> Scope:
        """The visibility that it gets."""
        if self.service is None:
            return self.asked
        return self.asked.narrowed(Scope.of_claimant(self.service, self.rules.mesh))


def host_reserved(case: Case) -> Refusal | None:
    """The host is one that no alias may have."""
    why = reserved(case.spec.host, case.rules.mesh)
    if not why:
        return None
    return Refusal(ACCEPTED, "HostReserved", f"host {case.spec.host} is reserved: {why}; choose another host")


def host_public(case: Case) -> Refusal | None:
    """The host is under a real public suffix, and the settings forbid that."""
    suffix = public_suffix(case.spec.host) if case.rules.forbid_public_suffixes else ""
    if not suffix:
        return None
    message = (
        f"host {case.spec.host} is under the public suffix {suffix}, which the setting forbid_public_suffixes refuses; "
        "choose a name that exists inside the mesh only"
    )
    return Refusal(ACCEPTED, "PublicSuffix", message)


def host_is_service(case: Case) -> Refusal | None:
    """The host is the short name of a Service that exists."""
    service = shadowed_service(case.world, case.spec.host)
    if service is None:
        return None
    message = (
        f"host {case.spec.host} is the name of {service.key}: pods would resolve it to that Service, and the alias "
        "would take its virtual host; choose another host"
    )
    return Refusal(ACCEPTED, "HostIsService", message)


def host_held(case: Case) -> Refusal | None:
    """An older alias whose visibility overlaps has the host."""
    holder = holder_of(case)
    if holder is None:
        return None
    message = f"host {case.spec.host} is held by {holder}, which is older; delete that one or choose another host"
    return Refusal(ACCEPTED, "HostHeld", message)


def holder_of(case: Case) -> Key | None:
    """The alias that holds this one's host: oldest creation, then namespace and name; None where this one does."""
    mine = _claim(case.alias)
    for other in sorted(case.world.aliases_for_host(case.spec.host), key=_claim):
        if _claim(other) >= mine:
            return None
        theirs = Scope.of(
            other.spec.export_to if other.spec else None, other.meta.namespace, case.rules.default_export_to
        )
        if not other.meta.deleting and theirs.overlaps(case.asked):
            return other.key
    return None


def _claim(alias: DnsAlias) -> tuple[float, str, str]:
    created = float("inf") if alias.meta.created is None else alias.meta.created
    return (created, alias.meta.namespace, alias.meta.name)


def ambient(case: Case) -> Refusal | None:
    """The namespace is in ambient mode."""
    namespace = case.world.namespace(case.alias.meta.namespace)
    if namespace is None or namespace.meta.labels.get(AMBIENT_LABEL) != "ambient":
        return None
    message = (
        f"namespace {namespace.meta.name} is in ambient mode, where two entries on one address replace each other; "
        f"aliases need sidecars: remove the label {AMBIENT_LABEL}=ambient"
    )
    return Refusal(ACCEPTED, "AmbientUnsupported", message)


def multi_cluster(case: Case) -> Refusal | None:
    """Several clusters share the mesh."""
    if not case.rules.mesh.multi_cluster:
        return None
    message = "the setting multi_cluster is true: a clusterIP of one cluster would be programmed in every cluster"
    return Refusal(ACCEPTED, "MultiClusterUnsupported", message)


def service_missing(case: Case) -> Refusal | None:
    """There is no such Service."""
    if case.service is not None:
        return None
    name = f"{case.alias.meta.namespace}/{case.spec.service_ref.name}"
    return Refusal(
        RESOLVED_REFS, "ServiceNotFound", f"Service {name} does not exist; create it or mend spec.serviceRef"
    )


def service_external(case: Case) -> Refusal | None:
    """The Service is an ExternalName: it has no address and no pods."""
    if case.service is None or case.service.type != "ExternalName":
        return None
    message = f"{case.service.key} is of type ExternalName and has no clusterIP; alias the Service it names instead"
    return Refusal(RESOLVED_REFS, "ServiceIsExternalName", message)


def no_port(case: Case) -> Refusal | None:
    """A port that the alias asks for is none of the Service's TCP ports, or there are none."""
    if case.service is None:
        return None
    chosen, missing = chosen_ports(case.spec, case.service)
    if chosen and not missing:
        return None
    have = ", ".join(f"{p.port}{f' ({p.name})' if p.name else ''}" for p in tcp_ports(case.service)) or "none"
    asked = f"spec.ports names {', '.join(map(str, missing))}; " if missing else ""
    return Refusal(RESOLVED_REFS, "NoMatchingPort", f"{asked}TCP ports of {case.service.key}: {have}")


def headless(case: Case) -> Refusal | None:
    """The Service is headless and a port is told apart by address only."""
    if case.service is None or not case.service.headless:
        return None
    bad = [p for p in case.ports if class_of(service_protocol(p)) is not PortClass.HTTP]
    if not bad:
        return None
    message = (
        f"{case.service.key} is headless (clusterIP None): port {bad[0].port} is {service_protocol(bad[0])}, and "
        "without an address the alias would take every connection to that port; give the Service a clusterIP, or limit "
        "spec.ports to HTTP ports"
    )
    return Refusal(RESOLVED_REFS, "HeadlessService", message)


def address_unknown(case: Case) -> Refusal | None:
    """No clusterIP is known (yet)."""
    if case.service is None or case.service.headless or case.service.cluster_ips:
        return None
    message = f"{case.service.key} has no clusterIP; in files, add spec.clusterIPs as the cluster has it"
    return Refusal(RESOLVED_REFS, "AddressUnknown", message)


def no_selector(case: Case) -> Refusal | None:
    """Workloads are asked for and the Service selects none."""
    if case.service is None or case.spec.endpoints is not Endpoints.WORKLOADS or case.service.selector:
        return None
    message = f"spec.endpoints is Workloads and {case.service.key} has no selector; use endpoints: Service"
    return Refusal(RESOLVED_REFS, "NoSelector", message)


def ambiguous_port(case: Case) -> Refusal | None:
    """Two ports go to one named targetPort."""
    if case.service is None or endpoints_of(case.spec, case.service) is not Endpoints.WORKLOADS:
        return None
    name = ambiguous_target_port(case.ports)
    if not name:
        return None
    other = "give them different names" if _http(case) else "use endpoints: Service"
    message = (
        f"two ports of {case.service.key} have the targetPort {name!r}, which can name one ServiceEntry port only; "
        f"{other}, or list one of them in spec.ports"
    )
    return Refusal(RESOLVED_REFS, "AmbiguousTargetPort", message)


def plaintext(case: Case) -> Refusal | None:
    """HTTP by a DNS endpoint is sent in plaintext, which the Service's pods may refuse (docs/equivalence.md)."""
    if case.service is None or endpoints_of(case.spec, case.service) is Endpoints.WORKLOADS:
        return None
    bad = _http(case)
    if not bad or not case.service.selector:
        return None
    message = (
        f"spec.endpoints is Service, and sidecars would call port {bad[0].port} ({service_protocol(bad[0])}) of "
        f"{case.service.key} in plaintext, which fails where mTLS is STRICT; use endpoints: Auto, or limit spec.ports "
        "to ports that are not HTTP"
    )
    return Refusal(RESOLVED_REFS, "PlaintextEndpoints", message)


def _http(case: Case) -> list[ServicePort]:
    return [p for p in case.ports if class_of(service_protocol(p)) is PortClass.HTTP]


def not_exported(case: Case) -> Refusal | None:
    """Nothing is left of the alias' visibility within the Service's."""
    wanted = case.asked
    if case.service is None or case.scope.everywhere or case.scope.namespaces:
        return None
    if not wanted.everywhere and not wanted.namespaces:
        return None  # exportTo ["~"] was asked for
    message = f"{case.service.key} is exported to no namespace that spec.exportTo names; widen one of the two"
    return Refusal(ACCEPTED, "NotExported", message)


def private_shadow(case: Case) -> Refusal | None:
    """A private exportTo comes before the Service, whatever its age (facts/istio.md part 2)."""
    if case.service is None or case.scope.everywhere or not case.scope.namespaces:
        return None
    if case.scope == Scope.of_claimant(case.service, case.rules.mesh):
        return None
    bad = [p for p in case.ports if class_of(service_protocol(p)) is not PortClass.HTTP]
    if not bad:
        return None
    message = (
        f"an alias with a private exportTo comes before {case.service.key} in those namespaces and would take its port "
        f"{bad[0].port} ({service_protocol(bad[0])}); export it to '*', or give the Service the same exportTo"
    )
    return Refusal(ACCEPTED, "WouldShadowService", message)


CHECKS: tuple[Callable[[Case], Refusal | None], ...] = (
    multi_cluster,
    ambient,
    host_reserved,
    host_public,
    host_is_service,
    host_held,
    service_missing,
    service_external,
    no_port,
    headless,
    address_unknown,
    no_selector,
    ambiguous_port,
    plaintext,
    not_exported,
    private_shadow,
)


def refusal(case: Case) -> Refusal | None:
    """The first fault, or None."""
    return next((found for check in CHECKS if (found := check(case)) is not None), None)
