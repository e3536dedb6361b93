"""A small world with a part for everything that the operator does, and changes that ask for each of its writes."""

from collections.abc import Iterable

from tests.cluster.conftest import Objects
from tests.faults.kubelet import Kubelet
from tests.faults.oracle import left_to_do, orphans, world_of
from tests.scenarios.live import Cluster
from tools import make

KINDS = ("Service", "ServiceEntry", "DnsAlias", "Sidecar", "Namespace")


class World:
    """One namespace of a cluster that has nothing else in it."""

    def __init__(self, objects: Objects) -> None:
        """Make it: an alias that works, one that cannot, and somebody else's entry that lacks everything."""
        self.objects = objects
        self.cluster = Cluster(objects.plane.api)
        self._last = ""
        objects.service("web", 443)
        objects.service("shop", 8443)
        objects.service("traefik", 443)
        objects.alias("web", "web.hello", "web")
        objects.alias("shop", "shop.hello", "shop")
        objects.alias("lost", "lost.hello", "no-such-service")
        objects.foreign("traefik", "traefik.cutom-name")

    def change(self, tag: str) -> None:
        """Ask for a create, a repair, a replace, a delete, and statuses. ``tag`` makes the new names.

        What the last change made goes.
        """
        objects = self.objects
        if self._last:
            objects.delete("dnsaliases", f"new-{self._last}")
            objects.delete("serviceentries", f"new-{self._last}-foreign")
            objects.delete("services", f"new-{self._last}")
        self._last = tag
        objects.service(f"new-{tag}", 9443)
        objects.alias(f"new-{tag}", f"new-{tag}.hello", f"new-{tag}")
        objects.foreign(f"new-{tag}-foreign", f"new-{tag}.cutom-name", 9443)
        touch = {"metadata": {"annotations": {"dnsalias.io/service": f"new-{tag}"}}}
        objects.patch("serviceentries", f"new-{tag}-foreign", touch)
        objects.patch("serviceentries", "web", {"spec": {"addresses": ["192.0.2.1"], "exportTo": ["."]}})
        objects.delete("services", "shop")
        objects.service("shop", 8443)

    def wrong(self) -> list[str]:
        """What is not as it must be; nothing once the operator has done everything."""
        seen = self.cluster.everything()
        return [*left_to_do(seen, make.rules()), *(f"orphan {name}" for name in orphans(seen))]

    def ghosts(self, operator: Kubelet) -> dict[str, float]:
        """By how many objects the operator's store differs from what is there, by kind; nothing where it does not."""
        there = world_of(self.cluster.everything(), KINDS)
        told = {kind: operator.metric(f'dnsalias_objects{{kind="{kind}"}}') for kind in KINDS}
        return {kind: told[kind] - len(there[kind]) for kind in KINDS if told[kind] != len(there[kind])}


def total(operator: Kubelet, name: str, labels: Iterable[str] = ()) -> float:
    """The sum of the series of a metric whose labels have all these parts."""
    wanted = tuple(labels)
    lines = [line for line in operator.page("/metrics")[1].splitlines() if line.startswith((f"{name}{{", f"{name} "))]
    return sum(float(line.rpartition(" ")[2]) for line in lines if all(part in line for part in wanted))
