"""Reading which mesh it is, in simulated time: what waits for it, what failures do, what a change brings about."""

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any

import yaml

from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.namespace import Namespace
from dnsalias_operator.model.snapshot import LiveSnapshot
from dnsalias_operator.settings import Settings
from dnsalias_operator.shell.api.errors import ApiError, ClusterError, UnreachableError
from dnsalias_operator.shell.current import Current
from dnsalias_operator.shell.reporting.metrics import Metrics
from dnsalias_operator.shell.watching.meshwatch import MeshWatch
from dnsalias_operator.shell.watching.slim import slim
from tests.shell.simulated_time import simulate

INTERVAL = 15.0


class World:
    """An API server that has a MeshConfig or not, and an operator's reader of it.

    Attributes:
        config: the MeshConfig; None: there is none.
        others: other objects, by name.
        served: the revision of each Namespace that is there from the beginning.
        listing: why Namespaces are not listed.
        broken: why nothing is answered.
        asked: when the ConfigMap was asked for.
        changes: when everything was to be decided again.
    """

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401
        self.loop = asyncio.get_running_loop()
        self.config: dict[str, Any] | None = None
        self.others: dict[str, dict[str, Any]] = {}
        self.served: dict[str, str] = {}
        self.listing: ApiError | None = None
        self.broken: ClusterError | None = None
        self.asked: list[float] = []
        self.changes: list[float] = []
        self.objects = LiveSnapshot(namespaces_known=True)
        self.metrics = Metrics()
        made = Settings(**settings)
        self.current = Current(made.rules)
        self.watch = MeshWatch(
            self,  # type: ignore[arg-type]
            made,
            self.current,
            self.objects,
            self.metrics,
            lambda: self.changes.append(self.loop.time()),
        )
        self.task = asyncio.create_task(self.watch.run())

    async def request(self, verb: str, path: str) -> dict[str, Any]:
        """The client's request for one object."""
        assert verb == "GET"
        await asyncio.sleep(0)
        if self.broken:
            raise self.broken
        name = path.rpartition("/")[2]
        if name in self.others:
            return self.others[name]
        if name != "istio" or self.config is None:
            error = ApiError(f"{name} not found", HTTPStatus.NOT_FOUND)
            error.name = name
            raise error
        self.asked.append(self.loop.time())
        meta = {"name": "istio", "namespace": "istio-system"}
        return {"metadata": meta, "data": {"mesh": yaml.safe_dump(self.config)}}

    async def pages(self, kind: str, namespace: str) -> AsyncIterator[tuple[list[dict[str, Any]], str]]:
        """The client's LIST of Namespaces."""
        assert (kind, namespace) == ("Namespace", "")
        await asyncio.sleep(0)
        if self.listing:
            raise self.listing
        yield [{"metadata": {"name": n, "labels": {"istio.io/rev": r}}} for n, r in self.served.items()], ""

    def namespace(self, name: str, **labels: str) -> None:
        """A Namespace as the watch tells of it."""
        self.objects.put(Namespace.parse({"metadata": {"name": name, "labels": labels}}))
        self.watch.namespaces_changed()

    async def ends(self) -> None:
        """Stop reading."""
        self.task.cancel()
        await asyncio.wait([self.task])


def test_nothing_is_known_until_it_is_answered() -> None:
    """While the API server is away it is asked again and again, and why is told; then it is known at once."""

    async def story() -> None:
        world = World()
        world.config = {"outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}}
        world.broken = UnreachableError("away")
        await asyncio.sleep(300)
        assert (world.watch.known.is_set(), world.watch.fault) == (False, "away")
        world.broken = None
        await asyncio.sleep(INTERVAL)
        assert (world.watch.known.is_set(), world.watch.fault) == (True, "")
        assert world.current.rules.mesh.outbound_traffic_policy == "REGISTRY_ONLY"
        assert world.changes == []  # the first round decides everything anyway
        missing = ("Deployment istio-system/istiod", "ConfigMap istio-system/istio-sidecar-injector")
        assert world.current.found.unread == tuple(f"there is no {name}" for name in missing)
        await world.ends()

    simulate(story())


def test_a_change_takes_effect_within_the_interval_and_once() -> None:
    """It is asked for at the interval; what is as before brings nothing about; what was set by hand stays."""

    async def story() -> None:
        world = World(cluster_domain="example.internal")
        world.config = {"outboundTrafficPolicy": {"mode": "ALLOW_ANY"}}
        await asyncio.sleep(10 * INTERVAL + 1)
        assert len(world.asked) == 11
        assert world.changes == []
        world.config = {"outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}, "rootNamespace": "istio-root"}
        await asyncio.sleep(3 * INTERVAL)
        assert len(world.changes) == 1
        mesh = world.current.rules.mesh
        assert (mesh.outbound_traffic_policy, mesh.root_namespace) == ("REGISTRY_ONLY", "istio-root")
        assert mesh.cluster_domain == "example.internal"
        world.config = None
        await asyncio.sleep(INTERVAL)
        assert len(world.changes) == 2
        assert world.current.rules.mesh.outbound_traffic_policy == "ALLOW_ANY"
        await world.ends()

    simulate(story())


def test_what_is_known_stays_while_the_api_server_is_away() -> None:
    """An outage is no reason to decide by other facts; nor is an answer that is about no object."""

    async def story() -> None:
        world = World()
        world.config = {"enableAutoMtls": False}
        await asyncio.sleep(1)
        for error in (UnreachableError("away"), ApiError("starting", HTTPStatus.NOT_FOUND), ApiError("busy", 503)):
            world.broken = error
            await asyncio.sleep(10 * INTERVAL)
            assert world.current.rules.mesh.enable_auto_mtls is False
        assert world.changes == []
        await world.ends()

    simulate(story())


def test_a_label_of_a_namespace_counts_at_once_where_a_selector_asks() -> None:
    """Without waiting for the interval; without selectors it brings nothing about."""

    async def story() -> None:
        world = World()
        world.config = {}
        await asyncio.sleep(1)
        world.namespace("shop", team="a")
        assert world.changes == []
        world.config = {"discoverySelectors": [{"matchLabels": {"mesh": "yes"}}]}
        await asyncio.sleep(INTERVAL)
        assert world.current.rules.mesh.undiscovered == {"shop"}
        before = len(world.changes)
        world.namespace("shop", mesh="yes")
        assert world.current.rules.mesh.undiscovered == frozenset()
        assert len(world.changes) == before + 1
        await world.ends()

    simulate(story())


def test_where_it_is_not_to_be_read_nothing_is_asked() -> None:
    """By the setting, or since the operator is confined to a namespace; it is known at once then."""

    async def story() -> None:
        for settings, asks in (({"read_mesh": "no"}, 0), ({"namespace": "abc"}, 0), ({}, 1)):
            world = World(**settings)
            world.config = {"enableAutoMtls": False}
            await asyncio.sleep(1)
            assert (world.watch.known.is_set(), len(world.asked)) == (True, asks)
            await world.ends()
        told = World(namespace="abc", read_mesh="yes")
        told.config = {}
        await asyncio.sleep(1)
        assert told.asked
        await told.ends()

    simulate(story())


def test_the_root_namespace_changes_the_topology_at_once() -> None:
    """A remote cluster has none of the objects that are read by name: its annotation is all there is."""

    async def story() -> None:
        world = World()
        await asyncio.sleep(1)
        world.namespace("istio-system")
        assert (world.current.rules.mesh.topology, world.changes) == ("single", [])
        annotations = {"topology.istio.io/controlPlaneClusters": "cluster1"}
        raw = {"metadata": {"name": "istio-system", "annotations": annotations}}
        world.objects.put(Namespace.parse(slim(raw, KINDS["Namespace"])))
        world.watch.namespaces_changed()
        assert (world.current.rules.mesh.topology, len(world.changes)) == ("remote", 1)
        world.namespace("istio-system")
        assert (world.current.rules.mesh.topology, len(world.changes)) == ("single", 2)
        await world.ends()

    simulate(story())


def test_a_topology_that_is_set_otherwise_has_its_series() -> None:
    """What the root Namespace says is no less a contradiction than what a MeshConfig says."""

    async def story() -> None:
        world = World(topology="single")
        await asyncio.sleep(1)
        series = world.metrics.contradicted.labels("topology")
        assert series._value.get() == 0
        raw = {"metadata": {"name": "istio-system", "annotations": {"topology.istio.io/controlPlaneClusters": "*"}}}
        world.objects.put(Namespace.parse(raw))
        world.watch.namespaces_changed()
        assert world.current.rules.mesh.topology == "single"
        assert series._value.get() == 1
        await world.ends()

    simulate(story())


def test_a_shared_config_is_read_by_its_name() -> None:
    """The one that istiod's SHARED_MESH_CONFIG names; once it is gone, defaults are assumed."""

    async def story() -> None:
        world = World()
        world.config = {}
        container = {"name": "discovery", "env": [{"name": "SHARED_MESH_CONFIG", "value": "platform"}]}
        world.others["istiod"] = {
            "metadata": {"name": "istiod", "namespace": "istio-system"},
            "spec": {"template": {"spec": {"containers": [container]}}},
        }
        shared = yaml.safe_dump({"outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}})
        meta = {"name": "platform", "namespace": "istio-system"}
        world.others["platform"] = {"metadata": meta, "data": {"mesh": shared}}
        await asyncio.sleep(1)
        before = world.current.rules.mesh
        assert before.outbound_traffic_policy == "REGISTRY_ONLY"
        assert before.read_from[-1] == "ConfigMap istio-system/platform"
        del world.others["platform"]
        await asyncio.sleep(INTERVAL)
        after = world.current.rules.mesh
        assert after.outbound_traffic_policy == "ALLOW_ANY"
        assert "there is no ConfigMap istio-system/platform" in world.current.found.unread
        await world.ends()

    simulate(story())


def test_a_revision_that_a_namespace_names_is_read_at_once() -> None:
    """Where it differs, the metric says so and everything is decided again; a tag has no objects and is told."""

    async def story() -> None:
        world = World()
        world.config = {}
        mesh = yaml.safe_dump({"outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}})
        meta = {"name": "istio-canary", "namespace": "istio-system"}
        world.others["istio-canary"] = {"metadata": meta, "data": {"mesh": mesh}}
        await asyncio.sleep(1)
        assert not world.current.rules.beside
        world.namespace("shop", **{"istio.io/rev": "canary"})
        world.namespace("web", **{"istio.io/rev": "stable"})
        await asyncio.sleep(1)
        beside = [(mesh.istio_revision, mesh.outbound_traffic_policy) for mesh in world.current.rules.beside]
        assert beside == [("canary", "REGISTRY_ONLY")]
        assert len(world.changes) == 1
        assert world.metrics.mesh_revisions._value.get() == 1
        assert any("revision stable" in line for line in world.current.found.unread)
        world.namespace("shop")
        await asyncio.sleep(1)
        assert not world.current.rules.beside
        await world.ends()

    simulate(story())


def test_of_many_revisions_the_rest_is_told() -> None:
    """Each costs three requests at every reading."""

    async def story() -> None:
        world = World()
        world.config = {}
        for number in range(12):
            name = f"r{number:02}"
            meta = {"name": f"istio-{name}", "namespace": "istio-system"}
            world.others[f"istio-{name}"] = {"metadata": meta, "data": {"mesh": "enableAutoMtls: false"}}
            world.namespace(f"shop-{number}", **{"istio.io/rev": name})
        await asyncio.sleep(INTERVAL)
        assert len(world.current.rules.beside) == 8
        assert sum("the MeshConfig of revision" in line for line in world.current.found.unread) == 4
        await world.ends()

    simulate(story())


def test_revisions_are_known_before_anything_is_decided() -> None:
    """Those that Namespaces name at the start, though nothing is listed yet; where these may not be listed, none."""

    async def story(listing: ApiError | None, expected: int) -> None:
        world = World()
        world.config = {}
        world.served, world.listing = {"shop": "canary"}, listing
        meta = {"name": "istio-canary", "namespace": "istio-system"}
        world.others["istio-canary"] = {"metadata": meta, "data": {"mesh": "enableAutoMtls: false"}}
        await world.watch.known.wait()
        assert len(world.current.rules.beside) == expected
        await asyncio.sleep(3 * INTERVAL)  # listing takes its time
        assert len(world.current.rules.beside) == expected
        assert world.changes == []
        await world.ends()

    simulate(story(None, 1))
    simulate(story(ApiError("no", HTTPStatus.FORBIDDEN), 0))
