"""Random Sidecars over a random world, and the pods that see it through them.

A Sidecar names hosts that the world has, mostly, in every form that istiod takes. Kept out is what has no one answer: a
Unix domain socket, on which no address arrives; captureMode NONE on an address that is not the pod's own, which Envoy
cannot bind; and entries of several addresses where all hosts are exact, of which istiod uses any one.
"""

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import NamedTuple

from tools.dataplane.world_cell import FIRST_PORT, NAMESPACES, Object

ROOT = "istio-system"
TEAMS = tuple(f"team-{number}" for number in range(6))
"""Namespaces with no objects but a Sidecar."""
LONELY = "lonely"
"""A namespace without a Sidecar of its own: it has the root namespace's, where there is one."""
LABELS: Sequence[Mapping[str, str]] = ({}, {"app": "a"}, {"app": "b", "v": "1"})
SELECTORS: Sequence[Mapping[str, str] | None] = (
    *(None,) * 2,
    {},
    {"app": "a"},
    {"app": "b"},
    {"v": "1"},
    {"app": "b", "v": "1"},
)
"""What a Sidecar asks of a pod's labels; None: it is the namespace's own."""
POLICIES = (*(None,) * 5, "ALLOW_ANY", "REGISTRY_ONLY", "REGISTRY_ONLY")
PROTOCOLS = ("TCP", "TLS", "HTTPS", "HTTP", "HTTP2", "GRPC", "HTTP_PROXY", "MONGO", "MYSQL", "REDIS")
BINDS = (*("",) * 4, "127.0.0.1", "10.97.200.1", "0.0.0.0")  # noqa: S104
LOCAL = "127.0.0.1"
FEW = (1, 1, 2, 3)
MOST_PORTED = 40
"""Egress listeners with a port of their own that a Sidecar has at most; with fewer, hardly any would meet a cell."""


class Place(NamedTuple):
    """A class of pods: where they are, and their labels."""

    namespace: str
    labels: Mapping[str, str]


def places() -> list[Place]:
    """The pods that a world with Sidecars is seen from."""
    crowded = [Place(namespace, labels) for namespace in NAMESPACES for labels in LABELS]
    return [*crowded, *(Place(namespace, {}) for namespace in (*TEAMS, LONELY))]


def sidecars(seed: int, objects: Sequence[Object], cells: int) -> list[Object]:
    """Sidecars for those objects; the same seed and objects give the same ones.

    Args:
        seed: what decides everything.
        objects: Services and ServiceEntries of the world.
        cells: how many the world has.
    """
    random = Random(f"sidecars of {seed}")  # noqa: S311
    names = _Names(random, objects)
    counts = {namespace: random.choice((1, 2, 3)) for namespace in NAMESPACES}
    counts |= {ROOT: random.choice((0, 1, 2)), **dict.fromkeys(TEAMS, 1)}
    return [
        _sidecar(random, names, cells, f"{namespace}-{number}", namespace)
        for namespace, count in counts.items()
        for number in range(count)
    ]


class _Names:
    """The names to choose from, each with its namespace; ``exact_ones`` have one address at most wherever they are."""

    def __init__(self, random: Random, objects: Sequence[Object]) -> None:
        self._random = random
        # istiod refuses a Sidecar with a host such as *api.example
        pairs = [(obj, name) for obj in objects for name in _hostnames(obj) if not name.startswith("*") or "*." in name]
        several = {name for obj, name in pairs if len(obj["spec"].get("addresses", ())) > 1}
        self.every = sorted({(obj["metadata"]["namespace"], name) for obj, name in pairs})
        self.exact_ones = [one for one in self.every if one[1] not in several and not one[1].startswith("*")]

    def exact(self) -> str:
        """A full name in its own namespace, or, now and then, in another one."""
        namespace, name = self._random.choice(self.exact_ones)
        return f"{self._random.choice((*(namespace,) * 5, '.', 'abc'))}/{name}"

    def wide(self) -> str:
        """A host that takes in more than one name, or any namespace."""
        _, name = self._random.choice(self.every)
        zone = name.partition(".")[2]
        forms = ("./*", "./*", "*/*", "~/*", "abc/*", "other/*", f"*/*.{zone}", f"./*.{zone}", f"*/{name}")
        return self._random.choice((*forms, "default/*.svc.cluster.local", "abc/*.team"))

    def left_out(self) -> str:
        """A host that is taken away again."""
        _, name = self._random.choice(self.every)
        return self._random.choice((f"~*/{name}", "~abc/*", f"~./{name}", "~other/*.team"))


def _hostnames(obj: Object) -> Iterator[str]:
    if obj["kind"] == "Service":
        yield f"{obj['metadata']['name']}.{obj['metadata']['namespace']}.svc.cluster.local"
    else:
        yield from obj["spec"]["hosts"]


def _sidecar(random: Random, names: _Names, cells: int, name: str, namespace: str) -> Object:
    """One that applies to somebody: in a team's namespace to all."""
    ports = random.sample(range(FIRST_PORT, FIRST_PORT + cells), k=min(cells, random.choice((0, 0, MOST_PORTED))))
    egress = [_listener(random, names, port) for port in sorted(ports)]
    if not egress or random.choice((True, True, False)):
        # without a port: it has to be the last one
        egress.append({"hosts": _hosts(random, names, most=random.choice((2, 60)))})
    spec: Object = {"egress": egress}
    if policy := random.choice(POLICIES):
        spec["outboundTrafficPolicy"] = {"mode": policy}
    selector = None if namespace in TEAMS else random.choice(SELECTORS)
    if selector is not None:
        spec["workloadSelector"] = {"labels": selector}
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "networking.istio.io/v1", "kind": "Sidecar", "metadata": metadata, "spec": spec}


def _listener(random: Random, names: _Names, port: int) -> Object:
    listener: Object = {
        "port": {"number": port, "protocol": random.choice(PROTOCOLS), "name": f"p-{port}"},
        "hosts": _hosts(random, names, most=3),
    }
    if bind := random.choice(BINDS):
        listener["bind"] = bind
    mode = random.choice((None, None, None, "DEFAULT", "IPTABLES", "NONE"))
    if mode == "NONE" and bind not in ("", LOCAL):
        mode = None
    if mode:
        listener["captureMode"] = mode
    return listener


def _hosts(random: Random, names: _Names, *, most: int) -> list[str]:
    """Hosts of one egress listener: all exact ones, or wider ones with exact ones and some that are left out."""
    exact = [names.exact() for _ in range(random.choice((1, most)))]
    if random.choice((True, False, False)):
        return exact
    wide = [names.wide() for _ in range(random.choice(FEW))]
    out = [names.left_out() for _ in range(random.choice((0, 0, 1, 2)))]
    mixed = list(dict.fromkeys((*wide, *out, *random.choice(((), exact)))))
    random.shuffle(mixed)
    return mixed
