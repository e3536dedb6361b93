"""istiod's validating webhook does not answer: the API server takes no ServiceEntry, and says 500 instead of no."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.cluster.conftest import Objects
from tools import make
from tools.controlplane.api import ApiError
from tools.controlplane.cluster import ControlPlane
from tools.controlplane.waiting import eventually
from tools.running.operator_process import Operator, of_operator

pytestmark = pytest.mark.cluster

WEBHOOK = "down.validation.istio.io"


def test_what_a_dead_webhook_keeps_from_being_written_is_told_until_it_is(
    start_operator: Callable[..., Operator], objects: Objects, control_plane: ControlPlane
) -> None:
    """A catch-all pages, aliases without an entry are not ready, each says why, once; all clears when it answers."""
    for name in ("db", "old", "web"):
        objects.service(name, 3306)
    objects.foreign("db", "db.cutom-name", 3306)
    objects.alias("old", "old.hello", "old")
    first = start_operator(foreign_entries="observe").ready()
    objects.becomes_ready("old")
    first.stop()
    with dead_webhook(objects):
        objects.delete("serviceentries", "old")
        objects.alias("web", "web.hello", "web")
        mark = control_plane.mark()
        operator = start_operator(backoff_max_seconds="2").ready()
        critical = f'{{name="db",namespace="{objects.namespace}",reason="WriteFailed",severity="critical"}}'
        eventually(lambda: operator.metric(f"dnsalias_unfixed_serviceentry_info{critical}") == 1, "db is unfixed")
        for alias in ("old", "web"):
            eventually(lambda: objects.condition(alias) == ("False", "WriteFailed"), f"{alias} says so")  # noqa: B023
            told = objects.get("dnsaliases", alias)["status"]["conditions"]
            message = next(c["message"] for c in told if c["type"] == "Ready")
            assert f"ServiceEntry {objects.namespace}/{alias} could not be made" in message
            assert WEBHOOK in message
        failed = 'dnsalias_writes_total{kind="ServiceEntry",operation="create",result="error"}'
        eventually(lambda: operator.metric(failed) >= 8, "it was tried again and again")
        requests = of_operator(control_plane.mutating_requests(since=mark))
        statuses = [r.name for r in requests if r.namespace == objects.namespace and r.resource == "dnsaliases"]
        assert sorted(statuses) == ["old", "web"]
    for alias in ("old", "web"):
        objects.becomes_ready(alias)
    eventually(lambda: objects.spec("db").get("addresses"), "db is repaired")
    eventually(lambda: "WriteFailed" not in operator.page("/metrics")[1], "nothing is said to have failed")


@contextmanager
def dead_webhook(objects: Objects) -> Iterator[None]:
    """A webhook for the ServiceEntries of the namespace, at an address where nobody listens."""
    rule = {"apiGroups": ["networking.istio.io"], "apiVersions": ["*"], "resources": ["serviceentries"]}
    webhook = {
        "name": WEBHOOK,
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "failurePolicy": "Fail",
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": objects.namespace}},
        "clientConfig": {"url": "https://127.0.0.1:1/validate"},
        "rules": [{**rule, "operations": ["CREATE", "UPDATE"]}],
    }
    path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
    name = f"dead-{objects.namespace}"
    objects.plane.api.create(path, {"metadata": {"name": name}, "webhooks": [webhook]})
    try:
        eventually(lambda: _fails(objects), "the webhook is asked")
        yield
    finally:
        objects.plane.api.delete(f"{path}/{name}")


def _fails(objects: Objects) -> bool:
    path = f"{objects.path('serviceentries')}?dryRun=All"
    try:
        objects.plane.api.create(path, make.entry("probe", "probe.example"))
    except ApiError as error:
        return error.status == 500
    return False
