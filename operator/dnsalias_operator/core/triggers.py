"""Which keys are decided again when one object changed: too many cost time, too few cost truth until the resync.

And the other way round: what a decision was made from first of all.
"""

from collections.abc import Iterable, Iterator

from dnsalias_operator.core.entries.ownership import ROUTE_SUFFIX, route_names
from dnsalias_operator.core.entries.stands_for import stands_for
from dnsalias_operator.core.istio.ambient import ambient_clients
from dnsalias_operator.core.istio.lacking import lacks_addresses
from dnsalias_operator.core.istio.listeners import bound, entries_binding, holds
from dnsalias_operator.core.istio.listeners.services import full_name
from dnsalias_operator.core.istio.service_names import names_of, service_host, service_named, services_called
from dnsalias_operator.model.destinationrule import DestinationRule
from dnsalias_operator.model.dnsalias import DnsAlias
from dnsalias_operator.model.kinds import Object
from dnsalias_operator.model.names import AMBIENT, AMBIENT_LABEL, KIND, SERVICE_ANNOTATION, Key
from dnsalias_operator.model.namespace import Namespace
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.sidecar import Sidecar
from dnsalias_operator.model.snapshot import Snapshot
from dnsalias_operator.model.virtualservice import VirtualService


def affected(world: Snapshot, old: Object | None, new: Object | None, rules: Rules) -> frozenset[Key]:
    """Keys of DnsAliases and ServiceEntries whose decision may depend on the object; ``world`` has the change already.

    ``old`` is the object before (None: it is new), ``new`` after (None: it is gone).
    """
    around = {key for obj in (old, new) if obj is not None for key in _around(world, obj, rules)}
    if isinstance(only := new if old is None else old if new is None else None, Service):
        around |= set(_without_service(world, only.meta.namespace))
    if _ambient(old) != _ambient(new):
        around |= set(_everything(world))
    # An alias that somebody else's entry serves says what became of that entry.
    return frozenset(around.union(*(_served_by(world, key) for key in around)))


def rests_on(world: Snapshot, key: Key, rules: Rules) -> tuple[Key, ...]:
    """The objects besides ``key`` itself that what is written for it is made from: Service and entries, there or not.

    A decision looks at the whole world; but these decide what is in the entry and whether it is there at all.
    """
    if key.kind == KIND:
        alias = world.alias(key.namespace, key.name)
        entries = {Key("ServiceEntry", key.namespace, key.name)}
        if alias is None or alias.spec is None:
            return tuple(entries)
        entries |= {e.key for e in world.entries_for_host(alias.spec.host) if e.meta.namespace == key.namespace}
        named = (world.virtual_service(key.namespace, name) for name in route_names(key.name))
        own = tuple(found.key for found in named if found is not None)
        return (Key("Service", key.namespace, alias.spec.service_ref.name), *sorted(entries), *own)
    entry = world.entry(key.namespace, key.name)
    target = stands_for(world, entry, rules).named if entry else None
    return (target,) if target else ()


def _around(world: Snapshot, obj: Object, rules: Rules) -> Iterator[Key]:
    if isinstance(obj, Service):
        yield from _around_service(world, obj, rules)
    elif isinstance(obj, ServiceEntry):
        yield obj.key
        yield from _around_entry(world, obj, rules)
    elif isinstance(obj, DnsAlias):
        yield obj.key
        if obj.spec:
            yield from _around_host(world, obj.spec.host)
    elif isinstance(obj, Namespace):
        yield from _around_namespace(world, obj.meta.name, rules)
    elif isinstance(obj, DestinationRule | VirtualService):
        yield from _bound_to(world, obj, rules)
    elif isinstance(obj, Sidecar):
        # What its pods saw without it, or see once it is gone, may be anything in the cluster.
        yield from _everything(world)


def _without_service(world: Snapshot, namespace: str) -> Iterator[Key]:
    """Aliases of a Service that is not there: they say which of the others may be meant."""
    for alias in world.aliases_in(namespace):
        if alias.spec is not None and world.service(namespace, alias.spec.service_ref.name) is None:
            yield alias.key


def _everything(world: Snapshot) -> Iterator[Key]:
    yield from (e.key for e in world.entries())
    yield from (a.key for a in world.aliases())


def _ambient(obj: Object | None) -> bool:
    """Whether it is a Namespace in ambient mode: one such decides for every entry of the mesh."""
    return isinstance(obj, Namespace) and obj.meta.labels.get(AMBIENT_LABEL) == AMBIENT


def _bound_to(world: Snapshot, rule: DestinationRule | VirtualService, rules: Rules) -> Iterator[Key]:
    """Entries and aliases of a host that the rule is bound to, and aliases of the Service that has it for its name.

    What they are given must not take calls past the rule.
    """
    if isinstance(rule, VirtualService):
        for name in (rule.meta.name, rule.meta.name.removesuffix(ROUTE_SUFFIX)):
            # It is the alias' own, or keeps it from having one.
            if world.alias(rule.meta.namespace, name):
                yield Key(KIND, rule.meta.namespace, name)
    written = (rule.host,) if isinstance(rule, DestinationRule) else rule.hosts
    for host in (full_name(h, rule.meta.namespace, rules.mesh) for h in written):
        if host.startswith("*"):
            yield from (e.key for e in world.entries() if any(h.endswith(host[1:]) for h in e.hosts))
            yield from (a.key for a in world.aliases())
            continue
        yield from _around_host(world, host)
        if named := service_named(world, host, rule.meta.namespace, rules.mesh):
            yield from (a.key for a in world.aliases_of(*named))


def _around_namespace(world: Snapshot, namespace: str, rules: Rules) -> Iterator[Key]:
    # Its labels may give hosts to its aliases, and so take them from others.
    for alias in world.aliases_in(namespace):
        yield from _around(world, alias, rules)
    # In ambient mode no entry there gets an address, nor one elsewhere that of a Service there.
    yield from (e.key for e in world.entries_in(namespace))
    for service in world.services_in(namespace):
        yield from _named_elsewhere(world, service, rules)


def _served_by(world: Snapshot, key: Key) -> Iterator[Key]:
    entry = world.entry(key.namespace, key.name) if key.kind == "ServiceEntry" else None
    for host in entry.hosts if entry else ():
        # Those of its namespace may be served by it; those of others may have to leave it the host.
        yield from (a.key for a in world.aliases_for_host(host))


def _around_service(world: Snapshot, service: Service, rules: Rules) -> Iterator[Key]:
    yield from _dependents(world, service, rules)
    if ambient_clients(world, rules.mesh):
        yield from _selecting(world, service)
    yield from _with_aliases(world, (e for e in world.entries_with_cidr() if holds(e.addresses, service.cluster_ips)))
    for ip in service.cluster_ips:
        yield from _with_aliases(world, entries_binding(world, ip))
        # While an address changes hands two Services have it, and each is the other's hazard.
        for other in world.services_at(ip):
            if other.key != service.key:
                yield from _dependents(world, other, rules)


def _selecting(world: Snapshot, service: Service) -> Iterator[Key]:
    """Entries that ask for pods as the Service does: those of its namespace may get them, those of others seem to."""
    for entry in (*world.entries_in(service.meta.namespace), *world.entries_selecting(service.selector)):
        if entry.workload_selector and not entry.endpoints:
            yield entry.key


def _dependents(world: Snapshot, service: Service, rules: Rules) -> Iterator[Key]:
    """What is made from the Service, or stands for it, or has its name."""
    namespace, name = service.meta.namespace, service.meta.name
    for alias in world.aliases_of(namespace, name):
        yield alias.key
        # An entry of somebody else stands for the Service by way of its alias.
        yield from (e.key for e in world.entries_for_host(alias.spec.host if alias.spec else ""))
    # Whose host is the Service's short name or one of a pod of it, and entries with an endpoint of that name.
    yield from _around_host(world, f"{name}.{namespace}")
    yield from (a.key for a in world.aliases_under(f"{name}.{namespace}"))
    yield from _having_a_name_of(world, service, rules)
    yield from (e.key for e in world.entries_to(name))
    yield from _named_elsewhere(world, service, rules)
    for entry in world.entries_in(namespace):
        if _may_stand_for(entry, service):
            yield entry.key


def _having_a_name_of(world: Snapshot, service: Service, rules: Rules) -> Iterator[Key]:
    """Entries whose host is a name of the Service or of one of its pods, in any form (`service_hit`)."""
    for host in names_of(service, rules.mesh):
        yield from (e.key for e in (*world.entries_for_host(host), *world.entries_under(host)))


def _named_elsewhere(world: Snapshot, service: Service, rules: Rules) -> Iterator[Key]:
    """Entries of any namespace that name the Service together with its own."""
    namespace, name = service.meta.namespace, service.meta.name
    named = (service_host(service, rules.mesh), f"{name}.{namespace}.svc", f"{name}.{namespace}")
    for address in (*named, *(f"{host}." for host in named), *service.cluster_ips):
        yield from (e.key for e in world.entries_to(address))
    yield from (e.key for e in world.find("annotated", f"{namespace}/{name}"))


def _may_stand_for(entry: ServiceEntry, service: Service) -> bool:
    name = service.meta.name
    return (
        entry.meta.name == name
        or any(h.split(".")[0] == name for h in entry.hosts)
        or entry.meta.annotations.get(SERVICE_ANNOTATION, "").rpartition("/")[2] == name
        or any(o.kind == "Service" and o.name == name for o in entry.meta.owners)
    )


def _around_entry(world: Snapshot, entry: ServiceEntry, rules: Rules) -> Iterator[Key]:
    # Its namesake alias owns it or is kept from its name; aliases of its host may be served by it, and those of other
    # namespaces have it as a finding (`alias_findings`).
    yield Key(KIND, entry.meta.namespace, entry.meta.name)
    namesake = world.alias(entry.meta.namespace, entry.meta.name)
    if namesake is not None and namesake.spec is not None:
        # While it has one of ours, the alias is served by no other (`serves_alias`), whatever host ours is for.
        yield from (e.key for e in world.entries_for_host(namesake.spec.host))
    for host in entry.hosts:
        yield from (a.key for a in world.aliases_for_host(host))
        # Who sees which of several entries with one host, and so what a repair would move, is decided between them;
        # and what is not seen takes no address from others (`shared_address`).
        for other in world.entries_for_host(host):
            if other.key != entry.key:
                yield other.key
                yield from (e.key for address in other.addresses for e in entries_binding(world, bound(address)))
        # A Service that it has the name of is told from others with another form of that name.
        for service in services_called(world, host, rules.mesh):
            yield from _having_a_name_of(world, service, rules)
    for number in {p.number for p in entry.ports}:
        # Catch-alls of one port stand behind one another: what one may get depends on who is next (`callers.cut_off`).
        behind = (o for o in world.claimants(number) if isinstance(o, ServiceEntry) and o.key != entry.key)
        yield from (e.key for e in behind if lacks_addresses(e))
    for address in entry.addresses:
        yield from _with_aliases(world, entries_binding(world, bound(address)))
        for service in world.services_at(bound(address)):
            yield from (a.key for a in world.aliases_of(service.meta.namespace, service.meta.name))
            if {p.number for p in entry.ports} - {p.port for p in service.ports}:
                # It may have a listener there that a repair of others would take (`ousted`).
                yield from _dependents(world, service, rules)


def _around_host(world: Snapshot, host: str) -> Iterator[Key]:
    yield from (a.key for a in world.aliases_for_host(host))
    yield from (e.key for e in world.entries_for_host(host))


def _with_aliases(world: Snapshot, entries: Iterable[ServiceEntry]) -> Iterator[Key]:
    for entry in entries:
        yield entry.key
        if world.alias(entry.meta.namespace, entry.meta.name):
            yield Key(KIND, entry.meta.namespace, entry.meta.name)
