"""Random transitions of everything that the operator reads: valid, invalid and hostile; few names, so that they meet.

The same seed gives the same transitions, up to addresses that the API server chooses.
"""

import random
from collections.abc import Callable
from typing import Any

from dnsalias_operator.model.names import ALIAS_LABEL, KIND, Key
from tests.scenarios.live import patched, path
from tools.controlplane.api import MERGE, Api, ApiError
from tools.make import MANAGED

NAMESPACES = ("swept-1", "swept-2", "swept-3")
NAMES = ("api", "db", "web", "x")
PORTS = (80, 443, 3306, 9000)
HOSTS = ("api.hello", "db.hello", "web.hello", "api.data", "web.cutom-name")
INVALID_HOSTS = ("", "UPPER.hello", "one", "10.0.0.1", "*.hello", "a..b", "kubernetes.default.svc", "x" * 254 + ".y")
EXPORTS = (["*"], ["."], ["~"], ["swept-1"])
INJECTION = 'line\n{"level":"error","message":"a bug"}\r\x1b[31m"} 1\ndnsalias_synced 7'
"""What a log or a page of metrics would show if it did not escape."""

Raw = dict[str, Any]
API_VERSIONS = {"Service": "v1", "ServiceEntry": "networking.istio.io/v1", KIND: "dnsalias.io/v1alpha1"}


class Hand:
    """Somebody who changes things at random, and remembers what they wrote into entries.

    Attributes:
        done: what was done, in order, as text.
        refused: how many of that the API server refused.
        theirs: the spec of each entry as its writers left it, by key.
    """

    def __init__(self, api: Api, chooser: random.Random, namespaces: tuple[str, ...]) -> None:
        """Change things in ``namespaces`` as ``chooser`` says."""
        self._api, self._chooser, self._namespaces = api, chooser, namespaces
        self.done: list[str] = []
        self.refused = 0
        self.theirs: dict[Key, Raw] = {}

    def move(self) -> None:
        """One transition."""
        moves: tuple[Callable[[], None], ...] = (
            *[self._put_service] * 4,
            *[self._put_alias] * 4,
            *[self._put_entry] * 4,
            *[self._delete] * 4,
            *[self._tamper] * 3,
        )
        self._chooser.choice(moves)()

    def _one(self, *values: Any) -> Any:  # noqa: ANN401 (whatever is given)
        return self._chooser.choice(values)

    def _rarely(self) -> bool:
        return self._chooser.random() < 1 / 6

    def _key(self, kind: str) -> Key:
        return Key(kind, self._chooser.choice(self._namespaces), self._chooser.choice(NAMES))

    def _put_service(self) -> None:
        spec: Raw = {"ports": [self._port(n) for n in self._chooser.sample(PORTS, self._one(1, 1, 2))]}
        shape = self._one("ip", "ip", "ip", "ip", "headless", "external")
        if shape == "headless":
            spec["clusterIP"] = "None"
        elif shape == "external":
            spec = {"type": "ExternalName", "externalName": "x.example.com"}
        if self._chooser.random() < 2 / 3:
            spec["selector"] = {"app": self._one(*NAMES)}
        exported = self._one(None, None, None, ".", "swept-1,swept-2", "~", INJECTION)
        annotations = {} if exported is None else {"networking.istio.io/exportTo": exported}
        self._put(self._key("Service"), spec, annotations=annotations)

    def _port(self, number: int) -> Raw:
        name = f"{self._one('http', 'tcp', 'tls', 'plain', 'mysql', 'grpc')}-{number}"
        return {"name": name, "port": number, "targetPort": self._one(number, 8000, "named")}

    def _put_alias(self) -> None:
        spec: Raw = {
            "host": self._one(*INVALID_HOSTS) if self._rarely() else self._one(*HOSTS),
            "serviceRef": {"name": self._one(*NAMES)},
            "endpoints": self._one("Auto", "Auto", "Workloads", "Service"),
        }
        if self._rarely():
            spec["ports"] = self._one([80], [443, "named"], [443, 443], ["tcp-443"], [])
        if self._rarely():
            spec["exportTo"] = self._one(*EXPORTS, ["*", "."], ["Not-A-Name"])
        self._put(self._key(KIND), spec)

    def _put_entry(self) -> None:
        resolution = self._one("DNS", "DNS", "DNS", "STATIC", "NONE", "DNS_ROUND_ROBIN")
        ports = [
            {
                "number": n,
                "name": f"p{n}",
                **self._one({}, {"protocol": "TCP"}, {"protocol": "TCP"}, {"protocol": "HTTP"}),
            }
            for n in self._chooser.sample(PORTS, self._one(1, 1, 2))
        ]
        spec: Raw = {
            "hosts": [self._one(*HOSTS)],
            "location": "MESH_INTERNAL",
            "ports": ports,
            "resolution": resolution,
        }
        key = self._key("ServiceEntry")
        if self._rarely():
            # Somebody else's address of the containment range: shared by two, it would be contested for good.
            own = f"240.241.{self._namespaces.index(key.namespace)}.{NAMES.index(key.name)}"
            spec["addresses"] = [self._one("240.9.9.9", own, "10.96.0.77", "10.0.0.0/8", "0.0.0.0/0")]
        if self._rarely():
            spec["endpoints"] = [{"address": f"{self._one(*NAMES)}.swept-1.svc.cluster.local"}]
        if self._rarely():
            spec["exportTo"] = self._one(*EXPORTS)
        if self._rarely():
            self._hostile(spec)
        labels, annotations = dict(MANAGED), {}
        if self._rarely():
            labels = self._one({}, {ALIAS_LABEL: self._one(*NAMES)}, {**MANAGED, ALIAS_LABEL: self._one(*NAMES)})
        if self._rarely():
            annotations = self._one(
                {"dnsalias.io/service": self._one(*NAMES, "swept-2/api", INJECTION, "/" * 300)},
                {"dnsalias.io/repair": self._one("true", "false", INJECTION)},
                {"dnsalias.io/service-uid": "of-nobody", "dnsalias.io/recreated-for": "of-nobody"},
                {"note": "n" * 200_000},
            )
        self._put(key, spec, labels, annotations)

    def _hostile(self, spec: Raw) -> None:
        spec.update(
            self._one(
                {"hosts": [self._one(*HOSTS), "*.hello", "other.example.com"]},
                {"hosts": ["*"]},
                {"hosts": ["kubernetes.default.svc.cluster.local"]},
                {"endpoints": [{"address": f"192.0.2.{n % 250}", "labels": {"n": str(n)}} for n in range(1000)]},
                {"workloadSelector": {"labels": {"app": self._one(*NAMES)}}},
                {"subjectAltNames": [INJECTION]},
                {"ports": [{"number": 443, "name": "a", "protocol": INJECTION}]},
                {"addresses": ["not an address", "10.96.0.0/12", "::/0"]},
            )
        )

    def _put(self, key: Key, spec: Raw, labels: Raw | None = None, annotations: Raw | None = None) -> None:
        """Create it, or change what is there to this."""
        meta = {"name": key.name, "namespace": key.namespace, "labels": labels or {}, "annotations": annotations or {}}
        body = {"apiVersion": API_VERSIONS[key.kind], "kind": key.kind, "metadata": meta, "spec": spec}
        there = self._get(key)
        if there is None:
            collection = f"{path(key._replace(name=''))}?fieldManager=dns-controller"
            self._try(f"create {key} {spec}", key, lambda: self._api.create(collection, body))
            return
        gone = {name: None for name in there["spec"] if name not in spec and key.kind != "Service"}
        body["spec"] = {**gone, **spec}
        self._try(
            f"change {key} to {spec}",
            key,
            lambda: self._api.request("PATCH", f"{path(key)}?fieldManager=dns-controller", body, MERGE),
        )

    def _tamper(self) -> None:
        """Change a part of any entry, ours too: values, marks, owners."""
        key = self._key("ServiceEntry")
        merge = self._one(
            {"spec": {"addresses": ["192.0.2.9"]}},
            {"spec": {"addresses": None}},
            {"spec": {"endpoints": None}},
            {"spec": {"exportTo": ["."], "resolution": "DNS"}},
            {"spec": {"subjectAltNames": ["spiffe://evil"]}},
            {"metadata": {"labels": {ALIAS_LABEL: None, "app.kubernetes.io/managed-by": None}}},
            {"metadata": {"labels": {ALIAS_LABEL: "somebody"}}},
            {"metadata": {"annotations": {"dnsalias.io/service-uid": "of-nobody"}}},
            {"metadata": {"ownerReferences": None}},
        )
        self._try(
            f"tamper {key} {merge}",
            key,
            lambda: self._api.request("PATCH", f"{path(key)}?fieldManager=editor", merge, MERGE),
        )

    def _delete(self) -> None:
        key = self._key(self._one("Service", KIND, "ServiceEntry"))
        self._try(f"delete {key}", key, lambda: self._api.delete(path(key)))
        self.theirs.pop(key, None)

    def _get(self, key: Key) -> Raw | None:
        try:
            return dict(self._api.get(path(key)))
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def _try(self, what: str, key: Key | None, act: Callable[[], Any]) -> None:
        self.done.append(what[:400])
        try:
            answer = act()
        except ApiError as error:
            if error.status not in (400, 404, 409, 422):
                raise
            self.refused += 1
            return
        if key is not None and key.kind == "ServiceEntry" and answer.get("kind") == "ServiceEntry":
            ours = patched(answer)
            self.theirs[key] = {name: value for name, value in answer["spec"].items() if name not in ours}
