"""The built wheel is what users install: complete, and able to explain itself without a checkout."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[2]
PAGES = ("findings.md", "conditions.md", "adopt.md")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The content of the wheel that is built from the source distribution, as it would lie in site-packages."""
    folder = tmp_path_factory.mktemp("distribution")
    build("sdist", REPOSITORY, folder)
    (archive,) = folder.glob("*.tar.gz")
    shutil.unpack_archive(archive, folder, filter="data")
    build("wheel", folder / archive.name.removesuffix(".tar.gz"), folder)
    (wheel,) = folder.glob("*.whl")
    shutil.unpack_archive(wheel, folder / "installed", "zip")
    return folder / "installed"


def build(target: str, source: Path, to: Path) -> None:
    """Build one target with the build backend itself: nothing is fetched."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(to)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr


def dnsalias(installed: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command from the wheel's content, away from the checkout."""
    call = (
        "import sys, dnsalias_operator\n"
        "from dnsalias_operator.cli.main import main\n"
        f"assert dnsalias_operator.__file__.startswith({str(installed)!r}), dnsalias_operator.__file__\n"
        f"sys.argv = ['dnsalias', *{arguments!r}]\nmain()"
    )
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    command = [sys.executable, "-c", call]
    return subprocess.run(
        command, cwd=installed, env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def test_it_holds_the_package_and_its_pages_and_nothing_else(installed: Path) -> None:
    """Every module of the source is in it, byte for byte, and docs/ is the one source of the pages."""
    source = REPOSITORY / "operator" / "dnsalias_operator"
    packed = {
        p.relative_to(installed / "dnsalias_operator") for p in installed.rglob("*.*") if ".dist-info" not in str(p)
    }
    modules = {p.relative_to(source) for p in source.rglob("*") if p.is_file() and p.suffix != ".pyc"}
    assert packed == modules | {Path("docs", page) for page in PAGES}
    for page in PAGES:
        assert (installed / "dnsalias_operator" / "docs" / page).read_bytes() == (
            REPOSITORY / "docs" / page
        ).read_bytes()


def test_it_explains_a_finding_without_the_checkout(installed: Path) -> None:
    """`dnsalias explain DA004` of the wheel prints what stands in docs/findings.md."""
    done = dnsalias(installed, "explain", "DA004")
    assert (done.returncode, done.stderr) == (0, "")
    page = (REPOSITORY / "docs" / "findings.md").read_text(encoding="utf-8")
    told = page.split("## DA004: Takes over a Service's VIP\n")[1].split("\n## ")[0].strip()
    assert told in done.stdout


def test_without_its_pages_it_says_so(installed: Path) -> None:
    """An installation that lost its pages is told what to do, not given a traceback."""
    docs = installed / "dnsalias_operator" / "docs"
    docs.rename(docs.with_name("elsewhere"))
    try:
        done = dnsalias(installed, "explain", "DA004")
    finally:
        docs.with_name("elsewhere").rename(docs)
    assert done.returncode == 2
    assert done.stderr == "Error: docs/findings.md is not part of this installation; install dnsalias-operator again\n"
