"""Who may have which hosts: a rule of the settings gives suffixes to namespaces, and limits their visibility."""

import re
from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from dnsalias_operator.model.dnsalias import EXPORT_PATTERN, MAX_HOST
from dnsalias_operator.model.names import DOMAIN_PATTERN, LABEL_PATTERN
from dnsalias_operator.model.selector import Selector

ANY = "*"
_NAMED = 5
"""Most names that a message lists."""


def split(value: object) -> object:
    """A comma-separated text as a tuple; anything else as it is."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def some(words: Iterable[str]) -> str:
    """The first few of them, for a message."""
    listed = list(words)
    return ", ".join(listed[:_NAMED]) + (", …" if len(listed) > _NAMED else "")


Words = Annotated[tuple[str, ...], BeforeValidator(split)]


class HostRule(BaseModel):
    """Aliases of these namespaces may have hosts under these suffixes; the longest suffix of a host decides."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    suffixes: Words = Field(
        min_length=1, description="DNS names. A suffix `pay.hello` covers pay.hello and every name under it."
    )
    namespaces: Words = Field((), description='Names of namespaces, or "*" for all.')
    namespace_selector: str = Field("", description="Label selector of Namespaces; it adds to `namespaces`.")
    export_to: Words = Field(
        (ANY,),
        min_length=1,
        description='The widest exportTo that such an alias gets: ["*"], ["."] or names of namespaces.',
    )

    @field_validator("suffixes")
    @classmethod
    def _are_names(cls, suffixes: tuple[str, ...]) -> tuple[str, ...]:
        for suffix in suffixes:
            if len(suffix) > MAX_HOST or not re.fullmatch(DOMAIN_PATTERN, suffix):
                raise ValueError(
                    f"{suffix!r}: expected a lower-case DNS name such as hello or pay.hello, without wildcard and "
                    "without a dot at its start or end"
                )
        return suffixes

    @field_validator("namespaces")
    @classmethod
    def _are_namespaces(cls, namespaces: tuple[str, ...]) -> tuple[str, ...]:
        for name in namespaces:
            if name != ANY and not re.fullmatch(LABEL_PATTERN, name):
                raise ValueError(f"{name!r}: expected the name of a namespace, or '*' for all")
        return namespaces

    @field_validator("namespace_selector")
    @classmethod
    def _parses(cls, selector: str) -> str:
        Selector.parse(selector)
        return selector

    @field_validator("export_to")
    @classmethod
    def _as_istio(cls, export_to: tuple[str, ...]) -> tuple[str, ...]:
        for value in export_to:
            if value == "~" or not re.fullmatch(EXPORT_PATTERN, value):
                raise ValueError(f"{value!r}: expected '*', '.' or the name of a namespace")
        return export_to

    @model_validator(mode="after")
    def _is_for_somebody(self) -> "HostRule":
        if "namespaces" not in self.model_fields_set and not self.namespace_selector:
            raise ValueError(
                "it gives these hosts to no namespace; set namespaces or namespace_selector (namespaces: [] for nobody)"
            )
        return self

    @property
    def holders(self) -> str:
        """Who may have the suffixes, in words."""
        if ANY in self.namespaces:
            return "every namespace"
        named = f"namespace {some(self.namespaces)}" if self.namespaces else ""
        labelled = f"namespaces labelled {self.namespace_selector}" if self.namespace_selector else ""
        return " and ".join(filter(None, (named, labelled))) or "nobody"
