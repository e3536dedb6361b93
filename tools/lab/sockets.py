"""What sidecars listen on: Envoy's own word beside the model's."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable

from dnsalias_operator.core.istio.listeners import Row, outbound, unfollowed
from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.snapshot import Snapshot
from tools.lab.scene import Client, Scene
from tools.lab.traffic import proxy

PORTS = (443, 3306, 8080)
"""Those of the story; compared are all."""
LIMIT_SECONDS = 20.0
POLL_SECONDS = 0.3
Rows = dict[Client, Counter[Row]]


def world(scene: Scene) -> Snapshot:
    """The cluster as the model reads it."""
    return Snapshot(KINDS[one["kind"]].parse(one) for one in json.loads(scene.export("json"))["items"])


def predicted(snapshot: Snapshot, clients: Iterable[Client]) -> Rows:
    """Every client's outbound listeners by the model."""
    found: Rows = {}
    for client in clients:
        missing = unfollowed(snapshot, *proxy(client))
        assert not missing, missing
        found[client] = Counter(r for listener in outbound(snapshot, *proxy(client)) for r in listener.every_row)
    return found


def of_envoy(clients: Iterable[Client]) -> Rows:
    """Every client's outbound listeners by its Envoy."""
    return {client: Counter(client.pod.listeners()) for client in clients}


def settled(scene: Scene, there: Callable[[Snapshot], bool]) -> tuple[Snapshot, Rows, Rows]:
    """The world, Envoys' listeners and the predicted ones, once they agree, or after 20 s in which they did not.

    Args:
        scene: whose clients are looked at.
        there: whether the world is what one waits for.
    """
    deadline = time.monotonic() + LIMIT_SECONDS
    while True:
        snapshot = world(scene)
        expected, seen = predicted(snapshot, scene.clients), of_envoy(scene.clients)
        if (there(snapshot) and expected == seen) or time.monotonic() > deadline:
            return snapshot, seen, expected
        time.sleep(POLL_SECONDS)


def differences(seen: Rows, expected: Rows) -> list[str]:
    """One line for every chain that only one of both knows."""
    lines = []
    for client in seen:
        lines += [f"{client}: only Envoy has {_shown(row)}" for row in (seen[client] - expected[client]).elements()]
        lines += [f"{client}: only predicted: {_shown(row)}" for row in (expected[client] - seen[client]).elements()]
    return lines


def table(seen: Rows, expected: Rows) -> list[tuple[str, ...]]:
    """The chains on the story's ports: what each matches, where it leads, in which pods by Envoy and by the model."""
    rows = {r for side in (seen, expected) for counter in side.values() for r in counter if r.port in PORTS}
    header = ("LISTENER", "MATCH", "DESTINATION", "IN ENVOY OF", "PREDICTED FOR")
    ordered = sorted(rows, key=lambda r: (r.port, r.bind, r.default, r.sni, r.cidr, r.http))
    return [header, *((*_cells(row), _who(row, seen), _who(row, expected)) for row in ordered)]


def _who(row: Row, side: Rows) -> str:
    having = [client for client, counter in side.items() if row in counter]
    return f"all {len(side)} pods" if len(having) == len(side) else ", ".join(map(str, having)) or "nobody"


def _cells(row: Row) -> tuple[str, str, str]:
    matches = [
        *(["sni " + ",".join(row.sni)] if row.sni else []),
        *(["cidr " + ",".join(row.cidr)] if row.cidr else []),
        *(["plaintext HTTP"] if row.http else []),
    ]
    match = " and ".join(matches) or ("the rest" if row.default else "EVERYTHING")
    return f"{row.bind}:{row.port}", match, row.cluster or f"route {row.route}"


def _shown(row: Row) -> str:
    return " ".join(_cells(row))
