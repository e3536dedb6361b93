"""Facts about the mesh that are in no object of the snapshot."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from dnsalias_operator.model.names import DOMAIN_PATTERN, LABEL_PATTERN
from dnsalias_operator.model.release import MEASURED, RELEASE_PATTERN, Release, since


class Mesh(BaseModel):
    """Mesh-wide facts that every prediction assumes; the settings have them, every output prints them.

    Source: Istio's MeshConfig (``rootNamespace``, ``trustDomain`` apart), ``outboundTrafficPolicy``,
    ``defaultServiceExportTo``; ``ISTIO_META_DNS_CAPTURE`` of the proxies; release and ``ISTIO_DUAL_STACK`` of
    istiod.
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
    multi_cluster: bool = Field(False, description="Whether several clusters share the mesh.")

    @property
    def release(self) -> Release:
        """The release of Istio as a value."""
        return Release.parse(self.istio_version)

    def since(self, major: int, minor: int, patch: int = 0) -> bool:
        """Whether a rule holds that Istio has had since the release ``major``.``minor``.``patch``."""
        return since(self.istio_version, major, minor, patch)

    def assumptions(self) -> str:
        """One line that says what a prediction assumed."""
        export_to = ",".join(self.default_service_export_to)
        measured = " (the release measured last)" * (self.istio_version == MEASURED)
        return (
            f"Istio {self.release}{measured}, outboundTrafficPolicy {self.outbound_traffic_policy}, "
            f"DNS capture {'on' if self.dns_capture else 'off'}, "
            f"defaultServiceExportTo {export_to}, root namespace {self.root_namespace}, "
            f"cluster domain {self.cluster_domain}, {'several clusters' if self.multi_cluster else 'one cluster'}"
            f"{f', ambient clients {self.ambient}' * (self.ambient != 'auto')}"
            f"{', dual-stack pods' * self.dual_stack}{', istiod with ISTIO_DUAL_STACK' * self.istio_dual_stack}"
        )
