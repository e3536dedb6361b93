"""The operator's account may do what it does, and nothing else: in a whole cluster, and in one namespace."""

import time
from pathlib import Path
from typing import Any

import pytest

from dnsalias_operator.shell.working.confirm import FRESH_SECONDS
from tests.install import can_i
from tools import make
from tools.controlplane.api import ApiError
from tools.controlplane.audit import Mark
from tools.controlplane.cluster import ControlPlane, KubectlError
from tools.controlplane.waiting import eventually
from tools.reliability.figures import record
from tools.running import identity
from tools.running.operator_process import Operator

pytestmark = [pytest.mark.cluster, pytest.mark.reliability]

NOT_FOUND = 404
READING = {"list", "watch"}
LOOKED_AT = {
    "/services",
    "dnsalias.io/dnsaliases",
    "networking.istio.io/serviceentries",
    "networking.istio.io/virtualservices",
}
"""What is read by name: an entry is made from these, and they are looked at once more before it is written."""
MAY_BE_WRITTEN = {
    "networking.istio.io/serviceentries": {"create", "update", "patch", "delete"},
    "networking.istio.io/virtualservices": {"create", "update", "patch", "delete"},
    "dnsalias.io/dnsaliases/status": {"patch"},
    "events.k8s.io/events": {"create"},
    "coordination.k8s.io/leases": {"create", "get", "update", "patch"},
}
"""All that the operator may ever write; of a Lease, which has a name, reading is by name as well."""
SETTINGS = {"resync_seconds": "600", "leader_election": "true"}


@pytest.fixture
def cluster_wide(control_plane: ControlPlane) -> Path:
    """The account of the overlay `patch`."""
    return identity.install(control_plane)


@pytest.fixture
def namespaced(control_plane: ControlPlane, namespace: str, tmp_path: Path) -> Path:
    """The account of the overlay `namespaced`, installed by somebody who has rights in that namespace alone."""
    return identity.install_namespaced(control_plane, namespace, tmp_path)


def test_what_it_may_do_in_a_cluster(control_plane: ControlPlane, cluster_wide: Path, namespace: str) -> None:
    """The API server's own list is the golden one, in any namespace; in its own there is its Lease beside."""
    assert can_i.listed(control_plane, cluster_wide, namespace) == can_i.golden("cluster")
    at_home = can_i.listed(control_plane, cluster_wide, identity.NAMESPACE)
    assert set(at_home) - set(can_i.golden("cluster")) == set(can_i.golden("home"))
    of_mesh = can_i.listed(control_plane, cluster_wide, identity.ROOT)
    assert set(of_mesh) - set(can_i.golden("cluster")) == set(can_i.golden("mesh"))


def test_what_it_may_do_in_one_namespace(control_plane: ControlPlane, namespaced: Path, namespace: str) -> None:
    """In its namespace it has the same rights but for Namespaces, elsewhere none at all."""
    everything = {*can_i.golden("cluster"), *can_i.golden("home")}
    wanted = sorted(line for line in everything if not line.endswith(" /namespaces"))
    assert can_i.listed(control_plane, namespaced, namespace) == wanted
    assert can_i.listed(control_plane, namespaced, "default") == []


def test_the_lists_are_short() -> None:
    """No wildcard, no Secret, no single object but the Lease and what entries are made from; writes of five kinds."""
    for line in can_i.golden("mesh"):
        assert line.startswith("get ")
        assert len(line.split(" ")) > 2  # a name
    for line in (*can_i.golden("cluster"), *can_i.golden("home")):
        verb, _, rest = line.partition(" ")
        what, _, name = rest.partition(" ")
        assert "*" not in line
        assert "secrets" not in line
        by_name = {"get"} if what in LOOKED_AT else set()
        assert verb in MAY_BE_WRITTEN.get(what, set()) | READING | by_name, line
        assert not name or what == "coordination.k8s.io/leases", line


@pytest.mark.usefixtures("namespaced")
def test_one_namespace_is_enough_to_install_it(control_plane: ControlPlane, namespace: str, tmp_path: Path) -> None:
    """The namespaced overlay has no object outside of its namespace, and the team that applied it may make none."""
    team = identity.team(control_plane, namespace)
    built = identity.build_namespaced(control_plane, namespace, tmp_path)
    assert {obj["metadata"].get("namespace") for obj in built} == {namespace}
    assert not {obj["kind"] for obj in built} & {"Namespace", "ClusterRole", "ClusterRoleBinding"}
    subjects = [subject for obj in built for subject in obj.get("subjects", ())]
    assert {subject["namespace"] for subject in subjects} == {namespace}
    for kind, *options in (["namespace"], ["clusterrole", "--verb=list", "--resource=services"]):
        with pytest.raises(KubectlError, match="cannot create resource"):
            control_plane.kubectl("create", kind, "more", "--dry-run=server", *options, kubeconfig=team)


def test_every_right_is_used_and_none_is_missing_in_a_cluster(
    control_plane: ControlPlane, cluster_wide: Path, namespace: str, tmp_path: Path
) -> None:
    """An operator that does all it can do makes no request that is refused, and has no right that it made no use of."""
    used = _used(
        control_plane, cluster_wide, namespace, tmp_path, identity.USER, {"lease_namespace": identity.NAMESPACE}
    )
    granted = {_right(line) for place in ("cluster", "home", "mesh") for line in can_i.golden(place)}
    record("Rights granted and never used", len(granted - used), "", "Least privilege", must="0")
    record("Requests beyond them", len(used - granted), "", "Least privilege", must="0")
    assert used == granted


def test_every_right_is_used_and_none_is_missing_in_one_namespace(
    control_plane: ControlPlane, namespaced: Path, namespace: str, tmp_path: Path
) -> None:
    """The same of one that was given one namespace; it asks for nothing outside of it."""
    user = f"system:serviceaccount:{namespace}:{identity.ACCOUNT}"
    # A Pod finds out where it is, and has its Lease there.
    scope = {"namespace": namespace, "lease_namespace": namespace}
    used = _used(control_plane, namespaced, namespace, tmp_path, user, scope)
    everything = {_right(line) for line in (*can_i.golden("cluster"), *can_i.golden("home"))}
    assert used == {right for right in everything if right[1] != "/namespaces"}


def _right(line: str) -> tuple[str, str]:
    """Verb and resource of a line of the golden list."""
    verb, what, *_ = line.split(" ")
    return verb, what


def _used(
    plane: ControlPlane, kubeconfig: Path, namespace: str, folder: Path, user: str, settings: dict[str, str]
) -> set[tuple[str, str]]:
    """What an operator asked the API server for on a tour through all that it does; fails where it was refused."""
    _no_lease(plane, settings["lease_namespace"])
    mark = plane.mark()
    with Operator(plane, kubeconfig, folder, {**SETTINGS, **settings}) as operator:
        operator.ready()
        _tour(plane, namespace)
        operator.idle()
        renewed = ("update", "coordination.k8s.io/leases")
        eventually(lambda: renewed in _asked(plane, user, mark), "the Lease is renewed")
        return _asked(plane, user, mark)


def _no_lease(plane: ControlPlane, namespace: str) -> None:
    """Take away the Lease that an earlier operator left: this one has to create it."""
    try:
        plane.api.delete(f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/dnsalias-operator")
    except ApiError as error:
        if error.status != NOT_FOUND:
            raise


def _asked(plane: ControlPlane, user: str, mark: Mark) -> set[tuple[str, str]]:
    requests = [*plane.mutating_requests(user, mark, ignoring=()), *plane.audit.reading(user, mark)]
    assert [r for r in requests if r.code in (401, 403)] == []
    # Discovery has no resource, and every account may do that.
    found = [(r.verb, f"{r.group}/{r.resource}" + (f"/{r.subresource}" if r.subresource else "")) for r in requests]
    return {(verb, what) for verb, what in found if what != "/"}


def _tour(plane: ControlPlane, namespace: str) -> None:
    """Bring about every kind of write; returns when the last one is done."""
    api = plane.api
    services = f"/api/v1/namespaces/{namespace}/services"
    entry = f"/apis/networking.istio.io/v1/namespaces/{namespace}/serviceentries/api"
    listed = f"/apis/networking.istio.io/v1/namespaces/{namespace}/serviceentries"
    aliases = f"/apis/dnsalias.io/v1alpha1/namespaces/{namespace}/dnsaliases"

    def spec() -> dict[str, Any]:
        return next((dict(e["spec"]) for e in api.get(listed)["items"]), {})

    def edit(change: dict[str, Any]) -> None:
        api.request("PATCH", entry, {"spec": change}, "application/merge-patch+json")

    service = make.service("api", ports=[make.port(80)], selector={"app": "api"})
    api.create(services, service)
    api.create(aliases, make.alias("api", f"api.{namespace}-hello", "api"))
    eventually(lambda: "conditions" in api.get(f"{aliases}/api").get("status", {}), "the status")
    good = eventually(spec, "the entry")
    edit({"addresses": ["10.96.255.254"]})
    eventually(lambda: spec() == good, "the addresses are set right")
    edit({"subjectAltNames": ["somebody-else"]})
    eventually(lambda: spec() == good, "the foreign field is taken out")
    api.delete(f"{services}/api")
    eventually(lambda: spec() == {}, "the entry goes with its Service")
    # What an entry is made from is asked for once more before it is written, if it was not heard of just now.
    time.sleep(FRESH_SECONDS)
    api.create(services, service)
    eventually(spec, "the entry is made again")
    _tour_of_routes(plane, namespace, aliases)


def _tour_of_routes(plane: ControlPlane, namespace: str, aliases: str) -> None:
    """Every kind of write to the VirtualService of an alias."""
    api = plane.api
    routes = f"/apis/networking.istio.io/v1/namespaces/{namespace}/virtualservices"

    def spec() -> dict[str, Any]:
        return next((dict(r["spec"]) for r in api.get(routes)["items"]), {})

    def edit(path: str, change: dict[str, Any]) -> None:
        api.request("PATCH", path, {"spec": change}, "application/merge-patch+json")

    services = f"/api/v1/namespaces/{namespace}/services"
    api.create(services, make.service("web", ports=[make.port(80, "http")], selector={"app": "web"}))
    api.create(aliases, make.alias("web", f"web.{namespace}-hello", "web", routing="Service"))
    good = eventually(spec, "the VirtualService")
    eventually(lambda: "conditions" in api.get(f"{aliases}/web").get("status", {}), "the status")
    time.sleep(FRESH_SECONDS)
    edit(f"{routes}/web", {"hosts": ["elsewhere.example"]})
    eventually(lambda: spec() == good, "the host is set right")
    edit(f"{routes}/web", {"tcp": [{"route": [{"destination": {"host": "elsewhere.example"}}]}]})
    eventually(lambda: spec() == good, "the foreign field is taken out")
    # The entry is made beside the VirtualService, which is asked for once more before the entry is written.
    entries = f"/apis/networking.istio.io/v1/namespaces/{namespace}/serviceentries"

    def made() -> dict[str, Any]:
        return next((dict(e["spec"]) for e in api.get(entries)["items"] if e["metadata"]["name"] == "web"), {})

    served = eventually(made, "the entry beside it")
    time.sleep(FRESH_SECONDS)
    edit(f"{entries}/web", {"addresses": ["10.96.255.253"]})
    eventually(lambda: made() == served, "the addresses are set right")
    edit(f"{aliases}/web", {"routing": "Own"})
    eventually(lambda: spec() == {}, "it goes where it is not asked for")
