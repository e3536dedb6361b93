"""Reading an Envoy: its admin interface, and its outbound listeners in the form in which worlds are recorded."""

import json
from collections.abc import Iterator
from typing import Any

from dnsalias_operator.core.istio.listeners import Row
from dnsalias_operator.core.istio.listeners.envoy import rows_of
from tools.dataplane import DataPlaneError
from tools.dataplane.sidecar import ADMIN
from tools.dataplane.spaces import Space
from tools.dataplane.web import OK, get


def admin(space: Space, path: str) -> str:
    """What the admin interface answers to a GET of that path.

    Raises:
        DataPlaneError: not with 200.
    """
    code, body = get(space, f"{ADMIN}/{path}")
    if code != OK:
        raise DataPlaneError(f"{space.name}: Envoy answers {code} to {path}: {body}")
    return body


def config_dump(space: Space, resource: str = "", *, include_eds: bool = False) -> dict[str, Any]:
    """Envoy's configuration; only one kind of resource where it is named, such as "dynamic_listeners".

    Endpoints are in it only where they are asked for.
    """
    query = f"?resource={resource}" if resource else "?include_eds" if include_eds else ""
    dump: dict[str, Any] = json.loads(admin(space, f"config_dump{query}"))
    return dump


def told(dump: dict[str, Any]) -> bool:
    """Whether istiod has told it of listeners at all, if only of the sidecar's own."""
    return any("active_state" in dynamic for dynamic in _dynamic(dump))


def rows(dump: dict[str, Any]) -> list[Row]:
    """The chains of every outbound listener that Istio made for services, in Envoy's order.

    Args:
        dump: from ``config_dump``, of everything or of "dynamic_listeners".

    Raises:
        DataPlaneError: a chain neither proxies TCP nor routes HTTP: a recording must not leave it out silently.
    """
    active = (dynamic.get("active_state", {}).get("listener") for dynamic in _dynamic(dump))
    found = [row for listener in active if listener for row in rows_of(listener)]
    for row in found:
        if row.cluster is None and row.route is None:
            raise DataPlaneError(f"A filter chain that neither proxies TCP nor routes HTTP: {row}")
    return found


def errors(dump: dict[str, Any]) -> list[str]:
    """What Envoy refused: one line a listener."""
    states = (dynamic["error_state"] for dynamic in _dynamic(dump) if "error_state" in dynamic)
    return sorted({f"{state.get('failed_configuration', {}).get('name', '')}: {state['details']}" for state in states})


def _dynamic(dump: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for config in dump.get("configs", []):
        if "dynamic_listeners" in config:
            yield from config["dynamic_listeners"]
        elif "DynamicListener" in config.get("@type", ""):
            yield config
