"""In CI a skip is no way out."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
TESTS = """\
import pytest

@pytest.mark.cluster
def test_of_the_cluster():
    pytest.skip("no cluster here")

@pytest.mark.cluster
@pytest.mark.xfail(reason="known")
def test_known_to_fail():
    assert False

def test_of_something_else():
    pytest.skip("not on this system")
"""


def run(folder: Path, ci: str) -> subprocess.CompletedProcess[str]:
    """Run pytest with our plugin on the tests of ``folder``, with the environment variable CI as given."""
    environment = {**os.environ, "CI": ci, "PYTHONPATH": str(REPOSITORY)}
    options = ["-p", "tests.controlplane.fixtures", "-p", "no:cacheprovider", "-o", "markers=cluster", "-q"]
    command = [sys.executable, "-m", "pytest", *options, f"--rootdir={folder}", str(folder)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=folder)


@pytest.mark.parametrize(("ci", "code", "summary"), [("true", 1, "1 failed"), ("", 0, "2 skipped")])
def test_skipped_cluster_tests_fail_in_ci_only(tmp_path: Path, ci: str, code: int, summary: str) -> None:
    """With CI set, a skipped cluster test has failed; without it, and for other tests, a skip is a skip."""
    (tmp_path / "test_skips.py").write_text(TESTS)
    result = run(tmp_path, ci)
    assert result.returncode == code, result.stdout
    assert summary in result.stdout
    assert "1 xfailed" in result.stdout
    assert ("CI does not accept" in result.stdout) is bool(ci)


def test_a_module_that_skips_itself_fails_in_ci(tmp_path: Path) -> None:
    """With CI set, a skip of a whole module, which hides what is in it, is an error of collection."""
    (tmp_path / "test_whole.py").write_text("import pytest\npytest.skip('all', allow_module_level=True)\n")
    result = run(tmp_path, "1")
    assert result.returncode != 0
    assert "Skipped as a whole" in result.stdout
