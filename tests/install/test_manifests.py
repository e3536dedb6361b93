"""The manifests agree with the program that they install: ports, pages, names, times, version."""

from pathlib import Path
from typing import Any

import yaml

from dnsalias_operator import __version__
from dnsalias_operator.settings import ENV_PREFIX, Settings, load_settings
from dnsalias_operator.shell.reporting.health import HealthServer
from dnsalias_operator.shell.reporting.metrics import Metrics

MANIFESTS = Path(__file__).parents[2] / "manifests"
OVERLAYS = sorted((MANIFESTS / "overlays").iterdir())
MODES = [overlay for overlay in OVERLAYS if overlay.name != "namespaced"]


def read(path: str) -> dict[str, Any]:
    """The one object of a file."""
    return dict(yaml.safe_load((MANIFESTS / path).read_text(encoding="utf-8")))


def pod() -> dict[str, Any]:
    """The Deployment's Pod template."""
    return dict(read("base/deployment.yaml")["spec"]["template"])


def container() -> dict[str, Any]:
    """The one container."""
    (only,) = pod()["spec"]["containers"]
    return dict(only)


def test_the_port_is_the_one_that_is_served() -> None:
    """Probes and the Service reach the port that the operator opens when nobody tells it another."""
    (port,) = container()["ports"]
    assert port["containerPort"] == Settings().http_port
    (served,) = read("base/service.yaml")["spec"]["ports"]
    probes = {container()[probe]["httpGet"]["port"] for probe in ("livenessProbe", "readinessProbe")}
    assert {served["targetPort"], *probes} == {port["name"]}


def test_probes_ask_for_pages_that_are_served() -> None:
    """Liveness asks whether a restart would help, readiness whether everything was listed; both pages are served."""
    asked = {probe: container()[probe]["httpGet"]["path"] for probe in ("livenessProbe", "readinessProbe")}
    assert asked == {"livenessProbe": "/healthz", "readinessProbe": "/readyz"}
    served = HealthServer(Metrics(), list, list)._checks
    assert set(asked.values()) == set(served)


def test_the_service_finds_the_pod() -> None:
    """The Service's and the Deployment's selectors match the Pod's labels."""
    labels = pod()["metadata"]["labels"].items()
    assert read("base/service.yaml")["spec"]["selector"].items() <= labels
    assert read("base/deployment.yaml")["spec"]["selector"]["matchLabels"].items() <= labels


def test_the_grace_period_covers_the_operators_own() -> None:
    """The kubelet waits longer than the operator may take: writes in flight, then the end of the watches."""
    assert pod()["spec"]["terminationGracePeriodSeconds"] > 2 * Settings().shutdown_grace_seconds


def test_there_is_never_a_second_that_writes() -> None:
    """Two replicas, and a third in a rollout, are fine: leader election is on unless somebody switches it off."""
    spec = read("base/deployment.yaml")["spec"]
    assert spec["replicas"] == 2
    assert spec["strategy"]["type"] == "RollingUpdate"
    assert Settings().leader_election
    assert "DNSALIAS_LEADER_ELECTION" not in {e["name"] for e in container().get("env", [])}


def test_the_role_names_the_lease_that_is_used() -> None:
    """The Role allows reading and writing the Lease of the settings' default, and no other."""
    documents = yaml.safe_load_all((MANIFESTS / "base" / "rbac.yaml").read_text(encoding="utf-8"))
    (role,) = [d for d in documents if d["kind"] == "Role"]
    named = [rule for rule in role["rules"] if rule["verbs"] != ["create"]]
    assert [rule["resourceNames"] for rule in named] == [[Settings().lease_name]]
    assert {resource for rule in role["rules"] for resource in rule["resources"]} == {"leases"}


def test_the_image_has_the_version_of_the_source() -> None:
    """What is installed from a checkout is what is built from it."""
    assert container()["image"] == f"dnsalias-operator:{__version__}"


def test_overlays_set_settings_that_exist() -> None:
    """Each overlay's environment is accepted by the operator and sets what the overlay is named for."""
    for overlay in MODES:
        (patch,) = read(f"overlays/{overlay.name}/kustomization.yaml")["patches"]
        (told,) = yaml.safe_load(patch["patch"])["spec"]["template"]["spec"]["containers"]
        given = {e["name"].removeprefix(ENV_PREFIX).lower(): e["value"] for e in told["env"]}
        assert load_settings(given).foreign_entries == overlay.name


def test_the_namespaced_overlay_tells_the_operator_where_it_is() -> None:
    """Its environment sets the namespace of the Pod, wherever the overlay is put, and nothing else."""
    patches = read("overlays/namespaced/kustomization.yaml")["patches"]
    (told,) = yaml.safe_load(patches[-1]["patch"])["spec"]["template"]["spec"]["containers"]
    (variable,) = told["env"]
    assert variable["name"].removeprefix(ENV_PREFIX).lower() in Settings.model_fields
    assert variable["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.namespace"}}


def test_no_overlay_brings_the_crd() -> None:
    """Deleting an overlay cannot delete the CRD, and with it every alias: no overlay has it."""
    for path in [MANIFESTS / "base", *OVERLAYS]:
        resources = yaml.safe_load((path / "kustomization.yaml").read_text(encoding="utf-8"))["resources"]
        assert not [r for r in resources if "crd" in r]
