"""Building and keeping binaries, shown on a module of five lines that the real Go builds in a second."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tools.controlplane import build, cache, toolchain
from tools.controlplane.build import Binary, BuildError

PROGRAM = 'package main\n\nfunc main() { println("%s") }\n'


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder of our own with the module "small", from which the binaries "one" and "two" are built; empty cache."""
    go = toolchain.find(build.minimum_go())
    monkeypatch.setenv("PATH", str(go.command.parent))
    monkeypatch.setenv("DNSALIAS_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    small = tmp_path / "go" / "small"
    small.mkdir(parents=True)
    (small / "go.mod").write_text("module example.org/small\n\ngo 1.21\n")
    (small / "main.go").write_text(PROGRAM % "first")
    monkeypatch.setattr(build, "MODULES", small.parent)
    binaries = {name: Binary(name, "small", ".", 0.1) for name in ("one", "two")}
    monkeypatch.setattr(build, "BINARIES", binaries)
    return small.parent


@pytest.mark.cluster
def test_a_binary_is_built_once_for_each_pin(modules: Path) -> None:
    """The second call finds the first one's file; a changed source is another file, and the old one stays."""
    first = build.ensure("one")["one"]
    inode = first.stat().st_ino
    assert build.ensure("one") == {"one": first}
    assert first.stat().st_ino == inode
    (modules / "small" / "main.go").write_text(PROGRAM % "second")
    second = build.ensure("one")["one"]
    assert second != first
    assert (first.name, second.name) == ("one", "one")
    assert first.exists()


@pytest.mark.cluster
@pytest.mark.usefixtures("modules")
def test_two_runs_at_once_build_once(capfd: pytest.CaptureFixture[str]) -> None:
    """Runs that start together share one build: the second waits for the first one's lock and uses its file."""
    with ThreadPoolExecutor(2) as pool:
        paths = list(pool.map(lambda _: build.ensure("one")["one"], range(2)))
    assert paths[0] == paths[1]
    assert capfd.readouterr().err.count("building one (") == 1


@pytest.mark.cluster
def test_a_build_that_fails_says_why_and_leaves_nothing_to_use(modules: Path) -> None:
    """The compiler's words reach the user, and the next run starts afresh."""
    (modules / "small" / "main.go").write_text("package main\n\nfunc main() { undefinedName() }\n")
    with pytest.raises(BuildError, match=r"(?s)could not make one.*undefinedName"):
        build.ensure("one")
    assert not list(cache.root().glob("bin/one/*/one"))
    (modules / "small" / "main.go").write_text(PROGRAM % "mended")
    assert build.ensure("one")["one"].exists()
    assert len(list(cache.root().glob("bin/one/*"))) == 1


@pytest.mark.cluster
@pytest.mark.usefixtures("modules")
def test_assets_come_first_and_only_the_rest_is_built(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A binary in KUBEBUILDER_ASSETS is used as it is; one that is not there is built, and that is said."""
    given = tmp_path / "assets" / "one"
    given.parent.mkdir()
    given.write_text("#!/bin/sh\n")
    given.chmod(0o755)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(given.parent))
    found = build.ensure("one", "two")
    assert found["one"] == given
    assert found["two"].is_relative_to(cache.root())
    said = capfd.readouterr().err
    assert "does not hold two: building only that" in said
    assert "building one" not in said


@pytest.mark.cluster
def test_assets_stand_in_for_the_real_binaries(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With the three binaries that test assets ship, the controller manager still comes from our own build."""
    ours = build.ensure(*build.CONTROL_PLANE)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    shipped = {"etcd", "kube-apiserver", "kubectl"}
    for name in shipped:
        (tmp_path / name).symlink_to(ours[name])
    found = build.ensure(*build.CONTROL_PLANE)
    assert {name for name, path in found.items() if path.parent == tmp_path} == shipped


def test_a_wrong_assets_folder_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """KUBEBUILDER_ASSETS that names no folder is an error that names it, not a silent build of minutes."""
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path / "absent"))
    with pytest.raises(BuildError, match=r"KUBEBUILDER_ASSETS is .*absent"):
        build.ensure("etcd")


def test_an_unknown_binary_is_refused() -> None:
    """A name that is not in the table gives an error with the names that are."""
    with pytest.raises(BuildError, match="Unknown binary kubelet; known are etcd, "):
        build.ensure("kubelet")


def test_versions_come_from_the_manifests() -> None:
    """Kubernetes' version is read from go.mod, and is the one that its staging modules are pinned to."""
    version = build.required_version("kubernetes", "k8s.io/kubernetes")
    manifest = (build.MODULES / "kubernetes" / "go.mod").read_text()
    assert f"k8s.io/api => k8s.io/api {version.replace('v1.', 'v0.')}" in manifest
