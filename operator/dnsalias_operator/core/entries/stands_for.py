"""Which Service somebody else's ServiceEntry stands for. The first rule that yields anything decides.

Source: design of this project; two candidates are never guessed between.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from dnsalias_operator.core.hosts.holders import has_host
from dnsalias_operator.core.hosts.names import public_suffix, shadowed_service
from dnsalias_operator.core.istio.service_names import service_named
from dnsalias_operator.core.reasons import Reason, Why
from dnsalias_operator.model.meta import mapping
from dnsalias_operator.model.names import SERVICE_ANNOTATION, Key
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class StandsFor:
    """The Service, or why there is none.

    ``inferred`` is true where only the names are alike. ``named`` is the key that a rule named.
    """

    found: Service | Why
    inferred: bool = False
    named: Key | None = None

    @property
    def service(self) -> Service | None:
        """The Service, where there is one."""
        return self.found if isinstance(self.found, Service) else None

    @property
    def reason(self) -> Reason | None:
        """Why there is none; None where there is one."""
        return self.found.reason if isinstance(self.found, Why) else None


def outside(world: Snapshot, entry: ServiceEntry) -> str:
    """What says that an entry is of something outside the mesh, "" where nothing does.

    Its names then resolve to what is out there, and its callers dial that: only its owner can say that it stands for a
    Service all the same. A location that is not written says nothing.
    """
    if mapping(entry.raw.get("spec")).get("location") == "MESH_EXTERNAL":
        return "its location is MESH_EXTERNAL"
    if entry.resolution == "NONE":
        return "its resolution is NONE, so that calls go on to the address that was dialled"
    endpoints = (e.address for e in entry.endpoints if public_suffix(e.address))
    named = all(public_suffix(h) and shadowed_service(world, h) is None for h in entry.hosts)
    public = next(endpoints, entry.hosts[0] if entry.hosts and named else "")
    return f"{public} is a name under a public suffix" if public else ""


def stands_for(world: Snapshot, entry: ServiceEntry, rules: Rules) -> StandsFor:
    """Apply the rules in their order: annotation, DnsAlias, endpoint, ownerReference, likeness of names."""
    return explicit(world, entry, rules) or _by_likeness(world, entry, rules)


def explicit(world: Snapshot, entry: ServiceEntry, rules: Rules) -> StandsFor | None:
    """The same without likeness of names; None where no rule yields anything."""
    for rule in _BY_OWNER if outside(world, entry) else (*_BY_OWNER, *_BY_OBJECT):
        named = sorted(set(rule(world, entry, rules)))
        if named:
            without = [host for host in entry.hosts if rule is _alias and not list(_aliased(world, entry, host, rules))]
            return _divided(without) or _resolve(world, named)
    return None


def _annotation(_world: Snapshot, entry: ServiceEntry, _rules: Rules) -> Iterable[Key]:
    value = entry.meta.annotations.get(SERVICE_ANNOTATION, "").strip()
    if value:
        namespace, slash, name = value.rpartition("/")
        yield Key("Service", namespace if slash else entry.meta.namespace, name)


def _alias(world: Snapshot, entry: ServiceEntry, rules: Rules) -> Iterable[Key]:
    for host in entry.hosts:
        yield from _aliased(world, entry, host, rules)


def _aliased(world: Snapshot, entry: ServiceEntry, host: str, rules: Rules) -> Iterable[Key]:
    for alias in world.aliases_for_host(host):
        if alias.spec and alias.meta.namespace == entry.meta.namespace and has_host(world, rules, alias):
            yield Key("Service", alias.meta.namespace, alias.spec.service_ref.name)


def _endpoint(world: Snapshot, entry: ServiceEntry, rules: Rules) -> Iterable[Key]:
    for endpoint in entry.endpoints:
        named = service_named(world, endpoint.address, entry.meta.namespace, rules.mesh)
        if named:
            yield Key("Service", *named)


def _owner(_world: Snapshot, entry: ServiceEntry, _rules: Rules) -> Iterable[Key]:
    for owner in entry.meta.owners:
        if owner.kind == "Service" and owner.api_version in ("", "v1"):
            yield Key("Service", entry.meta.namespace, owner.name)


_Rule = Callable[[Snapshot, ServiceEntry, Rules], Iterable[Key]]
_BY_OWNER: tuple[_Rule, ...] = (_annotation, _alias)
"""Rules by which somebody says that the name is the Service's."""
_BY_OBJECT: tuple[_Rule, ...] = (_endpoint, _owner)
"""Rules by what the entry leads to, which is no word about its name: an egress gateway is led to as well."""


def _divided(without: list[str]) -> StandsFor | None:
    """Nothing, where only some hosts of an entry say which Service they stand for: a repair leads every host there."""
    if not without:
        return None
    message = (
        f"host {without[0]} does not say which Service it stands for, and other hosts do; give it an entry of its "
        f"own, or annotate {SERVICE_ANNOTATION}: <name> if all hosts stand for one"
    )
    return StandsFor(Why(Reason.AMBIGUOUS_SERVICE, message))


def _resolve(world: Snapshot, named: list[Key]) -> StandsFor:
    if len(named) > 1:
        listed = ", ".join(map(str, named))
        message = f"it names {listed}; annotate {SERVICE_ANNOTATION}: <name>"
        return StandsFor(Why(Reason.AMBIGUOUS_SERVICE, message))
    (key,) = named
    service = world.service(key.namespace, key.name)
    if service is None:
        create = "create it, or " if key.possible else ""
        remedy = f"{create}annotate the entry {SERVICE_ANNOTATION}: <name> of one that does"
        return StandsFor(Why(Reason.SERVICE_NOT_FOUND, f"{key} does not exist; {remedy}"), named=key)
    return StandsFor(service, named=key)


def _by_likeness(world: Snapshot, entry: ServiceEntry, rules: Rules) -> StandsFor:
    if why := outside(world, entry):
        message = (
            f"{why}, and neither an annotation nor a DnsAlias says which Service it stands for: no address of this "
            "operator's helps; list its real addresses in spec.addresses, or give its ports the protocol TLS if "
            f"clients speak TLS (annotate it {SERVICE_ANNOTATION}: <name> if it stands for a Service after all)"
        )
        return StandsFor(Why(Reason.OUTSIDE_MESH, message))
    message = f"nothing says which Service it stands for; annotate it {SERVICE_ANNOTATION}: <name>"
    nothing = StandsFor(Why(Reason.NO_SERVICE, message))
    if not rules.infer_service or entry.endpoints or not entry.ports:
        return nothing
    names = {entry.meta.name, *(h.split(".")[0] for h in entry.hosts)}
    wanted = {p.number for p in entry.ports}
    candidates = [
        s
        for n in sorted(names)
        if (s := world.service(entry.meta.namespace, n)) and wanted <= {p.port for p in s.ports if p.protocol == "TCP"}
    ]
    if not candidates:
        return nothing
    if len(candidates) > 1:
        listed = ", ".join(str(s.key) for s in candidates)
        message = f"its name or host looks like {listed}; annotate it {SERVICE_ANNOTATION}: <name>"
        return StandsFor(Why(Reason.AMBIGUOUS_SERVICE, message))
    (service,) = candidates
    unlike = [h for h in entry.hosts if h.split(".")[0] != service.meta.name or public_suffix(h)]
    unlike = unlike if len(set(entry.hosts)) > 1 else []
    return _divided(unlike) or StandsFor(service, inferred=True, named=service.key)
