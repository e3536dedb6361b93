"""The manifests, applied to a real API server as a newcomer applies them."""

import copy
from typing import Any

import pytest

from tools import make
from tools.controlplane.api import ApiError
from tools.controlplane.cluster import ControlPlane
from tools.controlplane.waiting import eventually
from tools.running import identity

pytestmark = pytest.mark.cluster

NAMESPACE_PATH = f"/api/v1/namespaces/{identity.NAMESPACE}"
DEPLOYMENT = f"/apis/apps/v1/namespaces/{identity.NAMESPACE}/deployments/dnsalias-operator"


def install_all(plane: ControlPlane, overlay: str) -> None:
    """CRD first, then the overlay."""
    plane.kubectl("apply", "--server-side", "-k", str(identity.MANIFESTS / "crd"))
    plane.established("dnsaliases.dnsalias.io")
    identity.apply(plane, identity.build(plane, f"overlays/{overlay}"))


def gone(plane: ControlPlane, path: str) -> bool:
    """Whether there is nothing at ``path``."""
    try:
        plane.api.get(path)
    except ApiError as error:
        if error.status != 404:
            raise
        return True
    return False


def pod(plane: ControlPlane) -> dict[str, Any]:
    """The Pod that the installed Deployment asks for."""
    template = plane.api.get(DEPLOYMENT)["spec"]["template"]
    return {"metadata": {"name": "operator-0", "labels": template["metadata"]["labels"]}, "spec": template["spec"]}


def dry_run(plane: ControlPlane, body: dict[str, Any]) -> None:
    """Ask for a Pod without making it: admission, Pod Security included, judges it."""
    plane.api.create(f"{NAMESPACE_PATH}/pods?dryRun=All&fieldValidation=Strict", body)


@pytest.mark.parametrize("overlay", identity.OVERLAYS)
def test_an_overlay_is_accepted_and_sets_its_mode(fresh_cluster: ControlPlane, overlay: str) -> None:
    """Every object of an overlay passes strict validation, and the Deployment is told whether it may repair."""
    install_all(fresh_cluster, overlay)
    (container,) = fresh_cluster.api.get(DEPLOYMENT)["spec"]["template"]["spec"]["containers"]
    assert container["env"] == [{"name": "DNSALIAS_FOREIGN_ENTRIES", "value": overlay}]


def test_the_pod_is_admitted_where_pod_security_is_restricted(fresh_cluster: ControlPlane) -> None:
    """The Pod passes the namespace's Pod Security level, which refuses the same Pod with one right more."""
    install_all(fresh_cluster, "observe")
    wanted = pod(fresh_cluster)
    dry_run(fresh_cluster, wanted)
    greedy = copy.deepcopy(wanted)
    greedy["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = True
    with pytest.raises(ApiError, match=r'violates PodSecurity "restricted'):
        dry_run(fresh_cluster, greedy)


def test_the_pod_writes_to_tmp_alone(fresh_cluster: ControlPlane) -> None:
    """The root file system is read-only, and the one writable place is a small volume at /tmp."""
    install_all(fresh_cluster, "patch")
    spec = pod(fresh_cluster)["spec"]
    (container,) = spec["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert [(m["name"], m["mountPath"]) for m in container["volumeMounts"]] == [("tmp", "/tmp")]  # noqa: S108
    assert [v["emptyDir"] for v in spec["volumes"]] == [{"sizeLimit": "16Mi"}]


def test_deleting_an_overlay_keeps_every_alias(fresh_cluster: ControlPlane) -> None:
    """Uninstalling takes the operator and its rights away; CRD, aliases, their entries and repairs stay."""
    api = fresh_cluster.api
    install_all(fresh_cluster, "patch")
    aliases = "/apis/dnsalias.io/v1alpha1/namespaces/default/dnsaliases"
    entries = "/apis/networking.istio.io/v1/namespaces/default/serviceentries"
    made = api.create(aliases, make.alias("kept", "kept.hello", "kept"))
    owner = {"apiVersion": made["apiVersion"], "kind": "DnsAlias", "name": "kept", "uid": made["metadata"]["uid"]}
    owned = {"ownerReferences": [{**owner, "controller": True}]}
    api.create(entries, make.entry("kept", "kept.hello", resolution="STATIC", meta=owned, addresses=["240.241.0.9"]))
    theirs = make.entry("repaired", "repaired.hello", resolution="STATIC", addresses=["240.241.0.10"])
    path = f"{entries}/repaired?fieldManager=dnsalias-repair"
    api.request("PATCH", path, theirs, "application/apply-patch+yaml")
    repaired = api.get(f"{entries}/repaired")
    fresh_cluster.kubectl("delete", "-k", str(identity.MANIFESTS / "overlays" / "patch"), "--wait=false")
    eventually(lambda: gone(fresh_cluster, NAMESPACE_PATH), "the namespace is gone")
    assert gone(fresh_cluster, "/apis/rbac.authorization.k8s.io/v1/clusterroles/dnsalias-operator")
    assert not gone(fresh_cluster, f"{aliases}/kept")
    assert not gone(fresh_cluster, f"{entries}/kept")
    assert api.get(f"{entries}/repaired") == repaired
    api.delete(f"{aliases}/kept")
    eventually(lambda: gone(fresh_cluster, f"{entries}/kept"), "the entry goes with its alias")
