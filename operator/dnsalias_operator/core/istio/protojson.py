"""Messages of Envoy and Istio as JSON: the same field is named in one of two ways."""

from collections.abc import Mapping
from typing import Any


def field(message: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 (JSON of any type)
    """The field, as Envoy's admin interface names it (``filter_chains``) or as istioctl does (``filterChains``)."""
    if name in message:
        return message[name]
    first, *rest = name.split("_")
    return message.get(first + "".join(word.capitalize() for word in rest))
