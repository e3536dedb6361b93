"""Between the delete and the create of an entry that is created again: one look more, at what it is made from."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from dnsalias_operator.model.names import (
    ALIAS_LABEL,
    KIND,
    MANAGED_BY_LABEL,
    OWN_MANAGER,
    RECREATED_FOR_ANNOTATION,
    Key,
)
from dnsalias_operator.shell.api.errors import ApiError, ClusterError
from tests.shell.small_cluster import Api, Desk, Raw, alias, service
from tools import make

ALIAS, ENTRY, SERVICE = f"{KIND}/abc/web", "ServiceEntry/abc/web", "Service/abc/db"
WEB = Key(KIND, "abc", "web")


def ours() -> Raw:
    """Our entry, from before its Service: it has to be made anew."""
    owner = {
        "apiVersion": "dnsalias.io/v1alpha1",
        "kind": KIND,
        "name": "web",
        "uid": "uid-alias-web",
        "controller": True,
    }
    labels = {MANAGED_BY_LABEL: OWN_MANAGER, ALIAS_LABEL: "web"}
    meta = {
        "uid": "uid-ours",
        "creationTimestamp": "2019-01-01T00:00:00Z",
        "labels": labels,
        "ownerReferences": [owner],
    }
    spec: Raw = {"location": "MESH_INTERNAL", "workloadSelector": {"labels": {"app": "db"}}, "exportTo": ["*"]}
    ports = [make.entry_port(3306, name="p-3306")]
    given: Raw = {"addresses": ["10.96.0.1"], "resolution": "STATIC", "ports": ports, **spec}
    return make.entry("web", "web.hello", namespace="abc", meta=meta, **given)


def meanwhile(desk: Desk, change: Callable[[Api], object]) -> None:
    """Have somebody else change something while the delete is under way; no watch tells of it."""

    def happens(verb: str, path: str) -> ClusterError | None:
        if (verb, path) == ("DELETE", ENTRY):
            change(desk.api)
        return None

    desk.api.fails = happens


def edited(path: str, **fields: Any) -> Callable[[Api], object]:  # noqa: ANN401
    """The object with other fields of its spec or metadata."""

    def edit(api: Api) -> None:
        raw = deepcopy(api.objects[path])
        for field, value in fields.items():
            raw["metadata" if field in ("uid", "generation", "deletionTimestamp") else "spec"][field] = value
        api.put(path, raw)

    return edit


async def test_an_entry_that_came_before_its_service_is_made_anew_once() -> None:
    """Where nothing changes meanwhile: tried, deleted, created; the look in between asks although all was just read."""
    desk = Desk(service(), alias("web", "web.hello"), ours())
    assert await desk.work(WEB) is None
    assert desk.api.objects[ENTRY]["metadata"]["annotations"][RECREATED_FOR_ANNOTATION] == "uid-db"
    deleted = desk.api.requests.index(("DELETE", ENTRY))
    created = deleted + desk.api.requests[deleted:].index(("POST", "ServiceEntry/abc"))
    assert sorted(desk.api.requests[deleted + 1 : created]) == [("GET", ALIAS), ("GET", SERVICE)]
    desk.api.requests.clear()
    assert await desk.work(WEB) is None
    assert {path for verb, path in desk.api.requests if verb != "GET"} <= {f"{ALIAS}/status"}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(edited(SERVICE, clusterIP="10.96.0.9", clusterIPs=["10.96.0.9"]), id="address"),
        pytest.param(edited(SERVICE, uid="uid-of-another"), id="service"),
        pytest.param(edited(SERVICE, ports=[make.port(3307)]), id="ports"),
        pytest.param(edited(ALIAS, host="other.hello", generation=2), id="host"),
        pytest.param(edited(ALIAS, uid="uid-of-another"), id="alias"),
        pytest.param(edited(ALIAS, deletionTimestamp="2033-05-18T00:00:00Z"), id="alias going"),
        pytest.param(lambda api: api.objects.pop(ALIAS), id="alias gone"),
        pytest.param(lambda api: api.objects.pop(SERVICE), id="service gone"),
    ],
)
async def test_nothing_is_made_from_what_changed_during_the_delete(change: Callable[[Api], object]) -> None:
    """The key is decided again at once, from what is there by then: the next entry, if any, is made from that."""
    desk = Desk(service(), alias("web", "web.hello"), ours())
    meanwhile(desk, change)
    assert await desk.work(WEB) is None
    assert desk.api.sent("POST") == ["ServiceEntry/abc"]  # the dry run before the delete
    assert ENTRY not in desk.api.objects
    assert desk.series("dnsalias_writes_total") == {
        'dnsalias_writes_total{kind="ServiceEntry",operation="recreate",result="conflict"}': 1
    }
    assert desk.queue.depth() == 1
    await desk.run([], seconds=5)
    known = desk.api.objects
    wanted = [known[ALIAS]["spec"]["host"]] if {ALIAS, SERVICE} <= known.keys() and _stays(known[ALIAS]) else None
    assert known.get(ENTRY, {}).get("spec", {}).get("hosts") == wanted
    if wanted:
        assert known[ENTRY]["spec"]["addresses"] == known[SERVICE]["spec"]["clusterIPs"]
        assert [p["number"] for p in known[ENTRY]["spec"]["ports"]] == [
            p["port"] for p in known[SERVICE]["spec"]["ports"]
        ]


def _stays(raw: Raw) -> bool:
    return "deletionTimestamp" not in raw["metadata"]


async def test_where_the_look_fails_the_create_waits_for_another_attempt() -> None:
    """Nothing is created unseen; the next attempt makes the entry, younger than its Service."""
    desk = Desk(service(), alias("web", "web.hello"), ours())

    def fails(verb: str, path: str) -> ClusterError | None:
        gone = ENTRY not in desk.api.objects
        return ApiError("500 no quorum", 500) if gone and (verb, path) == ("GET", SERVICE) else None

    desk.api.fails = fails
    assert await desk.work(WEB)
    assert ENTRY not in desk.api.objects
    desk.api.fails = lambda _verb, _path: None
    assert await desk.work(WEB) is None
    assert desk.api.objects[ENTRY]["spec"]["addresses"] == ["10.96.0.1"]


async def test_a_name_that_was_taken_during_the_delete_stays_with_who_took_it() -> None:
    """The API server refuses the create, and the alias says so when it is decided again."""
    desk = Desk(service(), alias("web", "web.hello"), ours())
    theirs = make.foreign(
        "web", "theirs.hello", ports=[make.entry_port(3306)], namespace="abc", meta={"uid": "uid-theirs"}
    )

    def taken(verb: str, _path: str) -> ClusterError | None:
        if verb == "POST" and ENTRY not in desk.api.objects:
            desk.api.put(ENTRY, theirs)
        return None

    desk.api.fails = taken
    assert isinstance(await desk.work(WEB), ApiError)
    assert await desk.work(WEB) is None
    assert desk.api.objects[ENTRY]["metadata"]["uid"] == "uid-theirs"
    assert desk.condition("web")[1] == "NameTaken"
