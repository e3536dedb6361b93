"""`dnsalias mesh`, and commands that use what files and options say of the mesh."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.conftest import INCIDENT, Invoke, Write

CONFIG = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data:
  mesh: |
    outboundTrafficPolicy: {mode: REGISTRY_ONLY}
    defaultConfig: {proxyMetadata: {ISTIO_META_DNS_CAPTURE: "true"}}
    discoverySelectors: [{matchLabels: {mesh: "yes"}}]
    serviceSettings: [{settings: {clusterLocal: true}, hosts: ["*"]}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: istiod, namespace: istio-system, labels: {app.kubernetes.io/version: 1.28.10}}
spec: {}
"""
DOMAIN = """\
spec: {template: {spec: {containers: [{name: discovery, args: [discovery, --domain, mesh.corp]}]}}}"""
NAMESPACES = """\
---
apiVersion: v1
kind: Namespace
metadata: {name: abc}
---
apiVersion: v1
kind: Namespace
metadata: {name: seen, labels: {mesh: "yes"}}
"""


def facts(document: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Value and source of each fact, by name."""
    return {fact["name"]: (fact["value"], fact["from"]) for fact in document["facts"]}


def test_it_prints_what_was_found_and_from_where(invoke: Invoke, write: Write) -> None:
    """Values with their places, defaults as such, namespaces that are left out, and what is not followed."""
    path = write("world.yaml", CONFIG + NAMESPACES)
    result = invoke("mesh", "-f", path, "-o", "json")
    assert (result.exit_code, result.stderr) == (0, "")
    told = json.loads(result.stdout)
    assert facts(told) | {} == facts(told)
    assert facts(told)["outbound_traffic_policy"] == (
        "REGISTRY_ONLY",
        "ConfigMap istio-system/istio: outboundTrafficPolicy",
    )
    assert facts(told)["istio_version"] == (
        "1.28.10",
        "Deployment istio-system/istiod: label app.kubernetes.io/version",
    )
    assert facts(told)["enable_auto_mtls"] == ("true", "default")
    assert facts(told)["discovery_selectors"][0] == "mesh=yes"
    assert told["undiscovered"] == ["abc"]
    assert told["read"] == ["ConfigMap istio-system/istio", "Deployment istio-system/istiod"]
    assert [line.partition(" [")[0] for line in told["notFollowed"]] == [
        "ConfigMap istio-system/istio: serviceSettings"
    ]
    shown = invoke("mesh", "-f", path).stdout
    assert "REGISTRY_ONLY" in shown
    assert "Namespaces that istiod does not see: abc." in shown
    assert "Not followed by the model: ConfigMap istio-system/istio: serviceSettings" in shown


def test_a_setting_wins_and_the_contradiction_is_told(invoke: Invoke, write: Write) -> None:
    """By `mesh` in its output, by other commands on standard error."""
    path = write("world.yaml", CONFIG)
    told = json.loads(invoke("mesh", "-f", path, "--outbound-traffic-policy", "ALLOW_ANY", "-o", "json").stdout)
    assert facts(told)["outbound_traffic_policy"] == ("ALLOW_ANY", "setting")
    (one,) = told["contradictions"]
    assert one.startswith("outbound_traffic_policy is set to ALLOW_ANY, and counts")
    lint = invoke("lint", "-f", path, "--outbound-traffic-policy", "ALLOW_ANY")
    assert f"warning: {one}" in lint.stderr


COMMANDS = {
    "lint": ("lint",),
    "plan": ("plan",),
    "listeners": ("listeners", "--from", "default"),
    "ambient": ("ambient", "--from", "default"),
    "explain": ("explain", "dnsalias", "abc/api"),
}
ALIAS = """\
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: abc, uid: 7b21, creationTimestamp: 2026-01-01T00:00:00Z}
spec: {clusterIP: 10.96.0.12, selector: {app: api}, ports: [{name: tcp, port: 9000}]}
---
apiVersion: dnsalias.io/v1alpha1
kind: DnsAlias
metadata: {name: api, namespace: abc}
spec: {host: api.hello, serviceRef: {name: api}}
"""


@pytest.mark.parametrize("command", COMMANDS.values(), ids=list(COMMANDS))
def test_commands_use_what_the_input_says_and_state_it(invoke: Invoke, write: Write, command: tuple[str, ...]) -> None:
    """In the line about assumptions, with the objects that it was read from."""
    result = invoke(*command, "-f", write("world.yaml", ALIAS + "---\n" + CONFIG))
    assert "Istio 1.28.10, outboundTrafficPolicy REGISTRY_ONLY, DNS capture on" in result.stdout
    assert "read from ConfigMap istio-system/istio, Deployment istio-system/istiod" in result.stdout


def test_predictions_follow_it(invoke: Invoke, write: Write) -> None:
    """A port that nobody has ends in the blackhole, and what istiod does not see has no listener."""
    plain = write("plain.yaml", INCIDENT)
    listed = json.loads(invoke("listeners", "-f", plain, "--from", "default", "-o", "json").stdout)["listeners"]
    config = write("config.yaml", "discoverySelectors: [{matchLabels: {mesh: 'yes'}}]\n")
    namespaces = write("namespaces.yaml", NAMESPACES.removeprefix("---\n"))
    arguments = ("-f", plain, "-f", namespaces, "--mesh-config", config, "-o", "json")
    left = json.loads(invoke("listeners", "--from", "default", *arguments).stdout)["listeners"]
    assert listed
    assert left == []
    found = json.loads(invoke("lint", *arguments).stdout)
    assert "DA001" not in {finding["code"] for finding in found["findings"]}
    assert "istiod does not see namespace abc" in found["assumptions"]


def test_listeners_name_what_of_the_mesh_is_not_followed(invoke: Invoke, write: Write) -> None:
    """Beside the prediction, as everything that is not modelled."""
    result = invoke("listeners", "-f", write("world.yaml", CONFIG), "--from", "default")
    assert "Not modelled: ConfigMap istio-system/istio: serviceSettings" in result.stdout


def test_each_overlay_has_the_mesh_that_it_says(invoke: Invoke, write: Write, tmp_path: Path) -> None:
    """Two environments with different MeshConfigs: each is judged in its own, and both are stated."""
    write("common.yaml", INCIDENT)
    for name, mode in (("dev", "ALLOW_ANY"), ("prod", "REGISTRY_ONLY")):
        body = yaml.safe_load(CONFIG.partition("---")[0])
        body["data"]["mesh"] = f"outboundTrafficPolicy: {{mode: {mode}}}"
        write(f"{name}.yaml", yaml.safe_dump(body))
    overlays = [part for name in ("dev", "prod") for part in ("--overlay", tmp_path / f"{name}.yaml")]
    result = invoke("lint", "-f", tmp_path / "common.yaml", *overlays)
    assert "outboundTrafficPolicy ALLOW_ANY" in result.stdout
    assert "; or: Istio 1.31" in result.stdout
    assert "outboundTrafficPolicy REGISTRY_ONLY" in result.stdout


def test_the_only_revision_of_the_input_is_meant(invoke: Invoke, write: Write) -> None:
    """Of several the setting says which; a name that is not there finds nothing."""
    canary = CONFIG.replace("name: istio,", "name: istio-canary,").replace("name: istiod,", "name: istiod-canary,")
    path = write("canary.yaml", canary)
    assert facts(json.loads(invoke("mesh", "-f", path, "-o", "json").stdout))["istio_version"][0] == "1.28.10"
    other = invoke("mesh", "-f", path, "--istio-revision", "stable", "-o", "json")
    assert facts(json.loads(other.stdout))["istio_version"] == ("1.31", "default")
    assert "nothing was found" in other.stderr
    both = write("both.yaml", CONFIG + "---\n" + canary.replace("1.28.10", "1.30.3"))
    for revision, release in (("", "1.28.10"), ("canary", "1.30.3")):
        told = invoke("mesh", "-f", both, "--istio-revision", revision, "-o", "json")
        assert facts(json.loads(told.stdout))["istio_version"][0] == release


@pytest.mark.parametrize("content", ["", "{", "just text", "a: 1"])
def test_a_file_that_is_no_meshconfig_is_an_error(invoke: Invoke, write: Write, content: str) -> None:
    """It was named for that; nothing is printed that could be taken for a result."""
    bad = write("bad.yaml", content)
    result = invoke("lint", "-f", write("world.yaml", INCIDENT), "--mesh-config", bad)
    assert (result.exit_code, result.stdout) == (2, "")
    assert str(bad) in result.stderr
    missing = invoke("mesh", "--mesh-config", bad.with_name("missing.yaml"))
    assert missing.exit_code == 2
    assert "No such file" in missing.stderr


def test_bad_values_are_warnings(invoke: Invoke, write: Write) -> None:
    """One line each; what can be read counts."""
    bad = write("bad.yaml", "enableAutoMtls: maybe\noutboundTrafficPolicy: {mode: REGISTRY_ONLY}\n")
    result = invoke("listeners", "-f", write("world.yaml", INCIDENT), "--from", "a", "--mesh-config", bad)
    assert result.exit_code == 0
    assert "warning: " in result.stderr
    assert "enableAutoMtls: expected true or false" in result.stderr
    assert "REGISTRY_ONLY" in result.stdout
    told = json.loads(invoke("mesh", "--mesh-config", bad, "-o", "json").stdout)
    assert len(told["problems"]) == 1


def test_the_file_goes_before_the_input(invoke: Invoke, write: Write) -> None:
    """It was named by hand; that they differ is told."""
    named = write("named.yaml", "outboundTrafficPolicy: {mode: ALLOW_ANY}\n")
    result = invoke("lint", "-f", write("world.yaml", CONFIG + "---\n" + INCIDENT), "--mesh-config", named)
    assert "outboundTrafficPolicy ALLOW_ANY" in result.stdout
    assert "the former counts" in result.stderr


def test_a_shared_config_among_the_files_is_merged(invoke: Invoke, write: Write) -> None:
    """The one that istiod's SHARED_MESH_CONFIG names; without it, a line says that it is not known."""
    istiod = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: istiod, namespace: istio-system}
spec: {template: {spec: {containers: [{name: discovery, env: [{name: SHARED_MESH_CONFIG, value: platform}]}]}}}
"""
    shared = """\
---
apiVersion: v1
kind: ConfigMap
metadata: {name: platform, namespace: istio-system}
data: {mesh: "enableAutoMtls: false"}
"""
    alone = json.loads(invoke("mesh", "-f", write("istiod.yaml", istiod), "-o", "json").stdout)
    assert facts(alone)["enable_auto_mtls"] == ("true", "default")
    assert [line.partition(" (")[0] for line in alone["notRead"]] == ["there is no MeshConfig in ConfigMap platform"]
    path = write("both.yaml", istiod + shared)
    told = json.loads(invoke("mesh", "-f", path, "-o", "json").stdout)
    assert facts(told)["enable_auto_mtls"] == ("false", "ConfigMap istio-system/platform: enableAutoMtls")
    assert told["notRead"] == []
    assert "enableAutoMtls off" in invoke("lint", "-f", path, "-f", write("alias.yaml", ALIAS)).stdout


REVISIONS = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data: {mesh: "{}"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: istio-canary, namespace: istio-system}
data: {mesh: "outboundTrafficPolicy: {mode: REGISTRY_ONLY}"}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio.io/rev: canary}}
"""


def test_revisions_that_differ_are_told(invoke: Invoke, write: Write) -> None:
    """By `mesh` in its output, by other commands on standard error."""
    path = write("revisions.yaml", REVISIONS)
    line = "revision canary (namespace shop) has outbound_traffic_policy REGISTRY_ONLY instead of ALLOW_ANY"
    told = json.loads(invoke("mesh", "-f", path, "-o", "json").stdout)
    assert told["differing"] == [line]
    assert facts(told)["outbound_traffic_policy"][0] == "ALLOW_ANY"
    assert f"Differs: {line}. " in invoke("mesh", "-f", path).stdout
    for command in COMMANDS.values():
        result = invoke(*command, "-f", path, "-f", write("alias.yaml", ALIAS))
        assert f"warning: {line}; " in result.stderr
    judged = invoke("lint", "-f", path, "-f", write("alias.yaml", ALIAS)).stdout
    assert ", judged also where istiod is of revision canary." in judged


def test_one_revision_can_be_chosen(invoke: Invoke, write: Write) -> None:
    """The other one, without a name, is then beside it only if it is labelled or among the files."""
    path = write("revisions.yaml", REVISIONS)
    told = json.loads(invoke("mesh", "-f", path, "--istio-revision", "canary", "-o", "json").stdout)
    assert facts(told)["outbound_traffic_policy"][0] == "REGISTRY_ONLY"
    assert told["differing"] == []


def test_workloads_with_their_own_capture_are_named(invoke: Invoke, write: Write) -> None:
    """By every command, whether or not anything else says which mesh it is."""
    deployment = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  template:
    metadata:
      annotations: {proxy.istio.io/config: '{proxyMetadata: {ISTIO_META_DNS_CAPTURE: "true"}}'}
"""
    path = write("web.yaml", deployment)
    line = "pods have DNS capture on of their own: Deployment shop/web: annotation proxy.istio.io/config"
    assert json.loads(invoke("mesh", "-f", path, "-o", "json").stdout)["differing"] == [line]
    for command in COMMANDS.values():
        result = invoke(*command, "-f", path, "-f", write("alias.yaml", ALIAS))
        assert f"warning: {line}; " in result.stderr
    assert line not in invoke("lint", "-f", path, "-f", write("alias.yaml", ALIAS), "--dns-capture").stderr


def test_the_policy_knows_the_mesh_of_a_file(invoke: Invoke, write: Write) -> None:
    """`dnsalias admission` prints the shipped policy without options; a MeshConfig's cluster domain is reserved."""
    shipped = Path(__file__).parents[2] / "manifests" / "admission" / "policy.yaml"
    plain = invoke("admission")
    assert (plain.exit_code, plain.stdout) == (0, shipped.read_text(encoding="utf-8"))
    domain = CONFIG.replace("spec: {}", DOMAIN)
    told = invoke("admission", "--mesh-config", write("mesh.yaml", domain))
    assert (told.exit_code, told.stderr) == (0, "")
    assert "mesh.corp belongs to the cluster domain" in told.stdout
    assert invoke("admission", "--mesh-config", "no-such.yaml").exit_code == 2


REMOTE = """\
apiVersion: v1
kind: Namespace
metadata: {name: istio-system, annotations: {topology.istio.io/controlPlaneClusters: cluster1}}
---
apiVersion: dnsalias.io/v1alpha1
kind: DnsAlias
metadata: {name: pay, namespace: abc}
spec: {host: pay.hello, serviceRef: {name: pay}}
"""


def test_the_topology_and_what_shows_it_are_printed(invoke: Invoke, write: Write) -> None:
    """By `dnsalias mesh`, and by what every command says that it assumed; a setting wins."""
    path = write("world.yaml", REMOTE)
    where = "Namespace istio-system: annotation topology.istio.io/controlPlaneClusters"
    assert facts(json.loads(invoke("mesh", "-f", path, "-o", "json").stdout))["topology"] == ("remote", where)
    planned = invoke("plan", "-f", path)
    assert ", topology remote, " in planned.stdout
    assert "NotReadHere" in planned.stdout
    told = json.loads(invoke("mesh", "-f", path, "-o", "json", "--topology", "primary").stdout)
    assert facts(told)["topology"] == ("primary", "setting")
    assert told["contradictions"] == [f"topology is set to primary, and counts; {where} says remote"]
    assert "one cluster" in invoke("plan", "-f", path, "--one-cluster").stdout
