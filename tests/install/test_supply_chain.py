"""What is shipped can be made again: the same wheel from the same source, from parts that are known by their hashes."""

import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[2]
UV = REPOSITORY / "build" / "uv" / "bin" / "uv"
SOURCES = ("pyproject.toml", "README.md", "LICENSE", "operator", "requirements")
ENGINE = """\
#!/bin/sh
for argument; do echo "$argument"; done
"""
"""Stands for a container engine, which the tests have none of: it prints what it is asked."""


def uv(*arguments: str, folder: Path = REPOSITORY) -> str:
    """Run the pinned uv; its standard output."""
    result = subprocess.run([str(UV), *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def toml(name: str) -> dict[str, Any]:
    """A TOML file of the repository."""
    return tomllib.loads((REPOSITORY / name).read_text(encoding="utf-8"))


def wheel(folder: Path, umask: int, mtime: int) -> Path:
    """Build the wheel from a copy of the source that has other modes and times."""
    for name in SOURCES:
        source, target = REPOSITORY / name, folder / "source" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)
    for path in folder.rglob("*"):
        mode = 0o777 if path.is_dir() else 0o666
        path.chmod(mode & ~umask)
        os.utime(path, (mtime, mtime))
    constraints = ("--build-constraints", "requirements/build.txt", "--require-hashes")
    uv("build", "--quiet", "--wheel", "--out-dir", str(folder / "dist"), *constraints, folder=folder / "source")
    (built,) = (folder / "dist").glob("*.whl")
    return built


def test_the_wheel_is_the_same_each_time(tmp_path: Path) -> None:
    """Two builds, in other folders, of files with other times and modes, give the same bytes: the package alone."""
    first = wheel(tmp_path / "a" / "longer", umask=0o022, mtime=1_000_000_000)
    second = wheel(tmp_path / "b", umask=0o077, mtime=1_700_000_000)
    assert hashlib.sha256(first.read_bytes()).digest() == hashlib.sha256(second.read_bytes()).digest()
    with zipfile.ZipFile(first) as archive:
        names = archive.namelist()
        assert {stat.S_IMODE(info.external_attr >> 16) for info in archive.infolist()} == {0o644}
    version = toml("pyproject.toml")["project"]["version"]
    assert {name.split("/")[0] for name in names} == {"dnsalias_operator", f"dnsalias_operator-{version}.dist-info"}
    source = (REPOSITORY / "operator" / "dnsalias_operator").rglob("*.py")
    assert {n for n in names if n.endswith(".py")} == {str(p.relative_to(REPOSITORY / "operator")) for p in source}


def test_every_dependency_is_locked_by_hash() -> None:
    """uv.lock has a hash for each file of each package, and nothing comes from elsewhere than an index."""
    lock = toml("uv.lock")
    for package in lock["package"]:
        if package["name"] == "dnsalias-operator":
            continue
        assert set(package["source"]) == {"registry"}, package["name"]
        files = [*package.get("wheels", []), *filter(None, [package.get("sdist")])]
        assert files, package["name"]
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", file["hash"]) for file in files), package["name"]


def test_what_builds_the_wheel_is_pinned_everywhere_alike() -> None:
    """The versions that the environment is built with are those that the image is, which have hashes."""
    text = (REPOSITORY / "requirements" / "build.txt").read_text(encoding="utf-8")
    pinned = re.findall(r"^[\w-]+==\S+", text, flags=re.MULTILINE)
    assert toml("pyproject.toml")["tool"]["uv"]["build-constraint-dependencies"] == pinned


def test_the_bill_of_materials_has_what_the_image_has(tmp_path: Path) -> None:
    """The CycloneDX document names every package of the image's environment, with version, purl and hashes."""
    options = ("--quiet", "--locked", "--no-dev", "--preview-features", "sbom-export")
    uv("export", *options, "--format", "cyclonedx1.5", "-o", str(tmp_path / "sbom.json"))
    bill = json.loads((tmp_path / "sbom.json").read_text(encoding="utf-8"))
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    listed = uv("export", *options[:3], "--no-emit-project", "--no-hashes", "--no-annotate", "--no-header")
    wanted = {line.partition(";")[0].strip() for line in listed.splitlines() if line}
    assert {f"{c['name']}=={c['version']}" for c in bill["components"]} == wanted
    for component in bill["components"]:
        assert component["purl"] == f"pkg:pypi/{component['name']}@{component['version']}"
        assert all(r["hashes"][0]["alg"] == "SHA-256" for r in component["externalReferences"])


@pytest.mark.parametrize("name", ["docker", "podman", "buildah"])
def test_the_image_is_built_by_whichever_engine_is_there(tmp_path: Path, name: str) -> None:
    """The script asks the first engine that it finds for an image with version, commit and the commit's time."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / name).write_text(ENGINE)
    (folder / name).chmod(0o755)
    for tool in ("bash", "sed", "git", "dirname", "sh"):
        (folder / tool).symlink_to(shutil.which(tool) or tool)
    environment = {"PATH": str(folder), "HOME": str(tmp_path), "PYTHON_IMAGE": "python@sha256:0"}
    out = subprocess.run(
        [str(REPOSITORY / ".ci" / "image")], env=environment, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    version = toml("pyproject.toml")["project"]["version"]
    assert out[0] == f"building dnsalias-operator:{version} with {name}"
    assert (out[1], out[-1]) == ("build", ".")
    assert f"org.opencontainers.image.version={version}" in out
    assert "PYTHON=python@sha256:0" in out
    assert [o for o in out if re.fullmatch(r"SOURCE_DATE_EPOCH=\d+", o)]
    assert [
        o for o in out if re.fullmatch(r"org\.opencontainers\.image\.revision=([0-9a-f]{40}(-changed)?|unknown)", o)
    ]


def test_make_hands_name_and_base_to_the_engine(tmp_path: Path) -> None:
    """`make image IMAGE=… PYTHON_IMAGE=…`, as the pages say, builds that image on that base."""
    engine = tmp_path / "engine"
    engine.write_text(ENGINE)
    engine.chmod(0o755)
    told = (f"ENGINE={engine}", "IMAGE=REGISTRY/dnsalias-operator:1", "PYTHON_IMAGE=python@sha256:0")
    out = subprocess.run(
        ["make", "image", *told], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert "REGISTRY/dnsalias-operator:1" in out
    assert "PYTHON=python@sha256:0" in out


def test_without_an_engine_the_image_script_says_so(tmp_path: Path) -> None:
    """Nothing to build with is an error that says what to install."""
    for tool in ("bash", "sed", "dirname"):
        (tmp_path / tool).symlink_to(shutil.which(tool) or tool)
    result = subprocess.run(
        [str(REPOSITORY / ".ci" / "image")], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert result.stderr.startswith("error: none of docker, podman and buildah is there")
