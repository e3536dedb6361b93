"""Pods: an API object that istiod and the controllers see, and the namespace in which its processes run.

There is no kubelet. Whoever makes a pod here also says, in its status, that it runs, is ready and has its address; the
real EndpointSlice controller and istiod draw their conclusions from that.
"""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dnsalias_operator.core.istio.listeners import Row
from tools.controlplane.api import MERGE, ApiError
from tools.controlplane.cluster import ControlPlane
from tools.controlplane.waiting import eventually
from tools.dataplane import envoy
from tools.dataplane.node import ADDRESS, NODE
from tools.dataplane.spaces import Space

NOT_FOUND = 404
CONFLICT = 409
IN_MESH = {"security.istio.io/tlsMode": "istio"}
"""The label by which injection tells istiod that a pod takes mTLS."""


@dataclass(frozen=True)
class Pod:
    """A pod, running.

    Attributes:
        namespace: of the pod.
        name: of the pod.
        ips: its addresses, that of IPv4 first.
        space: its namespaces.
        has_sidecar: whether an Envoy runs in it.
    """

    namespace: str
    name: str
    ips: tuple[str, ...]
    space: Space
    has_sidecar: bool

    @property
    def ip(self) -> str:
        """Its IPv4 address."""
        return self.ips[0]

    def exec(self, argv: Sequence[str | Path], stdin: str | None = None) -> str:
        """Run a command in the pod, as the application's user, and return its output; DataPlaneError if it fails."""
        return self.space.run(argv, stdin=stdin)

    def call(self, argv: Sequence[str | Path], stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command in the pod to its end, whatever that is."""
        return self.space.call(argv, stdin=stdin)

    def admin(self, path: str) -> str:
        """What Envoy's admin interface answers, such as to "stats" or "clusters?format=json"."""
        return envoy.admin(self.space, path)

    def config_dump(self) -> dict[str, Any]:
        """Envoy's whole configuration as its admin interface shows it."""
        return envoy.config_dump(self.space)

    def listeners(self) -> list[Row]:
        """Envoy's outbound listeners, as rows of the model."""
        return envoy.rows(envoy.config_dump(self.space, "dynamic_listeners"))


def ensure_namespace(plane: ControlPlane, name: str) -> None:
    """Make the namespace if it is not there, and wait until the controllers have put into it what pods need."""
    _create(plane, "/api/v1/namespaces", {"metadata": {"name": name}})
    path = f"/api/v1/namespaces/{name}"
    eventually(lambda: read(plane, f"{path}/serviceaccounts/default"), f"the service account of namespace {name}")


def ensure_service_account(plane: ControlPlane, namespace: str, name: str) -> None:
    """Make the service account if it is not there."""
    _create(plane, f"/api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": name}})


def announce(plane: ControlPlane, body: dict[str, Any], ips: Sequence[str]) -> None:
    """Create the Pod object and report it as running and ready under those addresses."""
    metadata = body["metadata"]
    plane.api.create(f"/api/v1/namespaces/{metadata['namespace']}/pods", body)
    path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/status"
    plane.api.request("PATCH", path, {"status": _running(body, ips)}, MERGE)


def withdraw(plane: ControlPlane, namespace: str, name: str) -> None:
    """Delete the Pod object at once; it may be gone already."""
    try:
        plane.api.delete(f"/api/v1/namespaces/{namespace}/pods/{name}?gracePeriodSeconds=0")
    except ApiError as error:
        if error.status != NOT_FOUND:
            raise


def manifest(
    namespace: str,
    name: str,
    labels: Mapping[str, str],
    service_account: str,
    ports: Sequence[Mapping[str, Any]],
    *,
    sidecar: bool = False,
) -> dict[str, Any]:
    """The Pod object of an application with these container ports (``name``, ``containerPort``)."""
    container = {"name": "app", "image": "none", "ports": [dict(port) for port in ports]}
    containers = [container, *([{"name": "istio-proxy", "image": "none"}] if sidecar else [])]
    spec = {"nodeName": NODE, "serviceAccountName": service_account, "containers": containers}
    return {"metadata": {"namespace": namespace, "name": name, "labels": dict(labels)}, "spec": spec}


def agent_token(plane: ControlPlane, namespace: str, service_account: str) -> str:
    """A token of the service account that istiod takes for a certificate request."""
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{service_account}/token"
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"audiences": ["istio-ca"]}}
    return str(plane.api.create(path, request)["status"]["token"])


def root_certificate(plane: ControlPlane, namespace: str) -> str:
    """The certificate that istiod publishes in every namespace."""
    path = f"/api/v1/namespaces/{namespace}/configmaps/istio-ca-root-cert"
    return str(eventually(lambda: read(plane, path), path)["data"]["root-cert.pem"])


def container_ports(ports: Sequence[Mapping[str, Any]]) -> str:
    """The value of ISTIO_META_POD_PORTS, as injection writes it."""
    return json.dumps([{"protocol": "TCP", **port} for port in ports])


def read(plane: ControlPlane, path: str) -> Any:  # noqa: ANN401
    """GET an object, or None where there is none."""
    try:
        return plane.api.get(path)
    except ApiError as error:
        if error.status == NOT_FOUND:
            return None
        raise


def _create(plane: ControlPlane, path: str, body: dict[str, Any]) -> None:
    try:
        plane.api.create(path, body)
    except ApiError as error:
        if error.status != CONFLICT:
            raise


def _running(body: dict[str, Any], ips: Sequence[str]) -> dict[str, Any]:
    conditions = [
        {"type": kind, "status": "True"} for kind in ("Initialized", "Ready", "ContainersReady", "PodScheduled")
    ]
    return {
        "phase": "Running",
        "hostIP": ADDRESS,
        "podIP": ips[0],
        "podIPs": [{"ip": ip} for ip in ips],
        "conditions": conditions,
        "containerStatuses": [
            {"name": c["name"], "image": c["image"], "imageID": "", "ready": True, "restartCount": 0, "started": True}
            for c in body["spec"]["containers"]
        ],
    }
