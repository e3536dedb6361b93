"""The operator's life on the real API server: restarts, stops, missing CRDs, missing rights."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.cluster.conftest import Objects
from tools.controlplane import build
from tools.controlplane.cluster import ControlPlane
from tools.controlplane.hand import project_crds
from tools.controlplane.waiting import eventually
from tools.running import identity
from tools.running.operator_process import Operator, of_operator

pytestmark = pytest.mark.cluster

Start = Callable[..., Operator]


def test_a_restart_on_a_converged_world_writes_nothing(
    start_operator: Start, objects: Objects, control_plane: ControlPlane
) -> None:
    """A second process, its first lists and two resyncs make no mutating request but Events, and repeat no Event."""
    objects.service("web", 443)
    objects.service("traefik", 443)
    objects.alias("web", "web.hello", "web")
    objects.alias("lost", "lost.hello", "no-such-service")
    objects.foreign("traefik", "traefik.cutom-name")
    first = start_operator().ready()
    objects.becomes_ready("web")
    eventually(lambda: objects.condition("lost")[0] == "False")
    eventually(lambda: objects.spec("traefik").get("addresses"))
    eventually(lambda: len(objects.events()) >= 3, "an Event for each")
    first.idle()
    assert first.stop() == 0
    mark = control_plane.mark()
    events = objects.events()
    second = start_operator(resync_seconds="1").idle()
    resynced = 'dnsalias_last_resync_timestamp_seconds{kind="Namespace"}'
    for _ in range(2):
        last = second.metric(resynced)
        eventually(partial(_moved_on, second, resynced, last), "another resync")
    second.idle()
    assert second.stop() == 0
    written = of_operator(control_plane.mutating_requests(since=mark, ignoring=frozenset()))
    # Namespaces of other tests may still be going away, which is a change.
    assert [r for r in written if r.namespace == objects.namespace] == []
    assert objects.events() == events


def test_one_line_sums_up_what_was_found(start_operator: Start, objects: Objects) -> None:
    """Once everything is listed, and once only: objects by kind, writes that are due, what is left unfixed, seconds."""
    objects.service("web", 443)
    objects.alias("web", "web.hello", "web")
    objects.service("traefik", 443)
    objects.foreign("traefik", "traefik.cutom-name")
    operator = start_operator(namespace=objects.namespace, resync_seconds="1").idle()
    objects.becomes_ready("web")
    told = eventually(lambda: operator.said(message="synced: everything has been listed"), "the line is there")
    last = operator.metric('dnsalias_last_resync_timestamp_seconds{kind="Service"}')
    eventually(partial(_moved_on, operator, 'dnsalias_last_resync_timestamp_seconds{kind="Service"}', last), "a resync")
    assert operator.said(message="synced: everything has been listed") == told
    (line,) = told
    assert (line["services"], line["serviceentries"], line["dnsaliases"]) == (2, 1, 1)
    # One namespace alone is observed only.
    assert (line["planned_writes"], line["withheld_writes"], line["unfixed"], line["critical"]) == (1, 1, 1, 1)
    assert isinstance(line["seconds"], float)


def _moved_on(operator: Operator, series: str, last: float) -> bool:
    return operator.metric(series) > last


def test_sigterm_ends_it_quickly_and_reverts_nothing(
    start_operator: Start, objects: Objects, control_plane: ControlPlane
) -> None:
    """The process ends with 0, and what it wrote stands."""
    objects.service("traefik", 443)
    objects.foreign("traefik", "traefik.cutom-name")
    operator = start_operator().ready()
    eventually(lambda: objects.spec("traefik").get("addresses"))
    operator.idle()
    spec, mark = objects.spec("traefik"), control_plane.mark()
    assert operator.stop() == 0
    assert objects.spec("traefik") == spec
    written = of_operator(control_plane.mutating_requests(since=mark))
    assert [r for r in written if r.namespace == objects.namespace] == []
    assert operator.said(message="stopped; nothing that was written is reverted")


def test_changes_made_while_it_was_away_are_found(start_operator: Start, objects: Objects) -> None:
    """A new process heals what happened between two lives, deletions included."""
    objects.service("web", 443)
    objects.alias("web", "web.hello", "web")
    operator = start_operator().ready()
    objects.becomes_ready("web")
    operator.stop()
    objects.delete("services", "web")
    start_operator().ready()
    eventually(lambda: not objects.get("serviceentries", "web"), "the entry is gone")


@pytest.mark.parametrize("told", ["observe", ""])
def test_observe_writes_to_no_foreign_entry(
    start_operator: Start, objects: Objects, control_plane: ControlPlane, told: str
) -> None:
    """A lacking entry is counted with reason ObserveOnly and left alone, also by an operator that is told nothing."""
    objects.service("traefik", 443)
    objects.foreign("traefik", "traefik.cutom-name")
    mark = control_plane.mark()
    operator = start_operator(foreign_entries=told).idle()
    info = "dnsalias_unfixed_serviceentry_info"
    series = f'{info}{{name="traefik",namespace="{objects.namespace}",reason="ObserveOnly",severity="critical"}}'
    eventually(lambda: operator.metric(series) == 1, "the info metric")
    written = of_operator(control_plane.mutating_requests(since=mark))
    assert [r for r in written if r.namespace == objects.namespace] == []


def test_one_namespace_only_when_told_so(start_operator: Start, objects: Objects, control_plane: ControlPlane) -> None:
    """With --namespace aliases of that namespace are served, and repair is off since its guard would be blind."""
    objects.service("web", 443)
    objects.alias("web", "web.hello", "web")
    objects.foreign("web-foreign", "web.cutom-name")
    mark = control_plane.mark()
    operator = start_operator(namespace=objects.namespace).ready()
    objects.becomes_ready("web")
    operator.idle()
    written = of_operator(control_plane.mutating_requests(since=mark))
    assert {r.namespace for r in written} == {objects.namespace}
    assert "web-foreign" not in {r.name for r in written}


def test_wrong_credentials_are_told_and_waited_out(control_plane: ControlPlane, tmp_path: Path) -> None:
    """A token nobody knows: /readyz and the log say 401 and what to check; the process waits for better days."""
    kubeconfig = control_plane.write_kubeconfig("stranger", "no-such-token")
    with Operator(control_plane, kubeconfig, tmp_path) as operator:
        eventually(lambda: "401" in operator.page("/readyz")[1], "readyz tells")
        assert "check that the token" in operator.page("/readyz")[1]
        assert operator.page("/healthz")[0] == 200
        assert operator.said(level="warning")
        assert operator.stop() == 0


def test_missing_rights_are_told_by_name(control_plane: ControlPlane, tmp_path: Path) -> None:
    """A ServiceAccount without the ClusterRole: /readyz says which verb on which resource is forbidden."""
    control_plane.api.create("/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "nobody"}})
    kubeconfig = control_plane.write_kubeconfig("nobody", control_plane.service_account_token("default", "nobody"))
    with Operator(control_plane, kubeconfig, tmp_path) as operator:
        eventually(lambda: "403" in operator.page("/readyz")[1], "readyz tells")
        assert 'cannot list resource "services"' in operator.page("/readyz")[1]
        assert "whoever asks lacks this right" in operator.page("/readyz")[1]
        assert operator.stop() == 0


@pytest.fixture
def bare_plane() -> Iterator[ControlPlane]:
    """A cluster without any CRDs."""
    with ControlPlane.start() as plane:
        yield plane


def test_it_waits_for_crds_says_so_and_goes_on(bare_plane: ControlPlane, tmp_path: Path) -> None:
    """Started before Istio it does not crash: it names what is missing, goes on when it is there, ends when it goes."""
    kubeconfig = identity.install(bare_plane)
    with Operator(bare_plane, kubeconfig, tmp_path) as operator:
        eventually(lambda: "serviceentries.networking.istio.io" in operator.page("/readyz")[1], "readyz tells")
        assert operator.page("/readyz")[0] == 503
        assert operator.page("/healthz")[0] == 200
        assert operator.metric("dnsalias_missing_kinds") == 5
        bare_plane.install_crds(project_crds())
        eventually(lambda: operator.metric("dnsalias_missing_kinds") == 4, "one CRD less")
        bare_plane.install_crds([build.istio_crds()])
        operator.ready()
        bare_plane.api.create("/api/v1/namespaces", {"metadata": {"name": "shop"}})
        objects = Objects(bare_plane, "shop")
        objects.service("web", 443)
        objects.alias("web", "web.hello", "web")
        objects.becomes_ready("web")
        bare_plane.kubectl("delete", "crd", "dnsaliases.dnsalias.io")
        assert operator.ended() == 1
        (line,) = operator.said(message="the operator cannot go on")
        assert "dnsaliases.dnsalias.io" in line["error"]
