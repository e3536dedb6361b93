"""The cluster in memory as the hand of the sweep sees it: by paths and bodies, with the refusals of an API server."""

import copy
import itertools
import json
from typing import Any

from dnsalias_operator.model.dnsalias import DnsAlias
from dnsalias_operator.model.names import KIND, Key
from tests.faults.calls import Call
from tests.scenarios.live import ROOTS, key_of
from tests.scenarios.scenario import Expect, Raw, Scenario
from tests.scenarios.simulated import Cluster, merged
from tools.controlplane.api import Api, ApiError

KINDS = {plural: kind for kind, (_, plural) in ROOTS.items()}


class Memory(Api):
    """Takes the place of an API server: it gives clusterIPs, and refuses a DnsAlias that the CRD would refuse."""

    def __init__(self, namespaces: tuple[str, ...]) -> None:
        """A cluster that has these namespaces."""
        made = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in namespaces]
        self.cluster = Cluster(Scenario(about="", objects=tuple(made), expect=Expect(changes=())))
        self._free = (f"10.96.{n // 250}.{n % 250 + 1}" for n in itertools.count(250))

    def get(self, path: str) -> Any:  # noqa: ANN401 (any JSON)
        """An object."""
        return copy.deepcopy(self._there(path))

    def create(self, path: str, body: Raw) -> Any:  # noqa: ANN401
        """Store a new object."""
        made = self._admitted(path, copy.deepcopy(body))
        self.cluster.create(made, "dns-controller")
        return copy.deepcopy(self.cluster.objects[key_of(made)])

    def request(self, method: str, path: str, body: Any = None, content_type: str = "") -> Any:  # noqa: ANN401
        """A merge patch, the only request that the hand makes by this name."""
        assert method == "PATCH", content_type
        before = self._there(path)
        after = self._admitted(path, merged(before, body))
        given = after["spec"].get("clusterIP") if "spec" in after else None
        if before["kind"] == "Service" and given != before["spec"].get("clusterIP", given):
            raise _refused(path, 422)
        self.cluster.patch(_key(path), {name: body[name] for name in ("metadata", "spec") if name in body})
        if before["kind"] == "Service":
            self.cluster.objects[_key(path)]["spec"] = after["spec"]
        return self.get(path)

    def delete(self, path: str) -> Any:  # noqa: ANN401
        """Remove an object and what it owns."""
        self._there(path)
        self.cluster.delete(_key(path))
        return {"kind": "Status"}

    def _there(self, path: str) -> Raw:
        if _key(path) not in self.cluster.objects:
            raise _refused(path, 404)
        return self.cluster.objects[_key(path)]

    def _admitted(self, path: str, raw: Raw) -> Raw:
        """The object with what the API server adds to it."""
        if raw["kind"] == KIND and DnsAlias.parse(raw).spec is None:
            raise _refused(path, 422)
        if raw["kind"] == "Service":
            spec = raw["spec"]
            if spec.get("type") == "ExternalName":
                raw["spec"] = {name: value for name, value in spec.items() if name not in ("clusterIP", "clusterIPs")}
            else:
                address = spec.get("clusterIP") or next(self._free)
                raw["spec"] = {**spec, "clusterIP": address, "clusterIPs": [address]}
        return raw


def _key(path: str) -> Key:
    """The object that a path leads to."""
    call = Call.parse("", path, {})
    return Key(KINDS[call.resource], call.namespace, call.name)


def _refused(path: str, status: int) -> ApiError:
    return ApiError("", path, status, json.dumps({"kind": "Status"}))
