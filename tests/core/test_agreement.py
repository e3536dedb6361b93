"""The model against what a real istiod and Envoy did."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from tests.core.agreement import Port, compare, main, report
from tests.core.listener_worlds import MESH
from tools.dataplane.features import features
from tools.dataplane.recorded import load, mesh_of

DATA = Path(__file__).parent / "data"
RECORDING = DATA / "listeners-101.json.gz"
VERSIONS = DATA / "versions"
CONFIGURED = sorted((DATA / "mesh").iterdir())
"""Recordings of meshes whose MeshConfig says something of namespaces."""


def test_model_agrees_with_the_recording_on_every_port() -> None:
    """Every row of every port that a real sidecar had is predicted, and no other."""
    result = compare(load(RECORDING), MESH)
    assert len(result.ports) > 400
    assert result.disagreements == []
    assert result.share == 1.0


def recordings() -> list[ParameterSet]:
    """Every recording of another release; those of worlds with Sidecars, of sixteen pods each, are slow."""
    return [
        pytest.param(path, id=path.name.removesuffix(".json.gz"), marks=[pytest.mark.slow] * ("sidecars" in path.name))
        for path in sorted(VERSIONS.iterdir())
    ]


@pytest.mark.parametrize("path", recordings())
def test_model_agrees_with_every_release(path: Path) -> None:
    """What another release of Istio made of a world is predicted on every port but those that it leaves to chance."""
    recording = load(path)
    result = compare(recording, mesh_of(recording))
    assert result.disagreements == []
    assert len(result.by_chance) <= 2


@pytest.mark.parametrize("path", CONFIGURED, ids=lambda path: path.name.removesuffix(".json.gz"))
def test_model_agrees_with_every_meshconfig(path: Path) -> None:
    """Under discoverySelectors and serviceEntryVisibility every port is predicted, and without them it would not be."""
    recording = load(path)
    assert compare(recording, mesh_of(recording)).disagreements == []
    assert compare(recording, MESH).disagreements


def test_chance_is_a_tie_that_istio_breaks_by_its_map() -> None:
    """A port is by chance where two objects of one second have no order, and the other one explains every row."""
    recording = load(VERSIONS / "1.11.8-plain-7001.json.gz")
    mesh = mesh_of(recording)
    result = compare(recording, mesh)
    assert result.by_chance == {Port(0, 10037), Port(0, 10382)}
    assert all(result.recorded[port] != result.predicted[port] for port in result.by_chance)
    newer = compare(recording, mesh.model_copy(update={"istio_version": "1.23.6"}))
    assert not newer.by_chance


@pytest.mark.parametrize("release", ["1.20.8", "1.22.8", "1.28.10"])
def test_another_release_does_not_fit(release: str) -> None:
    """The comparison sees a release: what one made of a world is not what another makes of it."""
    recording = load(VERSIONS / f"{release}-plain-7001.json.gz")
    assert compare(recording, MESH).share < 1


def test_release_is_told_by_the_name_or_by_how_it_was_made(tmp_path: Path) -> None:
    """A file's name says its release and its variant; without, `how` does; else it is the one measured last."""
    content = {"seed": 1, "from": "a", "objects": [], "listeners": []}
    told = {}
    for name, how in (
        ("1.31.0-rc.0-dnscapture-3.json.gz", "istiod 1.28.10 in process"),
        ("a.json.gz", "istiod 1.26.8 in process, no Envoy"),
        ("b.json.gz", ""),
    ):
        path = tmp_path / name
        path.write_bytes(gzip.compress(json.dumps({**content, "how": how}).encode()))
        mesh = mesh_of(load(path))
        told[name[0]] = (str(mesh.release), mesh.dns_capture)
    assert told == {"1": ("1.31.0", True), "a": ("1.26.8", False), "b": ("1.31", False)}


def test_a_missing_row_is_a_disagreement() -> None:
    """Agreement is of full rows: one row less in the recording makes its port disagree and be shown."""
    recording = load(RECORDING)
    (view,) = recording.views
    gone, *rest = view.rows
    tampered = replace(recording, views=(replace(view, rows=tuple(rest)),))
    result = compare(tampered, MESH)
    assert result.disagreements == [Port(0, gone.port)]
    assert result.share == pytest.approx(1 - 1 / len(result.ports))
    shown = [line for line in report(tampered, MESH, show=5) if "+ predicted" in line]
    assert len(shown) == 1
    assert str(gone.cluster or gone.route) in shown[0]


def test_a_wrong_assumption_shows() -> None:
    """The comparison can fail: under REGISTRY_ONLY the recorded fall-through clusters do not match."""
    recording = load(RECORDING)
    assert compare(recording, MESH.model_copy(update={"outbound_traffic_policy": "REGISTRY_ONLY"})).share < 0.7


def test_features_count_the_recorded_world() -> None:
    """The histogram tells what the agreement covers."""
    recording = load(RECORDING)
    counts = features(recording.snapshot(), recording.objects, MESH)
    assert counts["kind", "ServiceEntry"] == 813
    assert counts["entry addresses", "0.0.0.0/1"] == 9
    assert counts["entry resolution", "NONE"] == 139


def test_command_takes_several_files(capsys: pytest.CaptureFixture[str]) -> None:
    """Of several files each has a line, and a release of its own."""
    assert main([str(VERSIONS / name) for name in ("1.11.8-cures-0.json.gz", "1.20.8-catchall-0.json.gz")]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "1.11.8-cures-0.json.gz: agreement 100.00%: 17 of 17 ports",
        "1.20.8-catchall-0.json.gz: agreement 100.00%: 115 of 115 ports",
    ]


def test_command_prints_agreement_and_ends_with_zero(capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints the score, an empty model's score and the features."""
    assert main([str(RECORDING)]) == 0
    out = capsys.readouterr().out
    assert "agreement 100.00%: 469 of 469 ports" in out
    assert "an empty model would score 0.00%" in out
    assert "entry resolution" in out


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"plain text",
        gzip.compress(b"no json"),
        gzip.compress(b"{}")[:-9],
        gzip.compress(b'{"seed": 1}'),
        gzip.compress(b"[]"),
        gzip.compress(json.dumps({"seed": 1, "from": "a", "objects": [{}], "listeners": []}).encode()),
    ],
    ids=["no file", "no gzip", "no json", "cut off", "no keys", "a list", "no kind"],
)
def test_unreadable_file_is_told_and_ends_with_two(
    content: bytes | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that is no recording is named on stderr, without a traceback, and nothing else is printed."""
    path = tmp_path / "recording.json.gz"
    if content is not None:
        path.write_bytes(content)
    assert main([str(path)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(str(path))
