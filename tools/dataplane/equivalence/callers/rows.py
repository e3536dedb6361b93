"""The rows: an entry, how it is called or passed by, and the class of client that does it."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from tools.dataplane.equivalence.callers.entries import BALANCER, CASES, UNRELATED, Case

POLICIES = ("REGISTRY_ONLY", "ALLOW_ANY")
"""Of MeshConfig.outboundTrafficPolicy."""


@dataclass(frozen=True)
class Client:
    """A class of client.

    Attributes:
        name: of its pod.
        namespace: of its pod; that of ``narrow`` ones has a Sidecar that imports the entries and no Service.
        captured: whether its sidecar answers its DNS lookups.
    """

    name: str
    namespace: str
    captured: bool

    @property
    def narrow(self) -> bool:
        """Whether it knows the entries only."""
        return self.namespace == NARROW


WIDE, NARROW = "callers", "callers-narrow"
CLIENTS = tuple(
    Client("captured" if captured else "plain", namespace, captured)
    for captured in (False, True)
    for namespace in (WIDE, NARROW)
)


@dataclass(frozen=True)
class Call:
    """A call that an entry may take.

    Attributes:
        case: the entry.
        how: in words.
        to: the name or address that is dialled.
        name: that is asked for, by SNI or Host.
        own: whether what the entry stands for is meant; else it should not take the call.
        second: whether it is of the entry's second port.
    """

    case: Case
    how: str
    to: str
    name: str
    own: bool = True
    second: bool = False

    @property
    def port(self) -> int:
        """That is dialled."""
        return self.case.second_port if self.second else self.case.port

    @property
    def speaks(self) -> str:
        """What is sent: a kind of ``ask``."""
        return "tcp" if self.second else self.case.speaks


@dataclass(frozen=True)
class Row:
    """One call, by one class of client.

    Attributes:
        call: the call.
        client: who makes it.
        policy: the mesh's outbound traffic policy.
    """

    call: Call
    client: Client
    policy: str


def calls(case: Case) -> Iterator[Call]:
    """How an entry is called, and what its port may take besides."""
    yield Call(case, "by name", case.host, case.host)
    at = "at the Service's clusterIP" if case.service else "at its server's address"
    yield Call(case, at, case.address, case.host)
    if case.service and case.protocol != "TCP":
        yield Call(case, "at a load balancer's address", BALANCER, case.host)
    if case.service:
        yield Call(case, "by the Service's own name", case.service_host, case.service_host)
    yield Call(case, "unrelated server on its port", UNRELATED, "unrelated.example", own=False)
    if case.beside:
        yield Call(case, "by name, TCP", case.host, case.host, second=True)
        yield Call(case, "unrelated server on its TCP port", UNRELATED, "unrelated.example", own=False, second=True)


def product(policies: tuple[str, ...] = POLICIES) -> tuple[Row, ...]:
    """All of them."""
    every = (call for case in CASES for call in calls(case))
    return tuple(Row(call, client, policy) for call, policy, client in itertools.product(every, policies, CLIENTS))
