"""`dnsalias history` beside a running operator."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster.conftest import Objects
from tools.controlplane.cluster import ControlPlane
from tools.controlplane.waiting import eventually
from tools.running.operator_process import Operator

pytestmark = pytest.mark.cluster


def test_it_tells_what_was_done(
    start_operator: Callable[..., Operator], objects: Objects, control_plane: ControlPlane
) -> None:
    """An alias served and one refused, by their Events; what was written of entry and status; of one object alone."""
    space = objects.namespace
    objects.service("web", 443)
    objects.alias("web", "web.hello", "web")
    objects.alias("lost", "lost.hello", "nothing")
    start_operator()
    eventually(lambda: len(objects.events()) >= 2, "an Event for each")

    def told(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).parent / "dnsalias"), "history", *arguments]
        environment = control_plane.environment()
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)

    whole = told("-n", space, "-o", "json")
    assert whole.returncode == 0, whole.stderr
    done = {(one["kind"], one["name"], one["reason"], one["message"]) for one in json.loads(whole.stdout)["history"]}
    assert ("DnsAlias", "web", "Programmed", f"ServiceEntry {space}/web makes web.hello work") in done
    assert ("DnsAlias", "lost", "", "dnsalias-operator wrote status") in done
    assert [one for one in done if one[:3] == ("DnsAlias", "lost", "ServiceNotFound")]
    of_one = told(f"{space}/lost").stdout.splitlines()
    assert len(of_one) == 2
    assert all(f"DnsAlias {space}/lost  " in line for line in of_one)
    assert told("lost").returncode == 2
