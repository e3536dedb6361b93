"""The writer against the real API server: what each verb does, and that its preconditions hold."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from dnsalias_operator.core.outcome import Change, Verb
from dnsalias_operator.core.reasons import Reason
from dnsalias_operator.model.names import Key
from dnsalias_operator.shell.api.client import Client
from dnsalias_operator.shell.api.errors import ApiError
from dnsalias_operator.shell.pace import TokenBucket
from dnsalias_operator.shell.reporting.metrics import Metrics
from dnsalias_operator.shell.watching.store import Store
from dnsalias_operator.shell.working.apply import Writer, is_refusal
from tests.cluster.conftest import Objects
from tests.shell.fake_clock import FakeClock
from tools import make
from tools.controlplane.cluster import ControlPlane

pytestmark = pytest.mark.cluster


@dataclass
class Desk:
    """A writer and the store it tells."""

    writer: Writer
    store: Store
    metrics: Metrics

    async def write(self, change: Change) -> bool:
        """Make a change that rests on no other object than the one that is written."""
        return await self.writer.write(change, {})


@pytest.fixture
async def desk(control_plane: ControlPlane) -> AsyncIterator[Desk]:
    """A writer with admin's rights."""
    async with await Client.connect(str(control_plane.kubeconfig)) as client:
        clock, metrics, store = FakeClock(), Metrics(), Store(("Service", "ServiceEntry"))
        bucket = TokenBucket(100, 100, clock, clock.sleep)
        yield Desk(Writer(client, store, bucket, metrics), store, metrics)


def manifest(objects: Objects, host: str = "web.hello", **spec: Any) -> dict[str, Any]:  # noqa: ANN401
    """A ServiceEntry named web."""
    given = {"location": "MESH_INTERNAL", "resolution": "STATIC", "ports": [make.entry_port(80, None, "p-80")], **spec}
    return make.entry("web", host, namespace=objects.namespace, **given)


def change(objects: Objects, verb: Verb, apply: dict[str, Any], uid: str = "") -> Change:
    """A change of that entry."""
    key = Key("ServiceEntry", objects.namespace, "web")
    return Change(verb, key, None, apply, apply, Reason.DRIFT, "…", uid=uid)


def uid_of(objects: Objects) -> str:
    """The uid of the entry that stands there, "" where there is none."""
    return str(objects.get("serviceentries", "web").get("metadata", {}).get("uid", ""))


async def test_every_answer_is_in_the_store_at_once(desk: Desk, objects: Objects) -> None:
    """The next decision sees a create, an update and a delete without waiting for the watch."""
    await desk.write(change(objects, Verb.CREATE, manifest(objects)))
    made = desk.store.world.entry(objects.namespace, "web")
    assert made is not None
    assert made.meta.uid == uid_of(objects)
    await desk.write(change(objects, Verb.UPDATE, manifest(objects, addresses=["10.1.2.3"]), made.meta.uid))
    after = desk.store.world.entry(objects.namespace, "web")
    assert after is not None
    assert after.addresses == ("10.1.2.3",)
    await desk.write(change(objects, Verb.DELETE, {}, made.meta.uid))
    assert desk.store.world.entry(objects.namespace, "web") is None
    assert uid_of(objects) == ""


async def test_recreate_gives_a_younger_object(desk: Desk, objects: Objects) -> None:
    """The old object is gone, the new one stands under its name, in the cluster and in the store."""
    await desk.write(change(objects, Verb.CREATE, manifest(objects)))
    old = uid_of(objects)
    await desk.write(change(objects, Verb.RECREATE, manifest(objects), old))
    assert uid_of(objects) not in ("", old)
    stored = desk.store.world.entry(objects.namespace, "web")
    assert stored is not None
    assert stored.meta.uid == uid_of(objects)


async def test_recreate_deletes_nothing_where_the_create_would_be_refused(desk: Desk, objects: Objects) -> None:
    """The dry run goes through validation before anything is deleted."""
    await desk.write(change(objects, Verb.CREATE, manifest(objects)))
    old = uid_of(objects)
    with pytest.raises(ApiError) as caught:
        await desk.write(change(objects, Verb.RECREATE, manifest(objects, resolution="NO_SUCH"), old))
    assert caught.value.status == 422
    assert uid_of(objects) == old


@pytest.mark.parametrize("replaced", [True, False])
async def test_recreate_makes_nothing_from_a_service_that_changed(
    desk: Desk, objects: Objects, *, replaced: bool
) -> None:
    """The look after the delete asks the API server itself, whatever it said of the Service before."""
    service = objects.service("web", 80)
    desk.store.put("Service", service)
    known = desk.writer.confirm.known([Key("Service", objects.namespace, "web")])
    assert not await desk.writer.confirm.outdated(known)
    await desk.write(change(objects, Verb.CREATE, manifest(objects)))
    if replaced:
        objects.delete("services", "web")
        objects.service("web", 80)
    else:
        objects.patch("services", "web", {"spec": {"ports": [{"name": "tcp-81", "port": 81}]}})
    again = change(objects, Verb.RECREATE, manifest(objects), uid_of(objects))
    assert not await desk.writer.write(again, known)
    assert uid_of(objects) == ""
    assert desk.store.world.entry(objects.namespace, "web") is None
    assert await desk.writer.write(change(objects, Verb.CREATE, manifest(objects)), known)


@pytest.mark.parametrize("verb", [Verb.UPDATE, Verb.REPAIR])
async def test_an_apply_never_creates_what_was_deleted(desk: Desk, objects: Objects, verb: Verb) -> None:
    """The uid in the body makes an apply to an object that is gone a conflict."""
    with pytest.raises(ApiError) as caught:
        await desk.write(change(objects, verb, manifest(objects), "11111111-2222-3333-4444-555555555555"))
    assert caught.value.status == 409
    assert uid_of(objects) == ""


@pytest.mark.parametrize("verb", [Verb.UPDATE, Verb.DELETE, Verb.RECREATE])
async def test_another_object_of_that_name_is_never_touched(desk: Desk, objects: Objects, verb: Verb) -> None:
    """A late decision about an object that was replaced meanwhile is refused by its uid."""
    await desk.write(change(objects, Verb.CREATE, manifest(objects)))
    before = objects.get("serviceentries", "web")
    late = change(objects, verb, manifest(objects, host="other.hello"), "11111111-2222-3333-4444-555555555555")
    with pytest.raises(ApiError) as caught:
        await desk.write(late)
    assert caught.value.stale
    assert not is_refusal(caught.value)
    assert objects.get("serviceentries", "web") == before


async def test_a_repair_made_on_an_old_version_is_refused(desk: Desk, objects: Objects) -> None:
    """Somebody's edit between the decision and the write is never decided away."""
    await desk.write(change(objects, Verb.CREATE, manifest(objects)))
    seen = objects.get("serviceentries", "web")["metadata"]
    objects.patch("serviceentries", "web", {"spec": {"exportTo": ["."]}})
    body = manifest(objects)
    body["metadata"]["resourceVersion"] = seen["resourceVersion"]
    body["spec"] = {"addresses": ["10.1.2.3"]}
    with pytest.raises(ApiError) as caught:
        await desk.write(change(objects, Verb.REPAIR, body, seen["uid"]))
    assert (caught.value.status, caught.value.managers) == (409, ())
    assert "addresses" not in objects.spec("web")


async def test_what_is_gone_already_counts_as_deleted(desk: Desk, objects: Objects) -> None:
    """A delete that finds nothing has what it wanted."""
    await desk.write(change(objects, Verb.DELETE, {}, "11111111-2222-3333-4444-555555555555"))


async def test_writes_are_counted_by_what_came_of_them(desk: Desk, objects: Objects) -> None:
    """A success, a conflict and a refusal make three series."""
    await desk.write(change(objects, Verb.CREATE, manifest(objects)))
    with pytest.raises(ApiError):
        await desk.write(change(objects, Verb.CREATE, manifest(objects)))
    with pytest.raises(ApiError):
        await desk.write(change(objects, Verb.CREATE, manifest(objects, resolution="NO_SUCH")))
    text = desk.metrics.exposition().decode()
    for result in ("ok", "conflict", "refused"):
        assert f'dnsalias_writes_total{{kind="ServiceEntry",operation="create",result="{result}"}} 1.0' in text
