"""The world as the core sees it: indexed objects, the same type whether they came from a cluster or from files.

A lookup costs in proportion to what it finds, a what-if (`with_changes`) in proportion to what it changes.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

from dnsalias_operator.model.destinationrule import DestinationRule
from dnsalias_operator.model.dnsalias import DnsAlias
from dnsalias_operator.model.meta import ObjectMeta, Raw, empty
from dnsalias_operator.model.names import KIND, SERVICE_ANNOTATION, Key
from dnsalias_operator.model.peerauthentication import PeerAuthentication
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.sidecar import Sidecar
from dnsalias_operator.model.virtualservice import VirtualService


@dataclass(frozen=True, slots=True)
class Namespace:
    """A Namespace: only its labels matter here (ambient mode, selectors)."""

    meta: ObjectMeta
    raw: Raw = field(default_factory=empty, compare=False, repr=False)

    @property
    def key(self) -> Key:
        """Identity."""
        return Key("Namespace", "", self.meta.name)

    @classmethod
    def parse(cls, raw: Raw) -> Self:
        """Read a Namespace; total over any mapping."""
        return cls(ObjectMeta.parse(raw), raw)


Object = Service | ServiceEntry | DnsAlias | Namespace | Sidecar | VirtualService | PeerAuthentication | DestinationRule
Claimant = Service | ServiceEntry
"""What can claim a listener."""

PARSERS: Mapping[str, Callable[[Raw], Object]] = {
    "Service": Service.parse,
    "ServiceEntry": ServiceEntry.parse,
    KIND: DnsAlias.parse,
    "Namespace": Namespace.parse,
    "Sidecar": Sidecar.parse,
    "VirtualService": VirtualService.parse,
    "PeerAuthentication": PeerAuthentication.parse,
    "DestinationRule": DestinationRule.parse,
}


Answer = TypeVar("Answer")


def _index_values(obj: Object) -> Iterator[tuple[str, Hashable]]:
    yield "kind", obj.key.kind
    yield "namespace", (obj.key.kind, obj.key.namespace)
    if isinstance(obj, Service):
        yield from (("port", p.port) for p in obj.ports)
        yield from (("port in", (obj.meta.namespace, p.port)) for p in obj.ports)
        yield from (("address", ip) for ip in obj.cluster_ips)
        if obj.type == "ExternalName" and obj.external_name:
            yield "alias of", obj.external_name
    elif isinstance(obj, ServiceEntry):
        yield from (("host", host) for host in obj.hosts)
        yield from (("host under", host.partition(".")[2]) for host in obj.hosts)
        yield from (("port", p.number) for p in obj.ports)
        yield from (("port in", (obj.meta.namespace, p.number)) for p in obj.ports)
        yield from (("address", address) for address in obj.addresses)
        if any("/" in address for address in obj.addresses):
            yield "cidr", True
        yield from (("allocated", address) for address in obj.auto_addresses)
        yield from (("endpoint", e.address) for e in obj.endpoints)
        yield from (("owner", owner.uid) for owner in obj.meta.owners)
        if SERVICE_ANNOTATION in obj.meta.annotations:
            yield "annotated", obj.meta.annotations[SERVICE_ANNOTATION]
    elif isinstance(obj, DnsAlias) and obj.spec:
        yield "host", obj.spec.host
        yield "host under", obj.spec.host.partition(".")[2]
        yield "service", (obj.meta.namespace, obj.spec.service_ref.name)
    elif isinstance(obj, Sidecar):
        yield from (("imports", namespace) for namespace in obj.imports_from)
        yield from (("egress port", e.port) for e in obj.egress if e.port is not None)
        yield from (("egress bind", e.bind) for e in obj.egress if e.bind)


class Snapshot:
    """Objects by key and by index. Read-only; `LiveSnapshot` is the one that changes.

    ``namespaces_known`` is False where Namespaces were not read (files, a namespaced install): then nothing is known
    of ambient mode.
    """

    def __init__(self, objects: Iterable[Object] = (), *, namespaces_known: bool = False) -> None:
        self.namespaces_known = namespaces_known
        self._memo: dict[Hashable, Any] = {}
        self._objects: dict[Key, Object] = {}
        self._index: dict[tuple[str, Hashable], dict[Key, None]] = defaultdict(dict)
        for obj in objects:
            self._put(obj)

    def get(self, key: Key) -> Object | None:
        """The object of that identity, or None."""
        return self._objects.get(key)

    def find(self, index: str, value: Hashable) -> list[Object]:
        """Objects whose ``index`` holds ``value``, sorted by key."""
        return [self._objects[key] for key in sorted(self._index.get((index, value), ()))]

    def remembered(self, question: Hashable, answer: Callable[[], Answer]) -> Answer:
        """What ``answer`` computes from this very state, computed once; forgotten when anything changes."""
        if question not in self._memo:
            self._memo[question] = answer()
        known: Answer = self._memo[question]
        return known

    def with_changes(self, changes: Mapping[Key, Object | None]) -> "Snapshot":
        """What the world would be with each key replaced by the object, or without it where that is None."""
        return _Overlay(self, changes)

    def objects(self) -> list[Object]:
        """Every object, sorted by kind and key."""
        return [o for kind in PARSERS for o in self.find("kind", kind)]

    # Typed lookups.

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

    def services(self) -> list[Service]:
        """Every Service, sorted by key."""
        return [o for o in self.find("kind", "Service") if isinstance(o, Service)]

    def services_in(self, namespace: str) -> list[Service]:
        """The Services of a namespace, sorted by name."""
        return [o for o in self.find("namespace", ("Service", namespace)) if isinstance(o, Service)]

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
        """ServiceEntries to which istiod has allocated exactly this address."""
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

    def peer_authentications_in(self, namespace: str) -> list[PeerAuthentication]:
        """The PeerAuthentications of a namespace, sorted by name."""
        return [
            o for o in self.find("namespace", ("PeerAuthentication", namespace)) if isinstance(o, PeerAuthentication)
        ]

    def destination_rules_in(self, namespace: str) -> list[DestinationRule]:
        """The DestinationRules of a namespace, sorted by name."""
        return [o for o in self.find("namespace", ("DestinationRule", namespace)) if isinstance(o, DestinationRule)]

    def claimants(self, port: int) -> list[Claimant]:
        """Services and ServiceEntries that have this port number."""
        return [o for o in self.find("port", port) if isinstance(o, Service | ServiceEntry)]

    def claimants_in(self, namespace: str, port: int) -> list[Claimant]:
        """Services and ServiceEntries of a namespace that have this port number."""
        return [o for o in self.find("port in", (namespace, port)) if isinstance(o, Service | ServiceEntry)]

    def ports(self) -> list[int]:
        """Every port number that some Service or ServiceEntry has, sorted."""
        return sorted(value for index, value in self._index_keys() if index == "port" and isinstance(value, int))

    def _index_keys(self) -> set[tuple[str, Hashable]]:
        return {k for k, members in self._index.items() if members}

    def _put(self, obj: Object) -> None:
        self._drop(obj.key)
        self._memo.clear()
        self._objects[obj.key] = obj
        for item in _index_values(obj):
            self._index[item][obj.key] = None

    def _drop(self, key: Key) -> Object | None:
        gone = self._objects.pop(key, None)
        if gone is not None:
            self._memo.clear()
            for item in _index_values(gone):
                members = self._index[item]
                members.pop(key, None)
                if not members:
                    self._index.pop(item, None)
        return gone


class LiveSnapshot(Snapshot):
    """The snapshot that the operator's store keeps up to date; changed only between decisions, never within one."""

    def put(self, obj: Object) -> None:
        """Add or replace an object."""
        self._put(obj)

    def discard(self, key: Key) -> Object | None:
        """Remove an object; returns what was there."""
        return self._drop(key)


class _Overlay(Snapshot):
    """A base snapshot with a few keys replaced; flattens when stacked, so that depth never grows."""

    def __init__(self, base: Snapshot, changes: Mapping[Key, Object | None]) -> None:
        merged = dict(changes)
        if isinstance(base, _Overlay):
            merged = {**base._changed, **merged}  # noqa: SLF001 (the same class)
            base = base._base  # noqa: SLF001
        super().__init__((o for o in merged.values() if o is not None), namespaces_known=base.namespaces_known)
        self._base: Snapshot = base
        self._changed: Mapping[Key, Object | None] = merged

    def get(self, key: Key) -> Object | None:
        return self._changed[key] if key in self._changed else self._base.get(key)

    def find(self, index: str, value: Hashable) -> list[Object]:
        mine = super().find(index, value)
        theirs = [o for o in self._base.find(index, value) if o.key not in self._changed]
        return sorted((*mine, *theirs), key=lambda o: o.key) if mine else theirs

    def _index_keys(self) -> set[tuple[str, Hashable]]:
        # A key that only a removed object had may stay in: callers look the members up and find none.
        return super()._index_keys() | self._base._index_keys()  # noqa: SLF001
