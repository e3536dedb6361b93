"""Random worlds of Services and ServiceEntries that get in each other's way.

A world is made of cells. A cell is a port number with a few objects that meet on it: mostly a Service, and entries that
take its clusterIP, an address of their own, a network around it, or none. Everything that Istio's rules could depend on
varies; names and labels say nothing about it. The same seed and size give the same objects, in the same waves; each
wave is created at another second, so objects are of different ages.
"""

from collections.abc import Iterator
from random import Random

from tools.dataplane.world_cell import FIRST_PORT, Cell, Object
from tools.dataplane.world_entries import entry
from tools.dataplane.world_services import service

WAVES = 3
SPECIAL_PORTS = (25, 53, 80, 443, 3306, 8080, 27017)
"""Ports with a meaning: server-first ones (of Services), and those that many share in a real cluster."""
SPECIAL_SHARE = 0.02
WITH_SERVICE = 0.65


def world(seed: int, cells: int) -> list[list[Object]]:
    """The objects of a world by wave, the oldest first.

    Args:
        seed: what decides everything.
        cells: how many, at most 10,000; each has a port number of its own, bar a few that share a special one.
    """
    random = Random(seed)  # noqa: S311
    waves: list[list[Object]] = [[] for _ in range(WAVES)]
    for index in range(cells):
        port = random.choice(SPECIAL_PORTS) if random.random() < SPECIAL_SHARE else FIRST_PORT + index
        for obj in _objects(Cell(random, index, cells, port)):
            random.choice(waves).append(obj)
    return waves


def _objects(cell: Cell) -> Iterator[Object]:
    """None or one Service and up to three entries, at least one object in all."""
    counts = (1, 1, 2, 3)
    if cell.random.random() < WITH_SERVICE:
        yield service(cell)
        counts = (0, 1, 2, 3)
    for number in range(cell.random.choice(counts)):
        yield entry(cell, number)
