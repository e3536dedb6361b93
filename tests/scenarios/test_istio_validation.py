"""What the operator writes in any scenario passes istiod's own validation, which asks for more than the CRD does."""

import subprocess
from pathlib import Path

import pytest
import yaml

from dnsalias_operator.core.plan import plan
from tests.scenarios.scenario import Raw, load, names
from tests.scenarios.simulated import Cluster
from tools.controlplane import build

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def istioctl(request: pytest.FixtureRequest) -> Path:
    """Istio's command line, of the module that the CRDs come from."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        return build.ensure("istioctl")["istioctl"]


def validated(istioctl: Path, objects: list[Raw], folder: Path) -> subprocess.CompletedProcess[str]:
    """What `istioctl validate` says of these objects."""
    file = folder / "objects.yaml"
    file.write_text(yaml.safe_dump_all(objects))
    command = [str(istioctl), "validate", "-f", str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def written() -> list[Raw]:
    """Every ServiceEntry as each write of the operator leaves it, in every phase of every scenario."""
    found: list[Raw] = []
    for name in names():
        scenario = load(name)
        cluster = Cluster(scenario)
        for step in ((), *(s.do for s in scenario.steps)):
            for done in step:
                cluster.do(done)
            for change in plan(cluster.snapshot(), scenario.rules).changes:
                cluster.write(change)
                if change.after is not None:
                    meta = {"name": f"{change.key.name}-{len(found)}", "namespace": change.key.namespace}
                    found.append({**change.after, "metadata": meta})
    return found


def test_what_is_written_is_valid(istioctl: Path, tmp_path: Path) -> None:
    """Istio accepts every entry that the operator creates or repairs."""
    entries = written()
    assert len(entries) > len(names())
    result = validated(istioctl, entries, tmp_path)
    assert result.returncode == 0, result.stderr


def test_validation_sees_faults(istioctl: Path, tmp_path: Path) -> None:
    """Istio refuses an entry of two hosts on a TCP port, which its CRD accepts."""
    entry = next(raw for raw in written() if raw["spec"]["ports"][0].get("protocol") == "TCP")
    wrong = {**entry, "spec": {**entry["spec"], "hosts": ["one.hello", "two.hello"]}}
    result = validated(istioctl, [wrong], tmp_path)
    assert result.returncode != 0
    assert entry["metadata"]["name"] in result.stderr
