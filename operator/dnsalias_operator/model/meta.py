"""ObjectMeta as this operator needs it, read leniently: foreign objects may have any form that is admitted."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

Raw = Mapping[str, Any]
"""A Kubernetes object as JSON or YAML gave it."""

EMPTY: Mapping[str, Any] = MappingProxyType({})


def empty() -> Mapping[str, Any]:
    """Default of mapping fields: one shared, read-only, empty mapping."""
    return EMPTY


@dataclass(frozen=True, slots=True)
class OwnerReference:
    """One entry of ``metadata.ownerReferences``."""

    kind: str
    name: str
    uid: str
    controller: bool
    api_version: str = ""


@dataclass(frozen=True, slots=True)
class ManagedFields:
    """One entry of ``metadata.managedFields``: who owns which fields (API docs: server-side apply)."""

    manager: str
    operation: str
    fields: Raw
    subresource: str = ""

    def owns(self, *path: str) -> bool:
        """Whether this manager owns the field at ``path``, for example ``owns("spec", "addresses")``."""
        node: Any = self.fields
        for step in path:
            node = mapping(node).get(f"f:{step}")
            if node is None:
                return False
        return True


@dataclass(frozen=True, slots=True)
class ObjectMeta:
    """Metadata of any object.

    ``created`` is seconds since the epoch as the API server stamped them (1 s resolution), or None where unknown
    (an object from a file that was never applied).
    """

    namespace: str
    name: str
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    created: int | None = None
    deleting: bool = False
    labels: Mapping[str, str] = field(default_factory=empty)
    annotations: Mapping[str, str] = field(default_factory=empty)
    owners: tuple[OwnerReference, ...] = ()
    managed: tuple[ManagedFields, ...] = ()

    @classmethod
    def parse(cls, raw: Raw) -> "ObjectMeta":
        """Read ``raw["metadata"]``; what is missing or of another type is treated as absent."""
        meta = mapping(raw.get("metadata"))
        return cls(
            namespace=text(meta.get("namespace")),
            name=text(meta.get("name")),
            uid=text(meta.get("uid")),
            resource_version=text(meta.get("resourceVersion")),
            generation=integer(meta.get("generation")) or 0,
            created=timestamp(meta.get("creationTimestamp")),
            deleting=bool(meta.get("deletionTimestamp")),
            labels=texts(meta.get("labels")),
            annotations=texts(meta.get("annotations")),
            owners=tuple(
                OwnerReference(
                    kind=text(o.get("kind")),
                    name=text(o.get("name")),
                    uid=text(o.get("uid")),
                    controller=o.get("controller") is True,
                    api_version=text(o.get("apiVersion")),
                )
                for o in mappings(meta.get("ownerReferences"))
            ),
            managed=tuple(
                ManagedFields(
                    manager=text(m.get("manager")),
                    operation=text(m.get("operation")),
                    fields=mapping(m.get("fieldsV1")),
                    subresource=text(m.get("subresource")),
                )
                for m in mappings(meta.get("managedFields"))
            ),
        )


def mapping(value: object) -> Mapping[str, Any]:
    """``value`` if it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else EMPTY


def mappings(value: object) -> tuple[Mapping[str, Any], ...]:
    """The mappings in the list ``value``; anything else is left out."""
    return tuple(v for v in value if isinstance(v, Mapping)) if isinstance(value, list) else ()


def text(value: object) -> str:
    """``value`` if it is a string, else the empty string."""
    return value if isinstance(value, str) else ""


def strings(value: object) -> tuple[str, ...]:
    """The strings in the list ``value``."""
    return tuple(v for v in value if isinstance(v, str)) if isinstance(value, list) else ()


def texts(value: object) -> Mapping[str, str]:
    """The string-to-string entries of the mapping ``value``."""
    return {str(k): v for k, v in mapping(value).items() if isinstance(v, str)} or EMPTY


def integer(value: object) -> int | None:
    """``value`` if it is an integer (a boolean is not), else None."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def is_ip(address: str) -> bool:
    """Whether it is an IP address, without a prefix length."""
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return False
    return True


def timestamp(value: object) -> int | None:
    """Seconds since the epoch of an RFC 3339 time (YAML may have parsed it already), or None."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return int((value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp())
