"""What .gitignore, .dnsaliasignore and --exclude leave out: the same as git does."""

import os
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnsalias_operator.cli.reading.ignored import Ignored, PatternError
from dnsalias_operator.cli.reading.problems import Skipped
from dnsalias_operator.cli.reading.walk import Walk

NAMES = ("a", "b", "c.yaml", "d.yaml")
FILES = [f"{top}{name}" for top in ("", "a/", "b/", "a/b/", "b/a/") for name in NAMES[2:]]
PATTERNS = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(("", "!", "/", "!/", "**/", "\\")),
        st.lists(st.sampled_from((*NAMES, "*", "?.yaml", "**", "[a-c]*")), min_size=1, max_size=3).map("/".join),
        st.sampled_from(("", "/", "/**", " ", "/*")),
    ),
)
LINES = st.lists(PATTERNS | st.sampled_from(("#x", "", "!", "\\", "/")), max_size=5)
GIT = {**{k: v for k, v in os.environ.items() if not k.startswith("GIT_")}, "GIT_CONFIG_GLOBAL": os.devnull}


def found(folder: Path, *exclude: str) -> set[str]:
    """Files that are read below a folder, by their paths in it."""
    walk = Walk(Ignored.excluding(exclude))
    return {os.path.relpath(file.path, folder) for file in walk.files([str(folder)])}


@settings(deadline=None, max_examples=50)
@given(st.dictionaries(st.sampled_from(("", "a/", "a/b/", "b/")), LINES, max_size=3))
def test_gitignore_means_what_it_means_to_git(written: dict[str, list[str]]) -> None:
    """Whatever stands in the files of whichever folders, git itself would leave out the same."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(["git", "init", "--quiet", name], env=GIT, check=True)
        for path in FILES:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).touch()
        for path, lines in written.items():
            (folder / path / ".gitignore").write_text("\n".join(lines))
        command = ["git", "ls-files", "--others", "--exclude-standard", "--", "*.yaml"]
        done = subprocess.run(command, cwd=name, env=GIT, capture_output=True, text=True, check=True)
        assert found(folder) == set(done.stdout.splitlines())


def test_exclude_is_seen_from_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pattern with a slash is a path from there, as one would type it; one without fits anywhere."""
    for path in ("deploy/a.yaml", "deploy/test/b.yaml", "test/c.yaml"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    monkeypatch.chdir(tmp_path)
    assert found(Path("deploy"), "deploy/test") == {"a.yaml"}
    assert found(Path("deploy"), "/test") == {"a.yaml", "test/b.yaml"}
    assert found(Path(), "test", "!deploy/test") == {"deploy/a.yaml", "deploy/test/b.yaml"}
    monkeypatch.chdir(tmp_path / "test")
    assert found(tmp_path / "deploy", "../deploy/test/") == {"a.yaml"}


def test_exclude_goes_before_what_is_written(tmp_path: Path) -> None:
    """What a file leaves out can be had, and what it keeps left out, without a change to it."""
    (tmp_path / ".gitignore").write_text("a.yaml\n!b.yaml\n")
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).touch()
    assert found(tmp_path, "!a.yaml", "b.yaml") == {"a.yaml"}


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    """A folder counts once, whatever is in it; files of other suffixes are nobody's."""
    (tmp_path / ".gitignore").write_text("out/\n*.txt\nx.yaml\n")
    (tmp_path / "out").mkdir()
    for name in ("out/a.yaml", "out/b.yaml", "n.txt", "x.yaml", "y.yaml"):
        (tmp_path / name).touch()
    walk = Walk(Ignored())
    assert [Path(file.path).name for file in walk.files([str(tmp_path)])] == ["y.yaml"]
    assert walk.skipped == [Skipped.IGNORED] * 2


def test_nothing_above_a_repository_counts(tmp_path: Path) -> None:
    """Its top is where .git is; without a repository, only what lies in the named folder and below."""
    (tmp_path / ".gitignore").write_text("*.yaml\n")
    for top in ("plain", "repository/.git", "repository/deploy"):
        (tmp_path / top).mkdir(parents=True)
    for path in ("plain/a.yaml", "repository/deploy/a.yaml"):
        (tmp_path / path).touch()
    assert found(tmp_path / "plain") == {"a.yaml"}
    assert found(tmp_path / "repository" / "deploy") == {"a.yaml"}
    (tmp_path / "repository" / ".dnsaliasignore").write_text("a.yaml\n")
    assert found(tmp_path / "repository" / "deploy") == set()


@pytest.mark.parametrize("pattern", ["!", "\\", "", "# comment"])
def test_an_excluded_pattern_has_to_be_one(pattern: str) -> None:
    """In a file such a line is passed over; somebody who types it meant something."""
    with pytest.raises(PatternError):
        Ignored.excluding([pattern])
