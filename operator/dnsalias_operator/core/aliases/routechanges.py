"""What is written to bring an alias' own VirtualService about, or to take it away."""

from dnsalias_operator.core import changes
from dnsalias_operator.core.aliases.route import Route
from dnsalias_operator.core.entries.ownership import is_ours, route_names
from dnsalias_operator.core.outcome import Change
from dnsalias_operator.core.reasons import Why
from dnsalias_operator.model.dnsalias import DnsAlias
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.snapshot import Snapshot
from dnsalias_operator.model.virtualservice import VirtualService


def own_route(world: Snapshot, alias: DnsAlias) -> VirtualService | None:
    """The VirtualService that was made for the alias, whether or not it is being deleted."""
    named = (world.virtual_service(alias.meta.namespace, name) for name in route_names(alias.meta.name))
    return next((found for found in named if found is not None and is_ours(found, alias)), None)


def route_written(world: Snapshot, alias: DnsAlias, route: Route) -> tuple[Change, ...]:
    """The write that makes it what it is to be; to be made before the entry is written, which needs it."""
    ours, manifest = own_route(world, alias), route.manifest
    if manifest is None or (ours and ours.meta.deleting):
        return ()
    if ours is None:
        message = route.condition.message if route.condition else f"calls by {manifest['spec']['hosts'][0]}"
        key = Key("VirtualService", alias.meta.namespace, manifest["metadata"]["name"])
        return (changes.created(key, manifest, message),)
    restored = changes.restored(ours, manifest)
    return (restored,) if restored else ()


def route_removed(world: Snapshot, alias: DnsAlias, why: Why) -> tuple[Change, ...]:
    """The write that takes it away; to be made after the entry is written, or deleted."""
    ours = own_route(world, alias)
    return (changes.deleted(ours, why),) if ours and not ours.meta.deleting else ()
