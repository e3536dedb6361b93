"""Runs the operator as its Pod would: what the Deployment says of user, root file system, capabilities and volumes.

No container engine is needed for that shape. A namespace of mounts and processes gets a root of its own, with nothing
but the base system, Python, the wheel with its dependencies, and the ServiceAccount's files, everything read-only; the
volumes of the Deployment are the only places to write to. The kernel ends everything with the holder.
"""

import os
import re
import shlex
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ACCOUNT_FILES = "/var/run/secrets/kubernetes.io/serviceaccount"
"""Where the kubelet mounts token, certificate and namespace (Kubernetes: accessing the API from a Pod)."""
SYSTEM = ("/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache")
WHEEL, PACKAGES = "/opt/dnsalias", "/opt/packages"
PYTHON = f"{sys.base_prefix}/bin/python{sys.version_info.major}.{sys.version_info.minor}"
"""The interpreter, where it is outside too: it finds its own library by that path."""
FLAGS = ("--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child")
BYTES = {"Ki": 1024, "Mi": 1024**2, "Gi": 1024**3}
LEAVES_NOTHING = ("unshare", "--pid", "--fork", "--kill-child")
"""One more namespace of processes around it: its first process dies with ours, and with that all others in there.

The operator itself would not: a process that changes its user loses the signal that was to come.
"""


@dataclass(frozen=True)
class Shape:
    """What a Pod template says of its only container."""

    template: Mapping[str, Any]

    @property
    def container(self) -> Mapping[str, Any]:
        """The container."""
        (only,) = self.template["spec"]["containers"]
        return dict(only)

    @property
    def volumes(self) -> dict[str, int]:
        """Mount path and size in bytes of each emptyDir; a volume of another kind is an error."""
        sizes = {v["name"]: v["emptyDir"]["sizeLimit"] for v in self.template["spec"]["volumes"]}
        return {m["mountPath"]: _bytes(sizes[m["name"]]) for m in self.container["volumeMounts"]}

    def become(self) -> list[str]:
        """The command that takes on user, group, capabilities and privileges, for another command to follow."""
        pod, own = self.template["spec"]["securityContext"], self.container["securityContext"]
        assert pod["runAsNonRoot"] is True
        assert own["capabilities"] == {"drop": ["ALL"]}
        assert own["allowPrivilegeEscalation"] is False
        user = [f"--reuid={pod['runAsUser']}", f"--regid={pod['runAsGroup']}", "--clear-groups"]
        return ["setpriv", *user, "--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all", "--no-new-privs"]


def _bytes(quantity: str) -> int:
    return int(quantity[:-2]) * BYTES[quantity[-2:]]


def sandbox(
    shape: Shape, root: Path, wheel: Path, account: Path, environment: Mapping[str, str], argv: Sequence[str]
) -> list[str]:
    """The command line that runs ``argv`` in a Pod of that shape, in the foreground; for root, on Linux.

    Args:
        shape: the Pod's.
        root: an empty folder, over which the root is put together in the new namespace: it stays empty.
        wheel: the wheel, unpacked. Its dependencies are those of the environment that runs the tests: the lock's.
        account: what is mounted as the ServiceAccount's files.
        environment: all that the process gets beside Python's own paths.
        argv: the command, as seen in there.
    """
    binds = {name: name for name in SYSTEM if Path(name).exists()}
    binds |= {str(wheel): WHEEL, sysconfig.get_path("purelib"): PACKAGES, str(account): ACCOUNT_FILES}
    if not sys.base_prefix.startswith(SYSTEM):
        binds[sys.base_prefix] = sys.base_prefix
    read_only = "ro," if shape.container["securityContext"]["readOnlyRootFilesystem"] else ""
    root = root.resolve()
    lines = ["set -e", f"mount -t tmpfs -o mode=755 tmpfs {root}", f"cd {root}", "mkdir proc dev"]
    for source, target in binds.items():
        lines += _bind(source, target)
    lines += _bind("/dev/null", "/dev/null") + _bind("/dev/urandom", "/dev/urandom")
    lines += ["mount -t proc -o nosuid,nodev,noexec proc proc"]
    for path, size in shape.volumes.items():
        lines += [f"mkdir -p .{path}", f"mount -t tmpfs -o mode=1777,size={size} tmpfs .{path}"]
    lines += [f"mount -o {read_only}remount,bind .", "exec chroot . " + shlex.join(_inside(shape, environment, argv))]
    return [*LEAVES_NOTHING, "unshare", *FLAGS, "sh", "-c", "\n".join(lines)]


def _bind(source: str, target: str) -> list[str]:
    """Lines that show a file or folder at its place in there, read-only."""
    make = f"mkdir -p .{target}" if Path(source).is_dir() else f"mkdir -p .{Path(target).parent} && touch .{target}"
    return [make, f"mount --bind {shlex.quote(source)} .{target}", f"mount -o ro,remount,bind .{target}"]


def _inside(shape: Shape, environment: Mapping[str, str], argv: Sequence[str]) -> list[str]:
    told = {"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{WHEEL}:{PACKAGES}", **environment}
    return ["env", "--ignore-environment", *(f"{k}={v}" for k, v in told.items()), *shape.become(), *argv]


def environment_of_the_image() -> dict[str, str]:
    """What the Dockerfile's last ENV sets, but for PATH."""
    dockerfile = (Path(__file__).parents[2] / "Dockerfile").read_text(encoding="utf-8")
    last = re.findall(r"^ENV ((?:[^\\\n]|\\\n)*)", dockerfile, flags=re.MULTILINE)[-1]
    pairs = dict(re.findall(r"(\w+)=(\S+)", last))
    return {name: value for name, value in pairs.items() if name != "PATH"}


def why_not() -> str:
    """Why this machine can make no such Pod, "" where it can."""
    if os.geteuid() != 0:
        return "a sandbox of the Pod's shape needs root, to mount"
    command = ["unshare", *FLAGS, "setpriv", "--no-new-privs", "true"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if result.returncode == 0 else f"no namespaces here: {result.stderr.strip()}"
