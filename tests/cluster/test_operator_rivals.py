"""A rival who never tires, on the real API server: bounded writes, his name for those who look, peace when he stops."""

import math
import time
from collections.abc import Callable

import pytest

from tests.cluster.conftest import Objects
from tools.controlplane.cluster import ControlPlane
from tools.controlplane.waiting import eventually
from tools.reliability.figures import record
from tools.running.operator_process import Operator, of_operator

pytestmark = [pytest.mark.cluster, pytest.mark.reliability]

SECTION = "Fights"
TIMES = 100
FIRST_PAUSE = 0.1
RIVAL = "mesh-janitor"


def test_a_hundred_takings_back_get_a_handful_of_answers_and_then_peace(
    start_operator: Callable[..., Operator], objects: Objects, control_plane: ControlPlane
) -> None:
    """A dns-controller that writes its entry anew each time, and a janitor in ours: both are named, neither is fed."""
    cluster_ip = objects.service("mysql", 3306)["spec"]["clusterIP"]
    objects.foreign("mysql", "mysql.cutom-name", 3306)
    objects.alias("mysql-alias", "mysql.cutom-name", "mysql")
    objects.service("web", 443)
    objects.alias("web", "web.hello", "web")
    operator = start_operator(fight_min_seconds=str(FIRST_PAUSE), fight_max_seconds="600").ready()
    objects.becomes_ready("web")
    objects.becomes_ready("mysql-alias")
    mark, started = control_plane.mark(), time.monotonic()
    for n in range(TIMES):
        _take_back(objects, n)
        time.sleep(FIRST_PAUSE / 5)

    def told(what: str, condition: Callable[[], bool]) -> None:
        """Wait for it while the fight goes on."""

        def look() -> bool:
            _take_back(objects, TIMES)
            return condition()

        eventually(look, what)

    told("the dns-controller is named", lambda: contested(operator, objects, "mysql", "dns-controller"))
    told("the janitor is named", lambda: contested(operator, objects, "web", RIVAL))
    told("the condition of web names him", lambda: RIVAL in why_not_ready(objects, "web"))
    probably = "probably dns-controller"
    told("the condition of mysql-alias too", lambda: probably in why_not_ready(objects, "mysql-alias"))
    told("the Event", lambda: ("ServiceEntry", "mysql", "Contested") in objects.events())
    asked = [r for r in of_operator(control_plane.mutating_requests(since=mark)) if r.namespace == objects.namespace]
    entries = [r for r in asked if r.resource == "serviceentries"]
    answers = {name: sum(r.code == 200 for r in entries if r.name == name) for name in ("mysql", "web")}
    most = answers_allowed(time.monotonic() - started)
    record("Takings back by a rival", 2 * TIMES, "times", of=SECTION)
    record("Writes in answer to 100 takings back", max(answers.values()), "at most", of=SECTION, must=f"at most {most}")
    assert all(0 < count <= most for count in answers.values()), answers
    # Some meet an entry that the rival has just changed (409): nothing is written, and the key's own backoff counts.
    assert len(entries) <= 4 * most
    # Two statuses for each answer: it stands, it is taken back.
    assert len(asked) - len(entries) <= 4 * most

    # The rivals stop: nobody tells the operator, it finds out by itself.
    objects.becomes_ready("web")
    objects.becomes_ready("mysql-alias")
    assert objects.spec("mysql")["addresses"] == [cluster_ip]
    eventually(lambda: not contested(operator, objects, "mysql", "dns-controller"), "the series goes")
    eventually(lambda: not contested(operator, objects, "web", RIVAL), "the other series goes")


def answers_allowed(seconds: float) -> int:
    """Writes that fit in: the first drift is reverted at once, then the pauses double, each cut by up to a quarter."""
    return 2 + math.ceil(math.log2(seconds / (FIRST_PAUSE * 0.75) + 1))


def _take_back(objects: Objects, n: int) -> None:
    api = objects.plane.api
    touched = {"annotations": {"turn": str(n)}}
    merge = "application/merge-patch+json"
    theirs = f"{objects.path('serviceentries', 'mysql')}?fieldManager=dns-controller"
    api.request("PATCH", theirs, {"metadata": touched, "spec": {"addresses": None, "endpoints": None}}, merge)
    ours = f"{objects.path('serviceentries', 'web')}?fieldManager={RIVAL}"
    api.request("PATCH", ours, {"metadata": touched, "spec": {"addresses": ["10.96.255.250"]}}, merge)


def contested(operator: Operator, objects: Objects, name: str, manager: str) -> bool:
    """Whether the metric says that this manager takes back what is written to this entry."""
    labels = f'kind="ServiceEntry",manager="{manager}",name="{name}",namespace="{objects.namespace}"'
    return operator.metric(f"dnsalias_contested{{{labels}}}") == 1


def why_not_ready(objects: Objects, alias: str) -> str:
    """Message of the condition Ready where its reason is Contested, else ""."""
    for condition in objects.get("dnsaliases", alias)["status"]["conditions"]:
        if condition["type"] == "Ready" and condition["reason"] == "Contested":
            return str(condition["message"])
    return ""
