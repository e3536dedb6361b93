"""`make release`: artefacts are made from the source alone, the same each time, and the check finds what is wrong."""

import json
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
import yaml

from tools.controlplane import build
from tools.release.archives import packed
from tools.release.artefacts import BILL, KREW, PLUGIN, PROVENANCE, SHELLS, SUMS, artefacts
from tools.release.check import faults

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[2]
UV = REPOSITORY / "build" / "uv" / "bin" / "uv"
COMMIT = "0" * 40


def made(folder: Path) -> dict[str, bytes]:
    """The release of this checkout; nothing is fetched."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=True, timeout=120)
    (wheel,) = folder.glob("*.whl")
    options = ("--quiet", "--locked", "--no-dev", "--preview-features", "sbom-export", "--format", "cyclonedx1.5")
    bill = folder / "bill.json"
    subprocess.run([UV, "export", *options, "-o", bill], cwd=REPOSITORY, capture_output=True, check=True, timeout=120)
    return artefacts(wheel, bill, COMMIT)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the release."""
    folder = tmp_path_factory.mktemp("release")
    for path, content in made(tmp_path_factory.mktemp("inputs")).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def test_it_is_the_same_each_time(release: Path, tmp_path: Path) -> None:
    """A second build gives the same files, byte for byte, and so the same digests."""
    again = made(tmp_path)
    assert again == {p.relative_to(release).as_posix(): p.read_bytes() for p in release.rglob("*") if p.is_file()}


def test_it_is_whole(release: Path) -> None:
    """The check passes, and so does that of coreutils, which is what users have."""
    assert list(faults(release)) == []
    done = subprocess.run(["sha256sum", "--check", "--strict", SUMS], cwd=release, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", [BILL, KREW, PROVENANCE, "chart.oci/index.json", "completion/dnsalias.bash"])
def test_the_check_finds_what_is_changed_or_missing(release: Path, tmp_path: Path, path: str) -> None:
    """A byte more in a file, or the file gone, is told by the name of the file."""
    changed = shutil.copytree(release, tmp_path / "changed")
    (changed / path).write_bytes((changed / path).read_bytes() + b"\n")
    assert [line for line in faults(changed) if line.startswith(path)]
    (changed / path).unlink()
    assert [line for line in faults(changed) if line.startswith(path)]


def test_a_file_that_nobody_names_is_found(release: Path, tmp_path: Path) -> None:
    """As is a blob of the chart that is another one than its name says."""
    changed = shutil.copytree(release, tmp_path / "changed")
    (changed / "more").write_text("x")
    assert "more is not named by SHA256SUMS" in list(faults(changed))
    for blob in (changed / "chart.oci" / "blobs" / "sha256").iterdir():
        blob.write_bytes(b"x")
    assert [line for line in faults(changed) if line.startswith("chart.oci: blob")]


def test_each_artefact_is_what_its_readers_take(release: Path) -> None:
    """Wheel, statement, bill and completions; the version is the program's throughout."""
    version = yaml.safe_load((REPOSITORY / "chart" / "Chart.yaml").read_text(encoding="utf-8"))["version"]
    (wheel,) = release.glob("*.whl")
    assert zipfile.ZipFile(wheel).testzip() is None
    assert version in wheel.name
    statement = json.loads((release / PROVENANCE).read_text(encoding="utf-8"))
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    definition = statement["predicate"]["buildDefinition"]
    assert definition["resolvedDependencies"][0]["digest"] == {"gitCommit": COMMIT}
    assert {wheel.name, BILL, KREW} <= {subject["name"] for subject in statement["subject"]}
    bill = json.loads((release / BILL).read_text(encoding="utf-8"))
    assert bill["bomFormat"] == "CycloneDX"
    assert len(bill["components"]) > 20
    for shell in SHELLS:
        assert "dnsalias" in (release / "completion" / f"dnsalias.{shell}").read_text(encoding="utf-8")
    bash = shutil.which("bash")
    assert bash is not None
    subprocess.run([bash, "-n", release / "completion" / "dnsalias.bash"], check=True)


def test_the_plugin_runs_the_wheel_that_is_beside_it(release: Path, tmp_path: Path) -> None:
    """As krew lays it out: by a link to the launcher; without uv and pipx it says what is missing."""
    platform = yaml.safe_load((release / KREW).read_text(encoding="utf-8"))["spec"]["platforms"][0]
    with tarfile.open(release / platform["uri"].rpartition("/")[2]) as archive:
        assert {f["from"] for f in platform["files"]} == set(archive.getnames())
        archive.extractall(tmp_path / "store", filter="data")
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "dirname", "readlink"):
        (tools / name).symlink_to(shutil.which(name) or name)
    (tools / platform["bin"]).symlink_to(tmp_path / "store" / PLUGIN)
    run: list[str | Path] = [tools / PLUGIN, "version"]
    environment = {"PATH": str(tools), "HOME": str(tmp_path)}
    alone = subprocess.run(run, env=environment, capture_output=True, text=True, check=False)
    assert (alone.returncode, alone.stderr[:37]) == (2, "error: neither uv nor pipx is there; ")
    (tools / "uv").write_text('#!/bin/sh\necho "$@"\n')
    (tools / "uv").chmod(0o755)
    asked = subprocess.run(run, env=environment, capture_output=True, text=True, check=True).stdout.split()
    assert asked[-2:] == [PLUGIN, "version"]
    assert Path(asked[asked.index("--from") + 1]).is_file()


def test_archives_say_nothing_of_who_made_them() -> None:
    """The same bytes whatever the order; no owner, no time; what is a program can be run, and nothing else."""
    one, other = packed({"a": b"1", "b": b"2"}, frozenset({"b"})), packed({"b": b"2", "a": b"1"}, frozenset({"b"}))
    assert one == other
    assert re.match(rb"\x1f\x8b\x08\x00\x00\x00\x00\x00", one)


@pytest.mark.cluster
def test_helm_reads_the_package(release: Path, tmp_path: Path) -> None:
    """The package of the chart is one to Helm, which renders the same as from the folder."""
    helm = build.ensure("helm")["helm"]
    (package,) = release.glob("*.tgz")
    environment = {f"HELM_{name}_HOME": str(tmp_path / name.lower()) for name in ("CACHE", "CONFIG", "DATA")}

    def rendered(chart: Path) -> str:
        command: list[str | Path] = [helm, "template", "x", chart, "-n", "y"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
        return str(done.stdout)

    assert rendered(package) == rendered(REPOSITORY / "chart")
