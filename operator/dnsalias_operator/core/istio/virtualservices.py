"""Which VirtualService sidecars apply to calls of a host.

Source: separateVSHostsAndServices in pilot/pkg/networking/core/route/route.go and SelectVirtualServices in
pilot/pkg/model/virtualservice.go, at 1.31. Their exportTo is told by `scope_of_rule`; Sidecars are not asked.
"""

from dnsalias_operator.core.istio.listeners.imports import covers
from dnsalias_operator.core.istio.listeners.services import PUBLIC, full_name
from dnsalias_operator.core.istio.visibility import Scope
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.snapshot import Snapshot
from dnsalias_operator.model.virtualservice import VirtualService


def rules_of_host(world: Snapshot, host: str, mesh: Mesh) -> list[VirtualService]:
    """The VirtualServices that sidecars may apply to calls of ``host``, oldest first.

    Those that name the host go before those with a wildcard, and of these the longest wildcard counts; more than one
    are left where istiod's choice depends on the client or on their order.
    """
    found = [(best, rule) for rule in _in_mesh(world, host, mesh) if (best := _best(rule, host, mesh))]
    longest = max((_weight(best) for best, _ in found), default=(False, 0))
    chosen = (rule for best, rule in found if _weight(best) == longest)
    return sorted(chosen, key=lambda rule: (rule.meta.created is None, rule.meta.created or 0, rule.key))


def has_host(rule: VirtualService, host: str, mesh: Mesh) -> bool:
    """Whether one of its hosts stands for this one."""
    return bool(_best(rule, host, mesh))


def scope_of_rule(rule: VirtualService) -> Scope:
    """The namespaces whose sidecars get it."""
    return Scope.of(rule.export_to or None, rule.meta.namespace, (PUBLIC,))


def _in_mesh(world: Snapshot, host: str, mesh: Mesh) -> list[VirtualService]:
    about = world.virtual_services_about(host)
    return [rule for rule in about if rule.in_mesh and mesh.discovers(rule.meta.namespace)]


def _best(rule: VirtualService, host: str, mesh: Mesh) -> str:
    """The one of its hosts by which it has this one, "" where none does."""
    names = (full_name(name, rule.meta.namespace, mesh) for name in rule.hosts)
    return max((name for name in names if covers(name, host)), key=_weight, default="")


def _weight(name: str) -> tuple[bool, int]:
    return (not name.startswith("*"), len(name))
