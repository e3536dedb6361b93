"""The store: which of several sources is believed, and what of an object is kept."""

import json
from typing import Any

import pytest

from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.names import KIND, OWN_MANAGER, REPAIR_MANAGER, Key
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.shell.watching.slim import slim
from dnsalias_operator.shell.watching.store import Store, StoreChange, older
from tools import make

WATCHED = ("Service", "ServiceEntry", KIND, "Namespace")


def service(name: str = "web", version: str = "10", uid: str = "u1", **spec: Any) -> dict[str, Any]:  # noqa: ANN401
    """A Service as a LIST gives it: without kind."""
    meta = {"uid": uid, "resourceVersion": version}
    return make.listed(make.manifest("v1", "Service", name, spec, namespace="shop", meta=meta))


def port(store: Store, name: str = "web") -> int | None:
    """The first port of the stored Service, None where it is not there."""
    found = store.world.service("shop", name)
    return found.ports[0].port if found and found.ports else None


def test_a_change_is_told_with_before_and_after() -> None:
    """Whoever listens gets the object before and after, once the world has the change."""
    heard: list[StoreChange] = []
    store = Store(WATCHED, heard.append)
    store.observe("Service", service(ports=[{"port": 80}]))
    store.observe("Service", service(version="11", ports=[{"port": 81}]))
    store.observe("Service", service(version="12"), deleted=True)
    assert [(c.old is not None, c.new is not None) for c in heard] == [(False, True), (True, True), (True, False)]
    assert {c.key for c in heard} == {Key("Service", "shop", "web")}


def test_an_older_version_never_replaces_a_newer_one() -> None:
    """The answer of our own write stays, though the watch comes later with what stood there before."""
    store = Store(WATCHED)
    store.put("Service", service(version="100", ports=[{"port": 81}]))
    assert store.observe("Service", service(version="99", ports=[{"port": 80}])) is None
    assert port(store) == 81


def test_versions_are_compared_as_numbers() -> None:
    """99 is older than 100, though not as text."""
    assert older("99", than="100")
    assert not older("100", than="99")


@pytest.mark.parametrize("version", ["abc", "", "1.5", "-3"])
def test_an_opaque_version_is_never_called_older(version: str) -> None:
    """What is no number cannot be ordered, so what comes is believed."""
    assert not older(version, than="100")
    assert not older("100", than=version)


def test_the_same_version_tells_nothing_new() -> None:
    """The watch's echo of what a list brought is no change."""
    store = Store(WATCHED)
    store.put("Service", service())
    assert store.observe("Service", service()) is None


def test_a_deletion_removes_only_the_object_with_that_uid() -> None:
    """A late deletion of the old Service leaves the new one of that name alone."""
    store = Store(WATCHED)
    store.put("Service", service(uid="old", version="10"))
    store.put("Service", service(uid="new", version="20", ports=[{"port": 80}]))
    assert store.observe("Service", service(uid="old", version="15"), deleted=True) is None
    assert port(store) == 80


def test_a_deleted_object_never_comes_back() -> None:
    """A late event of an object that is gone does not make it live again, whatever its version says."""
    store = Store(WATCHED)
    store.put("Service", service(uid="old", version="10"))
    store.remove("Service", service(uid="old"))
    assert store.put("Service", service(uid="old", version="999")) is None
    assert store.world.service("shop", "web") is None


def test_a_full_list_removes_ghosts_and_keeps_what_is_younger_than_it() -> None:
    """What the list lacks goes, unless it came after the list was made."""
    store = Store(WATCHED)
    store.put("Service", service("ghost", version="10", uid="g"))
    store.put("Service", service("young", version="60", uid="y"))
    store.put("Service", service("web", version="20"))
    ghosts = store.sweep("Service", {Key("Service", "shop", "web")}, started="50")
    assert [c.key.name for c in ghosts] == ["ghost"]
    assert {s.meta.name for s in store.world.services()} == {"web", "young"}
    assert store.put("Service", service("ghost", version="11", uid="g")) is None


def test_synced_once_every_kind_was_listed() -> None:
    """Events alone never make the store synced; a list of each kind does, also an empty one."""
    store = Store(WATCHED)
    store.observe("Service", service())
    for kind in WATCHED:
        assert not store.synced
        assert kind in store.unlisted()
        store.sweep(kind, {Key("Service", "shop", "web")}, started="5")
    assert store.synced


def test_only_what_the_watch_does_not_bring_counts_as_missed() -> None:
    """A correction that the watch confirms a moment later is none; the rest is told by kind of correction."""
    store = Store(WATCHED)
    late = store.put("Service", service("late", version="10", uid="l"))
    lost = store.put("Service", service("lost", version="11", uid="m"))
    assert late is not None
    assert lost is not None
    store.corrected("Service", [late, lost])
    store.observe("Service", service("late", version="10", uid="l"))
    assert store.settle("Service") == {"missed": 1}
    assert store.settle("Service") == {}


def test_bookkeeping_alone_does_not_matter() -> None:
    """A change of nothing that is kept is no reason to decide anything again."""
    store = Store(WATCHED)
    store.put("Service", service(version="10", ports=[{"port": 80}]))
    raw = service(version="11", ports=[{"port": 80}])
    raw["metadata"]["annotations"] = {"endpoints.kubernetes.io/last-change-trigger-time": "now"}
    change = store.put("Service", raw)
    assert change is not None
    assert not change.matters
    change = store.put("Service", service(version="12", ports=[{"port": 81}]))
    assert change is not None
    assert change.matters


def alias(version: str, host: str, ready: str) -> dict[str, Any]:
    """A DnsAlias with a status."""
    made = make.alias("api", host, "web", namespace="shop", meta={"uid": "u2", "resourceVersion": version})
    return {**make.listed(made), "status": {"conditions": [{"type": "Ready", "status": ready}]}}


def test_our_own_status_is_no_news_but_what_came_with_it_is() -> None:
    """The answer to our write of a status asks for nothing, unless somebody changed the spec meanwhile."""
    heard: list[StoreChange] = []
    store = Store(WATCHED, heard.append)
    store.put(KIND, alias("1", "a.b", "False"))
    store.put(KIND, alias("2", "a.b", "True"), "status")
    store.put(KIND, alias("3", "c.d", "False"), "status")
    store.observe(KIND, alias("4", "c.d", "True"))
    assert [change.matters for change in heard] == [True, False, True, True]


def managed(manager: str, operation: str, *fields: str) -> dict[str, Any]:
    """A managedFields entry that owns spec fields and a label."""
    owned: dict[str, Any] = {f"f:{name}": {} for name in fields}
    return {
        "manager": manager,
        "operation": operation,
        "apiVersion": "networking.istio.io/v1",
        "time": "2026-11-23T00:00:00Z",
        "fieldsV1": {"f:spec": owned, "f:metadata": {"f:labels": {"f:team": {}}}},
    }


def entry() -> dict[str, Any]:
    """A ServiceEntry of somebody else, with much that nobody here reads."""
    return {
        "metadata": {
            "name": "mysql",
            "namespace": "data",
            "uid": "e1",
            "resourceVersion": "7",
            "labels": {"team": "data"},
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "x" * 5000, "owner": "me"},
            "managedFields": [
                managed("dns-controller", "Update", "hosts", "ports"),
                managed("somebody", "Apply", "addresses"),
                managed("labeller", "Update"),
                managed(REPAIR_MANAGER, "Apply", "endpoints"),
                managed(OWN_MANAGER, "Update"),
            ],
        },
        "spec": {"hosts": ["mysql.data-alias"], "unknownField": {"deep": [1]}, "ports": [{"number": 3306}]},
        "status": {"addresses": [{"value": "240.240.0.1"}], "conditions": [{"type": "Reconciled"}]},
    }


def test_the_slim_entry_keeps_spec_and_annotations_and_drops_the_bulk() -> None:
    """Unknown spec fields survive for diffs; last-applied and foreign status do not."""
    kept = slim(entry(), KINDS["ServiceEntry"])
    assert kept["spec"] == entry()["spec"]
    assert kept["metadata"]["annotations"] == {"owner": "me"}
    assert kept["status"] == {"addresses": [{"value": "240.240.0.1"}]}
    assert (kept["kind"], kept["apiVersion"]) == ("ServiceEntry", "networking.istio.io/v1")


def test_the_slim_entry_still_names_the_owners_of_the_fields_we_repair() -> None:
    """Our managers keep their whole record, others that of the fought-over fields; who owns none of them is dropped."""
    parsed = ServiceEntry.parse(slim(entry(), KINDS["ServiceEntry"]))
    owners = {m.manager: m for m in parsed.meta.managed}
    assert set(owners) == {"dns-controller", "somebody", REPAIR_MANAGER, OWN_MANAGER}
    assert owners["dns-controller"].owns("spec", "hosts")
    assert owners["somebody"].owns("spec", "addresses")
    assert owners[REPAIR_MANAGER].owns("spec", "endpoints")
    assert owners[OWN_MANAGER].owns("metadata", "labels", "team")
    assert not owners["somebody"].owns("metadata", "labels")


def test_the_slim_service_keeps_what_istio_reads() -> None:
    """Ports, addresses, selector and the exportTo annotation stay; the rest of a Service goes."""
    raw = service(
        ports=[{"port": 80}], clusterIP="10.0.0.1", selector={"app": "web"}, sessionAffinity="None", loadBalancerIP="x"
    )
    raw["metadata"]["annotations"] = {"networking.istio.io/exportTo": ".", "noise": "x"}
    raw["metadata"]["managedFields"] = [managed("kubectl", "Update")]
    raw["status"] = {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}
    kept = slim(raw, KINDS["Service"])
    assert kept["spec"] == {"ports": [{"port": 80}], "clusterIP": "10.0.0.1", "selector": {"app": "web"}}
    assert kept["metadata"]["annotations"] == {"networking.istio.io/exportTo": "."}
    assert "status" not in kept
    assert "managedFields" not in kept["metadata"]


def test_items_of_a_list_get_their_kind() -> None:
    """A LIST's items state no kind; what is stored does."""
    store = Store(WATCHED)
    store.put("Service", service())
    found = store.world.service("shop", "web")
    assert found is not None
    assert (found.raw["kind"], found.raw["apiVersion"]) == ("Service", "v1")


def test_short_texts_are_kept_once_for_all_objects() -> None:
    """Names of fields, protocols and namespaces of many objects are one object each, read from whatever answers."""
    text = json.dumps(make.entry("web", "web.hello", namespace="shop"))
    one, other = (slim(json.loads(text), KINDS["ServiceEntry"]) for _ in range(2))
    assert one == other == slim(json.loads(text), KINDS["ServiceEntry"])
    first, second = (kept["spec"]["ports"][0] for kept in (one, other))
    assert first is not second
    assert first["protocol"] is second["protocol"]
    assert [a is b for a, b in zip(first, second, strict=True)] == [True] * len(first)


def test_an_object_of_any_depth_is_kept() -> None:
    """What is nested deeper than objects are is kept as it came."""
    deep: object = "end"
    for _ in range(5000):
        deep = [deep]
    kept = slim(make.manifest(make.NETWORKING, "ServiceEntry", "web", {"hosts": deep}), KINDS["ServiceEntry"])
    found = kept["spec"]["hosts"]
    while isinstance(found, list):
        (found,) = found
    assert found == "end"
