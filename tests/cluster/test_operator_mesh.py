"""The operator reads which mesh it is under its own rights, and follows what changes without a restart."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from dnsalias_operator.cli.main import program
from tests.cluster.conftest import Objects
from tools.controlplane.cluster import ControlPlane
from tools.controlplane.waiting import eventually
from tools.running import identity
from tools.running.operator_process import Operator

pytestmark = pytest.mark.cluster

Start = Callable[..., Operator]
LINE = "the mesh that decisions assume"


def told(operator: Operator) -> dict[str, Any]:
    """What the operator said last of the mesh."""
    return next(reversed(operator.said(message=LINE)), {})


def grant(plane: ControlPlane, namespace: str, *revisions: str) -> None:
    """The Role of manifests/mesh, in this root namespace; for other revisions too."""
    objects = copy.deepcopy(identity.build(plane, "mesh"))
    for obj in objects:
        obj["metadata"]["namespace"] = namespace
        for rule in obj.get("rules", ()):
            rule["resourceNames"] += [f"{name}-{each}" for name in rule["resourceNames"] for each in revisions]
    identity.apply(plane, objects)


def configure(plane: ControlPlane, namespace: str, revision: str = "", **config: object) -> None:
    """Write the MeshConfig, as an installer of Istio does."""
    meta = {"name": f"istio-{revision}" if revision else "istio", "namespace": namespace}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"mesh": yaml.safe_dump(config)}}
    identity.apply(plane, [body])


def label(plane: ControlPlane, namespace: str, **labels: str | None) -> None:
    """Change labels of a Namespace."""
    body = {"metadata": {"labels": labels}}
    plane.api.request("PATCH", f"/api/v1/namespaces/{namespace}", body, "application/merge-patch+json")


def shown(kubeconfig: Path, namespace: str) -> dict[str, Any]:
    """What `dnsalias mesh` prints."""
    arguments = ["mesh", "--kubeconfig", str(kubeconfig), "--root-namespace", namespace, "-o", "json"]
    result = CliRunner().invoke(program, arguments)
    assert result.exit_code == 0, result.stderr
    return dict(json.loads(result.stdout))


def catches(operator: Operator, namespace: str) -> bool:
    """Whether the operator counts the entry `traefik` as a catch-all."""
    series = f'dnsalias_finding_info{{code="DA001",name="traefik",namespace="{namespace}",severity="critical"}}'
    return operator.metric(series) == 1


def test_it_follows_the_meshconfig_without_a_restart(
    start_operator: Start, objects: Objects, control_plane: ControlPlane, operator_kubeconfig: Path
) -> None:
    """The outboundTrafficPolicy and discoverySelectors, a label of a Namespace, and that the ConfigMap goes."""
    root = objects.namespace
    grant(control_plane, root)
    configure(control_plane, root, outboundTrafficPolicy={"mode": "ALLOW_ANY"})
    objects.foreign("traefik", "traefik.cutom-name")
    operator = start_operator(root_namespace=root, mesh_read_seconds="1", foreign_entries="observe").idle()
    eventually(lambda: catches(operator, root), "the catch-all is found")
    assert "outboundTrafficPolicy ALLOW_ANY" in told(operator)["assumed"]
    assert f"read from ConfigMap {root}/istio" in told(operator)["assumed"]

    configure(control_plane, root, outboundTrafficPolicy={"mode": "REGISTRY_ONLY"})
    eventually(lambda: "outboundTrafficPolicy REGISTRY_ONLY" in told(operator)["assumed"], "it follows the policy")

    chosen: dict[str, Any] = {
        "outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"},
        "discoverySelectors": [{"matchLabels": {"mesh": "y"}}],
    }
    configure(control_plane, root, **chosen)
    eventually(lambda: not catches(operator, root), "what istiod does not see takes nothing")
    document = shown(operator_kubeconfig, root)
    values = {fact["name"]: fact["value"] for fact in document["facts"]}
    assert values["outbound_traffic_policy"] == "REGISTRY_ONLY"
    assert values["discovery_selectors"] == "mesh=y"
    assert root in document["undiscovered"]

    label(control_plane, root, mesh="y")
    eventually(lambda: catches(operator, root), "a label of its Namespace is enough")
    assert root not in shown(operator_kubeconfig, root)["undiscovered"]
    label(control_plane, root, mesh=None)
    eventually(lambda: not catches(operator, root), "and without it the entry is gone again")

    control_plane.api.delete(f"/api/v1/namespaces/{root}/configmaps/istio")
    eventually(lambda: catches(operator, root), "the defaults are back")
    assert f"there is no ConfigMap {root}/istio" in told(operator)["not_read"]
    assert operator.metric("dnsalias_mesh_unread_objects") == 3


def test_without_the_right_it_says_what_it_assumes(
    start_operator: Start, objects: Objects, control_plane: ControlPlane, operator_kubeconfig: Path
) -> None:
    """It works by its settings, asks again, and learns it once the Role is there; the command says it as well."""
    root = objects.namespace
    configure(control_plane, root, outboundTrafficPolicy={"mode": "REGISTRY_ONLY"})
    operator = start_operator(root_namespace=root, mesh_read_seconds="1").ready()
    line = told(operator)
    assert f"no permission to read ConfigMap {root}/istio" in line["not_read"]
    assert "outboundTrafficPolicy ALLOW_ANY" in line["assumed"]
    assert f"no permission to read ConfigMap {root}/istio" in shown(operator_kubeconfig, root)["notRead"]
    grant(control_plane, root)
    eventually(lambda: "outboundTrafficPolicy REGISTRY_ONLY" in told(operator)["assumed"], "the right is there")
    assert len(operator.said(message=LINE)) == 2


def test_a_setting_that_contradicts_the_mesh_is_reported(
    start_operator: Start, objects: Objects, control_plane: ControlPlane
) -> None:
    """It counts all the same; a warning and a metric say so until the two agree. Bad values are told as well."""
    root = objects.namespace
    grant(control_plane, root)
    configure(control_plane, root, outboundTrafficPolicy={"mode": "REGISTRY_ONLY"}, enableAutoMtls="maybe")
    settings = {"root_namespace": root, "mesh_read_seconds": "1", "outbound_traffic_policy": "ALLOW_ANY"}
    operator = start_operator(**settings).ready()
    line = told(operator)
    assert (line["level"], len(line["contradicted"]), len(line["problems"])) == ("warning", 1, 1)
    assert "outboundTrafficPolicy ALLOW_ANY" in line["assumed"]
    series = 'dnsalias_mesh_contradicted_settings{setting="outbound_traffic_policy"}'
    assert (operator.metric(series), operator.metric("dnsalias_mesh_problems")) == (1, 1)
    configure(control_plane, root, outboundTrafficPolicy={"mode": "ALLOW_ANY"})
    eventually(lambda: operator.metric(series) == 0, "they agree")
    assert operator.metric("dnsalias_mesh_problems") == 0


def test_an_operator_of_one_namespace_does_not_ask(
    start_operator: Start, objects: Objects, control_plane: ControlPlane
) -> None:
    """It reads nothing outside of it, unless it is told to."""
    mark = control_plane.mark()
    start_operator(namespace=objects.namespace).ready()
    asked = {r.resource for r in control_plane.audit.reading(identity.USER, mark)}
    assert "services" in asked
    assert "configmaps" not in asked


def test_a_revision_that_differs_is_read_under_its_own_rights(
    start_operator: Start, objects: Objects, control_plane: ControlPlane, operator_kubeconfig: Path
) -> None:
    """What only its istiod sees is found, without a restart; what may not be read is told."""
    root = objects.namespace
    grant(control_plane, root)
    configure(control_plane, root, discoverySelectors=[{"matchLabels": {"mesh": "y"}}])
    configure(control_plane, root, "canary")
    objects.foreign("traefik", "traefik.cutom-name")
    operator = start_operator(root_namespace=root, mesh_read_seconds="1", foreign_entries="observe").idle()
    assert not catches(operator, root)
    label(control_plane, root, **{"istio.io/rev": "canary"})
    eventually(
        lambda: f"no permission to read ConfigMap {root}/istio-canary" in told(operator)["not_read"], "it is asked for"
    )
    grant(control_plane, root, "canary")
    eventually(lambda: catches(operator, root), "under that revision it is a catch-all")
    assert operator.metric("dnsalias_mesh_differing_revisions") == 1
    (line,) = told(operator)["differing_revisions"]
    assert line.startswith(f"revision canary (namespace {root}) has undiscovered no namespace instead of ")
    assert shown(operator_kubeconfig, root)["differing"] == [line]
    label(control_plane, root, **{"istio.io/rev": None})
    eventually(lambda: not catches(operator, root), "it is served by the other one again")
