"""What the documents tell people to type works as it stands there."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dnsalias_operator.settings import ENV_PREFIX, load_settings
from tools.controlplane.cluster import ControlPlane
from tools.demo import incident
from tools.running import identity

REPOSITORY = Path(__file__).parents[2]
DNSALIAS = Path(sys.executable).parent / "dnsalias"


def overlays(page: str) -> Iterator[str]:
    """The kustomizations that a page shows."""
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```yaml\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    return (block for block in blocks if "kind: Kustomization" in block)


def container(plane: ControlPlane, overlay: str, folder: Path) -> dict[str, Any]:
    """The operator's container in an overlay that stands beside the others."""
    for name in ("manifests", "crds"):
        shutil.copytree(REPOSITORY / name, folder / name)
    ours = folder / "manifests" / "overlays" / "ours"
    ours.mkdir()
    (ours / "kustomization.yaml").write_text(overlay, encoding="utf-8")
    built = yaml.safe_load_all(plane.kubectl("kustomize", str(ours)))
    (deployment,) = (obj for obj in built if obj["kind"] == "Deployment")
    (only,) = deployment["spec"]["template"]["spec"]["containers"]
    return dict(only)


@pytest.mark.cluster
def test_the_overlay_to_install_names_the_image(control_plane: ControlPlane, tmp_path: Path) -> None:
    """The overlay in docs/install.md takes the image from another registry and still observes."""
    (overlay,) = overlays("docs/install.md")
    built = container(control_plane, overlay, tmp_path)
    assert re.fullmatch(r"REGISTRY/dnsalias-operator:[\d.]+", built["image"])
    assert {"name": "DNSALIAS_FOREIGN_ENTRIES", "value": "observe"} in built["env"]


@pytest.mark.cluster
def test_the_overlay_in_settings_adds_settings(control_plane: ControlPlane, tmp_path: Path) -> None:
    """The overlay in docs/settings.md adds to the environment of the one below, and the operator accepts all of it."""
    (overlay,) = overlays("docs/settings.md")
    env = {e["name"]: e["value"] for e in container(control_plane, overlay, tmp_path)["env"]}
    settings = load_settings({name.removeprefix(ENV_PREFIX).lower(): value for name, value in env.items()})
    assert settings.foreign_entries == "observe"
    assert settings.cluster_domain == "example.internal"
    assert settings.repair_skip_namespaces == ("kube-system", "legacy")


@pytest.mark.cluster
def test_the_right_to_write_aliases_is_given_as_the_page_says(control_plane: ControlPlane) -> None:
    """The commands in docs/security.md let a team write DnsAliases in its namespace, not elsewhere, and no entries."""
    text = (REPOSITORY / "docs" / "security.md").read_text(encoding="utf-8")
    (block,) = (b for b in re.findall(r"^```\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL) if "clusterrole" in b)
    commands = [shlex.split(line) for line in block.splitlines()]
    control_plane.api.create("/api/v1/namespaces", {"metadata": {"name": "abc"}})
    for program, *arguments in commands:
        assert program == "kubectl"
        control_plane.kubectl(*arguments)

    def allowed(verb: str, resource: str, namespace: str) -> bool:
        resources = {"group": resource.partition(".")[2], "resource": resource.partition(".")[0]}
        asked = {"verb": verb, "namespace": namespace, **resources}
        review = {"spec": {"user": "someone", "groups": ["team-abc"], "resourceAttributes": asked}}
        path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
        return bool(control_plane.api.create(path, review)["status"]["allowed"])

    assert allowed("create", "dnsaliases.dnsalias.io", "abc")
    assert not allowed("create", "dnsaliases.dnsalias.io", "default")
    assert not allowed("create", "serviceentries.networking.istio.io", "abc")


@pytest.mark.cluster
def test_the_first_alias_is_accepted_and_planned(control_plane: ControlPlane) -> None:
    """The example is applied as the README says, and the one thing to do about it is the alias' entry."""
    control_plane.kubectl("apply", "-f", str(REPOSITORY / "examples" / "first-alias"), "--validate=strict")
    try:
        result = subprocess.run(
            [str(DNSALIAS), "plan", "--kubeconfig", str(control_plane.kubeconfig), "-n", "first-alias"],
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        control_plane.kubectl("delete", "-f", str(REPOSITORY / "examples" / "first-alias"), "--wait=false")
    assert result.returncode == 1, result.stderr
    assert "# create ServiceEntry first-alias/service-api" in result.stdout
    assert "1 to create" in result.stdout


@pytest.mark.cluster
def test_the_incident_can_be_applied(fresh_cluster: ControlPlane) -> None:
    """The commands in the README of examples/incident make its namespaces and objects, as it says."""
    text = (REPOSITORY / "examples" / "incident" / "README.md").read_text(encoding="utf-8")
    (block,) = (b for b in re.findall(r"^```\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL) if "kubectl apply" in b)
    tools = fresh_cluster.folder / "tools"
    tools.mkdir()
    (tools / "kubectl").symlink_to(fresh_cluster.binaries["kubectl"])
    environment = fresh_cluster.environment() | {"PATH": f"{tools}:/usr/bin:/bin"}
    subprocess.run(["bash", "-euc", block], cwd=REPOSITORY, env=environment, check=True, capture_output=True)
    made = fresh_cluster.kubectl("get", "services,serviceentries,dnsaliases", "-A", "-o", "name").split()
    assert {name.rpartition("/")[2] for name in made} >= {obj["metadata"]["name"] for obj in incident.objects()}


@pytest.mark.cluster
def test_the_overlay_in_the_runbook_says_where_it_is(control_plane: ControlPlane, tmp_path: Path) -> None:
    """The overlay in docs/runbook.md makes a URL of every alert's runbook_url, and changes nothing else."""
    (overlay,) = overlays("docs/runbook.md")
    shutil.copytree(REPOSITORY / "manifests", tmp_path / "manifests")
    ours = tmp_path / "manifests" / "overlays" / "our-monitoring"
    ours.mkdir()
    (ours / "kustomization.yaml").write_text(overlay, encoding="utf-8")
    built = [obj for obj in yaml.safe_load_all(control_plane.kubectl("kustomize", str(ours))) if obj]
    (rule,) = (obj for obj in built if obj["kind"] == "PrometheusRule")
    home = rule["metadata"].pop("annotations")["runbook"].removesuffix("docs/runbook.md")
    assert home.startswith("https://")
    for group in rule["spec"]["groups"]:
        for alert in group["rules"]:
            url = alert["annotations"]["runbook_url"]
            assert url.startswith(f"{home}docs/runbook.md#")
            alert["annotations"]["runbook_url"] = url.removeprefix(home)
    assert built == identity.build(control_plane, "monitoring")


@pytest.mark.cluster
def test_monitoring_builds(control_plane: ControlPlane) -> None:
    """`kubectl kustomize manifests/monitoring` gives rule, monitor and dashboard, in the operator's namespace."""
    built = identity.build(control_plane, "monitoring")
    assert {(o["kind"], o["metadata"]["namespace"]) for o in built} == {
        ("PrometheusRule", identity.NAMESPACE),
        ("ServiceMonitor", identity.NAMESPACE),
        ("ConfigMap", identity.NAMESPACE),
    }
    (monitor,) = (o for o in built if o["kind"] == "ServiceMonitor")
    (service,) = (o for o in identity.build(control_plane, "base") if o["kind"] == "Service")
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert {e["port"] for e in monitor["spec"]["endpoints"]} == {p["name"] for p in service["spec"]["ports"]}
    (board,) = (o for o in built if o["kind"] == "ConfigMap")
    # What the sidecar of Grafana's charts looks for unless told otherwise.
    assert board["metadata"]["labels"]["grafana_dashboard"] == "1"
    file = identity.MANIFESTS / "monitoring" / "grafana-dashboard.json"
    assert board["data"] == {"dnsalias-operator.json": file.read_text(encoding="utf-8")}
