"""Progress of reading: for a person at a terminal, and for nobody else."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from dnsalias_operator.cli.progress import MANY_FILES
from tests.cli.conftest import SERVICE, executable
from tests.cli.terminals import on_terminal
from tools.controlplane.cluster import ControlPlane

TERMINAL = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with more files than are read in silence, one of them broken."""
    for number in range(MANY_FILES):
        (tmp_path / f"{number:03}.yaml").write_text(SERVICE % f"s{number}")
    (tmp_path / "broken.yaml").write_text(SERVICE % "x" + "a: b: c\n")
    return tmp_path


def lint(*arguments: str | Path) -> list[str | Path]:
    """A command that reads, and prints JSON."""
    return [executable("dnsalias"), "lint", "-o", "json", *arguments]


def test_a_terminal_sees_how_far_a_large_folder_is(folder: Path) -> None:
    """A count of files on standard error, erased in the end; standard output has the result and nothing else."""
    shown = on_terminal(lint("-f", folder), TERMINAL, stdout_too=False)
    assert "reading" in shown.terminal
    assert f"{MANY_FILES + 1}/{MANY_FILES + 1}" in shown.terminal
    assert "\x1b[2K" in shown.terminal
    last = shown.terminal.rpartition("\x1b[2K")[2]
    assert last.startswith(f"{folder}/broken.yaml:4:5: expected a single value here")
    assert last.count("\n") == 1
    assert json.loads(shown.stdout)["findings"] == []
    assert shown.code == 0


def test_a_pipe_sees_nothing(folder: Path) -> None:
    """Byte for byte what it would be without any progress."""
    (folder / "broken.yaml").unlink()
    done = subprocess.run(lint("-f", folder), env=TERMINAL, capture_output=True, timeout=120, check=True)
    assert done.stderr == b""
    assert json.loads(done.stdout)["findings"] == []


@pytest.mark.parametrize(
    "environment", [{**TERMINAL, "TERM": "dumb"}, {k: v for k, v in TERMINAL.items() if k != "TERM"}]
)
def test_a_terminal_that_cannot_erase_sees_nothing(folder: Path, environment: dict[str, str]) -> None:
    """What cannot be taken back is not shown, in an editor's shell for one."""
    (folder / "broken.yaml").unlink()
    assert on_terminal(lint("-f", folder), environment, stdout_too=False).terminal == ""


def test_a_few_files_are_read_in_silence(tmp_path: Path) -> None:
    """Nothing flashes by where there is nothing to wait for; one large file is worth a word."""
    small = tmp_path / "small.yaml"
    small.write_text(SERVICE % "a")
    assert on_terminal(lint("-f", small), TERMINAL, stdout_too=False).terminal == ""
    large = tmp_path / "large.json"
    large.write_text(json.dumps({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "x": "y" * 10**6}))
    assert "1/1" in on_terminal(lint("-f", large), TERMINAL, stdout_too=False).terminal


@pytest.mark.cluster
def test_a_terminal_sees_what_is_read_of_a_cluster(control_plane: ControlPlane) -> None:
    """Kind by kind with a count; a pipe sees nothing."""
    command = lint("--fail-on", "never", "--kubeconfig", control_plane.kubeconfig)
    shown = on_terminal(command, TERMINAL, stdout_too=False)
    assert "reading the cluster" in shown.terminal
    assert "services 1" in shown.terminal
    assert "findings" in json.loads(shown.stdout)
    done = subprocess.run(command, env=TERMINAL, capture_output=True, timeout=120, check=True)
    assert done.stderr == b""
