"""What the mesh is told: the facts about a cluster's Istio that no object in the snapshot states."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from dnsalias_operator.model.names import DOMAIN_PATTERN, LABEL_PATTERN
from dnsalias_operator.model.release import MEASURED, RELEASE_PATTERN, Release


class Mesh(BaseModel):
    """Mesh-wide facts that every prediction assumes; settings fill them, every output prints them.

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
        ("*",), description="MeshConfig.defaultServiceExportTo: of Services and ServiceEntries that state none."
    )
    dns_capture: bool = Field(False, description="Whether the sidecars run with ISTIO_META_DNS_CAPTURE.")
    dual_stack: bool = Field(False, description="Whether pods have an IPv6 address beside their IPv4 one.")
    istio_dual_stack: bool = Field(False, description="Whether istiod runs with ISTIO_DUAL_STACK.")
    multi_cluster: bool = Field(False, description="Whether several clusters share the mesh.")

    @property
    def release(self) -> Release:
        """The release of Istio as a value."""
        return Release.parse(self.istio_version)

    def since(self, major: int, minor: int, patch: int = 0) -> bool:
        """Whether a rule holds that Istio has had since the release ``major``.``minor``.``patch``."""
        return self.release.since(major, minor, patch)

    def assumptions(self) -> str:
        """One line that tells a reader what a prediction assumed."""
        export_to = ",".join(self.default_service_export_to)
        measured = " (the release measured last)" * (self.istio_version == MEASURED)
        return (
            f"Istio {self.release}{measured}, outboundTrafficPolicy {self.outbound_traffic_policy}, "
            f"DNS capture {'on' if self.dns_capture else 'off'}, "
            f"defaultServiceExportTo {export_to}, root namespace {self.root_namespace}, "
            f"cluster domain {self.cluster_domain}, {'several clusters' if self.multi_cluster else 'one cluster'}"
            f"{', dual-stack pods' * self.dual_stack}{', istiod with ISTIO_DUAL_STACK' * self.istio_dual_stack}"
        )
