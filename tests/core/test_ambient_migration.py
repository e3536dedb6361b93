"""Moving namespaces with aliases to ambient mode and back: what is written, and that no address is ever shared."""

from collections.abc import Iterator

from dnsalias_operator.core.istio.ambient import records_of
from dnsalias_operator.core.outcome import Verb
from dnsalias_operator.core.plan import plan
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.rules import Rules
from tests.scenarios.scenario import Scenario
from tests.scenarios.simulated import Cluster
from tools import make

NAMESPACES = ("one", "two")
AUTO, YES = make.rules(), make.rules(mesh=Mesh(ambient="yes"))


def cluster() -> Cluster:
    """Two namespaces of sidecars, each with a Service and two aliases of it."""
    objects: list[make.Raw] = []
    for number, name in enumerate(NAMESPACES):
        ports = [make.port(7000), make.port(7010, "adm")]
        ip = f"10.96.0.{number + 1}"
        objects += [
            make.manifest("v1", "Namespace", name, None),
            make.service("pay", namespace=name, ip=ip, ports=ports, selector={"app": "pay"}),
            make.alias("all", f"all.{name}.hello", "pay", namespace=name),
            make.alias("part", f"part.{name}.hello", "pay", namespace=name, ports=[7000]),
        ]
    return Cluster(Scenario.model_validate({"about": "migration", "objects": objects, "expect": {"changes": []}}))


def written(world: Cluster, rules: Rules) -> Iterator[Verb]:
    """Carry the plan out, change by change, until there is nothing to do."""
    for change in plan(world.snapshot(), rules).changes:
        yield change.verb
        world.write(change)
    assert plan(world.snapshot(), rules).changes == ()


def shared(world: Cluster) -> list[str]:
    """The addresses that ztunnel knows of two services."""
    services = records_of(world.snapshot(), Mesh()).services
    ips = [ip for service in services for ip in service.ips]
    return sorted({ip for ip in ips if ips.count(ip) > 1})


def label(world: Cluster, namespace: str, mode: str | None) -> None:
    """Put a namespace into ambient mode, or take it out."""
    world.patch(Key("Namespace", "", namespace), {"metadata": {"labels": {"istio.io/dataplane-mode": mode}}})


def test_with_the_setting_first_no_address_is_shared_in_ambient_mode() -> None:
    """Each alias is created again, once; then labels come and go without a write."""
    world = cluster()
    assert list(written(world, AUTO)) == [Verb.CREATE] * 4
    assert shared(world) == ["10.96.0.1", "10.96.0.2"]
    assert list(written(world, YES)) == [Verb.RECREATE] * 4
    for mode in ("ambient", None):
        for namespace in NAMESPACES:
            assert shared(world) == []
            label(world, namespace, mode)
            assert list(written(world, YES)) == []
    assert shared(world) == []


def test_by_labels_alone_the_first_one_decides_for_all() -> None:
    """Four writes at the first label, none at the second; the clusterIPs come back with the last one that goes."""
    world = cluster()
    assert len(list(written(world, AUTO))) == 4
    label(world, "one", "ambient")
    assert list(written(world, AUTO)) == [Verb.RECREATE] * 4
    assert shared(world) == []
    label(world, "two", "ambient")
    label(world, "one", None)
    assert list(written(world, AUTO)) == []
    assert shared(world) == []
    label(world, "two", None)
    assert list(written(world, AUTO)) == [Verb.UPDATE] * 4
