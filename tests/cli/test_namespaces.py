"""A namespace that was asked for and does not exist is said, with the one that may be meant."""

from pathlib import Path

import pytest

from tests.cli.conftest import Invoke
from tools.controlplane.cluster import ControlPlane

ENTRY = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: api, namespace: billing}
spec: {hosts: [api.hello], resolution: NONE, ports: [{number: 443, name: tls, protocol: TLS}]}
"""


@pytest.fixture
def entry(tmp_path: Path) -> Path:
    """One entry in namespace billing."""
    path = tmp_path / "entry.yaml"
    path.write_text(ENTRY)
    return path


def test_listeners_from_nowhere(invoke: Invoke, entry: Path) -> None:
    """In files it is a warning: what namespaces there are beside those of the objects, files do not say."""
    told = invoke("listeners", "-f", entry, "--from", "biling")
    assert told.exit_code == 0
    assert "warning: --from: nothing in the input is in namespace biling (did you mean billing?)" in told.stderr


@pytest.mark.parametrize("namespace", ["billing", "default", "istio-system"])
def test_listeners_from_somewhere(invoke: Invoke, entry: Path, namespace: str) -> None:
    """A namespace of an object is no fault, nor is one that every mesh has."""
    assert invoke("listeners", "-f", entry, "--from", namespace).stderr == ""


def test_a_namespace_object_is_enough(invoke: Invoke, entry: Path) -> None:
    """A Namespace of that name exists, if it is empty."""
    entry.write_text(f"{ENTRY}---\n{{apiVersion: v1, kind: Namespace, metadata: {{name: quiet}}}}\n")
    assert invoke("listeners", "-f", entry, "--from", "quiet").stderr == ""


@pytest.mark.parametrize("command", [("lint",), ("plan",), ("explain", "billing/api")])
def test_the_namespace_of_nothing(invoke: Invoke, entry: Path, command: tuple[str, ...]) -> None:
    """-n has no effect where every object has a namespace: a warning, and the answer is the same."""
    told, plain = invoke(*command, "-f", entry, "-n", "nope"), invoke(*command, "-f", entry)
    assert "warning: nothing in the input is in namespace nope" in told.stderr
    assert (told.stdout, told.exit_code) == (plain.stdout, plain.exit_code)


def test_the_namespace_of_objects_without_one(invoke: Invoke, entry: Path) -> None:
    """-n is no fault where an object gets it, or where all have it."""
    assert "warning" not in invoke("lint", "-f", entry, "-n", "billing").stderr
    entry.write_text(ENTRY.replace(", namespace: billing", ""))
    assert "warning" not in invoke("lint", "-f", entry, "-n", "nope").stderr


@pytest.mark.parametrize(
    ("asked", "meant"), [("biling/api", "billing/api"), ("billing/apy", "billing/api"), ("apu", "api")]
)
def test_explain_of_nothing(invoke: Invoke, entry: Path, asked: str, meant: str) -> None:
    """An object that is not there is bad usage, and the nearest one is named."""
    told = invoke("explain", asked, "-f", entry)
    assert told.exit_code == 2
    assert f"(did you mean {meant}?)" in told.stderr


@pytest.mark.cluster
def test_a_cluster_says_which_there_are(invoke: Invoke, control_plane: ControlPlane, namespace: str) -> None:
    """In a cluster it is bad usage; nothing is printed that could be taken for a result."""
    kubeconfig, wrong = control_plane.kubeconfig, f"{namespace}x"
    for arguments in (
        ("lint", "-n", wrong),
        ("listeners", "-n", wrong, "--from", "default"),
        ("listeners", "--from", wrong),
        ("ambient", "--from", wrong),
    ):
        told = invoke(*arguments, "--kubeconfig", kubeconfig)
        assert told.exit_code == 2
        assert told.stdout == ""
        assert f"the cluster has no namespace {wrong} (did you mean {namespace}" in told.stderr
