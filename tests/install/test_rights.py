"""The ClusterRole grants what the operator uses, and nothing that it does not."""

from pathlib import Path
from typing import Any

import pytest

from tests.cluster.operator_process import Operator
from tests.controlplane.cluster import ControlPlane
from tests.controlplane.waiting import eventually
from tests.install import identity

pytestmark = pytest.mark.cluster

WRITING = {"create", "update", "patch", "delete", "deletecollection"}


def granted(plane: ControlPlane) -> set[tuple[str, str, str]]:
    """Every verb, API group and resource (with its subresource) of the installed ClusterRole."""
    role = plane.api.get("/apis/rbac.authorization.k8s.io/v1/clusterroles/dnsalias-operator")
    return {
        (verb, group, resource)
        for rule in role["rules"]
        for verb in rule["verbs"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }


def test_it_reads_by_list_and_watch_of_five_kinds(control_plane: ControlPlane) -> None:
    """Nothing else is readable to the operator: no Secret, no ConfigMap, no Pod, and no single object by name."""
    identity.install(control_plane)
    reading = {(group, resource, verb) for verb, group, resource in granted(control_plane) if verb not in WRITING}
    kinds = [("", "services"), ("", "namespaces"), ("dnsalias.io", "dnsaliases")]
    kinds += [("networking.istio.io", "serviceentries"), ("networking.istio.io", "sidecars")]
    assert reading == {(group, resource, verb) for group, resource in kinds for verb in ("list", "watch")}


def test_every_right_to_write_is_used_and_none_is_missing(
    control_plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    """An operator that makes, heals, cleans and deletes an entry of its own uses each granted verb; none is refused."""
    kubeconfig = identity.install(control_plane)
    mark = control_plane.mark()
    with Operator(control_plane, kubeconfig, tmp_path, {"resync_seconds": "600"}) as operator:
        operator.ready()
        _tour(control_plane, namespace)
        operator.idle()
    written = control_plane.mutating_requests(identity.USER, mark, ignoring=())
    assert {r.code for r in written if r.namespace == namespace} <= {200, 201, 409}
    used = {(r.verb, r.group, "/".join(filter(None, (r.resource, r.subresource)))) for r in written}
    assert used == {right for right in granted(control_plane) if right[0] in WRITING}


def _tour(plane: ControlPlane, namespace: str) -> None:
    """Bring about every kind of write; returns when the last one is done."""
    api = plane.api
    services = f"/api/v1/namespaces/{namespace}/services"
    entry = f"/apis/networking.istio.io/v1/namespaces/{namespace}/serviceentries/api"
    listed = f"/apis/networking.istio.io/v1/namespaces/{namespace}/serviceentries"
    aliases = f"/apis/dnsalias.io/v1alpha1/namespaces/{namespace}/dnsaliases"

    def spec() -> dict[str, Any]:
        return next((dict(e["spec"]) for e in api.get(listed)["items"]), {})

    def edit(change: dict[str, Any]) -> None:
        api.request("PATCH", entry, {"spec": change}, "application/merge-patch+json")

    body = {"ports": [{"name": "tcp", "port": 80}], "selector": {"app": "api"}}
    api.create(services, {"metadata": {"name": "api"}, "spec": body})
    alias = {
        "apiVersion": "dnsalias.io/v1alpha1",
        "kind": "DnsAlias",
        "metadata": {"name": "api"},
        "spec": {"host": f"api.{namespace}-hello", "serviceRef": {"name": "api"}},
    }
    api.create(aliases, alias)
    eventually(lambda: "conditions" in api.get(f"{aliases}/api").get("status", {}), "the status")
    good = eventually(spec, "the entry")
    edit({"addresses": ["10.96.255.254"]})
    eventually(lambda: spec() == good, "the addresses are set right")
    edit({"subjectAltNames": ["somebody-else"]})
    eventually(lambda: spec() == good, "the foreign field is taken out")
    api.delete(f"{services}/api")
    eventually(lambda: spec() == {}, "the entry goes with its Service")
