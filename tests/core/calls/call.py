"""What a call is, and where one ends."""

from dataclasses import dataclass

from dnsalias_operator.model.names import Key
from tests.core.calls.ground import Added, Bytes, Server, Wire


@dataclass(frozen=True, slots=True)
class Call:
    """One connection that an application opens.

    ``name`` is what it calls by, in the Host header or the SNI as well; "" where it knows an address alone, which is
    the Host then. ``address`` is what it dials; "" where that is what the name resolves to.
    """

    name: str
    address: str
    port: int
    sends: Bytes

    def wire(self, added: Added) -> Wire:
        """Its bytes with that around them."""
        return Wire(self.sends, added)

    def __str__(self) -> str:
        there = f"{self.name} at {self.address}" if self.name and self.address else self.name or self.address
        return f"{self.sends} to {there}, port {self.port}"


@dataclass(frozen=True, slots=True)
class End:
    """Where a call ends: who answers, the address it was dialled at, and the object whose chain or route took it."""

    server: Server
    address: str
    taker: Key | None = None
