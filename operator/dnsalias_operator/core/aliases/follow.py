"""The routes of a Service's VirtualService, written for another host of the Service: what can be, and why not.

Source: BuildHTTPRoutesForVirtualService and sourceMatchHTTP in pilot/pkg/networking/core/route/route.go,
buildSidecarOutboundTCPFilterChainOpts in pilot/pkg/networking/core/tls.go, at 1.31. VirtualServices do not chain: what
one does to calls of the Service's host does nothing to calls that another one leads there.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dnsalias_operator.core.istio.listeners.services import full_name
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.meta import Raw, mapping, mappings, strings, text
from dnsalias_operator.model.virtualservice import MESH_GATEWAY, VirtualService

_STATIC = frozenset({"port", "gateways", "sourceLabels", "sourceNamespace", "name"})
"""What of a match istiod decides itself for each sidecar; the rest is asked of each request."""
_HOST_HEADERS = frozenset({":authority", "host"})
_ACTIONS = ("route", "redirect", "directResponse")


@dataclass(frozen=True, slots=True)
class Routes:
    """Routes as the API has them, ``http`` and ``tcp``."""

    http: tuple[Raw, ...] = ()
    tcp: tuple[Raw, ...] = ()


class NotFollowedError(ValueError):
    """Why a VirtualService's routes cannot be written for another host; the text is for people."""


def straight(host: str, http: tuple[int, ...], tcp: tuple[int, ...]) -> Routes:
    """A route for each port to the same port of ``host``."""
    return Routes(tuple(_to(host, port) for port in http), tuple(_to(host, port) for port in tcp))


def followed(rule: VirtualService, host: str, http: tuple[int, ...], tcp: tuple[int, ...], mesh: Mesh) -> Routes:
    """The rule's routes for calls to these ports, and for ports that it has none for a straight one to ``host``.

    Raises:
        NotFollowedError: they would not do the same for calls by another host.
    """
    spec = mapping(rule.raw.get("spec"))
    requests = [*_copied(rule, "http", spec, mesh)] if http else []
    streams = [*_copied(rule, "tcp", spec, mesh)] if tcp else []
    return Routes(
        (*requests, *(_to(host, port) for port in http if _needs_own(requests, port))),
        (*streams, *(_to(host, port) for port in tcp if not _unconditional(streams, port))),
    )


def _to(host: str, port: int) -> Raw:
    return {"match": [{"port": port}], "route": [{"destination": {"host": host, "port": {"number": port}}}]}


def _copied(rule: VirtualService, kind: str, spec: Raw, mesh: Mesh) -> Iterator[Raw]:
    given = spec.get(kind)
    for number, route in enumerate(given if isinstance(given, list) else ()):
        where = f"{kind}[{number}]"
        if not isinstance(route, Mapping) or not any(route.get(action) for action in (*_ACTIONS, "delegate")):
            raise NotFollowedError(f"istiod refuses its {where}, which leads nowhere")
        if route.get("delegate"):
            raise NotFollowedError(f"its {where} leaves routes to a delegate, another VirtualService")
        matches = [match for match in mappings(route.get("match")) if _for_sidecars(match)]
        if route.get("match") and not matches:
            continue
        for match in matches:
            _same_for_another_host(match, where)
        new = {name: _absolute(name, value, rule, mesh) for name, value in route.items() if name != "match"}
        limited = [{**match, "gateways": [MESH_GATEWAY]} if match.get("gateways") else match for match in matches]
        yield {**({"match": limited} if limited else {}), **new}


def _for_sidecars(match: Raw) -> bool:
    bound = strings(match.get("gateways"))
    return not bound or MESH_GATEWAY in bound


def _same_for_another_host(match: Raw, where: str) -> None:
    headers = {*mapping(match.get("headers")), *mapping(match.get("withoutHeaders"))}
    if match.get("authority") or any(str(name).lower() in _HOST_HEADERS for name in headers):
        raise NotFollowedError(f"its {where} asks for the authority of a request, which is the alias' host here")
    if match.get("destinationSubnets"):
        raise NotFollowedError(f"its {where} asks for the address that is dialled, which an alias need not share")


def _absolute(name: str, value: Any, rule: VirtualService, mesh: Mesh) -> Any:  # noqa: ANN401 (a field of a raw object)
    """The field of a route with full names: a name without a dot is one of the rule's own namespace."""
    if name == "mirror":
        return _destination(value, rule, mesh)
    if name not in ("route", "mirrors") or not isinstance(value, list):
        return value
    return [
        {**one, "destination": _destination(one.get("destination"), rule, mesh)} if isinstance(one, Mapping) else one
        for one in value
    ]


def _destination(value: Any, rule: VirtualService, mesh: Mesh) -> Any:  # noqa: ANN401 (a field of a raw object)
    host = text(mapping(value).get("host"))
    return {**value, "host": full_name(host, rule.meta.namespace, mesh)} if host else value


def _needs_own(routes: Iterable[Raw], port: int) -> bool:
    """Whether some sidecar has no route for requests to the port, and so routes them as if there were no rule.

    Raises:
        NotFollowedError: one sidecar has routes that a request may match none of, another has none at all.
    """
    there = [match for route in routes for match in _matches_on(route, port)]
    if not all(_limited(match) for match in there):
        return False
    if any(set(match) - _STATIC for match in there):
        raise NotFollowedError(f"for port {port} it chooses callers, and among their requests too")
    return True


def _unconditional(routes: Iterable[Raw], port: int) -> bool:
    return any(not _limited(match) for route in routes for match in _matches_on(route, port))


def _matches_on(route: Raw, port: int) -> tuple[Raw, ...]:
    """The matches of a route that are for the port; an empty one where it has none and takes everything."""
    matches = mappings(route.get("match")) or ({},)
    return tuple(match for match in matches if match.get("port") in (None, 0, port))


def _limited(match: Raw) -> bool:
    """Whether it is for some callers alone; beside gateways istiod asks for nothing of a caller."""
    return not match.get("gateways") and bool(match.get("sourceLabels") or match.get("sourceNamespace"))
