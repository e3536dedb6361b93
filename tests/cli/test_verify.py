"""`dnsalias verify`: a sidecar's dump against the prediction, what is told of a difference, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from dnsalias_operator.core.istio.listeners import Client, outbound
from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.snapshot import Snapshot
from tests.cli import envoy_dumps
from tests.cli.conftest import Invoke, Write
from tests.cli.verify_worlds import NAMESPACE, OBJECTS, REAL, REAL_OBJECTS, leading_elsewhere, rows
from tools import make


@pytest.fixture
def objects(write: Write) -> Path:
    """The objects of the mesh."""
    return write("objects.yaml", yaml.safe_dump_all(OBJECTS))


def test_a_real_sidecar_agrees(invoke: Invoke) -> None:
    """Namespace, labels, release and network are the dump's own; a headless Service's pods are told apart."""
    result = invoke("verify", REAL, "-f", REAL_OBJECTS)
    assert result.exit_code == 0
    assert "sidecar of shop/web-0, Istio 1.31.0, cluster Kubernetes, network net-1" in result.stdout
    assert "8 of 8 ports agree." in result.stdout
    assert "1 row of listeners of single pods (outbound|4222||queue.shop.svc.cluster.local)" in result.stdout


def test_wide_compares_what_is_sent(invoke: Invoke, write: Write) -> None:
    """Real clusters agree, each endpoint too; mTLS that a PeerAuthentication switches off is a difference."""
    result = invoke("verify", REAL, "-f", REAL_OBJECTS, "-o", "wide")
    assert (result.exit_code, "0 clusters differ, of 9" in result.stdout) == (0, True)
    off = make.manifest("security.istio.io/v1", "PeerAuthentication", "off", {"mtls": {"mode": "DISABLE"}})
    more = write("off.json", {**off, "metadata": {"name": "off", "namespace": NAMESPACE}})
    result = invoke("verify", REAL, "-f", REAL_OBJECTS, "-f", more, "-o", "wide")
    assert result.exit_code == 1
    assert "cluster outbound|9100||inner.team: Envoy by endpoint; predicted plaintext" in result.stdout
    assert "8 of 8 ports agree." in result.stdout


def test_an_endpoint_that_gets_something_else_is_told(invoke: Invoke, write: Write) -> None:
    """Where a cluster goes by endpoint, those that objects list are compared one by one."""
    changed = REAL_OBJECTS.read_text().replace('"security.istio.io/tlsMode": "istio"', '"other": "label"')
    result = invoke("verify", REAL, "-f", write("objects.json", changed), "-o", "wide")
    assert result.exit_code == 1
    assert (
        "outbound|9100||inner.team: Envoy mTLS to 10.1.0.7:9100; predicted plaintext to 10.1.0.7:9100" in result.stdout
    )


def test_a_difference_has_its_rows_its_objects_and_the_rule(invoke: Invoke, write: Write, objects: Path) -> None:
    """As after an EnvoyFilter that leads a port elsewhere: what Envoy has, what was predicted, who claims the port."""
    changed = [leading_elsewhere(r) if r.port == 9000 else r for r in rows()]
    result = invoke("verify", write("dump.json", envoy_dumps.dump(changed)), "-f", objects)
    assert result.exit_code == 1
    assert "port 9000 differs:" in result.stdout
    assert result.stdout.count(" differs:") == 1
    assert "- Envoy      0.0.0.0  9000  everything  elsewhere" in result.stdout
    assert (
        "+ predicted  0.0.0.0  9000  everything  outbound|9000||legacy.team  ServiceEntry shop/caught" in result.stdout
    )
    assert (
        "claimed by ServiceEntry shop/caught (TCP; DNS; hosts legacy.team; addresses none; exportTo *)" in result.stdout
    )
    assert "rule: ServiceEntry shop/caught has no address" in result.stdout
    assert '(docs/istio.md, "Catch-alls")' in result.stdout
    assert "agree (--" not in result.stdout, "no setting explains this"


def test_the_machine_form(invoke: Invoke, write: Write, objects: Path) -> None:
    """It has the same, and what would explain it."""
    path = write("dump.json", envoy_dumps.dump(rows(dns_capture=True)))
    result = invoke("verify", path, "-f", objects, "-o", "json")
    (one,) = json.loads(result.stdout)["sidecars"]
    assert result.exit_code == 1
    assert one["pod"] == {"namespace": NAMESPACE, "name": "web-0"}
    assert [d["port"] for d in one["differences"]] == [9100]
    assert [c["name"] for c in one["differences"][0]["claimedBy"]] == ["named"]
    assert one["explanation"]["settings"] == {"dns_capture": True}
    assert one["explanation"]["agree"] == one["explanation"]["of"] == one["ports"] == 4


@pytest.mark.parametrize(
    ("true", "wrong", "said"),
    [
        ({"dns_capture": True}, ["--no-dns-capture"], "With DNS capture on, all ports agree (--dns-capture)"),
        ({}, ["--dns-capture"], "With DNS capture off, all ports agree (--no-dns-capture)"),
        ({}, ["--outbound-traffic-policy", "REGISTRY_ONLY"], "With outboundTrafficPolicy ALLOW_ANY, all ports agree"),
        ({"outbound_traffic_policy": "REGISTRY_ONLY"}, [], "With outboundTrafficPolicy REGISTRY_ONLY, all ports agree"),
        ({"default_service_export_to": (".",)}, [], "With defaultServiceExportTo ., all ports agree"),
        ({"dual_stack": True}, ["--no-dual-stack"], "With dual-stack pods on, all ports agree"),
        ({"root_namespace": "elsewhere"}, [], "with root namespace elsewhere."),
        ({"cluster_domain": "corp.test"}, ["--cluster-domain", "cluster.local"], "With cluster domain corp.test, all"),
    ],
)
def test_the_setting_that_is_wrong_is_named(
    invoke: Invoke, write: Write, objects: Path, true: dict[str, Any], wrong: list[str], said: str
) -> None:
    """Whatever the dump does not say of itself, or was given otherwise: the setting with which all ports agree."""
    path = write("dump.json", envoy_dumps.dump(rows(**true)))
    result = invoke("verify", path, "-f", objects, *wrong)
    assert result.exit_code == 1
    assert said in result.stdout


def test_a_release_that_is_wrong_is_named(invoke: Invoke, write: Write) -> None:
    """Of several releases that would do the nearest is named first."""
    twice = [
        make.entry("two", "two.team", ports=[make.entry_port(9000)], addresses=["10.9.0.1", "10.9.0.2"], namespace="a")
    ]
    world = Snapshot(KINDS["ServiceEntry"].parse(raw) for raw in twice)
    found = outbound(world, Client(NAMESPACE), Mesh(istio_version="1.23.4"))
    dump = envoy_dumps.dump([row for x in found for row in x.every_row], envoy_dumps.node(ISTIO_VERSION="1.23.4"))
    path, objects = write("dump.json", dump), write("two.json", twice[0])
    assert invoke("verify", path, "-f", objects).exit_code == 0
    result = invoke("verify", path, "-f", objects, "--istio-version", "1.26")
    assert result.exit_code == 1
    assert "With Istio 1.23, all ports agree (--istio-version 1.23)" in result.stdout
    assert "istio_version is set to 1.26, and the sidecar itself says 1.23.4" in result.stdout


def test_two_wrong_settings_are_named_together(invoke: Invoke, write: Write, objects: Path) -> None:
    """Where one alone does not explain everything, a second is looked for beside it."""
    path = write("dump.json", envoy_dumps.dump(rows(dns_capture=True, outbound_traffic_policy="REGISTRY_ONLY")))
    result = invoke("verify", path, "-f", objects)
    assert "all ports agree" in result.stdout
    assert "--dns-capture" in result.stdout
    assert "--outbound-traffic-policy REGISTRY_ONLY" in result.stdout


def test_what_the_sidecar_says_of_itself_is_taken(invoke: Invoke, write: Write, objects: Path) -> None:
    """DNS capture, both families of addresses, release and domain need no flags."""
    of = envoy_dumps.node(
        domain="corp.test", DNS_CAPTURE="true", INSTANCE_IPS="10.244.1.3,fd00::3", ISTIO_VERSION="1.28.10-vendor"
    )
    mesh = {"dns_capture": True, "dual_stack": True, "cluster_domain": "corp.test", "istio_version": "1.28.10"}
    result = invoke("verify", write("dump.json", envoy_dumps.dump(rows(**mesh), of)), "-f", objects)
    assert result.exit_code == 0, result.stdout
    assert "Assumed: Istio 1.28.10, " in result.stdout


def test_a_release_that_nobody_knows_is_said(invoke: Invoke, write: Write, objects: Path) -> None:
    """The one that the model was measured on last is assumed, and that is told."""
    path = write("dump.json", envoy_dumps.dump(rows(), envoy_dumps.node(ISTIO_VERSION="unknown")))
    result = invoke("verify", path, "-f", objects)
    assert result.exit_code == 0
    assert "Note: its release 'unknown' is none that is modelled" in result.stdout


def test_hosts_without_an_object_show_that_input_is_missing(invoke: Invoke, write: Write) -> None:
    """With half of the objects the ports of the others differ, and it is said whose object was not read."""
    path = write("dump.json", envoy_dumps.dump(rows()))
    result = invoke("verify", path, "-f", write("half.json", OBJECTS[0]))
    assert result.exit_code == 1
    assert "no object that was read has the host legacy.team: is the input complete?" in result.stdout


def test_what_is_not_modelled_is_not_called_a_difference(invoke: Invoke, write: Write, objects: Path) -> None:
    """A port whose TCP a VirtualService routes is named as not compared, and the rest agrees."""
    routes = {"hosts": ["legacy.team"], "tcp": [{"route": [{"destination": {"host": "db"}}]}]}
    route = make.manifest(make.NETWORKING, "VirtualService", "routes", routes, namespace=NAMESPACE)
    changed = [leading_elsewhere(r) if r.port == 9000 else r for r in rows()]
    path = write("dump.json", envoy_dumps.dump(changed))
    result = invoke("verify", path, "-f", objects, "-f", write("route.json", route))
    assert result.exit_code == 0
    assert "Not compared: port 9000: VirtualService shop/routes routes TCP" in result.stdout


def test_a_listener_that_envoy_refuses_is_told(invoke: Invoke, write: Write, objects: Path) -> None:
    """With Envoy's own words."""
    made = envoy_dumps.dump(rows())
    failed = {"failed_configuration": {"name": "0.0.0.0_7"}, "details": "duplicate matcher"}
    warming = {"name": "0.0.0.0_8", "warming_state": {"listener": {"name": "0.0.0.0_8"}}}
    made["configs"][1]["dynamic_listeners"] += [{"name": "0.0.0.0_7", "error_state": failed}, warming]
    result = invoke("verify", write("dump.json", made), "-f", objects)
    assert "Envoy refuses listener 0.0.0.0_7: duplicate matcher." in result.stdout
    assert "Envoy has not taken listener 0.0.0.0_8 yet." in result.stdout


def _config(name: str, mesh: str) -> str:
    raw = make.manifest("v1", "ConfigMap", name, {}, namespace="istio-system")
    return yaml.safe_dump({**raw, "data": {"mesh": mesh}})


def test_a_pod_may_capture_dns_where_the_mesh_does_not(invoke: Invoke, write: Write, objects: Path) -> None:
    """What its own Envoy says counts, not what the MeshConfig says; a setting counts all the same."""
    config = write("config.yaml", _config("istio", 'defaultConfig: {proxyMetadata: {ISTIO_META_DNS_CAPTURE: "false"}}'))
    node = envoy_dumps.node(DNS_CAPTURE="true")
    path = write("dump.json", envoy_dumps.dump(rows(dns_capture=True), node))
    assert invoke("verify", path, "-f", objects, "-f", config).exit_code == 0
    result = invoke("verify", path, "-f", objects, "-f", config, "--no-dns-capture")
    assert result.exit_code == 1
    assert "dns_capture is set to false, and the sidecar itself says true" in result.stdout


def test_istiods_own_release_counts_where_it_was_read(invoke: Invoke, write: Write, objects: Path) -> None:
    """A sidecar may be older than the istiod that makes its listeners."""
    label = {"app.kubernetes.io/version": "1.28.10"}
    istiod = make.manifest("apps/v1", "Deployment", "istiod", {}, namespace="istio-system", meta={"labels": label})
    path = write("dump.json", envoy_dumps.dump(rows(istio_version="1.28.10"), envoy_dumps.node(ISTIO_VERSION="1.27.1")))
    result = invoke("verify", path, "-f", objects, "-f", write("istiod.yaml", yaml.safe_dump(istiod)))
    assert result.exit_code == 0
    assert "istiod is of Istio 1.28.10, and counts; the sidecar is of 1.27.1" in result.stdout


def test_a_pod_is_compared_by_the_revision_of_its_namespace(invoke: Invoke, write: Write, objects: Path) -> None:
    """As `listeners` predicts it; pods of other namespaces have what the assumed one says."""
    canary = _config("istio-canary", "outboundTrafficPolicy: {mode: REGISTRY_ONLY}")
    spaces = [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": NAMESPACE, "labels": {"istio.io/rev": "canary"}},
        },
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}},
    ]
    files = [
        "-f",
        write("revisions.yaml", "---\n".join((_config("istio", "{}"), canary, yaml.safe_dump_all(spaces)))),
        "-f",
        objects,
    ]
    path = write("dump.json", envoy_dumps.dump(rows(outbound_traffic_policy="REGISTRY_ONLY")))
    assert invoke("verify", path, *files).exit_code == 0
    injected = envoy_dumps.node(ANNOTATIONS={"istio.io/rev": "default"})
    older = write("older.json", envoy_dumps.dump(rows(), injected))
    assert invoke("verify", older, *files).exit_code == 0, "a pod that was injected before the label changed"
    told = {name: invoke("listeners", "--from", name, *files).stdout for name in (NAMESPACE, "other")}
    assert "outboundTrafficPolicy REGISTRY_ONLY" in told[NAMESPACE]
    assert "outboundTrafficPolicy ALLOW_ANY" in told["other"]
