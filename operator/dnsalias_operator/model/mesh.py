"""Facts about the mesh that are in no object of the snapshot."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from dnsalias_operator.model.names import DOMAIN_PATTERN, LABEL_PATTERN, REVISION_PATTERN
from dnsalias_operator.model.release import MEASURED, RELEASE_PATTERN, Release, since

Topology = Literal["single", "multi-primary", "primary", "remote"]
"""Which part of a mesh this cluster is. single: it has no other cluster. multi-primary: its istiod reads this cluster's
ServiceEntries for the proxies of this cluster. primary: and for those of other clusters. remote: the istiod of a
primary cluster serves it, which reads no ServiceEntries here."""
READ_ONLY = frozenset(
    {"ip_autoallocate", "undiscovered", "private_entries", "hidden_entries", "limits_entries", "read_from", "only_for"}
)
"""Fields that are no settings: only what is read of the mesh has them (docs/mesh.md)."""
MOST_NAMED = 5
"""Namespaces that the line about assumptions names at most."""


class Mesh(BaseModel):
    """Mesh-wide facts that every prediction assumes; the settings have them, every output prints them.

    Source: Istio's MeshConfig (``rootNamespace``, ``trustDomain`` apart), ``outboundTrafficPolicy``,
    ``defaultServiceExportTo``; ``ISTIO_META_DNS_CAPTURE`` of the proxies; release and ``ISTIO_DUAL_STACK`` of
    istiod. `READ_ONLY` names the fields that are no settings.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    istio_version: str = Field(
        MEASURED,
        pattern=RELEASE_PATTERN,
        description="Release of Istio (istiod's), with its patch; unset: the one that the model was last measured on.",
    )
    root_namespace: str = Field(
        "istio-system", pattern=LABEL_PATTERN, description="Istio's root namespace; never repaired."
    )
    cluster_domain: str = Field("cluster.local", pattern=DOMAIN_PATTERN, description="DNS domain of the cluster.")
    outbound_traffic_policy: Literal["ALLOW_ANY", "REGISTRY_ONLY"] = Field(
        "ALLOW_ANY", description="MeshConfig.outboundTrafficPolicy.mode."
    )
    default_service_export_to: tuple[str, ...] = Field(
        ("*",), description="MeshConfig.defaultServiceExportTo: of Services and ServiceEntries that have no exportTo."
    )
    dns_capture: bool = Field(False, description="Whether the sidecars run with ISTIO_META_DNS_CAPTURE.")
    dual_stack: bool = Field(False, description="Whether pods have both an IPv4 and an IPv6 address.")
    istio_dual_stack: bool = Field(False, description="Whether istiod runs with ISTIO_DUAL_STACK.")
    ambient: Literal["auto", "yes", "no"] = Field(
        "auto",
        description="Whether any client in the mesh is in ambient mode: as the Namespaces' labels say, or as said here "
        "(yes: some pods are labelled one by one).",
    )
    topology: Topology = Field(
        "single",
        description="Which part of a mesh of several clusters this one is (docs/clusters.md); unset: as the objects of "
        "the mesh show, else single.",
    )
    enable_auto_mtls: bool = Field(True, description="MeshConfig.enableAutoMtls.")
    istio_revision: str = Field(
        "",
        pattern=REVISION_PATTERN,
        description="Revision of istiod whose objects are read (docs/mesh.md); empty: the one without a name.",
    )
    ip_autoallocate: bool | None = Field(
        None, description="istiod's PILOT_ENABLE_IP_AUTOALLOCATE; None: as by default in its release."
    )
    undiscovered: frozenset[str] = Field(
        frozenset(), description="Namespaces that discoverySelectors leave out: istiod does not see what is in them."
    )
    private_entries: frozenset[str] = Field(
        frozenset(), description="Namespaces whose ServiceEntries serviceEntryVisibility keeps to themselves."
    )
    hidden_entries: frozenset[str] = Field(
        frozenset(), description="Namespaces whose ServiceEntries serviceEntryVisibility hides from everybody."
    )
    limits_entries: bool | None = Field(
        None,
        description="Whether serviceEntryVisibility limits what sidecars see of entries; None: no MeshConfig was read.",
    )
    read_from: tuple[str, ...] = Field((), description="Objects and files of which facts were read.")
    only_for: str = Field("", description="Which clients have it so, in words, where others have it otherwise.")

    @property
    def release(self) -> Release:
        """The release of Istio as a value."""
        return Release.parse(self.istio_version)

    def since(self, major: int, minor: int, patch: int = 0) -> bool:
        """Whether a rule holds that Istio has had since the release ``major``.``minor``.``patch``."""
        return since(self.istio_version, major, minor, patch)

    def discovers(self, namespace: str) -> bool:
        """Whether istiod sees what is in that namespace.

        Source: Filter in pkg/kube/namespace/filter.go, which Services, endpoints and Istio's own objects go through.
        """
        return namespace not in self.undiscovered

    @property
    def remote(self) -> bool:
        """Whether nobody reads the ServiceEntries of this cluster (docs/clusters.md)."""
        return self.topology == "remote"

    def assumptions(self) -> str:
        """One line that says what a prediction assumed."""
        export_to = ",".join(self.default_service_export_to)
        measured = " (the release measured last)" * (self.istio_version == MEASURED)
        return (
            f"Istio {self.release}{measured}, outboundTrafficPolicy {self.outbound_traffic_policy}, "
            f"DNS capture {'on' if self.dns_capture else 'off'}, "
            f"defaultServiceExportTo {export_to}, root namespace {self.root_namespace}, "
            f"cluster domain {self.cluster_domain}, "
            f"{'one cluster' if self.topology == 'single' else f'topology {self.topology}'}"
            f"{f', ambient clients {self.ambient}' * (self.ambient != 'auto')}"
            f"{', dual-stack pods' * self.dual_stack}{', istiod with ISTIO_DUAL_STACK' * self.istio_dual_stack}"
            f"{'' if self.enable_auto_mtls else ', enableAutoMtls off'}{self._by_namespace()}"
            f"{'; read from ' * bool(self.read_from)}{', '.join(self.read_from)}"
        )

    def _by_namespace(self) -> str:
        """What the MeshConfig says of single namespaces."""
        told = (
            ("istiod does not see {} (discoverySelectors)", self.undiscovered),
            ("ServiceEntries of {} are seen there only (serviceEntryVisibility)", self.private_entries),
            ("ServiceEntries of {} are seen nowhere (serviceEntryVisibility)", self.hidden_entries),
        )
        return "".join(f", {words.format(listed(names))}" for words, names in told if names)


def under(mesh: Mesh, message: str) -> str:
    """A message about what holds for some clients beside the others."""
    return f"{mesh.only_for}: {message}"


def listed(names: frozenset[str]) -> str:
    """Namespaces as a sentence names them."""
    if not names:
        return "no namespace"
    more = len(names) - MOST_NAMED
    told = ", ".join(sorted(names)[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
    return f"{'namespace' if len(names) == 1 else 'namespaces'} {told}"
