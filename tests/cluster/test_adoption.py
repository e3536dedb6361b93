"""Retiring a dns-controller, step by step as docs/adopt.md says, with the operator running."""

import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.conftest import Objects
from tools.controlplane.cluster import ControlPlane
from tools.controlplane.waiting import eventually
from tools.running.operator_process import Operator

pytestmark = pytest.mark.cluster

Start = Callable[..., Operator]
DNSALIAS = Path(sys.executable).parent / "dnsalias"
PAGE = (Path(__file__).parents[2] / "docs" / "adopt.md").read_text(encoding="utf-8")


class Team:
    """What somebody does who follows the page in one namespace: its commands, and no others."""

    def __init__(self, objects: Objects, folder: Path) -> None:
        """Keep to the namespace of ``objects``; files go to ``folder``."""
        self.objects, self.plane, self.folder = objects, objects.plane, folder

    def kubectl(self, command: str) -> str:
        """Run a command that stands in the page."""
        assert f"   {command}\n" in PAGE or f"`{command}`" in PAGE, command
        words = command.removeprefix("kubectl ").replace("NAMESPACE", self.objects.namespace).replace("'", "").split()
        words = [str(self.folder / word) if word == "aliases.yaml" else word for word in words]
        return self.plane.kubectl(*words)

    def adopt(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`dnsalias adopt -n NAMESPACE`."""
        assert "`dnsalias adopt -n NAMESPACE`" in PAGE
        source = ("--kubeconfig", str(self.plane.kubeconfig), "-n", self.objects.namespace)
        command = [str(DNSALIAS), "adopt", *source, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    def mode(self, alias: str) -> tuple[str, str]:
        """Mode and Ready of an alias."""
        status = self.objects.get("dnsaliases", alias).get("status") or {}
        return status.get("serviceEntry", {}).get("mode", ""), self.objects.condition(alias)[0]


@pytest.fixture
def team(objects: Objects, tmp_path: Path) -> Team:
    """Somebody who follows the page."""
    return Team(objects, tmp_path)


def ready_since(objects: Objects, alias: str) -> str:
    """When Ready of an alias last changed."""
    (since,) = [
        c["lastTransitionTime"]
        for c in objects.get("dnsaliases", alias)["status"]["conditions"]
        if c["type"] == "Ready"
    ]
    return str(since)


def test_a_dns_controller_is_retired(
    start_operator: Start, objects: Objects, team: Team, control_plane: ControlPlane
) -> None:
    """Names are served at every step: by the old entries, kept right, and then by the operator's own."""
    web = objects.service("web", 80, 443)
    db = objects.service("db", 5432)
    objects.foreign("web-cutom-name", "web.cutom-name", 443)
    objects.foreign("db-cutom-name", "db.cutom-name", 5432, exportTo=["*"])
    operator = start_operator().idle()

    first = team.adopt()
    assert first.returncode == 0, first.stderr
    assert first.stderr.endswith("2 aliases to apply.\n")
    assert "not ready" not in first.stderr
    assert f"; nothing outside of namespace {objects.namespace} was read.\n" in first.stderr
    (team.folder / "aliases.yaml").write_text(first.stdout)
    team.kubectl("kubectl apply -f aliases.yaml")
    team.kubectl("kubectl wait dnsalias --all -n NAMESPACE --for=condition=Ready")
    assert team.mode("web-cutom-name") == team.mode("db-cutom-name") == ("Patched", "True")
    assert objects.spec("web-cutom-name")["addresses"] == [web["spec"]["clusterIP"]]
    again = team.adopt()
    assert (again.returncode, again.stdout) == (0, "")
    assert again.stderr.endswith("0 aliases to apply; 2 there already.\n")

    since = {name: ready_since(objects, name) for name in ("web-cutom-name", "db-cutom-name")}
    mark = control_plane.mark()
    team.kubectl("kubectl delete serviceentry -n NAMESPACE -l app.kubernetes.io/managed-by=dns-controller")
    team.kubectl("kubectl wait dnsalias --all -n NAMESPACE --for=jsonpath='{.status.serviceEntry.mode}'=Generated")
    made = objects.get("serviceentries", "web-cutom-name")
    assert made["metadata"]["ownerReferences"][0]["kind"] == "DnsAlias"
    assert made["spec"]["hosts"] == ["web.cutom-name"]
    assert [p["number"] for p in made["spec"]["ports"]] == [443]
    assert made["spec"]["addresses"] == [web["spec"]["clusterIP"]]
    assert made["spec"]["workloadSelector"] == {"labels": {"app": "web"}}
    assert objects.spec("db-cutom-name")["addresses"] == [db["spec"]["clusterIP"]]
    # At no time was an alias told to be out of service, and nothing was tried twice.
    assert {name: ready_since(objects, name) for name in since} == since
    operator.idle()
    written = [r for r in control_plane.mutating_requests(since=mark) if r.namespace == objects.namespace]
    created = [r for r in written if r.verb == "create" and r.resource == "serviceentries"]
    assert [(r.name, r.code) for r in created] == [(name, 201) for name in [r.name for r in created]]
    assert sorted(r.name for r in created) == ["db-cutom-name", "web-cutom-name"]

    # The controller was stopped: nothing is left of it, and there is nothing to adopt or to mend.
    assert dnsalias(control_plane, "lint", objects.namespace)["findings"] == []
    assert dnsalias(control_plane, "adopt", objects.namespace) == {"aliases": [], "notAdopted": []}


def dnsalias(plane: ControlPlane, command: str, namespace: str) -> dict[str, Any]:
    """What a command says of one namespace."""
    line = [str(DNSALIAS), command, "--kubeconfig", str(plane.kubeconfig), "-n", namespace, "-o", "json"]
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=60)
    return dict(json.loads(done.stdout))


def test_an_alias_that_has_to_wait_is_served_when_its_entry_goes(
    start_operator: Start, objects: Objects, team: Team
) -> None:
    """An entry with two hosts covers no alias: both wait as was said, and both are served at once when it is gone."""
    objects.service("web", 80, ports=[{"name": "http", "port": 80}])
    objects.foreign("both", "a.cutom-name", 80, "HTTP", hosts=["a.cutom-name", "b.cutom-name"],
                    endpoints=[{"address": f"web.{objects.namespace}.svc.cluster.local"}])  # fmt: skip
    start_operator().idle()
    told = json.loads(team.adopt("-o", "json").stdout)["aliases"]
    assert {a["meanwhile"]["reason"] for a in told} == {"EntryMismatch"}
    text = yaml.safe_dump_all([a["manifest"] for a in told])
    (team.folder / "aliases.yaml").write_text(text)
    team.kubectl("kubectl apply -f aliases.yaml")
    for name in ("a-cutom-name", "b-cutom-name"):
        eventually(partial(waits, objects, name), f"{name} waits")
    team.kubectl("kubectl delete serviceentry -n NAMESPACE -l app.kubernetes.io/managed-by=dns-controller")
    team.kubectl("kubectl wait dnsalias --all -n NAMESPACE --for=condition=Ready")
    assert team.mode("a-cutom-name") == team.mode("b-cutom-name") == ("Generated", "True")


def waits(objects: Objects, alias: str) -> bool:
    """Whether an alias says that somebody else's entry is in its way."""
    return objects.condition(alias) == ("False", "EntryMismatch")


def test_the_way_back(start_operator: Start, objects: Objects, team: Team) -> None:
    """The controller writes its entry anew beside the operator's, which stays until its alias goes."""
    web = objects.service("web", 443)
    objects.foreign("web-cutom-name", "web.cutom-name")
    start_operator().idle()
    (team.folder / "aliases.yaml").write_text(team.adopt().stdout)
    team.kubectl("kubectl apply -f aliases.yaml")
    team.kubectl("kubectl delete serviceentry -n NAMESPACE -l app.kubernetes.io/managed-by=dns-controller")
    team.kubectl("kubectl wait dnsalias --all -n NAMESPACE --for=jsonpath='{.status.serviceEntry.mode}'=Generated")
    objects.foreign("web-again", "web.cutom-name")
    eventually(lambda: objects.spec("web-again").get("addresses"), "the new entry is repaired")
    assert objects.get("serviceentries", "web-cutom-name")["metadata"]["ownerReferences"]
    team.kubectl("kubectl delete -f aliases.yaml")
    eventually(lambda: not objects.get("serviceentries", "web-cutom-name"), "the operator's entry is collected")
    assert objects.spec("web-again")["addresses"] == [web["spec"]["clusterIP"]]
