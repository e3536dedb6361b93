"""Typed lookups in a snapshot: objects by kind, namespace, name, host, port and address."""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping

from dnsalias_operator.model.authorizationpolicy import AuthorizationPolicy
from dnsalias_operator.model.destinationrule import DestinationRule
from dnsalias_operator.model.dnsalias import DnsAlias
from dnsalias_operator.model.index import first_label
from dnsalias_operator.model.kinds import Object
from dnsalias_operator.model.names import AMBIENT, KIND, Key
from dnsalias_operator.model.namespace import Namespace
from dnsalias_operator.model.peerauthentication import PeerAuthentication
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.sidecar import Sidecar
from dnsalias_operator.model.virtualservice import VirtualService

Claimant = Service | ServiceEntry
"""What can claim a listener."""


class Lookups(ABC):
    """Typed lookups, by the indices of `model.index`."""

    @abstractmethod
    def get(self, key: Key) -> Object | None:
        """The object of that identity, or None."""

    @abstractmethod
    def find(self, index: str, value: Hashable) -> list[Object]:
        """Objects whose ``index`` holds ``value``, sorted by key."""

    def service(self, namespace: str, name: str) -> Service | None:
        """The Service, or None."""
        found = self.get(Key("Service", namespace, name))
        return found if isinstance(found, Service) else None

    def entry(self, namespace: str, name: str) -> ServiceEntry | None:
        """The ServiceEntry, or None."""
        found = self.get(Key("ServiceEntry", namespace, name))
        return found if isinstance(found, ServiceEntry) else None

    def alias(self, namespace: str, name: str) -> DnsAlias | None:
        """The DnsAlias, or None."""
        found = self.get(Key(KIND, namespace, name))
        return found if isinstance(found, DnsAlias) else None

    def namespace(self, name: str) -> Namespace | None:
        """The Namespace, or None where it does not exist or is not known."""
        found = self.get(Key("Namespace", "", name))
        return found if isinstance(found, Namespace) else None

    def namespaces(self) -> list[Namespace]:
        """Every Namespace that is known, sorted."""
        return [o for o in self.find("kind", "Namespace") if isinstance(o, Namespace)]

    def namespaces_in_ambient_mode(self) -> list[Namespace]:
        """The Namespaces whose label puts their pods into ambient mode, sorted."""
        return [o for o in self.find("dataplane mode", AMBIENT) if isinstance(o, Namespace)]

    def services(self) -> list[Service]:
        """Every Service, sorted by key."""
        return [o for o in self.find("kind", "Service") if isinstance(o, Service)]

    def services_in(self, namespace: str) -> list[Service]:
        """The Services of a namespace, sorted by name."""
        return [o for o in self.find("namespace", ("Service", namespace)) if isinstance(o, Service)]

    def services_named(self, name: str) -> list[Service]:
        """The Services of that name, in every namespace."""
        return [o for o in self.find("service name", name) if isinstance(o, Service)]

    def services_at(self, address: str) -> list[Service]:
        """Services that have the address as a clusterIP (two at most for a moment, while an address changes hands)."""
        return [o for o in self.find("address", address) if isinstance(o, Service)]

    def entries(self) -> list[ServiceEntry]:
        """Every ServiceEntry, sorted by key."""
        return [o for o in self.find("kind", "ServiceEntry") if isinstance(o, ServiceEntry)]

    def entries_in(self, namespace: str) -> list[ServiceEntry]:
        """The ServiceEntries of a namespace, sorted by name."""
        return [o for o in self.find("namespace", ("ServiceEntry", namespace)) if isinstance(o, ServiceEntry)]

    def entries_at(self, address: str) -> list[ServiceEntry]:
        """ServiceEntries that list exactly this address or CIDR."""
        return [o for o in self.find("address", address) if isinstance(o, ServiceEntry)]

    def entries_with_cidr(self) -> list[ServiceEntry]:
        """ServiceEntries that list an address with a prefix length."""
        return [o for o in self.find("cidr", True) if isinstance(o, ServiceEntry)]

    def entries_for_host(self, host: str) -> list[ServiceEntry]:
        """ServiceEntries that list exactly this host."""
        return [o for o in self.find("host", host) if isinstance(o, ServiceEntry)]

    def entries_under(self, parent: str) -> list[ServiceEntry]:
        """ServiceEntries that list a host which is this name with one label before it."""
        return [o for o in self.find("host under", parent) if isinstance(o, ServiceEntry)]

    def entries_to(self, address: str) -> list[ServiceEntry]:
        """ServiceEntries with an inline endpoint of exactly this address or name."""
        return [o for o in self.find("endpoint", address) if isinstance(o, ServiceEntry)]

    def entries_selecting(self, labels: Mapping[str, str]) -> list[ServiceEntry]:
        """ServiceEntries with exactly this workloadSelector; none for an empty one."""
        return [o for o in self.find("selecting", frozenset(labels.items())) if isinstance(o, ServiceEntry)]

    def entries_owned_by(self, uid: str) -> list[ServiceEntry]:
        """ServiceEntries with an ownerReference to this uid."""
        return [o for o in self.find("owner", uid) if isinstance(o, ServiceEntry)]

    def aliases(self) -> list[DnsAlias]:
        """Every DnsAlias, sorted by key."""
        return [o for o in self.find("kind", KIND) if isinstance(o, DnsAlias)]

    def aliases_in(self, namespace: str) -> list[DnsAlias]:
        """The DnsAliases of a namespace, sorted by name."""
        return [o for o in self.find("namespace", (KIND, namespace)) if isinstance(o, DnsAlias)]

    def aliases_for_host(self, host: str) -> list[DnsAlias]:
        """DnsAliases that declare this host."""
        return [o for o in self.find("host", host) if isinstance(o, DnsAlias)]

    def aliases_under(self, parent: str) -> list[DnsAlias]:
        """DnsAliases whose host is this name with one label before it."""
        return [o for o in self.find("host under", parent) if isinstance(o, DnsAlias)]

    def aliases_of(self, namespace: str, service: str) -> list[DnsAlias]:
        """DnsAliases whose serviceRef is this Service."""
        return [o for o in self.find("service", (namespace, service)) if isinstance(o, DnsAlias)]

    def aliases_to(self, hostname: str) -> list[Service]:
        """ExternalName Services that point to exactly this name."""
        return [o for o in self.find("alias of", hostname) if isinstance(o, Service)]

    def entries_allocated(self, address: str) -> list[ServiceEntry]:
        """ServiceEntries of which a host has exactly this address from istiod (`ServiceEntry.allocated`)."""
        return [o for o in self.find("allocated", address) if isinstance(o, ServiceEntry)]

    def sidecars(self) -> list[Sidecar]:
        """Every Sidecar, sorted by key."""
        return [o for o in self.find("kind", "Sidecar") if isinstance(o, Sidecar)]

    def sidecars_in(self, namespace: str) -> list[Sidecar]:
        """The Sidecars of a namespace, sorted by name."""
        return [o for o in self.find("namespace", ("Sidecar", namespace)) if isinstance(o, Sidecar)]

    def sidecars_importing(self, namespace: str) -> list[Sidecar]:
        """Sidecars that name this namespace among those they import from (``*`` is one that names all)."""
        return [o for o in self.find("imports", namespace) if isinstance(o, Sidecar)]

    def sidecars_with_port(self, port: int) -> list[Sidecar]:
        """Sidecars with an egress listener of exactly this port."""
        return [o for o in self.find("egress port", port) if isinstance(o, Sidecar)]

    def sidecars_binding(self, address: str) -> list[Sidecar]:
        """Sidecars with an egress listener that is bound to exactly this address."""
        return [o for o in self.find("egress bind", address) if isinstance(o, Sidecar)]

    def virtual_services(self) -> list[VirtualService]:
        """Every VirtualService, sorted by key."""
        return [o for o in self.find("kind", "VirtualService") if isinstance(o, VirtualService)]

    def virtual_service(self, namespace: str, name: str) -> VirtualService | None:
        """The VirtualService, or None."""
        found = self.get(Key("VirtualService", namespace, name))
        return found if isinstance(found, VirtualService) else None

    def virtual_services_about(self, host: str) -> list[VirtualService]:
        """VirtualServices of which a host may stand for this one: same first label, or a wildcard; sorted by key."""
        found = (o for label in {first_label(host), "*"} for o in self.find("routed", label))
        return sorted({o.key: o for o in found if isinstance(o, VirtualService)}.values(), key=lambda o: o.key)

    def destination_rules_about(self, host: str) -> list[DestinationRule]:
        """DestinationRules whose host may stand for this one: same first label, or a wildcard; sorted by key."""
        found = (o for label in {first_label(host), "*"} for o in self.find("ruled", label))
        return sorted((o for o in found if isinstance(o, DestinationRule)), key=lambda o: o.key)

    def peer_authentications_in(self, namespace: str) -> list[PeerAuthentication]:
        """The PeerAuthentications of a namespace, sorted by name."""
        return [
            o for o in self.find("namespace", ("PeerAuthentication", namespace)) if isinstance(o, PeerAuthentication)
        ]

    def authorization_policies_in(self, namespace: str) -> list[AuthorizationPolicy]:
        """The AuthorizationPolicies of a namespace, sorted by name."""
        found = self.find("namespace", ("AuthorizationPolicy", namespace))
        return [o for o in found if isinstance(o, AuthorizationPolicy)]

    def destination_rules_in(self, namespace: str) -> list[DestinationRule]:
        """The DestinationRules of a namespace, sorted by name."""
        return [o for o in self.find("namespace", ("DestinationRule", namespace)) if isinstance(o, DestinationRule)]

    def claimants(self, port: int) -> list[Claimant]:
        """Services and ServiceEntries that have this port number."""
        return [o for o in self.find("port", port) if isinstance(o, Service | ServiceEntry)]

    def claimants_in(self, namespace: str, port: int) -> list[Claimant]:
        """Services and ServiceEntries of a namespace that have this port number."""
        return [o for o in self.find("port in", (namespace, port)) if isinstance(o, Service | ServiceEntry)]
