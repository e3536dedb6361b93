"""The DnsAlias resource. The CRD's schema is generated from `DnsAliasSpec` and `DnsAliasStatus` (model/crd.py)."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictInt,
    StrictStr,
    StringConstraints,
    ValidationError,
    field_validator,
)
from pydantic.alias_generators import to_camel

from dnsalias_operator.model.meta import ObjectMeta, Raw, empty, mapping
from dnsalias_operator.model.names import LABEL, LABEL_PATTERN, Key
from dnsalias_operator.model.service import Service, ServicePort, tcp_ports
from dnsalias_operator.model.specfaults import EXAMPLE, HOST_MISTAKES, SERVICE_MISTAKES, Fault, explained

HOST_PATTERN = rf"^{LABEL}(\.{LABEL})+$"
"""RFC 1123 name of at least two labels in lower case: no wildcard, no trailing dot, no underscore."""
ENDS_IN_NUMBER = r"(^|\.)([0-9]+|0x[0-9a-f]*)$"
"""Such a host is an IPv4 address, or would be read as one (WHATWG URL, "ends in a number"; inet_aton)."""
AN_ADDRESS = f"host is an IP address, or ends in a number like one; give a DNS name such as {EXAMPLE}"
EXPORT_PATTERN = rf"^([.*~]|{LABEL})$"
MAX_HOST = 253
MAX_PORTS = 64
MAX_PORT_NUMBER = 65535
A_PORT = f"a port is a number from 1 to {MAX_PORT_NUMBER} or the name of a Service port"


class Endpoints(StrEnum):
    """Where the alias' own cluster sends its bytes. What each does: docs/istio.md, "Traffic under mTLS"."""

    AUTO = "Auto"
    WORKLOADS = "Workloads"
    SERVICE = "Service"


class Routing(StrEnum):
    """Whose cluster, in Envoy's sense, the calls of an alias take (docs/dnsalias.md, "Whose policies apply")."""

    AUTO = "Auto"
    SERVICE = "Service"
    OWN = "Own"


class _Schema(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)


class ServiceRef(_Schema):
    """The Service behind the alias, by name; always in the namespace of the DnsAlias."""

    name: Annotated[str, StringConstraints(pattern=LABEL_PATTERN, max_length=63)] = Field(
        description="Name of the Service, in the namespace of the DnsAlias.",
        json_schema_extra={"x-kubernetes-validations": [mistake.rule for mistake in SERVICE_MISTAKES]},
    )


def _is_port(value: object) -> object:
    # One message instead of one for each member of the union. True and 443.0 are integers to Python only.
    number = type(value) is int and 1 <= value <= MAX_PORT_NUMBER
    if number or (isinstance(value, str) and re.fullmatch(LABEL_PATTERN, value)):
        return value
    raise ValueError(A_PORT)


PortReference = Annotated[StrictInt | StrictStr, BeforeValidator(_is_port)]


class DnsAliasSpec(_Schema):
    """What the owner of a Service declares: an additional name for it."""

    host: Annotated[str, StringConstraints(pattern=HOST_PATTERN, max_length=MAX_HOST)] = Field(
        description="The additional DNS name, for example service-api.hello: lower case, at least two labels, no "
        "wildcard, no IP address. Names under the cluster domain and <service>.<namespace> are reserved.",
        json_schema_extra={
            "x-kubernetes-validations": [
                {
                    "rule": f"!self.matches(r'{ENDS_IN_NUMBER}')",
                    "message": AN_ADDRESS,
                },
                *(mistake.rule for mistake in HOST_MISTAKES),
            ]
        },
    )
    service_ref: ServiceRef = Field(description="The Service that has the additional name.")
    ports: Annotated[tuple[PortReference, ...], Field(min_length=1, max_length=MAX_PORTS)] | None = Field(
        None,
        description="Subset of the Service's TCP ports, by number or name. Default: every TCP port of the Service.",
        json_schema_extra={
            "x-kubernetes-list-type": "atomic",
            "x-kubernetes-validations": [
                {
                    "rule": "self.all(p, self.exists_one(q, p == q))",
                    "message": "ports lists the same port twice; name each port once",
                }
            ],
        },
    )
    endpoints: Endpoints = Field(
        Endpoints.AUTO,
        description="Where connections to the alias go. Workloads: to the Service's own pods, with their mTLS. "
        "Service: to the Service's DNS name. Auto, the default: Workloads if the Service has a selector, else "
        "Service.",
    )
    routing: Routing | None = Field(
        None,
        description="Whose policies apply to calls by the alias. Service: those of the Service, to whose cluster a "
        "VirtualService of the alias leads the calls. Own: those that are bound to the alias' host. Auto: Service "
        "where a DestinationRule or VirtualService is bound to the Service, else Own. Default: the operator's setting.",
    )
    export_to: (
        Annotated[
            tuple[Annotated[str, StringConstraints(pattern=EXPORT_PATTERN, max_length=63)], ...],
            Field(min_length=1, max_length=MAX_PORTS),
        ]
        | None
    ) = Field(
        None,
        description='Namespaces in which the alias is visible: ["*"] all, ["."] its own, ["~"] none, or names. '
        "Default: the operator's setting. Never wider than the Service's own exportTo.",
        json_schema_extra={
            "x-kubernetes-list-type": "atomic",
            "x-kubernetes-validations": [
                {
                    "rule": "self.all(e, self.exists_one(f, e == f))",
                    "message": "exportTo lists the same namespace twice; name each once",
                },
                {
                    "rule": "self.size() == 1 || !self.exists(e, e == '*' || e == '~')",
                    "message": "exportTo '*' (all) and '~' (none) cannot be combined; remove the other entries",
                },
            ],
        },
    )

    @field_validator("endpoints", mode="before")
    @classmethod
    def _null_is_absent(cls, endpoints: object) -> object:
        # As in the API server: a default replaces null.
        return Endpoints.AUTO if endpoints is None else endpoints

    @field_validator("host")
    @classmethod
    def _no_address(cls, host: str) -> str:
        if re.search(ENDS_IN_NUMBER, host):
            raise ValueError(AN_ADDRESS)
        return host

    @field_validator("ports")
    @classmethod
    def _each_port_once(cls, ports: tuple[int | str, ...] | None) -> tuple[int | str, ...] | None:
        if ports is not None and len(set(ports)) != len(ports):
            raise ValueError("ports lists the same port twice; name each port once")
        return ports

    @field_validator("export_to")
    @classmethod
    def _export_to_as_istio(cls, export_to: tuple[str, ...] | None) -> tuple[str, ...] | None:
        # Istio: pkg/config/validation validateExportTo.
        if export_to is None:
            return None
        if len(set(export_to)) != len(export_to):
            raise ValueError("exportTo lists the same namespace twice; name each once")
        if len(export_to) > 1 and {"*", "~"} & set(export_to):
            raise ValueError("exportTo '*' (all) and '~' (none) cannot be combined; remove the other entries")
        return export_to


@dataclass(frozen=True, slots=True)
class DnsAlias:
    """A DnsAlias as a typed view that keeps the raw object.

    ``spec`` is None where it does not satisfy the schema (an object from a file, or stored before a CRD change); then
    ``fault`` says which field and why. ``status`` is as the API server returned it.
    """

    meta: ObjectMeta
    spec: DnsAliasSpec | None
    fault: str = ""
    status: Raw = field(default_factory=empty)
    raw: Raw = field(default_factory=empty, compare=False, repr=False)

    @property
    def key(self) -> Key:
        """Identity."""
        return Key("DnsAlias", self.meta.namespace, self.meta.name)

    @classmethod
    def parse(cls, raw: Raw) -> Self:
        """Read a DnsAlias; total over any mapping."""
        spec, fault = parse_spec(raw.get("spec"))
        return cls(meta=ObjectMeta.parse(raw), spec=spec, fault=fault, status=mapping(raw.get("status")), raw=raw)


def parse_spec(spec: object) -> tuple[DnsAliasSpec | None, str]:
    """The typed spec and "", or None and a message that names each wrong field and what was expected."""
    try:
        return DnsAliasSpec.model_validate(spec if spec is not None else {}), ""
    except ValidationError as error:
        faults = error.errors()
        # If the only item of a list is wrong, pydantic also reports that the list is too short.
        deeper = {e["loc"][:-1] for e in faults if len(e["loc"]) > 1}
        reported = [e for e in faults if e["type"] != "too_short" or e["loc"] not in deeper]
        told = (Fault(e["loc"], e["msg"], e["type"], e.get("input")) for e in reported)
        return None, "; ".join(explained(fault, _FIELDS, _WORDS) for fault in told)


_FIELDS = {"": tuple(map(to_camel, DnsAliasSpec.model_fields)), "serviceRef": tuple(ServiceRef.model_fields)}
_WORDS = {"endpoints": tuple(Endpoints)}


def chosen_ports(spec: DnsAliasSpec, service: Service) -> tuple[tuple[ServicePort, ...], tuple[int | str, ...]]:
    """The Service's TCP ports that the alias asks for, and what it asks for that is none of them."""
    have = tcp_ports(service)
    if spec.ports is None:
        return have, ()
    chosen = tuple(p for p in have if p.port in spec.ports or (p.name and p.name in spec.ports))
    missing = tuple(w for w in spec.ports if not any(w in (p.port, p.name) for p in have))
    return chosen, missing
