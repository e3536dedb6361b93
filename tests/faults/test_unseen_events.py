"""Events that the operator never sees, or sees late, or sees of a world that is over: it ends with what is there.

Watches are held, ended, or cut while objects change hands; a restart meets lists of yesterday. One full list later the
store is what the cluster is, and nothing was written because of what was true before.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

import pytest

from tests.cluster.conftest import Objects
from tests.faults.calls import of, reads, watches
from tests.faults.faults import Expired, Hold, Refuse, Remember, Replay, Reset, refusal
from tests.faults.kubelet import Kubelet
from tests.faults.proxy import Proxy
from tests.faults.world import World
from tools.controlplane.audit import Mark, Request
from tools.controlplane.waiting import eventually
from tools.reliability.figures import record
from tools.running.operator_process import of_operator

pytestmark = [pytest.mark.cluster, pytest.mark.reliability]

OF = "Unseen events"
SETTINGS = {"resync_seconds": "2", "fight_min_seconds": "0.2", "fight_limit": "100", "backoff_max_seconds": "2"}
RESYNCED = 'dnsalias_last_resync_timestamp_seconds{kind="Namespace"}'
"""The last kind of a round."""


@contextmanager
def paused(proxy: Proxy) -> Iterator[None]:
    """Watches stay open and tell nothing; afterwards all at once, late."""
    with proxy.fault(Hold(requests=False), watches):
        yield


@contextmanager
def expired(proxy: Proxy) -> Iterator[None]:
    """Watches end; each new one is told that its version is too old, until a list was made after the changes."""
    with proxy.fault(Expired(), watches):
        proxy.break_streams()
        yield


@contextmanager
def gone(proxy: Proxy) -> Iterator[None]:
    """Watches end; each new one is refused with status 410."""
    with proxy.fault(Refuse(refusal(410, "Expired", "too old resource version")), watches):
        proxy.break_streams()
        yield


@contextmanager
def disconnected(proxy: Proxy) -> Iterator[None]:
    """Watches end, and no new one comes about."""
    with proxy.fault(Reset(), watches):
        proxy.break_streams()
        yield


BLINDNESSES = {"paused": paused, "expired": expired, "gone": gone, "disconnected": disconnected}


def hands_change(world: World, tag: str) -> None:
    """Everything goes, and most comes back under its name as something else."""
    objects = world.objects
    for kind in ("dnsaliases", "services"):
        objects.delete(kind, "web")
    objects.service("web", 443, 8443)
    objects.alias("web", f"web-{tag}.hello", "web")
    objects.delete("serviceentries", "shop")
    objects.delete("services", "traefik")
    objects.delete("serviceentries", "traefik")
    objects.service("traefik", 443)
    objects.foreign("traefik", f"traefik-{tag}.cutom-name")
    objects.service(f"brief-{tag}", 443)
    objects.alias(f"brief-{tag}", f"brief-{tag}.hello", f"brief-{tag}")
    objects.delete("dnsaliases", f"brief-{tag}")
    objects.delete("services", f"brief-{tag}")


def resynced(operator: Kubelet) -> None:
    """Wait until a full list has begun and ended: the second that ends from now on began after now."""
    for _ in range(2):
        eventually(partial(_moved_on, operator, operator.metric(RESYNCED)), "a full list")


def _moved_on(operator: Kubelet, last: float) -> bool:
    return operator.metric(RESYNCED) > last


def written(world: World, mark: Mark) -> list[Request]:
    """The operator's successful writes since then, trials apart."""
    requests = of_operator(world.objects.plane.mutating_requests(since=mark))
    return [r for r in requests if r.code < 300 and not r.dry_run]


@pytest.mark.parametrize("kind", BLINDNESSES)
def test_what_was_not_seen_is_found_by_the_next_list(
    kind: str, objects: Objects, proxy: Proxy, start: Callable[..., Kubelet]
) -> None:
    """While watches tell nothing, deletions and re-creations are found by a full list; late news change nothing."""
    world = World(objects)
    operator = start(**SETTINGS)
    eventually(lambda: not world.wrong(), "the world at first")
    with BLINDNESSES[kind](proxy):
        hands_change(world, kind)
        resynced(operator)
        eventually(lambda: not world.wrong(), "what was not seen is done")
        operator.idle()
        ghosts = world.ghosts(operator)
        mark = objects.plane.mark()
    resynced(operator)
    operator.idle()
    late = written(world, mark)
    record(f"Watches {kind}: ghosts in the store after one full list", len(ghosts), "", OF, "0")
    record(f"Watches {kind}: writes because of late news", len(late), "", OF, "0")
    assert ghosts == {}
    assert world.ghosts(operator) == {}
    assert late == []
    assert operator.ends == []


OLD = {
    "everything": reads,
    "Services": of("services", reads),
    "ServiceEntries": of("serviceentries", reads),
    "DnsAliases": of("dnsaliases", reads),
}


@pytest.mark.parametrize("old", OLD)
def test_a_restart_onto_an_older_list_writes_nothing_of_yesterday(
    old: str, objects: Objects, proxy: Proxy, start: Callable[..., Kubelet]
) -> None:
    """A process that is shown the world as it was, all of it or one kind, writes nothing that today's would not."""
    world = World(objects)
    operator = start(**SETTINGS)
    eventually(lambda: not world.wrong(), "the world at first")
    objects.service("late", 443)
    objects.alias("late", "late.hello", "late")
    operator.kill()
    memory = Remember()
    with proxy.fault(memory):
        operator.start()
        operator.ready()
    eventually(lambda: not world.wrong(), "the world of yesterday")
    hands_change(world, "old")
    objects.delete("services", "late")
    eventually(lambda: not world.wrong(), "the world of today")
    operator.idle()
    operator.kill()
    mark = objects.plane.mark()
    with ExitStack() as stack:
        replay = Replay(memory.kept)
        stack.enter_context(proxy.fault(replay, OLD[old]))
        stack.enter_context(proxy.fault(Hold(requests=False), OLD[old]))
        operator.start()
        operator.idle()
        resynced(operator)
        operator.idle()
        stale = written(world, mark)
        assert replay.replayed
    eventually(lambda: not world.wrong(), "today again")
    resynced(operator)
    operator.idle()
    record(f"Older list of {old}: writes and deletes because of it", len(stale), "", OF, "0")
    ghosts = world.ghosts(operator)
    record(f"Older list of {old}: ghosts in the store afterwards", len(ghosts), "", OF, "0")
    assert [f"{r.verb} {r.resource} {r.name} {r.subresource}" for r in stale] == []
    assert ghosts == {}
