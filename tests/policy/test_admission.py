"""The real API server on every hostile host: the CRD's schema and the ValidatingAdmissionPolicy refuse their own."""

from typing import Any

import pytest
import yaml

from dnsalias_operator.core.hosts.admission import admission
from dnsalias_operator.model.rules import Rules
from tests.policy.corpus import NAMESPACE, Row, alias, corpus, ids, rows
from tools.controlplane.api import MERGE, ApiError
from tools.controlplane.cluster import ControlPlane
from tools.controlplane.waiting import eventually
from tools.reliability.figures import record
from tools.running import identity

pytestmark = [pytest.mark.cluster, pytest.mark.reliability]

ALIASES = f"/apis/dnsalias.io/v1alpha1/namespaces/{NAMESPACE}/dnsaliases"


def refusal(plane: ControlPlane, host: object, namespace: str = NAMESPACE) -> str:
    """What the API server says to a DnsAlias with that host, "" where it takes it (in a dry run)."""
    path = f"/apis/dnsalias.io/v1alpha1/namespaces/{namespace}/dnsaliases?dryRun=All&fieldValidation=Strict"
    raw = alias(host)
    try:
        plane.api.create(path, {**raw, "metadata": {"name": "hostile", "namespace": namespace}})
    except ApiError as error:
        if error.status not in (403, 422):
            raise
        return str(error)
    return ""


def install(plane: ControlPlane, objects: list[dict[str, Any]], refused: str) -> None:
    """Put policy and binding in place; returns once the API server refuses that host by them."""
    identity.apply(plane, objects)
    eventually(lambda: "ValidatingAdmissionPolicy" in refusal(plane, refused), f"{refused} is refused")


def remove(plane: ControlPlane, objects: list[dict[str, Any]], refused: str) -> None:
    """Take them away; returns once the host passes again."""
    plane.kubectl("delete", "--ignore-not-found", "-f", "-", stdin=yaml.safe_dump_all(objects))
    eventually(lambda: refusal(plane, refused) == "", f"{refused} passes again")


@pytest.fixture
def policed(guarded: ControlPlane) -> ControlPlane:
    """The cluster with the policy of the corpus' settings: other tests take it away or put another in its place."""
    if "HostNotAllowed" not in refusal(guarded, "x.treasury"):
        install(guarded, admission(corpus().rules), "x.treasury")
    return guarded


def test_the_schema_refuses_its_own(guarded: ControlPlane) -> None:
    """Every host of the layer `crd` is refused by the CRD alone, and the answer names the field."""
    passed = {row.host: told for row in rows("crd") if row.group.reason not in (told := refusal(guarded, row.host))}
    hostile = rows("crd", "admission", "controller")
    record("Hostile hosts", len(hostile), "", "Host policy")
    record("Let through by the layer that must refuse them", len(passed), "", "Host policy", must="0")
    assert passed == {}


@pytest.mark.parametrize("row", rows("admission"), ids=ids(rows("admission")))
def test_the_policy_refuses_its_own(policed: ControlPlane, row: Row) -> None:
    """Every host of the layer `admission` is refused by the policy, and the message begins with its reason."""
    told = refusal(policed, row.host)
    assert f"denied request: {row.group.reason}: host {row.host}" in told


def test_what_only_the_operator_knows_passes(policed: ControlPlane) -> None:
    """Neither layer refuses what it cannot know, so that a test of the operator is one of the operator."""
    assert {row.host: told for row in rows("controller") if (told := refusal(policed, row.host))} == {}


def test_good_hosts_pass(policed: ControlPlane) -> None:
    """No host is refused for being like a hostile one."""
    assert {host: told for host in corpus().good if (told := refusal(policed, host))} == {}


def test_the_policy_is_well_typed(policed: ControlPlane) -> None:
    """Kubernetes' own type check of the expressions against the schema finds nothing; of a bad one it does."""
    path = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
    good, _ = admission(corpus().rules)
    bad = {"expression": "object.spec.hosts == 5", "message": "never"}
    worse = {**good, "metadata": {"name": "ill-typed"}, "spec": {**good["spec"], "validations": [bad]}}
    policed.api.create(path, worse)

    def checked(name: str) -> dict[str, Any]:
        found = dict(policed.api.get(f"{path}/{name}"))
        status = found.get("status", {})
        return status if status.get("observedGeneration") == found["metadata"]["generation"] else {}

    told = eventually(lambda: checked("ill-typed"), "the check of a bad expression")
    assert "undefined field 'hosts'" in str(told["typeChecking"])
    assert (
        "expressionWarnings" not in eventually(lambda: checked(good["metadata"]["name"]), "the check")["typeChecking"]
    )
    policed.api.delete(f"{path}/ill-typed")


@pytest.mark.parametrize(
    ("labels", "passes"),
    [
        ({}, False),
        ({"team": "payments"}, False),
        ({"team": "payments", "tier": "gold"}, True),
        ({"team": "payments", "tier": "iron"}, False),
        ({"team": "payments", "tier": "silver", "retired": ""}, False),
        ({"team": "other", "tier": "gold"}, False),
    ],
)
def test_namespaces_are_told_by_their_labels(policed: ControlPlane, labels: dict[str, str], passes: bool) -> None:  # noqa: FBT001
    """A label selector reads the same in the policy as it does in the operator."""
    name = "labelled"
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    try:
        policed.api.create("/api/v1/namespaces", body)
    except ApiError as error:
        assert error.status == 409  # noqa: PT017 (made for the row before)
        old = policed.api.get(f"/api/v1/namespaces/{name}")["metadata"]["labels"]
        merged = {**dict.fromkeys(k for k in old if not k.startswith("kubernetes.io/")), **labels}
        policed.api.request("PATCH", f"/api/v1/namespaces/{name}", {"metadata": {"labels": merged}}, MERGE)
    host = "api.labelled.hello"
    eventually(lambda: (refusal(policed, host, name) == "") is passes, f"labels {labels} take effect")


def test_an_alias_from_before_the_policy_stays_editable(guarded: ControlPlane) -> None:
    """A host that stands there already blocks no other edit; setting another forbidden one is refused."""
    objects = admission(corpus().rules)
    remove(guarded, objects, "x.treasury")
    old = alias("old.treasury")
    old["metadata"]["name"] = "old"
    guarded.api.create(ALIASES, old)
    install(guarded, objects, "x.treasury")
    path = f"{ALIASES}/old"
    guarded.api.request("PATCH", path, {"metadata": {"labels": {"a": "b"}}}, MERGE)
    guarded.api.request("PATCH", path, {"spec": {"ports": [443]}}, MERGE)
    with pytest.raises(ApiError, match=r"HostNotAllowed: host new\.treasury"):
        guarded.api.request("PATCH", path, {"spec": {"host": "new.treasury"}}, MERGE)
    guarded.api.request("PATCH", path, {"spec": {"host": "new.hello"}}, MERGE)
    guarded.api.delete(path)


def test_default_deny(guarded: ControlPlane) -> None:
    """With host_default deny only hosts under a rule's suffix pass; without any rule none does."""
    remove(guarded, admission(corpus().rules), "x.treasury")
    some = Rules.model_validate(
        {"host_default": "deny", "host_rules": [{"suffixes": ["hello"], "namespaces": [NAMESPACE]}]}
    )
    for rules, passes in ((some, True), (Rules(host_default="deny"), False)):
        objects = admission(rules)
        install(guarded, objects, "other.world")
        assert "HostNotAllowed: host other.world is under no suffix" in refusal(guarded, "other.world")
        assert (refusal(guarded, "api.hello") == "") is passes
        remove(guarded, objects, "other.world")


def test_what_ships_takes_effect(guarded: ControlPlane) -> None:
    """`kubectl apply -k manifests/admission` is accepted and refuses what is reserved, and nothing else."""
    remove(guarded, admission(corpus().rules), "x.treasury")
    objects = identity.build(guarded, "admission")
    install(guarded, objects, "kubernetes.default")
    assert refusal(guarded, "x.treasury") == ""
    assert "HostInternationalized" in refusal(guarded, "xn--80ak6aa92e.hello")
    remove(guarded, objects, "kubernetes.default")
