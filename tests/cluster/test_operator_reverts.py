"""Undo on the real API server: `dnsalias revert`, the annotation, an alias that goes. Only our fields go."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dnsalias_operator.cli.main import program
from dnsalias_operator.core.advice.revert import revert
from dnsalias_operator.model.names import REPAIR_ANNOTATION, Key
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot
from dnsalias_operator.shell.working.withdraw import withdraw
from tests.cluster.conftest import Objects
from tools import make
from tools.controlplane.audit import Request
from tools.controlplane.cluster import ControlPlane
from tools.controlplane.waiting import eventually
from tools.running.operator_process import Operator

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("operator")]

OUT = {REPAIR_ANNOTATION: "false"}
Dnsalias = Callable[..., Result]


@pytest.fixture
def dnsalias(control_plane: ControlPlane) -> Dnsalias:
    """Run the command as admin, whose kubeconfig it is."""

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(program, [*arguments, "--kubeconfig", str(control_plane.kubeconfig)])

    return run


def owners_part(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry without the API server's bookkeeping and without the annotation by which revert opts it out."""
    kept = ("name", "namespace", "uid", "labels", "annotations", "ownerReferences", "creationTimestamp")
    meta = {k: v for k, v in entry["metadata"].items() if k in kept}
    meta["annotations"] = {k: v for k, v in meta.get("annotations", {}).items() if k != REPAIR_ANNOTATION}
    return {**entry, "metadata": meta}


def repaired(objects: Objects, name: str, port: int = 3306, protocol: str = "TCP", **labels: str) -> dict[str, Any]:
    """A foreign entry with its Service, as its owner wrote it; returns when the operator has repaired it."""
    objects.service(name, port)
    objects.foreign(name, f"{name}.cutom-name", port, protocol)
    extra = {"metadata": {"annotations": {"team.example/owner": "Zoë"}, "labels": labels}}
    objects.patch("serviceentries", name, extra)
    eventually(lambda: objects.spec(name).get("endpoints"), f"{name} is repaired")
    written = owners_part(objects.get("serviceentries", name))
    written["spec"] = {k: v for k, v in written["spec"].items() if k not in ("addresses", "endpoints")}
    return written


def writes_to(plane: ControlPlane, objects: Objects, since: Any) -> list[Request]:  # noqa: ANN401 (a mark)
    """Mutating requests in the test's namespace, whoever made them."""
    return [r for r in plane.mutating_requests(since=since) if r.namespace == objects.namespace]


def test_one_entry_is_shown_first_and_critical_needs_force(
    dnsalias: Dnsalias, objects: Objects, control_plane: ControlPlane, operator: Operator
) -> None:
    """Shown: no write. --yes alone: no write. With --force: one write, the entry is its owner's, and stays so."""
    written = repaired(objects, "mysql")
    operator.idle()
    mark = control_plane.mark()
    name = f"{objects.namespace}/mysql"

    shown = dnsalias("revert", name)
    assert shown.exit_code == 1
    assert f"# revert ServiceEntry {name}" in shown.stdout
    assert "# critical: it listens on 0.0.0.0:3306 again" in shown.stdout
    assert "+ 0.0.0.0  3306  everything  outbound|3306||mysql.cutom-name" in shown.stdout
    assert "1 entry to revert, 1 critical. Nothing was written; --yes --force writes." in shown.stdout
    refused = dnsalias("revert", name, "--yes")
    assert refused.exit_code == 2
    assert "Nothing was written: 1 entry would take traffic not meant for it" in refused.stderr
    assert writes_to(control_plane, objects, mark) == []

    done = dnsalias("revert", name, "--yes", "--force")
    assert done.exit_code == 0
    assert f"kubectl annotate serviceentry -n {objects.namespace} mysql {REPAIR_ANNOTATION}-" in done.stdout
    operator.idle()
    entry = objects.get("serviceentries", "mysql")
    assert owners_part(entry) == written
    assert entry["metadata"]["annotations"][REPAIR_ANNOTATION] == "false"
    assert [(r.verb, r.resource, r.code) for r in writes_to(control_plane, objects, mark)] == [
        ("patch", "serviceentries", 200)
    ]
    found = json.loads(dnsalias("lint", "-n", objects.namespace, "-o", "json").stdout)["findings"]
    assert "DA001" in {f["code"] for f in found if f["name"] == "mysql"}
    assert dnsalias("revert", name).exit_code == 0

    objects.patch("serviceentries", "mysql", {"metadata": {"annotations": {REPAIR_ANNOTATION: None}}})
    eventually(lambda: objects.spec("mysql").get("addresses"), "without the annotation it is repaired again")


def test_a_namespace_is_reverted_and_no_other(
    dnsalias: Dnsalias, objects: Objects, control_plane: ControlPlane, operator: Operator
) -> None:
    """--all -n takes every repaired entry of the namespace; what is not critical needs no --force."""
    written = {name: repaired(objects, name, 443, "HTTP") for name in ("one", "two")}
    elsewhere = f"{objects.namespace}-x"
    control_plane.api.create("/api/v1/namespaces", {"metadata": {"name": elsewhere}})
    others = Objects(control_plane, elsewhere)
    repaired(others, "other", 443, "HTTP")
    operator.idle()
    before = others.get("serviceentries", "other")
    done = dnsalias("revert", "--all", "-n", objects.namespace, "--yes", "-o", "json")
    assert done.exit_code == 0
    told = json.loads(done.stdout)
    assert told["written"] is True
    assert [(r["name"], r["severity"], r["error"]) for r in told["reverts"]] == [
        ("one", "warning", ""),
        ("two", "warning", ""),
    ]
    operator.idle()
    for name, wanted in written.items():
        assert owners_part(objects.get("serviceentries", name)) == wanted
    assert others.get("serviceentries", "other") == before
    control_plane.api.delete(f"/api/v1/namespaces/{elsewhere}")


def test_an_opt_in_of_somebody_else_is_not_overruled_by_accident(dnsalias: Dnsalias, objects: Objects) -> None:
    """Where the annotation says "true", revert says who must change it; --force changes it."""
    objects.service("web", 443)
    objects.foreign("web", "web.cutom-name", 443, "HTTP")
    opted_in = {"metadata": {"annotations": {REPAIR_ANNOTATION: "true"}, "labels": {MANAGED_BY: None}}}
    objects.patch("serviceentries", "web", opted_in)
    eventually(lambda: objects.spec("web").get("endpoints"), "it is repaired")
    name = f"{objects.namespace}/web"
    refused = dnsalias("revert", name, "--yes")
    assert refused.exit_code == 2
    assert f'somebody set {REPAIR_ANNOTATION}: "true"' in refused.stderr
    assert objects.spec("web").get("endpoints")
    assert dnsalias("revert", name, "--yes", "--force").exit_code == 0
    assert "endpoints" not in objects.spec("web")
    assert objects.get("serviceentries", "web")["metadata"]["annotations"] == OUT


MANAGED_BY = "app.kubernetes.io/managed-by"


def test_what_was_changed_meanwhile_is_not_reverted_blindly(objects: Objects, control_plane: ControlPlane) -> None:
    """The write holds for the entry that was shown: one that changed since is refused, and the message says so."""
    repaired(objects, "mysql")
    world = Snapshot([ServiceEntry.parse(objects.get("serviceentries", "mysql"))])
    (undo,) = revert(world, [Key("ServiceEntry", objects.namespace, "mysql")], make.rules()).undos
    objects.patch("serviceentries", "mysql", {"metadata": {"labels": {"changed": "meanwhile"}}})
    (why,) = withdraw(str(control_plane.kubeconfig), None, [undo.change], force=False)
    assert "changed or deleted meanwhile; look again" in why
    assert objects.spec("mysql").get("addresses")


def test_who_may_not_write_is_told_so(objects: Objects, control_plane: ControlPlane) -> None:
    """A person without the right to patch ServiceEntries gets the API server's words for each entry, and no trace."""
    repaired(objects, "mysql")
    control_plane.kubectl("create", "serviceaccount", "reader", "-n", objects.namespace)
    control_plane.kubectl(
        "create",
        "clusterrolebinding",
        objects.namespace,
        "--clusterrole=view",
        f"--serviceaccount={objects.namespace}:reader",
    )
    kubeconfig = control_plane.write_kubeconfig(
        "reader", control_plane.service_account_token(objects.namespace, "reader")
    )
    world = Snapshot([ServiceEntry.parse(objects.get("serviceentries", "mysql"))])
    (undo,) = revert(world, [Key("ServiceEntry", objects.namespace, "mysql")], make.rules()).undos
    (why,) = withdraw(str(kubeconfig), None, [undo.change], force=False)
    assert 'cannot patch resource "serviceentries"' in why
    control_plane.kubectl("delete", "clusterrolebinding", objects.namespace)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "name ServiceEntries or give --all"),
        (("a/b", "--all"), "name ServiceEntries or give --all"),
        (("b",), "b: name its namespace, with -n or as NAMESPACE/NAME"),
        (("a/b", "-n", "c"), "a/b: not in the namespace of -n, c"),
        (("nowhere/none",), "ServiceEntry nowhere/none does not exist"),
    ],
)
def test_what_is_meant_must_be_clear(dnsalias: Dnsalias, arguments: tuple[str, ...], told: str) -> None:
    """Nothing is reverted by a slip: no names, names and --all, a name without namespace, two namespaces, a typo."""
    result = dnsalias("revert", *arguments)
    assert result.exit_code == 2
    assert told in result.stderr
    assert result.stdout == ""


def test_a_generated_entry_is_its_alias(dnsalias: Dnsalias, objects: Objects) -> None:
    """Reverting one of ours does nothing, and says that the DnsAlias is what to delete."""
    objects.service("web", 443)
    objects.alias("web", "web.hello", "web")
    objects.becomes_ready("web")
    result = dnsalias("revert", "-n", objects.namespace, "web", "--yes")
    assert result.exit_code == 0
    assert "Nothing to revert." in result.stdout
    assert "was generated for a DnsAlias; to remove it" in result.stderr


def test_an_alias_that_served_a_foreign_entry_leaves_it_as_it_was(
    dnsalias: Dnsalias, objects: Objects, operator: Operator
) -> None:
    """Mode Patched: with the alias exactly our fields go, every other stays, and the finding is back."""
    objects.service("db", 3306)
    objects.foreign("mysql", "mysql.cutom-name", 3306)
    unselected = {"metadata": {"labels": {MANAGED_BY: None, "app": "x"}, "annotations": {"team.example/owner": "Zoë"}}}
    objects.patch("serviceentries", "mysql", unselected)
    operator.idle()
    before = objects.get("serviceentries", "mysql")
    eventually(lambda: "addresses" not in objects.spec("mysql"), "it is nobody's business")
    before = objects.get("serviceentries", "mysql")
    objects.alias("db", "mysql.cutom-name", "db")
    objects.becomes_ready("db")
    assert objects.get("dnsaliases", "db")["status"]["serviceEntry"] == {"name": "mysql", "mode": "Patched"}
    assert set(objects.spec("mysql")) - set(before["spec"]) == {"addresses", "endpoints"}

    objects.delete("dnsaliases", "db")
    eventually(lambda: "addresses" not in objects.spec("mysql"), "our fields are gone")
    operator.idle()
    after = objects.get("serviceentries", "mysql")
    assert owners_part(after) == owners_part(before)
    assert REPAIR_ANNOTATION not in after["metadata"]["annotations"]
    assert not [m for m in after["metadata"]["managedFields"] if m["manager"] == "dnsalias-repair"]
    found = json.loads(dnsalias("lint", "-n", objects.namespace, "-o", "json").stdout)["findings"]
    assert "DA001" in {f["code"] for f in found if f["name"] == "mysql"}
