"""A world on which one remedy is tried: its objects, the operator's settings, and the finding that it is for."""

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dnsalias_operator.core.entries.stands_for import stands_for
from dnsalias_operator.core.outcome import Finding
from dnsalias_operator.core.plan import plan
from dnsalias_operator.model.names import KIND, Key
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.snapshot import Snapshot
from tests.scenarios.simulated import Cluster
from tools import make

Raw = dict[str, Any]


@dataclass
class Bench:
    """``cluster`` is this remedy's own copy. ``rules`` are the settings once the remedy is carried out."""

    cluster: Cluster
    rules: Rules
    finding: Finding
    subject: Key = field(init=False)
    _given: int = 0

    def __post_init__(self) -> None:
        """The edit is about the object of the finding, unless the message hands it on to another."""
        self.subject = self.finding.key

    @property
    def world(self) -> Snapshot:
        """The objects as they are now."""
        return self.cluster.snapshot()

    @property
    def raw(self) -> Raw:
        """The object that is edited."""
        return self.cluster.objects[self.subject]

    @property
    def spec(self) -> Raw:
        """Its spec."""
        spec: Raw = self.raw["spec"]
        return spec

    @property
    def service(self) -> Key:
        """The Service that the object stands for."""
        if self.subject.kind == KIND:
            return Key("Service", self.subject.namespace, self.spec["serviceRef"]["name"])
        world = self.world
        entry = world.entry(self.subject.namespace, self.subject.name)
        assert entry is not None
        service = stands_for(world, entry, self.rules).service
        assert service is not None, f"{self.subject} stands for no Service"
        return service.key

    def ports_of(self, service: Key) -> list[Raw]:
        """A Service's ports, to be changed and put back."""
        ports: list[Raw] = copy.deepcopy(self.cluster.objects[service]["spec"]["ports"])
        return ports

    def ports_alike(self) -> list[Raw]:
        """Ports of a Service with the numbers and protocols of the entry's."""
        ports = [(p["number"], p.get("protocol")) for p in self.spec["ports"]]
        return [make.port(n, f"p{n}", **({"appProtocol": said.lower()} if said else {})) for n, said in ports]

    def edit(self, spec: Mapping[str, Any]) -> None:
        """Merge into the spec of the object."""
        self.cluster.patch(self.subject, {"spec": dict(spec)})

    def annotate(self, **annotations: str | None) -> None:
        """Annotate the object, with the part of the name behind dnsalias.io/; None takes one off."""
        noted = {f"dnsalias.io/{name}": value for name, value in annotations.items()}
        self.cluster.patch(self.subject, {"metadata": {"annotations": noted}})

    def set_port(self, number: int, **fields: object) -> None:
        """Change one port of the entry."""
        self.edit({"ports": [{**p, **fields} if p["number"] == number else p for p in self.spec["ports"]]})

    def recreate(self, **spec: object) -> None:
        """Delete the object and create it again, as its owner wrote it."""
        raw = copy.deepcopy(self.raw)
        self.cluster.delete(self.subject)
        kept = {
            name: raw["metadata"][name]
            for name in ("name", "namespace", "labels", "annotations")
            if name in raw["metadata"]
        }
        self.cluster.create({**raw, "metadata": kept, "spec": {**raw["spec"], **spec}})

    def operate(self) -> None:
        """Let the operator repair: switched on, and all of its plan written."""
        self.rules = self.rules.model_copy(update={"foreign_entries": "patch"})
        settle(self.cluster, self.rules)

    def new_service(self, name: str, namespace: str, ports: list[Raw]) -> Key:
        """Create a Service with an address of its own."""
        made = make.service(
            name, namespace=namespace, ip=self.free_address("10.96.250"), ports=ports, selector={"app": name}
        )
        self.cluster.create(made)
        return Key("Service", namespace, name)

    def free_address(self, prefix: str = "203.0.113") -> str:
        """An address that no object has."""
        self._given += 1
        return f"{prefix}.{self._given}"


def settle(cluster: Cluster, rules: Rules) -> bool:
    """Carry out the operator's plan; False where there is nothing to do."""
    changes = plan(cluster.snapshot(), rules).changes
    for change in changes:
        cluster.write(change)
    return bool(changes)


def told(cluster: Cluster, rules: Rules) -> str:
    """The objects and settings as a key that equal worlds share."""
    return json.dumps(cluster.dump(), sort_keys=True) + repr(rules)
