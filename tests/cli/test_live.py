"""Reading a cluster instead of files."""

import json
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import INCIDENT, Invoke
from tools.controlplane.cluster import ControlPlane

KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "here",
    "clusters": [{"name": "here", "cluster": {"server": "http://127.0.0.1:1"}}],
    "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
    "users": [{"name": "me", "user": {"token": "none"}}],
}


@pytest.mark.parametrize("command", [("lint",), ("plan",), ("render",), ("listeners", "--from", "a")])
def test_a_cluster_that_does_not_answer_is_an_error_in_words(
    invoke: Invoke, tmp_path: Path, command: tuple[str, ...]
) -> None:
    """Nothing is printed that could be taken for a result, and the way out is told."""
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(KUBECONFIG))
    result = invoke(*command, "--kubeconfig", path)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "127.0.0.1:1" in result.stderr
    assert "-f" in result.stderr


@pytest.mark.parametrize("arguments", [("--context", "nowhere"), ()])
def test_no_such_context(invoke: Invoke, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """A context or kubeconfig that does not exist is named."""
    path = tmp_path / "kubeconfig"
    if arguments:
        path.write_text(json.dumps(KUBECONFIG))
    result = invoke("lint", "--kubeconfig", path, *arguments)
    assert result.exit_code == 2
    assert (arguments[1] if arguments else str(path)) in result.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [("{{\n", "not YAML"), ("", "not a kubeconfig"), ("- a\n", "not a kubeconfig"), ("a\n", "not a ")],
)
def test_what_is_no_kubeconfig_is_told(invoke: Invoke, tmp_path: Path, content: str, said: str) -> None:
    """It is the user's file, and no bug of ours."""
    path = tmp_path / "kubeconfig"
    path.write_text(content)
    result = invoke("lint", "--kubeconfig", path)
    assert result.exit_code == 2
    assert f"kubeconfig {path}: {said}" in result.stderr
    assert "bug" not in result.stderr


@pytest.mark.cluster
def test_a_missing_right_is_told_from_a_missing_crd(
    invoke: Invoke, control_plane: ControlPlane, namespace: str
) -> None:
    """Who may not list a kind that sharpens predictions is warned; who may not list what matters gets nothing else."""
    base = "serviceentries,services,dnsaliases"
    control_plane.kubectl("create", "role", "reader", "-n", namespace, "--verb=list,get", f"--resource={base}")
    user = control_plane.service_account_token(namespace, "default")
    control_plane.kubectl(
        "create", "rolebinding", "reader", "-n", namespace, "--role=reader", f"--serviceaccount={namespace}:default"
    )
    kubeconfig = control_plane.write_kubeconfig(f"reader-{namespace}", user)
    narrow = invoke("lint", "--kubeconfig", kubeconfig, "-n", namespace)
    assert narrow.exit_code == 0, narrow.stderr
    assert "no permission to list sidecars.networking.istio.io" in narrow.stderr
    assert "does not serve sidecars" not in narrow.stderr
    wide = invoke("lint", "--kubeconfig", kubeconfig)
    assert wide.exit_code == 2
    assert "whoever asks lacks this right" in wide.stderr
    assert "-n NAMESPACE reads one namespace only" in wide.stderr


@pytest.mark.cluster
def test_a_cluster_reads_as_files_do(
    invoke: Invoke, control_plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    """The same findings, without places; and the plan of a namespace alone repairs nothing, as its guard is blind."""
    world = list(yaml.safe_load_all(INCIDENT))[:3]
    for item in world:
        item["metadata"] = {k: v for k, v in item["metadata"].items() if k in ("name", "labels")}
        item["spec"].pop("clusterIP", None)
    path = tmp_path / "world.yaml"
    path.write_text(yaml.safe_dump_all(world))
    control_plane.kubectl("apply", "-n", namespace, "-f", str(path))

    live = invoke("lint", "--kubeconfig", control_plane.kubeconfig, "-n", namespace, "-o", "json")
    found = json.loads(live.stdout)["findings"]
    assert {(f["severity"], f["name"], f["port"]) for f in found} >= {("critical", "traefik-cutom-name", 443)}
    assert {(f["namespace"], f["file"], f["line"]) for f in found} == {(namespace, None, None)}
    assert live.exit_code == 1

    narrow = invoke("plan", "--kubeconfig", control_plane.kubeconfig, "-n", namespace, "-o", "json")
    assert json.loads(narrow.stdout)["changes"] == []
    assert narrow.exit_code == 0
    wide = invoke("plan", "--kubeconfig", control_plane.kubeconfig, "-o", "json")
    changes = [c for c in json.loads(wide.stdout)["changes"] if c["namespace"] == namespace]
    assert [(c["verb"], c["name"]) for c in changes] == [("repair", "traefik-cutom-name")]
    assert wide.exit_code == 1


@pytest.mark.cluster
def test_who_may_not_read_the_mesh_is_told_once(invoke: Invoke, control_plane: ControlPlane, namespace: str) -> None:
    """One line names the objects; the command goes on by its settings, and with the right it uses what is there."""
    control_plane.kubectl(
        "create",
        "configmap",
        "istio",
        "-n",
        namespace,
        "--from-literal=mesh=outboundTrafficPolicy: {mode: REGISTRY_ONLY}",
    )
    base = "serviceentries,services,dnsaliases"
    control_plane.kubectl("create", "role", "some", "-n", namespace, "--verb=list,get", f"--resource={base}")
    account = f"--serviceaccount={namespace}:default"
    control_plane.kubectl("create", "rolebinding", "some", "-n", namespace, "--role=some", account)
    user = control_plane.service_account_token(namespace, "default")
    kubeconfig = control_plane.write_kubeconfig(f"some-{namespace}", user)
    arguments = ("listeners", "--from", "a", "-n", namespace, "--root-namespace", namespace)
    blind = invoke(*arguments, "--kubeconfig", kubeconfig)
    (line,) = (line for line in blind.stderr.splitlines() if "permission to read" in line)
    assert f"ConfigMap {namespace}/istio, Deployment {namespace}/istiod" in line
    assert "outboundTrafficPolicy ALLOW_ANY" in blind.stdout
    seeing = invoke(*arguments, "--kubeconfig", control_plane.kubeconfig)
    assert "permission" not in seeing.stderr
    assert "outboundTrafficPolicy REGISTRY_ONLY" in seeing.stdout
    assert f"read from ConfigMap {namespace}/istio" in seeing.stdout
