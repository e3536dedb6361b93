"""The operator's own rights, as manifests/ grants them: install them, and speak to the API server with nothing more.

    from tests.install import identity

    kubeconfig = identity.install(control_plane)  # of system:serviceaccount:dnsalias-system:dnsalias-operator

What a test runs with this kubeconfig may do exactly what the ClusterRole that people install allows.
"""

from pathlib import Path
from typing import Any

import yaml

from tests.controlplane.cluster import ControlPlane

MANIFESTS = Path(__file__).parents[2] / "manifests"
OVERLAYS = ("observe", "patch")
NAMESPACE = "dnsalias-system"
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

    Doing so again changes nothing. The Deployment is left out: whoever asks for this runs the operator himself.
    """
    rights = [obj for obj in build(plane, f"overlays/{overlay}") if obj["kind"] in RIGHTS]
    apply(plane, rights)
    return plane.write_kubeconfig(USER, plane.service_account_token(NAMESPACE, ACCOUNT))


def apply(plane: ControlPlane, objects: list[dict[str, Any]]) -> None:
    """Server-side apply objects with strict field validation, as admin.

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
    )
