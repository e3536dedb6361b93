"""A cell of a random world: what its objects have in common, and what they all draw from."""

from dataclasses import dataclass
from random import Random
from typing import Any

Object = dict[str, Any]

NAMESPACES = ("default", "abc", "other")
FIRST_PORT = 10000
EXPORTS = (*(None,) * 10, ["*"], ["."], ["~"], ["abc"], ["default"], ["other"], ["abc", "default"], [".", "abc"])
"""Values of exportTo; a Service has them in its annotation."""
SELECTOR = {"app": "nobody"}
"""No pod has it."""
MORE_PORTS = 0.15


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        random: where all of its choices come from.
        index: its number in the world, from 0.
        cells: how many the world has.
        port: the number on which its objects meet.
    """

    random: Random
    index: int
    cells: int
    port: int

    @property
    def network(self) -> str:
        """The /24 that the cell's clusterIP is in, without its last number."""
        return f"10.96.{100 + self.index // 250}"

    @property
    def vip(self) -> str:
        """The clusterIP that its Service has, if it has one of IPv4."""
        return f"{self.network}.{self.index % 250 + 2}"

    @property
    def vip6(self) -> str:
        """The same of IPv6."""
        return f"fd00:10:96::{self.index + 16:x}"

    @property
    def own(self) -> str:
        """An address that no Service has."""
        return f"10.97.{self.index // 250}.{self.index % 250 + 2}"

    @property
    def own6(self) -> str:
        """The same of IPv6."""
        return f"fd00:99::{self.index + 16:x}"

    def host(self, number: int) -> str:
        """The name that the cell's entry of that number has, as a rule."""
        return f"a{self.index}-{number}.team"

    def ports(self) -> list[int]:
        """The cell's port; sometimes also one or two ports of other cells."""
        if self.random.random() > MORE_PORTS:
            return [self.port]
        others = {FIRST_PORT + self.random.randrange(self.cells) for _ in range(self.random.choice((1, 2)))}
        return [self.port, *sorted(others - {self.port})]

    def metadata(self, name: str) -> Object:
        """Of an object of that name in some namespace."""
        return {"name": name, "namespace": self.random.choice(NAMESPACES)}
