"""Builders of what decides about mTLS, for tests: PeerAuthentications, DestinationRules, endpoints."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from dnsalias_operator.core.istio.clusters import Sent, cluster_of, sends
from dnsalias_operator.core.istio.listeners import Client
from dnsalias_operator.model.destinationrule import DestinationRule
from dnsalias_operator.model.kinds import Object
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import TLS_MODE_LABEL
from dnsalias_operator.model.peerauthentication import PeerAuthentication
from tests.core.listener_worlds import CLIENT, MESH, OLDER, PORT, world

ROOT = MESH.root_namespace


def peer_authentication(
    mode: str | None,
    *,
    name: str = "default",
    namespace: str = "abc",
    selector: Mapping[str, str] | None = None,
    ports: Mapping[int, str] | None = None,
    created: int | None = OLDER,
) -> PeerAuthentication:
    """One with that mode, for the namespace or the pods that it selects, with other modes of some ports."""
    spec: dict[str, Any] = {"mtls": {"mode": mode}} if mode else {}
    if selector:
        spec["selector"] = {"matchLabels": dict(selector)}
    if ports:
        spec["portLevelMtls"] = {str(port): {"mode": other} for port, other in ports.items()}
    return PeerAuthentication.parse({"metadata": _meta(name, namespace, created), "spec": spec})


def destination_rule(
    host: str,
    mode: str | None = None,
    *,
    name: str = "rule",
    namespace: str = "abc",
    created: int | None = OLDER,
    **spec: Any,  # noqa: ANN401
) -> DestinationRule:
    """One for a host, with that TLS mode if any; ``spec`` are further fields of its spec."""
    policy = {"trafficPolicy": {"tls": {"mode": mode}}} if mode else {}
    return DestinationRule.parse(
        {"metadata": _meta(name, namespace, created), "spec": {"host": host, **policy, **spec}}
    )


def endpoint(address: str = "10.1.0.5", tls_mode: str | None = None, **fields: Any) -> dict[str, Any]:  # noqa: ANN401
    """An inline endpoint, with the label that says whether it takes mTLS; ``fields`` are further ones."""
    labels = {**fields.pop("labels", {}), **({} if tls_mode is None else {TLS_MODE_LABEL: tls_mode})}
    return {"address": address, **({"labels": labels} if labels else {}), **fields}


def sent(
    *objects: Object, host: str = "svc.hello", port: int = PORT, client: Client = CLIENT, mesh: Mesh = MESH
) -> Sent:
    """What the client sends to the cluster of that host in a world of those objects; the cluster must be there."""
    snapshot = world(*objects)
    cluster = cluster_of(snapshot, client, mesh, host, port)
    assert cluster is not None
    return sends(snapshot, client, mesh, cluster)


def _meta(name: str, namespace: str, created: int | None) -> dict[str, Any]:
    stamp = {} if created is None else {"creationTimestamp": datetime.fromtimestamp(created, UTC).isoformat()}
    return {"name": name, "namespace": namespace, **stamp}
