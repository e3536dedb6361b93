"""The model against what a real istiod and Envoy did."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.core.agreement import Port, compare, features, load, main, report
from tests.core.listener_worlds import MESH

RECORDING = Path(__file__).parent / "data" / "listeners-101.json.gz"


def test_model_agrees_with_the_recording_on_every_port() -> None:
    """Every row of every port that a real sidecar had is predicted, and no other."""
    result = compare(load(RECORDING), MESH)
    assert len(result.ports) > 400
    assert result.disagreements == []
    assert result.share == 1.0


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
    counts = features(load(RECORDING))
    assert counts["kind", "ServiceEntry"] == 813
    assert counts["entry addresses", "0.0.0.0/1"] == 9
    assert counts["entry resolution", "NONE"] == 139


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
