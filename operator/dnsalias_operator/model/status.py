"""The status of a DnsAlias, as the CRD publishes it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

ACCEPTED = "Accepted"
RESOLVED_REFS = "ResolvedRefs"
PROGRAMMED = "Programmed"
READY = "Ready"
POLICIES_FOLLOWED = "PoliciesFollowed"
"""Types of the conditions (docs/conditions.md)."""
GENERATED = "Generated"
PATCHED = "Patched"
"""Modes of the ServiceEntry that serves an alias: made by this operator, or somebody else's, kept right."""
LONGEST_MESSAGE = 32768
"""The limit of metav1.Condition."""
WAITING = "Waiting for the operator"
"""The message of the conditions of an alias that no operator has seen yet: Unknown, with the reason Pending."""


def waiting() -> list[dict[str, str | int]]:
    """The conditions that the CRD gives an alias without a status, as Gateway API does for its Gateways.

    Their generation is 0, which no object has, and their time the beginning of time: nobody has observed anything.
    """
    shared: dict[str, str | int] = {
        "status": "Unknown",
        "reason": "Pending",
        "message": WAITING,
        "observedGeneration": 0,
        "lastTransitionTime": "1970-01-01T00:00:00Z",
    }
    return [{"type": kind, **shared} for kind in (ACCEPTED, RESOLVED_REFS, PROGRAMMED, READY)]


class _Schema(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)


class StatusCondition(_Schema):
    """A condition in the form of metav1.Condition."""

    type: str = Field(description="Accepted, ResolvedRefs, Programmed, PoliciesFollowed or Ready.", max_length=316)
    status: Literal["True", "False", "Unknown"] = Field(description="Whether the condition holds.")
    reason: str = Field(description="One word of a closed list; docs/conditions.md has a section for each.")
    message: str = Field(description="What was found and what to do, for people.", max_length=LONGEST_MESSAGE)
    observed_generation: int = Field(description="The generation of the DnsAlias that this was decided for.", ge=0)
    last_transition_time: str = Field(
        description="When status last changed.", json_schema_extra={"format": "date-time"}
    )


class EntryReference(_Schema):
    """The ServiceEntry that makes the alias work."""

    name: str = Field(description="Name of the ServiceEntry, in the namespace of the DnsAlias.")
    mode: Literal["Generated", "Patched"] = Field(
        description="Generated: made by this operator. Patched: somebody else's, repaired."
    )


class DnsAliasStatus(_Schema):
    """What the operator found and did."""

    observed_generation: int | None = Field(None, description="The generation that this status was decided for.", ge=0)
    host: str | None = Field(None, description="The host that is served.")
    addresses: tuple[str, ...] | None = Field(
        None,
        description="The clusterIPs of the alias.",
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )
    service_entry: EntryReference | None = Field(None, description="The ServiceEntry that makes the alias work.")
    conditions: tuple[StatusCondition, ...] | None = Field(
        None,
        description="Accepted, ResolvedRefs, Programmed, Ready, and PoliciesFollowed where there are policies.",
        max_length=16,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    )
