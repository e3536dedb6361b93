"""What the chart's values do to the Pod and beside it: account, security context, placement, disruption, network."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.install.helm import CHART, RELEASE, Helm, HelmError
from tools.chart.values import CALLED
from tools.controlplane.api import ApiError
from tools.controlplane.cluster import ControlPlane

pytestmark = pytest.mark.cluster

PROMETHEUS = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
SERVER = {"ipBlock": {"cidr": "192.0.2.1/32"}}
EVERYTHING: dict[str, Any] = {
    "topologySpreadConstraints": [{"maxSkew": 2, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}],
    "podSecurityContext": {"runAsUser": None, "fsGroup": 1000},
    "serviceAccount": {"name": "ours", "annotations": {"note": "x"}},
    "podDisruptionBudget": {"maxUnavailable": "50%"},
    "networkPolicy": {"enabled": True, "metricsFrom": [PROMETHEUS], "apiServerTo": [SERVER]},
}


@pytest.fixture
def helm(fresh_cluster: ControlPlane, tmp_path: Path) -> Helm:
    """Helm, for what changes nothing in the cluster."""
    return Helm(fresh_cluster, tmp_path)


def only(objects: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """The one object of a kind."""
    (found,) = (obj for obj in objects if obj["kind"] == kind)
    return found


def kinds(objects: list[dict[str, Any]]) -> set[str]:
    """Every kind that is there."""
    return {obj["kind"] for obj in objects}


def pod(objects: list[dict[str, Any]]) -> dict[str, Any]:
    """The Deployment's Pod."""
    return dict(only(objects, "Deployment")["spec"]["template"]["spec"])


def selector(objects: list[dict[str, Any]]) -> dict[str, str]:
    """The labels by which the Deployment finds its Pods."""
    return dict(only(objects, "Deployment")["spec"]["selector"]["matchLabels"])


def test_the_api_server_accepts_everything_at_once(helm: Helm) -> None:
    """With all of these values set, every object passes the API server's strict validation."""
    objects = helm.rendered({**EVERYTHING, "crds": {"install": False}}, namespace="default")
    assert kinds(objects) >= {"NetworkPolicy", "PodDisruptionBudget"}
    manifest = yaml.safe_dump_all(objects)
    helm.plane.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=manifest)


def test_a_drain_takes_one_at_a_time(helm: Helm) -> None:
    """By default there is a PodDisruptionBudget for the release's Pods, which leaves one of two alone."""
    objects = helm.rendered(release="mesh")
    spec = only(objects, "PodDisruptionBudget")["spec"]
    assert spec["selector"] == {"matchLabels": selector(objects)}
    assert spec["maxUnavailable"] == 1
    half = helm.rendered({"podDisruptionBudget": {"maxUnavailable": "50%"}})
    assert only(half, "PodDisruptionBudget")["spec"]["maxUnavailable"] == "50%"


@pytest.mark.parametrize("values", [{"replicas": 1}, {"replicas": 0}, {"podDisruptionBudget": {"enabled": False}}])
def test_there_is_no_budget_where_it_protects_nothing(helm: Helm, values: dict[str, Any]) -> None:
    """One replica has no other to take its place, and who does not want a budget has none."""
    assert "PodDisruptionBudget" not in kinds(helm.rendered(values))


def test_the_network_is_limited_on_demand(helm: Helm) -> None:
    """Only with networkPolicy.enabled is there one: in to the metrics, wherever they are, out to the API server."""
    assert "NetworkPolicy" not in kinds(helm.rendered())
    objects = helm.rendered({**EVERYTHING, "settings": {"http_port": 9090}}, release="mesh")
    spec = only(objects, "NetworkPolicy")["spec"]
    assert spec["podSelector"] == {"matchLabels": selector(objects)}
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert spec["ingress"] == [{"from": [PROMETHEUS], "ports": [{"protocol": "TCP", "port": 9090}]}]
    (server, dns) = spec["egress"]
    assert server == {"to": [SERVER], "ports": [{"protocol": "TCP", "port": port} for port in (443, 6443)]}
    assert dns == {"ports": [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]}


def test_a_policy_without_peers_names_ports_alone(helm: Helm) -> None:
    """No peers given: everybody, as in a NetworkPolicy; without DNS nothing but the API server's port is open."""
    policy = {"enabled": True, "dns": False, "apiServerPorts": [8443]}
    spec = only(helm.rendered({"networkPolicy": policy}), "NetworkPolicy")["spec"]
    assert spec["ingress"] == [{"ports": [{"protocol": "TCP", "port": 8080}]}]
    assert spec["egress"] == [{"ports": [{"protocol": "TCP", "port": 8443}]}]


def test_pods_are_spread_as_told(helm: Helm) -> None:
    """A constraint is about the release's Pods unless it says otherwise; an empty list spreads nothing."""
    objects = helm.rendered(EVERYTHING, release="mesh")
    wanted = {**EVERYTHING["topologySpreadConstraints"][0], "labelSelector": {"matchLabels": selector(objects)}}
    assert pod(objects)["topologySpreadConstraints"] == [wanted]
    theirs = {**wanted, "labelSelector": {"matchLabels": {"team": "mesh"}}}
    assert pod(helm.rendered({"topologySpreadConstraints": [theirs]}))["topologySpreadConstraints"] == [theirs]
    assert "topologySpreadConstraints" not in pod(helm.rendered({"topologySpreadConstraints": []}))


def test_the_cluster_may_choose_the_user(helm: Helm) -> None:
    """With runAsUser and runAsGroup null neither is asked for, and the Pod is admitted where Pod Security is strict."""
    given = {"runAsUser": None, "runAsGroup": None, "fsGroup": 1000}
    objects = helm.rendered({"podSecurityContext": given})
    assert pod(objects)["securityContext"] == {
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
        "fsGroup": 1000,
    }
    api, levels = helm.plane.api, {"pod-security.kubernetes.io/enforce": "restricted"}
    api.create("/api/v1/namespaces", {"metadata": {"name": "strict", "labels": levels}})
    wanted = {"metadata": {"name": "operator-0"}, "spec": pod(objects)}
    api.create("/api/v1/namespaces/strict/serviceaccounts", {"metadata": {"name": RELEASE}})
    path = "/api/v1/namespaces/strict/pods?dryRun=All&fieldValidation=Strict"
    api.create(path, wanted)
    root = helm.rendered({"podSecurityContext": {"runAsNonRoot": None}})
    with pytest.raises(ApiError, match=r'violates PodSecurity "restricted'):
        api.create(path, {**wanted, "spec": pod(root)})


@pytest.mark.parametrize("settings", [{}, {"namespace": "abc"}])
def test_the_rights_follow_the_account(helm: Helm, settings: dict[str, str]) -> None:
    """A ServiceAccount of another name is what the Pod runs under and what every binding names."""
    objects = helm.rendered({**EVERYTHING, "settings": settings})
    account = only(objects, "ServiceAccount")["metadata"]
    assert (account["name"], account["annotations"]) == ("ours", {"note": "x"})
    assert told(objects) == {"ours"}
    assert only(objects, "Deployment")["metadata"]["name"] == RELEASE


def told(objects: list[dict[str, Any]]) -> set[str]:
    """Every ServiceAccount that the Pod or a binding names."""
    subjects = {subject["name"] for obj in objects for subject in obj.get("subjects", [])}
    return {pod(objects)["serviceAccountName"], *subjects}


def test_an_account_that_is_there_can_be_used(helm: Helm) -> None:
    """With serviceAccount.create false none is made, and its name has to be given: never another by accident."""
    objects = helm.rendered({"serviceAccount": {"create": False, "name": "theirs"}})
    assert "ServiceAccount" not in kinds(objects)
    assert told(objects) == {"theirs"}
    with pytest.raises(HelmError, match=r"say in serviceAccount\.name"):
        helm.rendered({"serviceAccount": {"create": False}})


def test_helms_own_linter_finds_nothing(helm: Helm) -> None:
    """`helm lint --strict` has nothing to say with all of these values set."""
    said = helm.run("lint", "--strict", str(CHART), "-f", "-", stdin=json.dumps(EVERYTHING))
    assert "1 chart(s) linted, 0 chart(s) failed" in said
    assert "[WARNING]" not in said


DIGEST = f"sha256:{'0a' * 32}"


def test_the_names_that_other_charts_have_mean_the_same(helm: Helm) -> None:
    """A digest decides over the tag; names, labels, environment, security context and interval are as they say."""
    values = {
        "image": {"repository": "r/n", "tag": "1", "digest": DIGEST},
        "nameOverride": "aliases",
        "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://p:1"}],
        "commonLabels": {"team": "mesh", "app.kubernetes.io/part-of": "x"},
        "securityContext": {"runAsUser": 7},
        "monitoring": {"enabled": True, "interval": "2m"},
    }
    objects = helm.rendered(values, release="eu")
    (container,) = pod(objects)["containers"]
    plain = pod(helm.rendered(release="eu"))["containers"][0]
    assert container["image"] == f"r/n@{DIGEST}"
    assert {"name": "HTTPS_PROXY", "value": "http://p:1"} in container["env"]
    assert [e for e in plain["env"] if e not in container["env"] and e["name"] != "DNSALIAS_LEASE_NAME"] == []
    assert container["securityContext"] == {**plain["securityContext"], "runAsUser": 7}
    assert selector(objects)["app.kubernetes.io/name"] == "aliases"
    assert only(objects, "Deployment")["metadata"]["name"] == "eu-aliases"
    for obj in objects:
        labels = obj["metadata"]["labels"]
        assert (labels["team"], labels["app.kubernetes.io/part-of"]) == ("mesh", "dnsalias")
    assert only(objects, "ServiceMonitor")["spec"]["endpoints"][0]["interval"] == "2m"


@pytest.mark.parametrize("name", CALLED)
def test_a_name_of_other_charts_is_told_this_ones(helm: Helm, name: str) -> None:
    """A value that this chart calls otherwise is refused with its name here."""
    with pytest.raises(HelmError) as refused:
        helm.rendered({name: {"enabled": True} if name != "replicaCount" else 3})
    assert f"this chart calls it {CALLED[name]}" in str(refused.value)


@pytest.mark.parametrize(
    ("repository", "told"), [("dnsalias-operator", "has no registry"), ("r/n", "imagePullSecrets")]
)
def test_the_notes_say_what_to_do_where_the_image_cannot_be_pulled(helm: Helm, repository: str, told: str) -> None:
    """Without a registry the name is hardly one that nodes can pull."""
    values = json.dumps({"image": {"repository": repository}})
    install = ("install", RELEASE, str(CHART), "-n", "default", "--dry-run=client", "-f", "-")
    notes = helm.run(*install, stdin=values).partition("NOTES:")[2]
    assert "ImagePullBackOff" in notes
    assert told in notes
