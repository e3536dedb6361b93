"""The operator's own rights, as manifests/ grants them: install them, and speak to the API server with nothing more.

    from tools.running import identity

    kubeconfig = identity.install(control_plane)  # of system:serviceaccount:dnsalias-system:dnsalias-operator

What a test runs with this kubeconfig may do exactly what the ClusterRole that people install allows.
"""

import re
import shutil
from pathlib import Path
from typing import Any

import yaml

from tools.controlplane.api import ApiError
from tools.controlplane.cluster import ControlPlane

MANIFESTS = Path(__file__).parents[2] / "manifests"
OVERLAYS = ("observe", "patch")
NAMESPACE = "dnsalias-system"
ROOT = "istio-system"
"""The mesh's root namespace."""
ACCOUNT = "dnsalias-operator"
USER = f"system:serviceaccount:{NAMESPACE}:{ACCOUNT}"
RIGHTS = frozenset({"Namespace", "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"})
MANAGER = "installer"


def build(plane: ControlPlane, folder: str) -> list[dict[str, Any]]:
    """The objects that `kubectl kustomize manifests/<folder>` prints."""
    text = plane.kubectl("kustomize", str(MANIFESTS / folder))
    return [obj for obj in yaml.safe_load_all(text) if obj]


def install(plane: ControlPlane, overlay: str = "patch") -> Path:
    """Install namespace, ServiceAccount and rights of an overlay; returns a kubeconfig with a token of the account.

    The right to read which mesh it is comes with it, and so does the mesh's root namespace, in which that is. Doing so
    again changes nothing. The Deployment is left out: whoever asks for this runs the operator himself.
    """
    rights = [obj for obj in build(plane, f"overlays/{overlay}") if obj["kind"] in RIGHTS]
    root = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ROOT}}
    rights += [root, *build(plane, "mesh")]
    apply(plane, rights)
    return plane.write_kubeconfig(USER, plane.service_account_token(NAMESPACE, ACCOUNT))


def team(plane: ControlPlane, namespace: str) -> Path:
    """A kubeconfig of an account that may do anything in that namespace and nothing outside of it."""
    root, name = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}", "team"
    account = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    rule = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}
    subject = {"kind": "ServiceAccount", "name": name, "namespace": namespace}
    for path, body in (
        (account, {}),
        (f"{root}/roles", {"rules": [rule]}),
        (f"{root}/rolebindings", {"roleRef": reference, "subjects": [subject]}),
    ):
        try:
            plane.api.create(path, {"metadata": {"name": name}, **body})
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise
    return plane.write_kubeconfig(
        f"system:serviceaccount:{namespace}:{name}", plane.service_account_token(namespace, name), namespace
    )


def build_namespaced(plane: ControlPlane, namespace: str, folder: Path) -> list[dict[str, Any]]:
    """The overlay `namespaced` for that namespace, edited in a copy in ``folder`` as its users edit it."""
    for part in ("base", "overlays/namespaced"):
        shutil.copytree(MANIFESTS / part, folder / part, dirs_exist_ok=True)
    file = folder / "overlays" / "namespaced" / "kustomization.yaml"
    text, edits = re.subn(r"(?m)^namespace: .*$", f"namespace: {namespace}", file.read_text(encoding="utf-8"))
    assert edits == 1
    file.write_text(text, encoding="utf-8")
    return [obj for obj in yaml.safe_load_all(plane.kubectl("kustomize", str(file.parent))) if obj]


def install_namespaced(plane: ControlPlane, namespace: str, folder: Path) -> Path:
    """Apply it, as somebody with rights in that namespace alone; returns a kubeconfig of the operator's account."""
    apply(plane, build_namespaced(plane, namespace, folder), team(plane, namespace))
    return plane.write_kubeconfig(
        f"system:serviceaccount:{namespace}:{ACCOUNT}", plane.service_account_token(namespace, ACCOUNT), namespace
    )


def apply(plane: ControlPlane, objects: list[dict[str, Any]], kubeconfig: Path | None = None) -> None:
    """Server-side apply objects with strict field validation, as admin unless told otherwise.

    Raises:
        KubectlError: one is refused.
    """
    plane.kubectl(
        "apply",
        "--server-side",
        f"--field-manager={MANAGER}",
        "--validate=strict",
        "-f",
        "-",
        stdin=yaml.safe_dump_all(objects),
        kubeconfig=kubeconfig,
    )
