"""Other writers on the real API server: conflicts and takings-back end in a named opponent, not in a loop."""

from collections.abc import Callable

import pytest

from tests.cluster.conftest import Objects
from tools import make
from tools.controlplane.cluster import ControlPlane
from tools.controlplane.waiting import eventually
from tools.running.operator_process import Operator, of_operator

pytestmark = pytest.mark.cluster

Start = Callable[..., Operator]
LISTED = 'dnsalias_last_resync_timestamp_seconds{kind="DnsAlias"}'


def unfixed(operator: Operator, objects: Objects, name: str, reason: str) -> bool:
    """Whether the info metric has the entry with that reason."""
    series = f'dnsalias_unfixed_serviceentry_info{{name="{name}",namespace="{objects.namespace}",reason="{reason}",'
    return series in operator.page("/metrics")[1]


def test_a_manager_that_holds_the_field_is_named_and_not_overwritten(
    start_operator: Start, objects: Objects, control_plane: ControlPlane
) -> None:
    """An owner that writes an empty list owns the field: the apply conflicts, is told, and is not forced."""
    objects.service("mysql", 3306)
    objects.foreign("mysql", "mysql.cutom-name", 3306, addresses=[])
    mark = control_plane.mark()
    operator = start_operator().ready()
    eventually(lambda: unfixed(operator, objects, "mysql", "Contested"), "the entry is contested")
    (line,) = operator.said(kind="ServiceEntry", namespace=objects.namespace, name="mysql", reason="Contested")
    assert "dns-controller" in line["message"]
    assert objects.spec("mysql").get("addresses") == []
    eventually(lambda: ("ServiceEntry", "mysql", "Contested") in objects.events(), "the Event")
    written = of_operator(control_plane.mutating_requests(since=mark))
    assert [r.code for r in written if r.namespace == objects.namespace] == [409]


def test_a_repair_that_is_taken_back_again_and_again_is_contested(start_operator: Start, objects: Objects) -> None:
    """From the third taking back on the entry counts as contested, and the probable opponent is named."""
    objects.service("mysql", 3306)
    objects.foreign("mysql", "mysql.cutom-name", 3306)
    operator = start_operator(fight_min_seconds="0.2", fight_max_seconds="600").ready()

    def taken_back_until_contested() -> bool:
        if objects.spec("mysql").get("addresses"):
            objects.patch("serviceentries", "mysql", {"spec": {"addresses": None}})
        return unfixed(operator, objects, "mysql", "Contested")

    eventually(taken_back_until_contested, "the entry is contested")
    line = operator.said(kind="ServiceEntry", namespace=objects.namespace, name="mysql", reason="Contested")[-1]
    assert "probably dns-controller" in line["message"]
    series = 'dnsalias_unfixed_serviceentries{reason="Contested",severity="critical"}'
    assert operator.metric(series) >= 1


def test_an_alias_served_by_a_contested_entry_says_so(start_operator: Start, objects: Objects) -> None:
    """The condition of the DnsAlias carries the reason, so that its owner sees it without reading logs."""
    objects.service("mysql", 3306)
    objects.foreign("mysql-foreign", "mysql.cutom-name", 3306, addresses=[])
    objects.alias("mysql", "mysql.cutom-name", "mysql")
    start_operator().ready()
    eventually(lambda: objects.condition("mysql", "Programmed") == ("False", "Contested"), "the condition")


def test_an_entry_that_comes_before_its_service_gives_way_once(start_operator: Start, objects: Objects) -> None:
    """A Service recreated with its old clusterIP is older than our new entry again; no Service is shadowed."""
    old = objects.service("web", 443)
    objects.alias("web", "web.hello", "web")
    operator = start_operator().ready()
    objects.becomes_ready("web")
    objects.delete("services", "web")
    new = objects.service("web", 443, clusterIP=old["spec"]["clusterIP"])

    def younger() -> bool:
        entry = objects.get("serviceentries", "web").get("metadata", {})
        return bool(entry) and entry["creationTimestamp"] > new["metadata"]["creationTimestamp"]

    eventually(younger, "the entry is younger than its Service")
    objects.becomes_ready("web")
    assert operator.metric("dnsalias_synced") == 1


def test_a_name_that_is_taken_is_left_alone(start_operator: Start, objects: Objects) -> None:
    """An entry of the alias' name that is not ours is never written; the alias says why."""
    objects.service("web", 443)
    before = objects.foreign("web", "something.else", 8080)
    objects.alias("web", "web.hello", "web")
    start_operator(foreign_entries="observe").ready()
    eventually(lambda: objects.condition("web", "Accepted") == ("False", "NameTaken"), "the condition")
    assert objects.get("serviceentries", "web") == before


def test_a_refused_write_is_told_in_the_condition(start_operator: Start, objects: Objects) -> None:
    """What an admission policy refuses makes Programmed False with its message, and is tried again later."""
    policies = "/apis/admissionregistration.k8s.io/v1"
    api, name = objects.plane.api, f"deny-{objects.namespace}"
    policy = {
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": objects.namespace}},
                "resourceRules": [
                    {
                        "apiGroups": ["networking.istio.io"],
                        "apiVersions": ["*"],
                        "operations": ["CREATE"],
                        "resources": ["serviceentries"],
                    }
                ],
            },
            "validations": [{"expression": "false", "message": "no entries here"}],
        },
    }
    api.create(f"{policies}/validatingadmissionpolicies", policy)
    binding = {"metadata": {"name": name}, "spec": {"policyName": name, "validationActions": ["Deny"]}}
    api.create(f"{policies}/validatingadmissionpolicybindings", binding)
    try:
        eventually(lambda: _denied(objects), "the policy is in force")
        objects.service("web", 443)
        objects.alias("web", "web.hello", "web")
        start_operator().ready()
        eventually(lambda: objects.condition("web", "Programmed") == ("False", "WriteRefused"), "the condition")
    finally:
        api.delete(f"{policies}/validatingadmissionpolicybindings/{name}")
        api.delete(f"{policies}/validatingadmissionpolicies/{name}")
    objects.patch("dnsaliases", "web", {"metadata": {"annotations": {"touched": "yes"}}})
    eventually(lambda: objects.condition("web")[0] == "True", "it is tried again")


def test_a_condition_of_another_controller_stays_and_is_no_fight(
    start_operator: Start, objects: Objects, control_plane: ControlPlane
) -> None:
    """What an auditor adds to the status makes no write and no fight, and outlives our next write beside it."""
    objects.service("web", 443)
    objects.alias("web", "web.hello", "web")
    operator = start_operator(resync_seconds="1").ready()
    objects.becomes_ready("web")
    operator.idle()
    mark = control_plane.mark()
    audited = {"type": "Audited", "status": "True", "reason": "Ok", "message": "…", "observedGeneration": 1}
    body = {
        "apiVersion": "dnsalias.io/v1alpha1",
        "kind": "DnsAlias",
        "metadata": {"name": "web"},
        "status": {"conditions": [{**audited, "lastTransitionTime": "2026-01-01T00:00:00Z"}]},
    }
    path = f"{objects.path('dnsaliases', 'web')}/status?fieldManager=auditor"
    objects.plane.api.request("PATCH", path, body, "application/apply-patch+yaml")
    seen = operator.metric(LISTED)
    eventually(lambda: operator.metric(LISTED) > seen + 3, "everything was listed and decided anew")
    operator.idle()
    written = of_operator(control_plane.mutating_requests(since=mark))
    assert [r for r in written if r.namespace == objects.namespace] == []
    assert "dnsalias_contested{" not in operator.page("/metrics")[1]
    objects.delete("services", "web")
    eventually(lambda: objects.condition("web") == ("False", "ServiceNotFound"), "the status follows")
    assert objects.condition("web", "Audited") == ("True", "Ok")


def test_an_entry_that_a_finalizer_holds_is_deleted_once(
    start_operator: Start, objects: Objects, control_plane: ControlPlane
) -> None:
    """The operator does not fight itself over it; the condition says what holds it, and follows when it goes."""
    objects.service("web", 443)
    objects.alias("web", "web.hello", "web")
    operator = start_operator(resync_seconds="1").ready()
    objects.becomes_ready("web")
    objects.patch("serviceentries", "web", {"metadata": {"finalizers": ["example.com/audit"]}})
    operator.idle()
    mark = control_plane.mark()
    objects.patch("dnsaliases", "web", {"spec": {"host": "other.hello"}})
    eventually(lambda: objects.condition("web", "Programmed") == ("False", "Pending"), "the condition")
    seen = operator.metric(LISTED)
    eventually(lambda: operator.metric(LISTED) > seen + 3, "everything was listed and decided anew")
    requests = of_operator(control_plane.mutating_requests(since=mark))
    entries = [r for r in requests if r.namespace == objects.namespace and r.resource == "serviceentries"]
    assert [(r.verb, r.code) for r in entries] == [("delete", 200)]
    assert "dnsalias_contested{" not in operator.page("/metrics")[1]
    objects.patch("serviceentries", "web", {"metadata": {"finalizers": None}})
    objects.becomes_ready("web")
    assert objects.spec("web")["hosts"] == ["other.hello"]


def _denied(objects: Objects) -> bool:
    path = f"{objects.path('serviceentries')}?dryRun=All"
    try:
        objects.plane.api.create(path, make.entry("probe", "probe.example"))
    except Exception as error:  # noqa: BLE001 (whatever the refusal is called)
        return "no entries here" in str(error)
    return False
