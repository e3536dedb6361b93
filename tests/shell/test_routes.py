"""The VirtualService of an alias: in which order it is written, and what comes of an alias that may not have one."""

from dnsalias_operator.model.names import KIND, Key
from dnsalias_operator.shell.api.errors import ApiError, ClusterError
from tests.shell.small_cluster import Desk, Raw, alias
from tools import make

ALIAS = Key(KIND, "abc", "web")
ROUTES, ENTRY = "VirtualService/abc/web", "ServiceEntry/abc/web"


def service() -> Raw:
    """A Service with an HTTP port, whose alias would have a cluster of its own."""
    meta = {"uid": "uid-db", "creationTimestamp": "2020-01-01T00:00:00Z"}
    ports = [make.port(80, "http")]
    return make.service("db", ports=ports, ip="10.96.0.1", namespace="abc", meta=meta, selector={"app": "db"})


def desk(**spec: object) -> Desk:
    """The Service, and an alias that asks for its cluster."""
    asked = alias("web", "web.hello")
    asked["spec"] = {**asked["spec"], "routing": "Service", **spec}
    return Desk(service(), asked)


def no_right(verb: str, path: str) -> ClusterError | None:
    """The role of an older version: VirtualServices are read only."""
    if verb == "GET" or "VirtualService" not in path:
        return None
    return ApiError(f"{verb} /{path}: 403 forbidden", 403)


def edit(where: Desk, **spec: object) -> None:
    """Somebody changes the alias."""
    have = where.api.objects[f"{KIND}/abc/web"]
    meta = {**have["metadata"], "generation": have["metadata"]["generation"] + 1}
    where.store.put(
        KIND, where.api.put(f"{KIND}/abc/web", {**have, "metadata": meta, "spec": {**have["spec"], **spec}})
    )


def writes(where: Desk) -> list[tuple[str, str]]:
    """Verb and object of every write, without those of the status."""
    found = [(verb, path) for verb, path in where.api.requests if verb != "GET" and "/status" not in path]
    return [(verb, path.partition("/")[0]) for verb, path in found]


async def test_it_comes_before_its_entry_and_goes_after_it() -> None:
    """No call by the alias is ever led to an entry that says nothing of the Service's policies, nor by none at all."""
    small = desk()
    await small.run([ALIAS], 2)
    assert writes(small) == [("POST", "VirtualService"), ("POST", "ServiceEntry")]
    assert small.condition("web", "PoliciesFollowed")[:2] == ("True", "PoliciesFollowed")
    small.api.requests.clear()
    small.store.remove("Service", small.api.objects.pop("Service/abc/db"))
    await small.run([ALIAS], 2)
    assert writes(small) == [("DELETE", "ServiceEntry"), ("DELETE", "VirtualService")]
    assert small.condition("web", "PoliciesFollowed") == ("", "", "")


async def test_a_converged_alias_gets_no_writes() -> None:
    """Decided again and again, nothing is written, and its own VirtualService is corrected when it was changed."""
    small = desk()
    await small.run([ALIAS], 2)
    small.api.requests.clear()
    await small.run([ALIAS], 2)
    assert writes(small) == []
    edited = small.api.objects[ROUTES]
    edited = {**edited, "spec": {**edited["spec"], "http": [{"route": [{"destination": {"host": "else"}}]}]}}
    small.store.put("VirtualService", small.api.put(ROUTES, edited))
    await small.run([ALIAS], 2)
    assert writes(small) == [("PATCH", "VirtualService")]
    assert small.api.objects[ROUTES]["spec"]["http"][0]["match"] == [{"port": 80}]


async def test_a_stop_between_the_two_writes_heals_itself() -> None:
    """A process that ends after the first write leaves a route to the Service; the next one makes the entry."""
    small = desk()
    small.api.fails = lambda verb, path: (
        ApiError("500", 500) if verb == "POST" and path.startswith("ServiceEntry") else None
    )
    assert await small.work(ALIAS)
    assert (ROUTES in small.api.objects, ENTRY in small.api.objects) == (True, False)
    after = Desk(*small.api.objects.values())
    await after.run([ALIAS], 2)
    assert writes(after) == [("POST", "ServiceEntry")]


async def test_without_the_right_it_keeps_a_cluster_of_its_own() -> None:
    """The entry is made and the alias is ready; the condition says what is missing, until the right is there."""
    small = desk()
    small.api.fails = no_right
    await small.run([ALIAS], 2)
    assert (ROUTES in small.api.objects, ENTRY in small.api.objects) == (False, True)
    assert small.condition("web")[:2] == ("True", "Ready")
    status, reason, message = small.condition("web", "PoliciesFollowed")
    assert (status, reason) == ("False", "Forbidden")
    assert "VirtualService abc/web could not be made" in message
    small.api.fails = lambda _verb, _path: None
    await small.run([ALIAS], 400)
    assert small.condition("web", "PoliciesFollowed")[0] == "True"


async def test_what_istiod_refuses_leaves_the_entry() -> None:
    """Its webhook denies the routes of the Service's own VirtualService: said, with the webhook's words."""
    small = desk()
    denied = ApiError("400 admission webhook denied the request: weight -1 < 0", 400)
    small.api.fails = lambda verb, path: denied if verb == "POST" and path.startswith("VirtualService") else None
    await small.run([ALIAS], 2)
    assert small.condition("web")[0] == "True"
    assert small.condition("web", "PoliciesFollowed") == ("False", "WriteRefused", str(denied))


async def test_a_way_back_and_forth() -> None:
    """An alias that is served gets its VirtualService without a write to its entry, and loses it in the same way."""
    small = desk(routing="Own")
    await small.run([ALIAS], 2)
    assert writes(small) == [("POST", "ServiceEntry")]
    edit(small, routing="Service")
    await small.run([ALIAS], 2)
    edit(small, routing="Own")
    await small.run([ALIAS], 2)
    assert writes(small)[1:] == [("POST", "VirtualService"), ("DELETE", "VirtualService")]
    assert small.condition("web")[0] == "True"
