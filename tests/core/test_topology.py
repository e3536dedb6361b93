"""Which part of a mesh of several clusters this one is, and what becomes of addresses where that changes."""

from typing import Any

import pytest

from dnsalias_operator.core.istio.meshconfig import Found, contradictions, effective, joined, located, read_document
from dnsalias_operator.core.outcome import Verb
from dnsalias_operator.core.plan import plan
from dnsalias_operator.core.reasons import Reason
from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.mesh import Mesh, Topology
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.snapshot import Snapshot
from dnsalias_operator.settings import Settings, SettingsError, load_settings
from tests.core.test_meshconfig import deployment
from tools import make

CONTROLLED = "topology.istio.io/controlPlaneClusters"
NETWORK = {"topology.istio.io/network": "net1"}
SERVICE = make.service("pay", namespace="abc", ip="10.96.0.1", ports=[make.port(9001)], selector={"app": "pay"})
ALIAS = make.alias("pay", "pay.hello", "pay", namespace="abc")


def injector(values: str) -> Found:
    """What the injector's ConfigMap says."""
    meta = {"name": "istio-sidecar-injector", "namespace": "istio-system"}
    return read_document({"kind": "ConfigMap", "metadata": meta, "data": {"values": values}})


def root(labels: dict[str, str] | None = None, **annotations: str) -> Snapshot:
    """A world of just the root Namespace; an annotation is given by what follows its slash."""
    told = {f"topology.istio.io/{name}": value for name, value in annotations.items()}
    meta = {"labels": labels or {}, "annotations": told}
    return world(make.manifest("v1", "Namespace", "istio-system", None, meta=meta))


def world(*raws: dict[str, Any]) -> Snapshot:
    """These objects."""
    return Snapshot(KINDS[raw["kind"]].parse(raw) for raw in raws)


ISTIOD = read_document(deployment())
PLAIN = '{"global": {"externalIstiod": false, "network": "", "multiCluster": {"clusterName": "Kubernetes"}}}'
OF_NET = '{"global": {"externalIstiod": false, "network": "net1"}}'
SERVES = '{"global": {"externalIstiod": true, "network": "net1"}}'
REMOTE = '{"global": {"remotePilotAddress": "203.0.113.4", "network": "net1"}}'


@pytest.mark.parametrize(
    ("found", "there", "topology", "where"),
    [
        (Found(), Snapshot(()), "single", None),
        (joined((ISTIOD, injector(PLAIN))), root(), "single", None),
        (joined((ISTIOD, injector(OF_NET))), root(), "multi-primary", "global.network"),
        (injector(OF_NET), root(), "primary", "global.network"),
        (joined((ISTIOD, injector(SERVES))), root(), "primary", "global.externalIstiod"),
        (joined((read_document(deployment(EXTERNAL_ISTIOD="true")),)), root(), "primary", "EXTERNAL_ISTIOD"),
        (joined((read_document(deployment(EXTERNAL_ISTIOD="false")),)), root(), "single", None),
        (joined((ISTIOD, injector(REMOTE))), root(), "remote", "global.remotePilotAddress"),
        (Found(), root(controlPlaneClusters="*"), "remote", CONTROLLED),
        (Found(), root(NETWORK, controlPlaneClusters="cluster1"), "remote", CONTROLLED),
        (ISTIOD, root(controlPlaneClusters="cluster1"), "multi-primary", CONTROLLED),
        (ISTIOD, root(NETWORK), "multi-primary", "topology.istio.io/network"),
        (Found(), root(NETWORK), "primary", "topology.istio.io/network"),
    ],
)
def test_objects_read_by_name_show_the_topology(
    found: Found, there: Snapshot, topology: Topology, where: str | None
) -> None:
    """The surest sign counts; where nothing says who serves other clusters, the reading that does no harm."""
    assert effective(Mesh(), found, there).topology == topology
    fact = located(found, Mesh(), there).get("topology")
    assert (fact is None) == (where is None)
    assert where is None or (fact is not None and fact.where.endswith(where))


def test_a_setting_counts_and_only_a_sure_sign_contradicts_it() -> None:
    """A network may have a name in a mesh of one cluster too; a remote istiod's address has no other meaning."""
    for given in (Mesh(topology="single"), Mesh(topology="multi-primary")):
        assert effective(given, injector(REMOTE), root()).topology == given.topology
        assert [c.name for c in contradictions(given, injector(REMOTE), root())] == ["topology"]
        assert contradictions(given, injector(OF_NET), root()) == ()
    assert contradictions(Mesh(topology="remote"), injector(REMOTE), root()) == ()


def test_the_root_namespace_is_the_one_that_the_meshconfig_names() -> None:
    """Unless a setting names another."""
    named = read_document(
        {
            "kind": "ConfigMap",
            "metadata": {"name": "istio", "namespace": "istio-system"},
            "data": {"mesh": "rootNamespace: mesh-root"},
        }
    )
    meta = {"annotations": {CONTROLLED: "*"}}
    there = world(make.manifest("v1", "Namespace", "mesh-root", None, meta=meta))
    assert effective(Mesh(), named, there).topology == "remote"
    assert effective(Mesh(root_namespace="istio-system"), named, there).topology == "single"


@pytest.mark.parametrize(
    ("given", "topology"),
    [
        ({}, "single"),
        ({"multi_cluster": True}, "primary"),
        ({"multi_cluster": False}, "single"),
        ({"topology": "remote"}, "remote"),
        ({"topology": "multi-primary", "multi_cluster": True}, "multi-primary"),
    ],
)
def test_the_older_setting_means_primary(given: dict[str, Any], topology: Topology) -> None:
    """Beside the newer one it only must not say the opposite."""
    rules = Settings(**given).rules
    assert rules.mesh.topology == topology
    assert ("topology" in rules.mesh.model_fields_set) == bool(given)


@pytest.mark.parametrize("given", [{"topology": "single", "multi_cluster": True}, {"topology": "remote"}])
def test_settings_that_contradict_each_other_are_refused(given: dict[str, Any]) -> None:
    """The message names both."""
    with pytest.raises(SettingsError, match=r"topology is \w+, and multi_cluster (true|false); take multi_cluster out"):
        load_settings({"multi_cluster": False, **given})


def test_an_alias_leaves_its_address_in_place_where_other_clusters_read_it() -> None:
    """No delete: the entry is changed, and the Service's listener has the address again; and back."""
    single, primary = (Rules(mesh=Mesh(topology=topology)) for topology in ("single", "primary"))
    begun = plan(world(SERVICE, ALIAS), single).after
    (change,) = plan(begun, primary).changes
    assert (change.verb, change.reason) == (Verb.UPDATE, Reason.LEAVES_SHARED_ADDRESS)
    assert "10.96.0.1" not in change.apply["spec"]["addresses"]
    (back,) = plan(plan(begun, primary).after, single).changes
    assert back.apply["spec"]["addresses"] == ["10.96.0.1"]


def test_ready_says_in_which_clusters() -> None:
    """As far as that is known here."""
    told = {}
    topologies: tuple[Topology, ...] = ("single", "multi-primary", "primary")
    for topology in topologies:
        (alias,) = plan(world(SERVICE, ALIAS), Rules(mesh=Mesh(topology=topology))).aliases
        told[topology] = alias.conditions[-1].message.removeprefix("ServiceEntry abc/pay makes pay.hello work")
    assert told == {
        "single": "",
        "multi-primary": " in this cluster; any other needs the DnsAlias as well",
        "primary": " in this cluster and those whose proxies its istiod serves",
    }
