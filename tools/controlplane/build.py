"""Building the control plane from pinned Go modules, once per pin, into the cache.

What is built stands in ``BINARIES``; the versions stand in the ``go.mod`` beside each module and nowhere else. A
binary is keyed by everything that makes it (its module's files, package and flags), so another pin is another file
and an old checkout still finds its own. ``KUBEBUILDER_ASSETS``, the folder that controller test tools use, goes
first where it holds a binary of that name.
"""

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tools.controlplane import ControlPlaneError, cache, toolchain
from tools.controlplane.progress import say, step

MODULES = Path(__file__).parent / "go"
FLAGS = ("-mod=readonly", "-trimpath", "-buildvcs=false")
ISTIO_MODULE = "istio.io/istio"
ISTIO_CRDS = "manifests/charts/base/files/crd-all.gen.yaml"
"""Path of Istio's CustomResourceDefinitions inside its Go module."""
ISTIO_BOOTSTRAP = "tools/packaging/common/envoy_bootstrap.json"
"""The same of the template for what pilot-agent starts Envoy with."""
MONITORING_MODULE = "github.com/prometheus-operator/prometheus-operator"
MONITORING_CRDS = tuple(
    f"example/prometheus-operator-crd/monitoring.coreos.com_{kind}.yaml"
    for kind in ("prometheusrules", "servicemonitors")
)
TAIL_LINES = 30


class BuildError(ControlPlaneError):
    """A binary could not be built: which one, and the end of what Go said."""


@dataclass(frozen=True)
class Binary:
    """One binary: its file name, the folder of its module under ``go/``, the Go package, cold minutes on 2 cores."""

    name: str
    module: str
    package: str
    minutes: float


BINARIES = {
    binary.name: binary
    for binary in (
        Binary("etcd", "etcd", ".", 1),
        Binary("kube-apiserver", "kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver", 4),
        Binary("kube-controller-manager", "kubernetes", "k8s.io/kubernetes/cmd/kube-controller-manager", 1),
        Binary("kubectl", "kubernetes", "k8s.io/kubernetes/cmd/kubectl", 0.5),
        Binary("kube-proxy", "kubernetes", "k8s.io/kubernetes/cmd/kube-proxy", 1),
        Binary("istioctl", "istio", "istio.io/istio/istioctl/cmd/istioctl", 4),
        Binary("pilot-discovery", "istio", "istio.io/istio/pilot/cmd/pilot-discovery", 4),
        Binary("pilot-agent", "istio", "istio.io/istio/pilot/cmd/pilot-agent", 1),
        Binary("ambient-records", "istio", "./records", 1),
        Binary("coredns", "coredns", ".", 1.5),
        Binary("helm", "helm", "helm.sh/helm/v4/cmd/helm", 1.5),
    )
}
CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kubectl")
"""What ``cluster.ControlPlane`` starts or calls."""


def ensure(*names: str) -> dict[str, Path]:
    """The binaries ``names``, each an executable file; builds what is missing and shows progress on standard error.

    Raises:
        BuildError: a name is unknown, KUBEBUILDER_ASSETS is no folder, or Go could not build it.
        toolchain.ToolchainError: there is something to build and no Go to be had.
    """
    if unknown := sorted(set(names) - BINARIES.keys()):
        raise BuildError(f"Unknown binary {', '.join(unknown)}; known are {', '.join(BINARIES)}.")
    found = {name: path for name in names if (path := _present(BINARIES[name])) is not None}
    missing = [BINARIES[name] for name in names if name not in found]
    if missing:
        if assets := os.environ.get("KUBEBUILDER_ASSETS"):
            say(f"KUBEBUILDER_ASSETS={assets} does not hold {', '.join(b.name for b in missing)}: building only that")
        with cache.locked("build", lambda: say("waiting for another run that builds the control plane")):
            found |= _build_all([binary for binary in missing if _present(binary) is None])
        found |= {binary.name: _cached(binary) for binary in missing}
    return {name: found[name] for name in names}


def istio_crds() -> Path:
    """The YAML file of Istio's CRDs, from the Go module that also gives istioctl; see ``istio_file``."""
    return istio_file(ISTIO_CRDS)


def istio_file(path: str) -> Path:
    """A file of Istio's Go module by its path in there; see ``module_file``."""
    return module_file("istio", ISTIO_MODULE, path)


def monitoring_crds() -> list[Path]:
    """The CRDs of the kinds in manifests/monitoring, from the Prometheus operator; see ``module_file``."""
    return [module_file("monitoring", MONITORING_MODULE, path) for path in MONITORING_CRDS]


def module_file(module: str, dependency: str, path: str) -> Path:
    """A file of a Go module that ``go/<module>`` requires, kept in the cache; it is fetched on first use.

    Raises:
        BuildError: the module cannot be downloaded.
        toolchain.ToolchainError: there is no Go to be had.
    """
    name = Path(path)
    kept = cache.root() / module / required_version(module, dependency) / name.name
    if not kept.exists():
        with cache.locked(module, lambda: say(f"waiting for another run that fetches {name.name} of {dependency}")):
            source = _module_folder(module, dependency) / path
            kept.parent.mkdir(parents=True, exist_ok=True)
            scratch = kept.with_suffix(f".{os.getpid()}")
            shutil.copyfile(source, scratch)
            scratch.rename(kept)
    return kept


def required_version(module: str, dependency: str) -> str:
    """The version of ``dependency`` that the go.mod of ``module`` pins, such as "v1.36.3"."""
    text = (MODULES / module / "go.mod").read_text()
    match = re.search(rf"^(?:require)?\s*{re.escape(dependency)} (v\S+)", text, re.MULTILINE)
    if match is None:
        raise BuildError(f"{module}/go.mod does not require {dependency}.")
    return match[1]


def _present(binary: Binary) -> Path | None:
    """The binary where it exists already, in KUBEBUILDER_ASSETS or in the cache."""
    if assets := os.environ.get("KUBEBUILDER_ASSETS"):
        folder = Path(assets)
        if not folder.is_dir():
            raise BuildError(f"KUBEBUILDER_ASSETS is {assets}, which is not a folder. Unset it to build instead.")
        given = folder / binary.name
        if os.access(given, os.X_OK) and given.is_file():
            return given.absolute()
    cached = _cached(binary)
    return cached if cached.exists() else None


def _cached(binary: Binary) -> Path:
    return cache.root() / "bin" / binary.name / _key(binary) / binary.name


def _key(binary: Binary) -> str:
    """A hash of all that makes the binary. Go's own version is left out: it changes nothing that tests look at."""
    folder = MODULES / binary.module
    folders = {folder, folder / binary.package} if binary.package.startswith("./") else {folder}
    files = sorted(path for one in folders for path in one.iterdir() if path.suffix in {".go", ".mod", ".sum"})
    recipe = [binary.package, *FLAGS, _ldflags(binary.module), platform.system(), platform.machine()]
    digest = hashlib.sha256(json.dumps(recipe).encode())
    for path in files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _ldflags(module: str) -> str:
    """Linker flags: no debug information; for Kubernetes also its version, which its own build scripts stamp."""
    if module != "kubernetes":
        return "-s -w"
    version = required_version(module, "k8s.io/kubernetes")
    major, minor, _ = version.removeprefix("v").split(".", 2)
    stamp = "k8s.io/component-base/version"
    return f"-s -w -X {stamp}.gitVersion={version} -X {stamp}.gitMajor={major} -X {stamp}.gitMinor={minor}"


def _build_all(missing: list[Binary]) -> dict[str, Path]:
    if not missing:
        return {}
    total = sum(binary.minutes for binary in missing)
    say(f"building {', '.join(b.name for b in missing)}: about {total:.0f} min on 2 cores the first time, then kept in")
    say(f"  {cache.root()}")
    go = toolchain.find(minimum_go())
    return {binary.name: _build(go, binary) for binary in missing}


def _build(go: toolchain.Go, binary: Binary) -> Path:
    """Build into a scratch folder and rename it into place, so that a killed build leaves no half binary."""
    final = _cached(binary).parent
    final.parent.mkdir(parents=True, exist_ok=True)
    for stale in final.parent.glob("building-*"):  # we hold the lock: whoever made these is dead
        shutil.rmtree(stale)
    scratch = Path(tempfile.mkdtemp(dir=final.parent, prefix="building-"))
    command = [go.command, "build", *FLAGS, "-ldflags", _ldflags(binary.module), "-o", scratch / binary.name]
    with step(f"building {binary.name}", f"about {binary.minutes:g} min the first time"):
        _run_go(go, [*map(str, command), binary.package], binary.module, binary.name)
    scratch.chmod(0o755)
    scratch.rename(final)
    return final / binary.name


def _module_folder(module: str, dependency: str) -> Path:
    go = toolchain.find(minimum_go())
    with step(f"fetching {dependency}", "once"):
        output = _run_go(go, [str(go.command), "mod", "download", "-json", dependency], module, dependency)
    return Path(str(json.loads(output)["Dir"]))


def _run_go(go: toolchain.Go, command: list[str], module: str, what: str) -> str:
    result = subprocess.run(
        command, cwd=MODULES / module, env=go.environment(), capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        said = "\n".join((result.stderr + result.stdout).splitlines()[-TAIL_LINES:])
        raise BuildError(f"Go could not make {what} (exit {result.returncode}):\n{said}")
    return result.stdout


def minimum_go() -> tuple[int, int, int]:
    """The newest Go version that one of our modules asks for."""
    asked = []
    for path in MODULES.glob("*/go.mod"):
        match = re.search(r"^go (\S+)$", path.read_text(), re.MULTILINE)
        version = toolchain.parse_version(match[1]) if match else None
        if version is None:
            raise BuildError(f"{path.parent.name}/go.mod has no go line.")
        asked.append(version)
    return max(asked)
