"""What was seen of a row before and after, and what the operator decided."""

from dataclasses import dataclass, field
from typing import Any

from tools.dataplane.equivalence import views
from tools.dataplane.equivalence.rows import Row


@dataclass
class Seen:
    """What was seen of a row at one time.

    Attributes:
        service: answers and errors by the Service's name; see ``ask``.
        address: the same by its clusterIP.
        alias: the same by the alias; {} before there is one.
        public: the same of the unrelated server on that port.
        client: the client's view of the Service.
        servers: each pod's view of the target port, by its name.
        service_mtls: connections to the Service's cluster, and how many of them had mTLS.
        alias_way: clusters that calls of the alias went through, with the same two numbers.
    """

    service: dict[str, Any] = field(default_factory=dict)
    address: dict[str, Any] = field(default_factory=dict)
    alias: dict[str, Any] = field(default_factory=dict)
    public: dict[str, Any] = field(default_factory=dict)
    client: views.View = field(default_factory=dict)
    servers: dict[str, views.View] = field(default_factory=dict)
    service_mtls: tuple[int, int] = (0, 0)
    alias_way: dict[str, tuple[int, int]] = field(default_factory=dict)


@dataclass
class Outcome:
    """What came of a row.

    Attributes:
        row: the combination.
        before: without alias.
        after: with it, through the operator.
        reason: why the operator refused or contained it, "" where it did not.
        message: the operator's words for that.
        contained: whether the entry got an address that nobody uses instead of the Service's.
        written: the ServiceEntry's spec as it is in the end, {} where there is none.
    """

    row: Row
    before: Seen
    after: Seen
    reason: str = ""
    message: str = ""
    contained: bool = False
    written: dict[str, Any] = field(default_factory=dict)
