"""A namespace with aliases goes to ambient mode and back, on the real API server: what is written for it."""

from collections.abc import Callable, Iterator
from functools import partial

import pytest

from tests.cluster.conftest import Objects
from tools.controlplane.audit import Mark
from tools.controlplane.cluster import ControlPlane
from tools.controlplane.waiting import eventually
from tools.running.operator_process import Operator, of_operator

pytestmark = pytest.mark.cluster

Start = Callable[..., Operator]


def label(objects: Objects, mode: str | None) -> None:
    """Put the namespace into ambient mode, or take it out."""
    body = {"metadata": {"labels": {"istio.io/dataplane-mode": mode}}}
    path = f"/api/v1/namespaces/{objects.namespace}"
    objects.plane.api.request("PATCH", path, body, "application/merge-patch+json")


@pytest.fixture
def labelled(objects: Objects) -> Iterator[Objects]:
    """The label of one namespace decides for all of them: it never outlives the test."""
    yield objects
    label(objects, None)


def written(plane: ControlPlane, objects: Objects, since: Mark) -> list[tuple[str, str]]:
    """What the operator wrote to entries of the namespace: verb and name. It tries a create before it deletes."""
    requests = of_operator(plane.mutating_requests(since=since))
    entries = [r for r in requests if r.resource == "serviceentries" and r.namespace == objects.namespace]
    return [(r.verb, r.name) for r in entries if not r.dry_run]


def own_address(objects: Objects, name: str) -> bool:
    """Whether the entry has an address that no Service has."""
    return [a.startswith("240.241.") for a in objects.spec(name).get("addresses", ())] == [True]


def test_with_the_setting_first_labels_cost_no_write(
    control_plane: ControlPlane, start_operator: Start, labelled: Objects
) -> None:
    """Each alias is deleted and created, once; then the label comes and goes, and no entry has a clusterIP."""
    objects = labelled
    for name in ("web", "api"):
        objects.service(name, 443, 8443)
        objects.alias(name, f"{name}.hello", name)
    first = start_operator().ready()
    for name in ("web", "api"):
        objects.becomes_ready(name)
    assert not own_address(objects, "web")
    first.kill()
    mark = control_plane.mark()
    operator = start_operator(ambient="yes").ready()
    for name in ("web", "api"):
        eventually(partial(own_address, objects, name), f"{name} has an address of its own")
    operator.idle()
    assert sorted(written(control_plane, objects, mark)) == [
        ("create", "api"),
        ("create", "web"),
        ("delete", "api"),
        ("delete", "web"),
    ]
    for step, mode in enumerate(("ambient", None)):
        mark = control_plane.mark()
        label(objects, mode)
        # What was asked after the label is worked off after it.
        objects.alias(f"more{step}", f"more{step}.hello", "web")
        objects.becomes_ready(f"more{step}")
        operator.idle()
        assert written(control_plane, objects, mark) == [("create", f"more{step}")]
        assert all(own_address(objects, name) for name in ("web", "api", f"more{step}"))


def test_the_first_label_alone_is_followed_at_once(
    control_plane: ControlPlane, start_operator: Start, labelled: Objects
) -> None:
    """Without the setting the entry is deleted and created when the label comes, and updated when it goes."""
    objects = labelled
    objects.service("web", 443, 8443)
    objects.alias("web", "web.hello", "web")
    operator = start_operator().ready()
    objects.becomes_ready("web")
    operator.idle()
    mark = control_plane.mark()
    label(objects, "ambient")
    eventually(lambda: own_address(objects, "web"), "it has an address of its own")
    label(objects, None)
    eventually(lambda: objects.spec("web").get("addresses") and not own_address(objects, "web"), "it is as before")
    operator.idle()
    assert [verb for verb, _ in written(control_plane, objects, mark)] == ["delete", "create", "patch"]
