"""Changes and faults at the moments in which an operator is the easiest to be fooled: it is not."""

import time
from collections.abc import Callable

import pytest

from dnsalias_operator.core.aliases.decide import OLDER_BY
from dnsalias_operator.model.kinds import watched
from dnsalias_operator.model.names import ISTIO_API_VERSION
from tests.cluster.conftest import Objects
from tests.faults.calls import lists_of_kopf, looks, of, watches
from tests.faults.faults import HalfLine, Hold
from tests.faults.kubelet import Kubelet
from tests.faults.proxy import Proxy
from tools.controlplane.cluster import ControlPlane
from tools.controlplane.waiting import eventually
from tools.running.operator_process import of_operator

pytestmark = pytest.mark.cluster

Start = Callable[..., Kubelet]

SETTINGS = {"resync_seconds": "3600", "backoff_max_seconds": "1"}
"""No full list helps within the test."""
SERVICES = 'dnsalias_objects{kind="Service"}'
RESTARTS = "dnsalias_watch_restarts_total"


def watching(operator: Kubelet, proxy: Proxy) -> Kubelet:
    """Wait until it is ready and has begun to watch everything."""
    operator.ready()
    plurals = {kind.plural for kind in watched(one_namespace=False)}
    eventually(lambda: plurals <= {call.resource for call in proxy.seen if call.watch})
    return operator


@pytest.mark.parametrize("kind", ["services", "serviceentries"])
def test_what_goes_between_our_first_list_and_that_of_kopf_is_found(
    kind: str, objects: Objects, proxy: Proxy, start: Start
) -> None:
    """Our list has it, that of Kopf has not, and no event tells of it; also where nothing of its kind is left."""
    objects.service("web", 443)
    objects.alias("web", "web.hello", "web")
    operator = start(**SETTINGS)
    objects.becomes_ready("web")
    uid = objects.get("serviceentries", "web")["metadata"]["uid"]
    operator.kill()
    aim = of(kind, lists_of_kopf)
    with proxy.fault(Hold(), aim):
        met = proxy.count(aim)
        operator.start()
        operator.idle()
        eventually(lambda: proxy.count(aim) > met, "the list of Kopf is under way")
        objects.delete(kind, "web")
    if kind == "services":
        eventually(lambda: not objects.get("serviceentries", "web"), "the entry without a Service is deleted")
    else:
        made = eventually(lambda: objects.get("serviceentries", "web"), "the entry is created again")
        assert made["metadata"]["uid"] != uid
    assert operator.ends == []


def test_what_changes_during_the_second_look_is_not_written_as_it_was(
    objects: Objects, proxy: Proxy, start: Start, plane: ControlPlane
) -> None:
    """The Service is created again during the look; the watch reports it first: no entry gets the freed address."""
    operator = watching(start(**SETTINGS), proxy)
    old = objects.service("web", 443)["spec"]["clusterIP"]
    time.sleep(OLDER_BY + 1)  # so that the create is due at once
    known = operator.metric(SERVICES)
    mark, aim = plane.mark(), of("services", looks)
    with proxy.fault(Hold(), aim):
        objects.alias("web", "web.hello", "web")
        eventually(lambda: proxy.count(aim), "the second look is under way")
        objects.delete("services", "web")
        new = objects.service("web", 443)["spec"]["clusterIP"]
        objects.service("later", 8443)
        eventually(lambda: operator.metric(SERVICES) > known, "the watch has told of all this")
    objects.becomes_ready("web")
    assert objects.spec("web")["addresses"] == [new] != [old]
    written = of_operator(plane.mutating_requests(since=mark))
    assert [r.verb for r in written if (r.namespace, r.resource) == (objects.namespace, "serviceentries")] == ["create"]


def test_a_watch_that_ends_during_a_second_look_takes_no_worker_with_it(
    objects: Objects, proxy: Proxy, start: Start, plane: ControlPlane
) -> None:
    """It ends at half a line while the look waits for its answer: the watch is begun anew, and the work is done."""
    operator = watching(start(**SETTINGS), proxy)
    objects.service("web", 443)
    sidecar = f"/apis/networking.istio.io/v1/namespaces/{objects.namespace}/sidecars"
    aim, half = of("services", looks), HalfLine()
    with proxy.fault(Hold(), aim), proxy.fault(half, of("sidecars", watches), times=1):
        objects.alias("web", "web.hello", "web")
        eventually(lambda: proxy.count(aim), "the second look is under way")
        plane.api.create(sidecar, {"apiVersion": ISTIO_API_VERSION, "kind": "Sidecar", "metadata": {"name": "any"}})
        try:
            eventually(lambda: operator.metric(RESTARTS) > 0, "the watch is begun anew")
        finally:
            plane.api.delete(f"{sidecar}/any")
    objects.becomes_ready("web")
    assert operator.ends == []
