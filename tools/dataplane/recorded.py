"""The rows of a recording (see ``record``) as the model's type."""

from collections.abc import Mapping
from typing import Any

from dnsalias_operator.core.istio.listeners import Row


def row_of(raw: Mapping[str, Any]) -> Row:
    """A row as it is recorded; KeyError or TypeError where it is none."""
    return Row(
        bind=raw["bind"],
        port=raw["port"],
        default=raw["default"],
        sni=tuple(raw["sni"]),
        cidr=tuple(raw["cidr"]),
        http=raw["http"],
        cluster=raw["cluster"],
        route=raw["route"],
    )
