"""What pods take: the PeerAuthentications of the mesh, a namespace, a workload and a port.

Source: addPeerAuthentication, GetNamespaceMutualTLSMode and GetPeerAuthenticationsForWorkload in
pilot/pkg/model/authentication.go; ComposePeerAuthentication in pilot/pkg/security/authn/policy_applier.go.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.peerauthentication import MtlsMode, PeerAuthentication
from dnsalias_operator.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Demand:
    """What a workload takes, and the PeerAuthentication that says so; None: no one does, and that is PERMISSIVE."""

    mode: MtlsMode
    by: Key | None

    def __str__(self) -> str:
        return f"{self.by} ({self.mode})" if self.by else str(self.mode)


DEFAULT = Demand(MtlsMode.PERMISSIVE, None)


def of_namespace(snapshot: Snapshot, namespace: str, mesh: Mesh) -> Demand:
    """What workloads of the namespace take where no PeerAuthentication selects them.

    Of several without a selector the oldest counts, the others are ignored.
    """
    levels = (mesh.root_namespace, *(() if namespace == mesh.root_namespace else (namespace,)))
    return _narrowed(DEFAULT, (_wide(snapshot, level) for level in levels if mesh.discovers(level)))


def of_workload(snapshot: Snapshot, namespace: str, labels: Mapping[str, str], port: int, mesh: Mesh) -> Demand:
    """What a workload with exactly these labels takes on that port of its own.

    Of several that select it the oldest counts; those with a selector in the root namespace select nothing.
    """
    chosen = next((p for p in _selecting(snapshot, namespace, mesh) if p.selector.items() <= labels.items()), None)
    return _at(chosen, port, of_namespace(snapshot, namespace, mesh))


def of_pods(
    snapshot: Snapshot, namespace: str, labels: Mapping[str, str], port: int | None, mesh: Mesh
) -> tuple[Demand, ...]:
    """Everything that pods which have at least these labels may take on a port; None: any port.

    More than one where it depends on labels or on a port that are not known.
    """
    wide = of_namespace(snapshot, namespace, mesh)
    found: dict[Demand, None] = {}
    for policy in _selecting(snapshot, namespace, mesh):
        if any(labels.get(name, value) != value for name, value in policy.selector.items()):
            continue
        ports = [port] if port is not None else [0, *policy.ports]
        found.update((_at(policy, number, wide), None) for number in ports)
        if policy.selector.items() <= labels.items():
            break
    else:
        found[wide] = None
    return tuple(found)


def _selecting(snapshot: Snapshot, namespace: str, mesh: Mesh) -> list[PeerAuthentication]:
    """Those that select workloads of the namespace, the oldest first."""
    looked_at = namespace != mesh.root_namespace and mesh.discovers(namespace)
    listed = snapshot.peer_authentications_in(namespace) if looked_at else []
    return sorted((p for p in listed if p.selector), key=_age)


def _wide(snapshot: Snapshot, namespace: str) -> PeerAuthentication | None:
    listed = snapshot.peer_authentications_in(namespace)
    return min((p for p in listed if not p.selector), key=_age, default=None)


def _at(policy: PeerAuthentication | None, port: int, above: Demand) -> Demand:
    """What a policy with a selector makes of a port; UNSET is what is said for the workload, then above."""
    if policy is None:
        return above
    workload = Demand(policy.mode, policy.key) if policy.mode is not MtlsMode.UNSET else above
    mode = policy.ports.get(port, MtlsMode.UNSET)
    return workload if mode is MtlsMode.UNSET else Demand(mode, policy.key)


def _narrowed(demand: Demand, policies: Iterable[PeerAuthentication | None]) -> Demand:
    for policy in policies:
        if policy is not None and policy.mode is not MtlsMode.UNSET:
            demand = Demand(policy.mode, policy.key)
    return demand


def _age(policy: PeerAuthentication) -> tuple[bool, int, str]:
    return (policy.meta.created is None, policy.meta.created or 0, policy.meta.name)
