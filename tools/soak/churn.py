"""Random changes to a small world, one at a time: what teams, their tools and rivals of the operator do all day."""

import random
from collections import Counter
from typing import TYPE_CHECKING, Any

from tools import make
from tools.controlplane.api import MERGE, Api, ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

NAMESPACES = ("soak-a", "soak-b")
NAMES = tuple(f"app-{n}" for n in range(20))
PORTS = (80, 443, 3306, 8443, 9090)
PREFIXES = ("http", "tcp", "tls")
KINDS = {
    "services": "/api/v1",
    "dnsaliases": "/apis/dnsalias.io/v1alpha1",
    "serviceentries": "/apis/networking.istio.io/v1",
}
Raw = dict[str, Any]


class Churn:
    """Makes changes as admin; ``done`` counts those that the API server took, by what they were."""

    def __init__(self, api: Api, seed: int) -> None:
        """Use a cluster in which nothing else happens."""
        self._api = api
        self._random = random.Random(seed)  # noqa: S311 (not a secret)
        self.done: Counter[str] = Counter()
        self._changes: tuple[Callable[[str, str], None], ...] = (
            self.service_comes,
            self.service_changes,
            self.service_changes,
            self.service_goes,
            self.alias_comes,
            self.alias_comes,
            self.alias_changes,
            self.alias_goes,
            self.entry_comes,
            self.entry_comes,
            self.entry_is_spoilt,
            self.entry_goes,
        )

    def prepare(self) -> None:
        """Namespaces, and a Service of each name."""
        for namespace in NAMESPACES:
            self._api.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
            for name in NAMES:
                self.service_comes(namespace, name)
                self.alias_comes(namespace, name)
        self.done.clear()

    def step(self) -> None:
        """One change; what is there already, or is not, is no change and another is tried."""
        for _ in range(20):
            change = self._random.choice(self._changes)
            try:
                change(self._random.choice(NAMESPACES), self._random.choice(NAMES))
            except ApiError as error:
                if error.status not in (404, 409, 422):
                    raise
            else:
                self.done[change.__name__.replace("_", " ")] += 1
                return

    def service_comes(self, namespace: str, name: str) -> None:
        """A Service is created."""
        service = make.service(name, ports=self._ports(), selector={"app": name})
        self._api.create(_path("services", namespace), service)

    def service_changes(self, namespace: str, name: str) -> None:
        """Its ports are others."""
        body = {"spec": {"ports": self._ports()}}
        self._api.request("PATCH", _path("services", namespace, name), body, MERGE)

    def service_goes(self, namespace: str, name: str) -> None:
        """It is deleted."""
        self._api.delete(_path("services", namespace, name))

    def alias_comes(self, namespace: str, name: str) -> None:
        """A DnsAlias is created."""
        alias = make.alias(name, self._host(namespace, name), name)
        self._api.create(_path("dnsaliases", namespace), alias)

    def alias_changes(self, namespace: str, name: str) -> None:
        """Its host is another one, or it asks for one port, or for all."""
        spec: Raw = {"host": self._host(namespace, name), "ports": self._random.choice(([443], None))}
        self._api.request("PATCH", _path("dnsaliases", namespace, name), {"spec": spec}, MERGE)

    def alias_goes(self, namespace: str, name: str) -> None:
        """It is deleted."""
        self._api.delete(_path("dnsaliases", namespace, name))

    def entry_comes(self, namespace: str, name: str) -> None:
        """A dns-controller writes an entry without addresses."""
        ports = [make.entry_port(self._random.choice(PORTS))]
        entry = make.foreign(f"dns-{name}", f"{name}.{namespace}-dns", ports=ports)
        self._api.create(f"{_path('serviceentries', namespace)}?fieldManager={make.MANAGER}", entry)

    def entry_is_spoilt(self, namespace: str, name: str) -> None:
        """Somebody edits an entry of the operator."""
        body = {"spec": {"addresses": [f"10.96.200.{self._random.randrange(1, 250)}"]}}
        self._api.request("PATCH", _path("serviceentries", namespace, name), body, MERGE)

    def entry_goes(self, namespace: str, name: str) -> None:
        """An entry of the dns-controller is deleted."""
        self._api.delete(_path("serviceentries", namespace, f"dns-{name}"))

    def _ports(self) -> list[Raw]:
        numbers = self._random.sample(PORTS, self._random.randint(1, 3))
        return [{"name": f"{self._random.choice(PREFIXES)}-{n}", "port": n} for n in numbers]

    def _host(self, namespace: str, name: str) -> str:
        return self._random.choice((f"{name}.{namespace}-hello", f"{name}.hello", "shared.hello"))


def _path(kind: str, namespace: str, name: str = "") -> str:
    return f"{KINDS[kind]}/namespaces/{namespace}/{kind}" + (f"/{name}" if name else "")
