"""The API server goes away and comes back: the operator outlives it and makes up for what it missed."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.cluster.conftest import Objects
from tests.cluster.cut_line import CutLine
from tools.controlplane.cluster import ControlPlane
from tools.controlplane.waiting import eventually
from tools.running.operator_process import Operator

pytestmark = pytest.mark.cluster


def test_an_outage_is_outlived_and_made_up_for(
    control_plane: ControlPlane, operator_kubeconfig: Path, objects: Objects, tmp_path: Path
) -> None:
    """Changes made while the line was cut are found after it, by the same process; it never counted as unhealthy."""
    objects.service("web", 443)
    objects.alias("web", "web.hello", "web")
    with CutLine(urlsplit(control_plane.url).port or 0) as line:
        kubeconfig = tmp_path / "kubeconfig"
        text = operator_kubeconfig.read_text()
        kubeconfig.write_text(text.replace(control_plane.url, f"https://127.0.0.1:{line.port}"))
        with Operator(control_plane, kubeconfig, tmp_path, {"resync_seconds": "3600"}) as operator:
            operator.ready()
            objects.becomes_ready("web")
            process = operator.process
            line.cut()
            objects.service("late", 443)
            objects.alias("late", "late.hello", "late")
            objects.patch("serviceentries", "web", {"spec": {"addresses": ["192.0.2.1"]}})
            eventually(lambda: "will retry" in operator.text() or "escalating" in operator.text(), "it is noticed")
            assert operator.page("/healthz")[0] == 200
            line.mend()
            objects.becomes_ready("late")
            eventually(lambda: objects.spec("web").get("addresses") != ["192.0.2.1"], "the drift is reverted")
            assert operator.process is process
            assert operator.stop() == 0
