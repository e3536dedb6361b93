"""What a request to the API server is about, read from its line and headers: what faults are aimed by."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from tools.controlplane.audit import NOISE

_MUTATING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_REVIEWS = frozenset({"selfsubjectaccessreviews", "selfsubjectrulesreviews", "tokenreviews"})


@dataclass(frozen=True)
class Call:
    """One request.

    Attributes:
        verb: the HTTP method.
        path: without the query.
        query: first value of each parameter.
        token: the bearer token, "" without one.
        resource: plural, such as "serviceentries"; "" for discovery.
        namespace: "" for cluster-wide requests.
        name: "" for a collection.
        subresource: such as "status".
        agent: the client's name for itself, such as "kopf/1.45.2".
    """

    verb: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    token: str = ""
    resource: str = ""
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    agent: str = ""

    @classmethod
    def parse(cls, verb: str, target: str, headers: Mapping[str, str]) -> "Call":
        """Read a request target (path and query) and its headers."""
        path, _, query = target.partition("?")
        parts = path.strip("/").split("/")
        parts = parts[2:] if parts[0] == "api" else parts[3:] if parts[0] == "apis" else []
        namespace = ""
        if len(parts) > 2 and parts[0] == "namespaces":
            namespace, parts = parts[1], parts[2:]
        resource, name, subresource = (*parts, "", "", "")[:3]
        first = {key: values[0] for key, values in parse_qs(query).items()}
        token = headers.get("Authorization", "").removeprefix("Bearer ")
        agent = headers.get("User-Agent", "")
        return cls(verb, path, first, token, resource, namespace, name, subresource, agent)

    @property
    def write(self) -> bool:
        """Whether it changes an object that counts: Events, Leases and reviews apart."""
        return self.verb in _MUTATING and self.resource not in NOISE | _REVIEWS

    @property
    def watch(self) -> bool:
        """Whether it is a stream of events."""
        return self.verb == "GET" and self.query.get("watch") in ("true", "1")

    @property
    def list(self) -> bool:
        """Whether it lists a collection."""
        return self.verb == "GET" and bool(self.resource) and not self.name and not self.watch

    def __str__(self) -> str:
        where = "/".join(part for part in (self.resource, self.namespace, self.name, self.subresource) if part)
        dry = " (dry run)" if self.query.get("dryRun") else ""
        return f"{self.verb} {where or self.path}{dry}"


Aim = Callable[[Call], bool]
"""Which calls a fault meets."""


def any_call(_: Call) -> bool:
    """Every request."""
    return True


def writes(call: Call) -> bool:
    """Mutating requests that count."""
    return call.write


def reads(call: Call) -> bool:
    """Lists and watches: what the operator learns from."""
    return call.list or call.watch


def watches(call: Call) -> bool:
    """Streams of events."""
    return call.watch


def lists_of_kopf(call: Call) -> bool:
    """The lists that its watches begin with, which are not those of the operator's own client."""
    return call.list and call.agent.startswith("kopf/")


def looks(call: Call) -> bool:
    """Reads of one object by name: the second look before a write."""
    return call.verb == "GET" and bool(call.name) and not call.watch


def of(resource: str, aim: Aim = any_call) -> Aim:
    """The same, of one kind only."""
    return lambda call: call.resource == resource and aim(call)
