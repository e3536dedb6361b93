"""The Helm chart on a real API server: what it installs, what it upgrades, and what it never takes away."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dnsalias_operator.settings import ENV_PREFIX, load_settings
from tests.install.helm import CHART, IN_NAMESPACE, RELEASE, Helm, HelmError
from tests.install.sameness import OURS, by_identity, content_of, labels_of
from tools import make
from tools.controlplane import build
from tools.controlplane.cluster import ControlPlane
from tools.controlplane.waiting import eventually
from tools.quickstart.node import DEPLOYMENT, operator
from tools.running import identity

pytestmark = pytest.mark.cluster

CRD = "dnsaliases.dnsalias.io"
HINT = (
    "manifests/ has changed and chart/ has not followed: run `make chart`; what is new in manifests/ and no copy "
    "brings along belongs into chart/templates"
)


@pytest.fixture(scope="module")
def plane(request: pytest.FixtureRequest) -> Iterator[ControlPlane]:
    """A control plane without our CRD: the chart brings it."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        build.ensure(*build.CONTROL_PLANE, "helm")
        crds = [build.istio_crds()]
    with ControlPlane.start(crds=crds) as started:
        yield started


@pytest.fixture
def dry(plane: ControlPlane, tmp_path: Path) -> Helm:
    """Helm, for what changes nothing in the cluster."""
    return Helm(plane, tmp_path)


@pytest.fixture
def helm(dry: Helm) -> Iterator[Helm]:
    """Helm on a cluster without a release of ours, without the CRD, and without aliases."""
    yield dry
    dry.clear()
    dry.plane.kubectl("delete", "crd", CRD, "--ignore-not-found")


def install(helm: Helm, *arguments: str, chart: Path = CHART) -> None:
    """Install the chart as its README says, with the CRD served when this returns."""
    helm.run("install", RELEASE, str(chart), *IN_NAMESPACE, "--create-namespace", *arguments)
    helm.plane.established(CRD)


def stored(plane: ControlPlane, manifest: str) -> list[dict[str, Any]]:
    """The objects of a manifest as the API server has them, defaults filled in."""
    return list(json.loads(plane.kubectl("get", "-f", "-", "-o", "json", stdin=manifest))["items"])


def make_alias(plane: ControlPlane, namespace: str = "default") -> dict[str, Any]:
    """A DnsAlias."""
    path = f"/apis/dnsalias.io/v1alpha1/namespaces/{namespace}/dnsaliases"
    return dict(plane.api.create(path, make.alias("kept", "kept.hello", "kept")))


def untouched(plane: ControlPlane, made: dict[str, Any]) -> bool:
    """Whether a DnsAlias of `make_alias` is the one that was made, and neither it nor the CRD is about to go."""
    alias = plane.api.get("/apis/dnsalias.io/v1alpha1/namespaces/default/dnsaliases/kept")
    going = [obj for obj in (alias, plane.crd(CRD)) if "deletionTimestamp" in obj["metadata"]]
    return alias["metadata"]["uid"] == made["metadata"]["uid"] and not going


@pytest.mark.parametrize("values", [{}, {"settings": {"foreign_entries": "patch"}, "monitoring": {"enabled": True}}])
def test_helms_own_linter_finds_nothing(dry: Helm, values: dict[str, Any]) -> None:
    """`helm lint --strict` has nothing to say, with the default values and with everything switched on."""
    said = dry.run("lint", "--strict", str(CHART), "-f", "-", stdin=json.dumps(values))
    assert "1 chart(s) linted, 0 chart(s) failed" in said
    assert "[WARNING]" not in said


@pytest.mark.parametrize("overlay", identity.OVERLAYS)
def test_it_installs_what_kustomize_installs(helm: Helm, overlay: str) -> None:
    """On the API server, the release's objects are those of the overlay and the CRD, but for labels that it adds."""
    plane = helm.plane
    install(helm, "--set", f"settings.foreign_entries={overlay}")
    by_helm = by_identity(stored(plane, helm.run("get", "manifest", RELEASE, *IN_NAMESPACE)))
    helm.run("uninstall", RELEASE, *IN_NAMESPACE)
    wanted = [*identity.build(plane, "crd"), *identity.build(plane, f"overlays/{overlay}")]
    identity.apply(plane, wanted)
    by_kustomize = by_identity(stored(plane, yaml.safe_dump_all(wanted)))
    # Helm makes the namespace, or its owner does; no release owns it.
    assert by_kustomize.pop(("Namespace", "", identity.NAMESPACE))
    assert by_helm.keys() == by_kustomize.keys(), HINT
    for key, theirs in by_kustomize.items():
        assert content_of(by_helm[key]) == content_of(theirs), HINT
        same_labels(by_helm[key], theirs)


def same_labels(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Every label of ``theirs`` is in ``ours``, and what is there besides is a label of charts."""
    for where, labels in labels_of(theirs).items():
        assert labels.items() <= labels_of(ours)[where].items(), HINT
    for where, labels in labels_of(ours).items():
        assert labels.keys() - labels_of(theirs).get(where, {}).keys() <= OURS


def test_in_one_namespace_it_installs_what_kustomize_installs(dry: Helm, tmp_path: Path) -> None:
    """With settings.namespace and the release in that namespace, the objects are those of the overlay `namespaced`."""
    plane = dry.plane
    values = {"settings": {"namespace": "abc"}, "crds": {"install": False}}
    ours = by_identity(dry.rendered(values, namespace="abc"))
    theirs = by_identity(identity.build_namespaced(plane, "abc", tmp_path))
    assert ours.keys() == theirs.keys(), HINT
    for obj in (*ours.values(), *theirs.values()):
        if obj["kind"] == "Deployment":
            del obj["spec"]["template"]["spec"]["containers"][0]["env"]
    for key, wanted in theirs.items():
        assert content_of(ours[key]) == content_of(wanted), HINT


def test_monitoring_is_what_kustomize_installs(dry: Helm) -> None:
    """With monitoring.enabled the objects of manifests/monitoring are there as well, and without it they are not."""
    plain, watched = by_identity(dry.rendered()), by_identity(dry.rendered({"monitoring": {"enabled": True}}))
    added = {key: watched[key] for key in watched.keys() - plain.keys()}
    wanted = by_identity(identity.build(dry.plane, "monitoring"))
    assert added.keys() == wanted.keys(), HINT
    for key, theirs in wanted.items():
        if theirs["kind"] == "PrometheusRule":
            # One chart is one install, and says which: another that is there does not hide that this one is not.
            for rule in (r for g in theirs["spec"]["groups"] for r in g["rules"] if r["alert"].endswith("Absent")):
                own = f'(dnsalias_build_info{{namespace="{identity.NAMESPACE}"}}'
                rule["expr"] = re.sub(r"\(dnsalias_build_info(?=[)[])", own, rule["expr"])
        assert content_of(added[key]) == content_of(theirs), HINT
        same_labels(added[key], theirs)


def test_uninstall_keeps_the_crd_and_every_alias(helm: Helm) -> None:
    """`helm uninstall` takes the operator and its rights away; CRD and aliases stay for the next install."""
    install(helm)
    alias = make_alias(helm.plane)
    mine = helm.run("get", "manifest", RELEASE, *IN_NAMESPACE)
    helm.run("uninstall", RELEASE, *IN_NAMESPACE)
    left = helm.plane.kubectl("get", "-f", "-", "-o", "name", "--ignore-not-found", stdin=mine).split()
    assert left == [f"customresourcedefinition.apiextensions.k8s.io/{CRD}"]
    assert untouched(helm.plane, alias)
    install(helm)
    assert untouched(helm.plane, alias)


def newer_chart(folder: Path) -> Path:
    """A copy of the chart whose CRD has one more field and whose default is three replicas."""
    newer = folder / "newer"
    shutil.copytree(CHART, newer)
    changed = yaml.safe_load((newer / "files" / "crd.yaml").read_text(encoding="utf-8"))
    spec = changed["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    spec["properties"]["comment"] = {"type": "string"}
    (newer / "files" / "crd.yaml").write_text(yaml.safe_dump(changed), encoding="utf-8")
    values = yaml.safe_load((newer / "values.yaml").read_text(encoding="utf-8"))
    (newer / "values.yaml").write_text(yaml.safe_dump({**values, "replicas": 3}), encoding="utf-8")
    return newer


def fields(plane: ControlPlane) -> set[str]:
    """The fields of a DnsAlias' spec that the CRD in force has."""
    schema = plane.crd(CRD)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return set(schema["properties"]["spec"]["properties"])


def test_an_upgrade_brings_the_new_crd_and_keeps_every_alias(helm: Helm, tmp_path: Path) -> None:
    """A newer chart's schema is in force after `helm upgrade`, and the aliases are the ones that were there before."""
    install(helm)
    alias = make_alias(helm.plane)
    helm.run("upgrade", RELEASE, str(newer_chart(tmp_path)), *IN_NAMESPACE)
    assert "comment" in fields(helm.plane)
    assert untouched(helm.plane, alias)


def test_a_rollback_takes_the_crd_back_and_keeps_every_alias(helm: Helm, tmp_path: Path) -> None:
    """As docs/upgrade.md says: the older schema is in force again, an alias loses the newer field and nothing else."""
    install(helm)
    alias = make_alias(helm.plane)
    helm.run("upgrade", RELEASE, str(newer_chart(tmp_path)), *IN_NAMESPACE)
    newer_field = ("dnsaliases/kept", "--type=merge", "-p", '{"spec":{"comment":"x"}}')
    eventually(lambda: "comment" in helm.plane.kubectl("patch", *newer_field, "-o", "json"), "the newer field is kept")
    helm.run("rollback", RELEASE, *IN_NAMESPACE)
    assert "comment" not in fields(helm.plane)
    assert untouched(helm.plane, alias)
    eventually(
        lambda: "comment" not in helm.plane.kubectl("get", "dnsaliases/kept", "-o", "jsonpath={.spec}"),
        "the newer field is gone",
    )
    assert json.loads(helm.plane.kubectl("get", "dnsaliases/kept", "-o", "json"))["spec"] == alias["spec"]


def test_an_upgrade_takes_new_defaults_and_keeps_what_was_set(helm: Helm, tmp_path: Path) -> None:
    """With --reset-then-reuse-values, as the pages say; --reuse-values would go on with the older chart's defaults."""
    install(helm, "--set", "settings.foreign_entries=patch")
    upgrade = ("upgrade", RELEASE, str(newer_chart(tmp_path)), *IN_NAMESPACE)
    helm.run(*upgrade, "--reuse-values")
    assert helm.plane.api.get(DEPLOYMENT)["spec"]["replicas"] == 2
    helm.run(*upgrade, "--reset-then-reuse-values")
    deployment = helm.plane.api.get(DEPLOYMENT)
    assert deployment["spec"]["replicas"] == 3
    assert environment([deployment])["foreign_entries"] == "patch"


def test_the_crd_can_leave_the_release_and_stays(helm: Helm) -> None:
    """An upgrade with crds.install=false makes the CRD nobody's, and deletes nothing."""
    install(helm)
    alias = make_alias(helm.plane)
    helm.run("upgrade", RELEASE, str(CHART), *IN_NAMESPACE, "--set", "crds.install=false")
    assert "CustomResourceDefinition" not in helm.run("get", "manifest", RELEASE, *IN_NAMESPACE)
    helm.run("uninstall", RELEASE, *IN_NAMESPACE)
    assert untouched(helm.plane, alias)


def test_a_crd_that_is_there_is_taken_over_on_demand(helm: Helm, tmp_path: Path) -> None:
    """Where somebody applied the CRD, Helm says why it refuses it, and takes it over with --take-ownership.

    Whoever applied it holds its fields until an upgrade that changes them is forced, once, as the chart's README says.
    """
    identity.apply(helm.plane, identity.build(helm.plane, "crd"))
    helm.plane.established(CRD)
    alias = make_alias(helm.plane)
    with pytest.raises(HelmError, match=rf"{CRD}.*exists and cannot be imported"):
        install(helm)
    install(helm, "--take-ownership")
    assert helm.plane.crd(CRD)["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    upgrade = ("upgrade", RELEASE, str(newer_chart(tmp_path)), *IN_NAMESPACE)
    with pytest.raises(HelmError, match=r"conflict with .*: \.spec\.versions"):
        helm.run(*upgrade)
    assert "comment" not in fields(helm.plane)
    helm.run(*upgrade, "--force-conflicts")
    assert "comment" in fields(helm.plane)
    helm.run("upgrade", RELEASE, str(CHART), *IN_NAMESPACE)
    assert "comment" not in fields(helm.plane)
    assert untouched(helm.plane, alias)


def test_another_release_name_is_another_name_for_everything(dry: Helm) -> None:
    """A release called otherwise has no object of the default name, and all that refers to a name follows."""
    objects = by_identity(dry.rendered(release="mesh"))
    assert {name for kind, _, name in objects if kind != "CustomResourceDefinition"} == {"mesh-dnsalias-operator"}
    (binding,) = (obj for obj in objects.values() if obj["kind"] == "ClusterRoleBinding")
    deployment = objects["Deployment", identity.NAMESPACE, "mesh-dnsalias-operator"]
    assert binding["roleRef"]["name"] == binding["subjects"][0]["name"] == "mesh-dnsalias-operator"
    assert deployment["spec"]["template"]["spec"]["serviceAccountName"] == "mesh-dnsalias-operator"
    service = objects["Service", identity.NAMESPACE, "mesh-dnsalias-operator"]
    assert service["spec"]["selector"] == deployment["spec"]["selector"]["matchLabels"]
    assert service["spec"]["selector"].items() <= deployment["spec"]["template"]["metadata"]["labels"].items()


def test_a_release_may_be_called_as_our_namespace_is(dry: Helm) -> None:
    """Names of objects and of namespaces are not taken for each other, whatever the two are called."""
    objects = by_identity(dry.rendered({"monitoring": {"enabled": True}}, release="dnsalias-system", namespace="mesh"))
    names = {name for kind, _, name in objects if kind not in ("CustomResourceDefinition", "ConfigMap")}
    assert names == {"dnsalias-system-dnsalias-operator"}
    assert {namespace for _, namespace, _ in objects} == {"", "mesh"}


def test_one_namespace_is_enough(helm: Helm, tmp_path: Path) -> None:
    """With settings.namespace there is no cluster-wide right, and the operator serves the aliases of that namespace."""
    plane = helm.plane
    plane.api.create("/api/v1/namespaces", {"metadata": {"name": "shop"}})
    install(helm, "--set", "settings.namespace=shop")
    manifest = helm.run("get", "manifest", RELEASE, *IN_NAMESPACE)
    kinds = {obj["kind"] for obj in yaml.safe_load_all(manifest)}
    assert kinds >= {"Role", "RoleBinding"}
    assert not {kind for kind in kinds if kind.startswith("ClusterRole")}
    ports = [{"name": "tcp", "port": 443}]
    service = {"metadata": {"name": "kept"}, "spec": {"ports": ports, "selector": {"app": "kept"}}}
    plane.api.create("/api/v1/namespaces/shop/services", service)
    make_alias(plane, "shop")
    with operator(plane, plane.api.get(DEPLOYMENT), tmp_path) as running:
        running.ready()
        plane.kubectl("wait", "-n", "shop", "--for=condition=Ready", "dnsalias/kept", "--timeout=60s")
        assert running.bugs() == []


def environment(objects: list[dict[str, Any]]) -> dict[str, str]:
    """What the rendered Deployment tells the operator, names without prefix."""
    (deployment,) = (obj for obj in objects if obj["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return {e["name"].removeprefix(ENV_PREFIX).lower(): e["value"] for e in container.get("env", [])}


def test_every_setting_reaches_the_operator(dry: Helm) -> None:
    """Each setting, given as a value, is read by the operator as what was given: lists, numbers, booleans, texts."""
    chosen = {name: other(name, default) for name, default in load_settings().model_dump().items()}
    objects = dry.rendered({"replicas": 1, "settings": chosen})
    assert load_settings(environment(objects)) == load_settings(chosen)


def other(name: str, default: object) -> object:
    """A legal value of a setting that is not its default."""
    words = {
        "foreign_entries": "patch",
        "ambient": "yes",
        "read_mesh": "yes",
        "istio_version": "1.28.10",
        "host_default": "deny",
        "default_routing": "Own",
        "topology": "primary",
        "outbound_traffic_policy": "REGISTRY_ONLY",
        "log_format": "console",
        "log_level": "debug",
        "containment_range": "240.242.0.0/16",
        "repair_selector": "team in (a,b),!legacy",
    }
    if name == "host_rules":
        return [{"suffixes": ["pay.hello"], "namespaces": ["payments"], "export_to": [".", "shop"]}]
    if isinstance(default, bool):
        return not default
    if isinstance(default, tuple):
        return ["a", "b"]
    if isinstance(default, str):
        return words.get(name, "a")
    return default + 1  # type: ignore[operator]  # a number is all that is left


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"settings": {"resync_secnds": 5}}, "resync_secnds"),
        ({"settings": {"resync_seconds": 0}}, "resync_seconds"),
        ({"settings": {"foreign_entries": "repair"}}, "foreign_entries"),
        ({"settings": {"repair_selector": ""}}, "repair_selector"),
        ({"settings": {"http_port": 0}}, "http_port"),
        ({"image": {"repo": "x"}}, "repo"),
        ({"monitoring": {"runbookBaseUrl": "git.example.com"}}, "runbookBaseUrl"),
        ({"replicaCount": 2}, "replicaCount"),
        ({"podSecurityContext": "restricted"}, "podSecurityContext"),
        ({"serviceAccount": {"nam": "ours"}}, "nam"),
        ({"podDisruptionBudget": {"maxUnavailable": "half"}}, "maxUnavailable"),
        ({"podDisruptionBudget": {"minAvailable": 1}}, "minAvailable"),
        ({"networkPolicy": {"enabled": True, "apiServerPorts": []}}, "apiServerPorts"),
        ({"networkPolicy": {"ingress": []}}, "ingress"),
        ({"topologySpreadConstraints": {}}, "topologySpreadConstraints"),
        ({"settings": {"cluster_domain": ".cluster.local"}}, "cluster_domain"),
        ({"fullnameOverride": "Ours"}, "fullnameOverride"),
        # null takes a value away, and what the template would make of that is not what is meant.
        ({"settings": {"foreign_entries": None}}, "foreign_entries"),
        ({"networkPolicy": {"enabled": True, "apiServerPorts": None}}, "apiServerPorts"),
        ({"replicas": None}, "replicas"),
    ],
)
def test_a_wrong_value_is_refused_before_anything_is_installed(dry: Helm, values: dict[str, Any], said: str) -> None:
    """A value that does not exist, or that the operator would refuse at its start, ends Helm with its name."""
    with pytest.raises(HelmError, match=said):
        dry.rendered(values)


def test_what_depends_on_a_setting_follows_it(dry: Helm) -> None:
    """Another port or grace period is known to container and kubelet as well; of alerts, test_chart_alerts.py."""
    settings = {"http_port": 9090, "shutdown_grace_seconds": 41}
    objects = dry.rendered({"settings": settings, "monitoring": {"enabled": True, "labels": {"release": "ours"}}})
    kinds = {obj["kind"]: obj for obj in objects}
    pod = kinds["Deployment"]["spec"]["template"]["spec"]
    assert {p["name"]: p["containerPort"] for p in pod["containers"][0]["ports"]} == {"http": 9090}
    assert pod["terminationGracePeriodSeconds"] == 123
    assert kinds["PrometheusRule"]["metadata"]["labels"]["release"] == "ours"


def test_the_lease_is_the_releases_own(dry: Helm) -> None:
    """The operator is told of the Lease that its Role grants, by the release's name or as the settings say."""

    def lease(objects: list[dict[str, Any]]) -> tuple[str, str, str]:
        (role,) = (obj for obj in objects if obj["kind"] == "Role")
        (binding,) = (obj for obj in objects if obj["kind"] == "RoleBinding")
        (name,) = (name for rule in role["rules"] for name in rule.get("resourceNames", []))
        assert role["metadata"]["namespace"] == binding["metadata"]["namespace"]
        assert binding["roleRef"]["name"] == role["metadata"]["name"]
        return role["metadata"]["namespace"], name, load_settings(environment(objects)).lease_name

    assert lease(dry.rendered()) == (identity.NAMESPACE, RELEASE, RELEASE)
    assert lease(dry.rendered(release="mesh")) == (
        identity.NAMESPACE,
        "mesh-dnsalias-operator",
        "mesh-dnsalias-operator",
    )
    settings = {"lease_name": "ours", "lease_namespace": "leases"}
    assert lease(dry.rendered({"settings": settings})) == ("leases", "ours", "ours")


def test_without_leader_election_there_is_never_a_second_operator(dry: Helm) -> None:
    """Two replicas without leader election are refused; one is replaced, never doubled."""
    settings = {"leader_election": False}
    with pytest.raises(HelmError, match="set replicas to 1"):
        dry.rendered({"settings": settings})
    (deployment,) = (o for o in dry.rendered({"replicas": 1, "settings": settings}) if o["kind"] == "Deployment")
    assert deployment["spec"]["replicas"] == 1
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}


def test_the_right_to_read_the_mesh_is_that_of_kustomize(dry: Helm) -> None:
    """In the root namespace that is set, for the names of the revision; a release that is only rendered has none."""
    plain = by_identity(dry.rendered())
    added = by_identity(dry.rendered({"meshRole": {"create": "yes"}}))
    wanted = by_identity(identity.build(dry.plane, "mesh"))
    assert added.keys() - plain.keys() == wanted.keys(), HINT
    for key, theirs in wanted.items():
        assert content_of(added[key]) == content_of(theirs), HINT
    settings = {"root_namespace": "mesh", "istio_revision": "canary"}
    of_revision = dry.rendered({"meshRole": {"create": "yes"}, "settings": settings})
    (role,) = (o for o in of_revision if o["kind"] == "Role" and o["metadata"]["namespace"] == "mesh")
    names = {(rule["resources"][0], name) for rule in role["rules"] for name in rule["resourceNames"]}
    assert names == {
        ("configmaps", "istio-canary"),
        ("configmaps", "istio-sidecar-injector-canary"),
        ("deployments", "istiod-canary"),
    }
    others = {"create": "yes", "revisions": ["default", "old"], "configMaps": ["platform"]}
    of_several = dry.rendered({"meshRole": others, "settings": settings})
    (role,) = (o for o in of_several if o["kind"] == "Role" and o["metadata"]["namespace"] == "mesh")
    assert [rule["resourceNames"] for rule in role["rules"]] == [
        [f"{name}{each}" for each in ("-canary", "", "-old") for name in ("istio", "istio-sidecar-injector")]
        + ["platform"],
        ["istiod-canary", "istiod", "istiod-old"],
    ]


def test_the_right_to_read_the_mesh_comes_where_its_namespace_is(helm: Helm) -> None:
    """Without the root namespace an install goes through, and an upgrade brings the Role once it is there."""
    install(helm)
    assert "dnsalias-operator-mesh" not in helm.run("get", "manifest", RELEASE, *IN_NAMESPACE)
    helm.plane.kubectl("create", "namespace", "istio-root")
    arguments = ("--reset-then-reuse-values", "--set", "settings.root_namespace=istio-root")
    helm.run("upgrade", RELEASE, str(CHART), *IN_NAMESPACE, *arguments)
    role = helm.plane.kubectl("get", "role", "-n", "istio-root", "-o", "name")
    assert role.split() == ["role.rbac.authorization.k8s.io/dnsalias-operator-mesh"]
    helm.plane.kubectl("delete", "namespace", "istio-root", "--wait=false")


def test_the_pod_can_be_placed_and_named(dry: Helm) -> None:
    """Image by tag or digest, pull secrets, resources, placement, labels and annotations reach the Pod."""
    digest = "sha256:" + "a" * 64
    placed = {
        "imagePullSecrets": [{"name": "ours"}],
        "nodeSelector": {"role": "infra"},
        "tolerations": [{"key": "infra", "operator": "Exists"}],
        "affinity": {"podAntiAffinity": {}},
        "priorityClassName": "system-cluster-critical",
    }
    values = {
        **placed,
        "image": {"repository": "REGISTRY/dnsalias-operator", "tag": digest, "pullPolicy": "Always"},
        "resources": {"limits": {"memory": "1Gi"}},
        "podLabels": {"team": "mesh"},
        "podAnnotations": {"note": "x"},
    }
    (deployment,) = (obj for obj in dry.rendered(values) if obj["kind"] == "Deployment")
    template = deployment["spec"]["template"]
    (container,) = template["spec"]["containers"]
    assert container["image"] == f"REGISTRY/dnsalias-operator@{digest}"
    (deployment,) = (o for o in dry.rendered({"image": {"tag": f"0.1.0@{digest}"}}) if o["kind"] == "Deployment")
    (both,) = deployment["spec"]["template"]["spec"]["containers"]
    assert both["image"] == f"dnsalias-operator:0.1.0@{digest}"
    assert container["imagePullPolicy"] == "Always"
    assert container["resources"]["limits"]["memory"] == "1Gi"
    assert {name: template["spec"][name] for name in placed} == placed
    assert template["metadata"]["labels"]["team"] == "mesh"
    assert template["metadata"]["labels"]["sidecar.istio.io/inject"] == "false"
    assert template["metadata"]["annotations"] == {"note": "x"}


def test_the_notes_say_what_to_do_next(helm: Helm) -> None:
    """After an install that observes, the notes name the commands that show what is wrong and that switch repair on."""
    said = helm.run("install", RELEASE, str(CHART), *IN_NAMESPACE, "--create-namespace")
    repair = "--reset-then-reuse-values --set settings.foreign_entries=patch"
    for command in ("rollout status deploy/dnsalias-operator", "dnsalias plan", repair):
        assert command in said
    said = helm.run("upgrade", RELEASE, str(CHART), *IN_NAMESPACE, "--set", "settings.foreign_entries=patch")
    assert "repairs the selected ServiceEntries" in said


def test_helm_is_the_pinned_one(dry: Helm) -> None:
    """The Helm that is tested with is the version in go.mod."""
    assert dry.run("version", "--template", "{{.Version}}").startswith(
        build.required_version("helm", "helm.sh/helm/v4").rpartition(".")[0]
    )
