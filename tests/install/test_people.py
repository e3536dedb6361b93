"""The ClusterRoles for people: each lets do what it is for; those on call may read all that the command reads."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from dnsalias_operator.model.kinds import KINDS
from tools.controlplane.cluster import ControlPlane, KubectlError

PEOPLE = Path(__file__).parents[2] / "manifests" / "people"
ROLES = PEOPLE / "clusterroles.yaml"
ALIAS = """\
apiVersion: dnsalias.io/v1alpha1
kind: DnsAlias
metadata: {name: x}
spec: {host: x.hello, serviceRef: {name: x}}
"""

pytestmark = pytest.mark.cluster


@pytest.fixture
def roles(control_plane: ControlPlane) -> None:
    """They are applied."""
    control_plane.kubectl("apply", "-k", str(PEOPLE))


def bound(plane: ControlPlane, namespace: str, role: str, *, everywhere: bool = False) -> Path:
    """The kubeconfig of an account of its own that has this role, in its namespace or in all."""
    plane.kubectl("create", "serviceaccount", role, "-n", namespace)
    to = (f"--clusterrole={role}", f"--serviceaccount={namespace}:{role}")
    if everywhere:
        plane.kubectl("create", "clusterrolebinding", f"{namespace}-{role}", *to)
    else:
        plane.kubectl("create", "rolebinding", role, "-n", namespace, *to)
    return plane.write_kubeconfig(f"{namespace}-{role}", plane.service_account_token(namespace, role))


@pytest.mark.usefixtures("roles")
def test_a_team_writes_aliases_and_nothing_else(control_plane: ControlPlane, namespace: str) -> None:
    """In the namespaces that the role is bound in."""
    team = bound(control_plane, namespace, "dnsaliases-edit")
    control_plane.kubectl("apply", "-n", namespace, "-f", "-", stdin=ALIAS, kubeconfig=team)
    control_plane.kubectl("get", "dnsaliases", "-n", namespace, kubeconfig=team)
    with pytest.raises(KubectlError, match="orbidden"):
        control_plane.kubectl("get", "serviceentries", "-n", namespace, kubeconfig=team)
    with pytest.raises(KubectlError, match="orbidden"):
        control_plane.kubectl("apply", "-n", "default", "-f", "-", stdin=ALIAS, kubeconfig=team)
    reader = bound(control_plane, namespace, "dnsaliases-view")
    assert "x.hello" in control_plane.kubectl("get", "dnsaliases", "-n", namespace, kubeconfig=reader)
    with pytest.raises(KubectlError, match="orbidden"):
        control_plane.kubectl("delete", "dnsalias", "x", "-n", namespace, kubeconfig=reader)


@pytest.mark.usefixtures("roles")
def test_who_is_on_call_reads_all_that_the_command_reads(control_plane: ControlPlane, namespace: str) -> None:
    """Of every kind: where the command learns of one more, the role has to."""
    kubeconfig = bound(control_plane, namespace, "dnsalias-diagnose", everywhere=True)
    command = [
        str(Path(sys.executable).parent / "dnsalias"),
        "lint",
        "--kubeconfig",
        str(kubeconfig),
        "--fail-on",
        "never",
    ]
    told = subprocess.run(command, check=False, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    assert "no permission" not in told.stderr
    role = next(r for r in yaml.safe_load_all(ROLES.read_text()) if r["metadata"]["name"] == "dnsalias-diagnose")
    by_name = [rule for rule in role["rules"] if "resourceNames" in rule]
    listed = {plural for rule in role["rules"] if rule not in by_name for plural in rule["resources"]}
    assert listed == {kind.plural for kind in KINDS.values()} | {"events"}
    assert {plural for rule in by_name for plural in rule["resources"]} == {"configmaps", "deployments"}
    with pytest.raises(KubectlError, match="orbidden"):
        control_plane.kubectl("get", "secrets", "-n", namespace, kubeconfig=kubeconfig)
