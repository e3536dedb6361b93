"""The shared control plane behaves like a Kubernetes cluster where tests rely on it."""

import ipaddress
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tools import make
from tools.controlplane.api import ApiError
from tools.controlplane.cluster import ControlPlane, KubectlError
from tools.controlplane.waiting import eventually

pytestmark = pytest.mark.cluster

SERVICE_ENTRIES = "/apis/networking.istio.io/v1/namespaces/{}/serviceentries"


def absent(plane: ControlPlane, path: str) -> bool:
    """Whether the API server says NotFound of ``path``."""
    try:
        plane.api.get(path)
    except ApiError as error:
        if error.reason != "NotFound":
            raise
        return True
    return False


def service_entry(name: str, **metadata: Any) -> dict[str, Any]:  # noqa: ANN401
    """A ServiceEntry that Istio's CRD accepts."""
    ports, at = [make.entry_port(443, "TLS")], ["240.241.0.1"]
    return make.entry(name, f"{name}.hello", ports=ports, resolution="NONE", meta=metadata, addresses=at)


def may_create_config_maps(plane: ControlPlane, user: str, namespace: str) -> bool:
    """Whether RBAC allows it by now. Asking is a "create" that stores nothing, and is not counted as a write."""
    attributes = {"namespace": namespace, "verb": "create", "resource": "configmaps"}
    review = {"spec": {"user": user, "resourceAttributes": attributes}}
    path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    return bool(plane.api.create(path, review)["status"]["allowed"])


def config_map(name: str) -> dict[str, Any]:
    """An object to own others."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}


def test_a_service_gets_a_cluster_ip(control_plane: ControlPlane, namespace: str) -> None:
    """The API server allocates clusterIPs from 10.96.0.0/16, of both families where a Service asks for both."""
    path = f"/api/v1/namespaces/{namespace}/services"
    single = control_plane.api.create(path, make.service("single"))["spec"]
    assert ipaddress.ip_address(single["clusterIP"]) in ipaddress.ip_network("10.96.0.0/16")
    assert single["clusterIPs"] == [single["clusterIP"]]
    dual = control_plane.api.create(path, make.service("dual", ipFamilyPolicy="RequireDualStack"))["spec"]
    assert [ipaddress.ip_address(address).version for address in dual["clusterIPs"]] == [4, 6]


def test_dependents_are_collected(control_plane: ControlPlane, namespace: str) -> None:
    """When an owner goes, the garbage collector deletes the ServiceEntry that names it in its ownerReferences."""
    maps, entries = f"/api/v1/namespaces/{namespace}/configmaps", SERVICE_ENTRIES.format(namespace)
    owner = control_plane.api.create(maps, config_map("owner"))
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"]}
    control_plane.api.create(entries, service_entry("owned", ownerReferences=[reference | {"controller": True}]))
    control_plane.api.create(entries, service_entry("free"))
    control_plane.api.delete(f"{maps}/owner")
    eventually(lambda: absent(control_plane, f"{entries}/owned"))
    assert not absent(control_plane, f"{entries}/free")


@pytest.fixture
def node(control_plane: ControlPlane, namespace: str) -> Iterator[str]:
    """The name of a Node, deleted after the test. Nothing runs on it."""
    name = f"node-{namespace}"
    control_plane.api.create("/api/v1/nodes", {"metadata": {"name": name}})
    yield name
    control_plane.api.delete(f"/api/v1/nodes/{name}")


def test_ready_pods_become_endpoints(control_plane: ControlPlane, namespace: str, node: str) -> None:
    """The endpointslice controller lists a ready pod that a Service selects; without a Node it would skip the pod."""
    base = f"/api/v1/namespaces/{namespace}"
    control_plane.api.create(f"{base}/services", make.service("web", selector={"app": "web"}))
    eventually(lambda: not absent(control_plane, f"{base}/serviceaccounts/default"))
    pod = {
        "metadata": {"name": "web-0", "labels": {"app": "web"}},
        "spec": {"nodeName": node, "containers": [{"name": "web", "image": "web"}]},
    }
    control_plane.api.create(f"{base}/pods", pod)
    status = {
        "phase": "Running",
        "podIP": "10.0.0.7",
        "podIPs": [{"ip": "10.0.0.7"}],
        "conditions": [{"type": "Ready", "status": "True"}],
    }
    control_plane.api.request("PATCH", f"{base}/pods/web-0/status", {"status": status}, "application/merge-patch+json")

    def addresses() -> list[str]:
        slices = control_plane.api.get(f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices")["items"]
        ready = [one for s in slices for one in s["endpoints"] or [] if one["conditions"]["ready"]]
        return [address for one in ready for address in one["addresses"]]

    assert eventually(addresses) == ["10.0.0.7"]


def test_a_namespace_goes_with_what_is_in_it(control_plane: ControlPlane) -> None:
    """The namespace controller empties a deleted namespace, custom resources too, and removes it."""
    control_plane.api.create("/api/v1/namespaces", {"metadata": {"name": "doomed"}})
    control_plane.api.create(SERVICE_ENTRIES.format("doomed"), service_entry("inside"))
    control_plane.api.delete("/api/v1/namespaces/doomed")
    eventually(lambda: absent(control_plane, "/api/v1/namespaces/doomed"))
    assert control_plane.api.get(SERVICE_ENTRIES.format("doomed"))["items"] == []


def test_istios_crd_refuses_what_its_schema_forbids(control_plane: ControlPlane, namespace: str) -> None:
    """The real CRD is in force: a ServiceEntry without hosts is refused, and the error says so."""
    bad = service_entry("bad")
    del bad["spec"]["hosts"]
    with pytest.raises(ApiError, match=r"spec\.hosts") as refusal:
        control_plane.api.create(SERVICE_ENTRIES.format(namespace), bad)
    assert refusal.value.status == 422


def test_kubectl_speaks_to_this_cluster_and_no_other(control_plane: ControlPlane, namespace: str) -> None:
    """Our kubectl runs with the cluster's kubeconfig; its failures carry what it said."""
    control_plane.kubectl("apply", "-n", namespace, "-f", "-", stdin=json.dumps(config_map("made")))
    assert control_plane.kubectl("get", "configmap", "made", "-n", namespace, "-o", "name") == "configmap/made\n"
    with pytest.raises(KubectlError, match="NotFound"):
        control_plane.kubectl("get", "configmap", "absent", "-n", namespace)


def test_writes_of_a_service_account_are_counted(control_plane: ControlPlane, namespace: str) -> None:
    """The audit log has each mutating request of a user once, refused ones with their code; reads and Events not."""
    accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    control_plane.api.create(accounts, {"metadata": {"name": "writer"}})
    user = f"system:serviceaccount:{namespace}:writer"
    kubeconfig = control_plane.write_kubeconfig(user, control_plane.service_account_token(namespace, "writer"))
    rights = ("--verb=create,get,list,delete", "--resource=configmaps")
    control_plane.kubectl("create", "role", "writer", *rights, "-n", namespace)
    binding = ("create", "rolebinding", "writer", "--role=writer", f"--serviceaccount={namespace}:writer")
    control_plane.kubectl(*binding, "-n", namespace)

    def as_writer(*arguments: str) -> None:
        control_plane.kubectl(*arguments, "-n", namespace, kubeconfig=kubeconfig)

    mark = control_plane.mark()
    eventually(lambda: may_create_config_maps(control_plane, user, namespace))  # RBAC takes a moment
    as_writer("create", "configmap", "one")
    as_writer("get", "configmaps")
    as_writer("delete", "configmap", "one")
    with pytest.raises(KubectlError, match="forbidden"):
        as_writer("create", "rolebinding", "own", "--clusterrole=admin", "--user=writer")
    written = control_plane.mutating_requests(user, mark)
    assert [(r.verb, r.resource, r.namespace, r.code) for r in written] == [
        ("create", "configmaps", namespace, 201),
        ("delete", "configmaps", namespace, 200),
        ("create", "rolebindings", namespace, 403),
    ]
    assert control_plane.mutating_requests(user, control_plane.mark()) == []
