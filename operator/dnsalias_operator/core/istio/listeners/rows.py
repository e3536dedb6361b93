"""What a prediction is made of: who asks (`Client`) and what its sidecar would hold (`Row`, `Listener`, `Loss`)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from dnsalias_operator.model.meta import empty
from dnsalias_operator.model.names import Key

WILDCARD = "0.0.0.0"  # noqa: S104 (an Envoy bind address, nothing is bound here)
WILDCARD6 = "::"
PASSTHROUGH = "PassthroughCluster"
BLACKHOLE = "BlackHoleCluster"


@dataclass(frozen=True, slots=True)
class Client:
    """The sidecar whose listeners are asked for: its namespace and its pod's labels.

    ``stands_for_others`` is true for one whose namespace nobody has: it answers for every namespace not named.
    """

    namespace: str
    labels: Mapping[str, str] = field(default_factory=empty, compare=False)
    stands_for_others: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        return "any namespace" if self.stands_for_others else f"namespace {self.namespace}"


@dataclass(frozen=True, slots=True, order=True)
class Row:
    """One filter chain of an outbound listener, in the form of the recordings under shared data.

    ``default`` is true for the listener's default filter chain (what no other chain matches). ``sni`` and ``cidr`` are
    the chain's match (empty: any). ``http`` is true where the chain also matches on plaintext HTTP. A TCP chain has a
    ``cluster`` (``outbound|PORT||HOST``, PassthroughCluster or BlackHoleCluster), an HTTP chain a ``route`` name.
    ``owner`` is the object the chain was made for, None for the mesh's own fall-through; it is not part of equality.
    """

    bind: str
    port: int
    default: bool
    sni: tuple[str, ...]
    cidr: tuple[str, ...]
    http: bool
    cluster: str | None
    route: str | None
    owner: Key | None = field(default=None, compare=False)

    @property
    def match_all(self) -> bool:
        """Whether any connection that reaches this listener and matches no other chain ends here."""
        return not self.sni and not self.cidr and not self.http


@dataclass(frozen=True, slots=True)
class Loss:
    """A port that claimed ``bind``:``port`` and got no chain of its own there, because ``winner`` holds it."""

    loser: Key
    port: int
    bind: str
    winner: Key


@dataclass(frozen=True, slots=True)
class Listener:
    """All chains of one outbound listener.

    ``binds`` has the primary address first, then those that the sidecar of a dual-stack pod binds besides. ``rows`` are
    told for the primary one.
    """

    binds: tuple[str, ...]
    port: int
    rows: tuple[Row, ...]
    lost: tuple[Loss, ...] = ()

    @property
    def every_row(self) -> tuple[Row, ...]:
        """The rows as they stand at each of ``binds``, in that order."""
        return tuple(replace(row, bind=bind) for bind in self.binds for row in self.rows)
