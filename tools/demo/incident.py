"""Puts examples/incident into a cluster such that the ages of its objects are in the order that the files state."""

import time
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

from tools.controlplane.cluster import ControlPlane

FOLDER = Path(__file__).parents[2] / "examples" / "incident"
TICK = 1.1
"""Seconds between two ages: creationTimestamp has a resolution of one second."""


def objects() -> list[dict[str, Any]]:
    """Every object of the example, as written."""
    return [o for path in sorted(FOLDER.glob("*.yaml")) for o in yaml.safe_load_all(path.read_text()) if o]


def allocated() -> list[dict[str, Any]]:
    """The entries as istiod leaves them: by default it allocates an address to each that has none, in its status.

    Source: pilot/pkg/controllers/ipallocate of Istio, on unless PILOT_ENABLE_IP_AUTOALLOCATE=false.
    """
    entries = (obj for obj in objects() if obj["kind"] == "ServiceEntry")
    return [
        {**obj, "status": {"addresses": [{"value": f"240.240.0.{number}", "host": obj["spec"]["hosts"][0]}]}}
        for number, obj in enumerate(entries, start=1)
    ]


def create(plane: ControlPlane) -> None:
    """Create the namespaces, then the objects, oldest first; the API server stamps them with ages in that order."""
    every = objects()
    for name in sorted({o["metadata"]["namespace"] for o in every} - {"default"}):
        plane.api.create("/api/v1/namespaces", {"metadata": {"name": name}})
    for wave in _waves(every):
        for obj in wave:
            _apply(plane, obj)
        time.sleep(TICK)


def _waves(every: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Objects of one age together; what states no age (the alias) comes last."""

    def age(obj: dict[str, Any]) -> str:
        return str(obj["metadata"].get("creationTimestamp", "now"))

    for _, wave in groupby(sorted(every, key=age), key=age):
        yield list(wave)


def _apply(plane: ControlPlane, obj: dict[str, Any]) -> None:
    meta = {k: v for k, v in obj["metadata"].items() if k != "creationTimestamp"}
    manifest = yaml.safe_dump({**obj, "metadata": meta})
    plane.kubectl("apply", "--server-side", "--field-manager=dns-controller", "-f", "-", stdin=manifest)
