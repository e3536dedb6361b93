"""The records that istiod tells ztunnel of a world: its own ambient index on a fake client, from its pinned module."""

import base64
import ipaddress
import json
import os
import subprocess
from collections.abc import Iterable
from typing import Any

from tools.controlplane import build

Raw = dict[str, Any]
_AMBIENT = {"PILOT_ENABLE_AMBIENT": "true"}


def told(worlds: Iterable[Iterable[Raw]]) -> list[list[Raw]]:
    """The records of each world, as JSON of istio.workload.Address with its IPs as text.

    Objects are as an API server would return them; kinds that Istio does not know are an error.

    Raises:
        build.BuildError: the program could not be built.
        RuntimeError: it failed; the message has what it said.
    """
    command = [str(build.ensure("ambient-records")["ambient-records"])]
    lines = "".join(f"{json.dumps({'objects': [*world]})}\n" for world in worlds)
    done = subprocess.run(
        command, input=lines, env={**os.environ, **_AMBIENT}, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"ambient-records: exit {done.returncode}\n{done.stderr[-2000:]}")
    return [[_readable(record) for record in json.loads(line)] for line in done.stdout.splitlines()]


def _readable(record: Raw) -> Raw:
    """With addresses as people write them; protojson has their bytes."""
    if workload := record.get("workload"):
        if "addresses" in workload:
            workload["addresses"] = [_ip(address) for address in workload["addresses"]]
        _readable_gateway(workload.get("waypoint"))
    if service := record.get("service"):
        for address in service.get("addresses", ()):
            address["address"] = _ip(address["address"])
        _readable_gateway(service.get("waypoint"))
    return record


def _readable_gateway(waypoint: Raw | None) -> None:
    if waypoint and "address" in waypoint:
        waypoint["address"]["address"] = _ip(waypoint["address"]["address"])


def _ip(encoded: str) -> str:
    return str(ipaddress.ip_address(base64.b64decode(encoded)))
