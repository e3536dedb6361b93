"""The rules: everything a decision depends on that is in no object of the cluster."""

import ipaddress
from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from dnsalias_operator.model.hostrules import HostRule
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.selector import Selector


class Rules(BaseModel):
    """Inputs of the core besides the snapshot; flags, environment and file set them."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    mesh: Mesh = Field(default_factory=Mesh, description="Facts about the mesh.")
    beside: tuple[Mesh, ...] = Field(
        (),
        description="The mesh as some clients have it beside the others (docs/mesh.md, Several revisions); no setting.",
    )
    foreign_entries: Literal["patch", "observe"] = Field(
        "observe", description="Whether selected ServiceEntries of others are repaired (patch), or only reported."
    )
    repair_selector: str = Field(
        "app.kubernetes.io/managed-by=dns-controller",
        description="Label selector of the ServiceEntries that are repaired.",
    )
    repair_skip_namespaces: tuple[str, ...] = Field(
        (), description="Namespaces whose ServiceEntries are never repaired, besides the mesh's root namespace."
    )
    infer_service: bool = Field(
        True,
        description="Whether an entry's Service may be inferred from its name or host if nothing else names it.",
    )
    containment: bool = Field(
        True, description="Whether a catch-all that cannot be fixed gets an address of its own that nobody routes to."
    )
    containment_range: str = Field("240.241.0.0/16", description="CIDR from which containment addresses are taken.")
    default_export_to: tuple[str, ...] = Field(("*",), description="exportTo of a DnsAlias that has none.")
    default_routing: Literal["Auto", "Service", "Own"] = Field(
        "Auto", description="routing of a DnsAlias that has none: whose policies apply to calls by it."
    )
    forbid_public_suffixes: bool = Field(
        False, description="Whether hosts under a real public suffix (example.com) are refused."
    )
    internationalized_hosts: bool = Field(
        False,
        description="Whether a host may have a label in IDNA form (xn--…), which may look like another name.",
    )
    host_rules: tuple[HostRule, ...] = Field(
        (), description="Which namespaces may have hosts under which suffixes; see [below](#who-may-have-which-host)."
    )
    host_default: Literal["allow", "deny"] = Field(
        "allow", description="Whether a host under no suffix of `host_rules` is allowed."
    )
    namespace: str = Field(
        "", description="The one namespace this operator may read; empty: the cluster. Repair needs the cluster."
    )

    @field_validator("repair_selector")
    @classmethod
    def _selector_parses(cls, value: str) -> str:
        Selector.parse(value)
        return value

    @field_validator("containment_range")
    @classmethod
    def _range_is_ipv4(cls, value: str) -> str:
        try:
            network = ipaddress.IPv4Network(value)
        except ValueError as error:
            raise ValueError(f"{error}; expected an IPv4 CIDR such as 240.241.0.0/16") from None
        if network.prefixlen < 8 or network.prefixlen > 28:  # noqa: PLR2004 (the bounds are in the message)
            raise ValueError("expected a prefix length from 8 to 28")
        return value

    def assumptions(self) -> str:
        """One line that says what a decision assumed: about the mesh, and about repairs of others' entries."""
        if self.namespace:
            others = f"namespace {self.namespace} only, so no repairs"
        elif self.foreign_entries == "observe":
            others = "foreign_entries observe: no repairs"
        else:
            others = f"foreign_entries patch where {self.repair_selector}"
        return f"{self.assumed_mesh()}, {others}"

    def assumed_mesh(self) -> str:
        """One line that says what a judgement assumed about the mesh, and for whom it was judged besides."""
        besides = " and ".join(mesh.only_for for mesh in self.beside)
        return f"{self.mesh.assumptions()}{', judged also ' * bool(besides)}{besides}"

    def of_each_revision(self) -> Iterator["Rules"]:
        """These rules, and those that some clients have beside: what would do harm under any of them is not done."""
        yield self
        for mesh in self.beside:
            yield self.model_copy(update={"mesh": mesh, "beside": ()})

    @property
    def repairs(self) -> bool:
        """Whether foreign entries may be written: only an operator that sees the whole cluster can judge a repair."""
        return self.foreign_entries == "patch" and not self.namespace
