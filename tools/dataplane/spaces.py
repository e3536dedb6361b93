"""Namespaces without a name: network, mounts and processes of a node or a pod, alive as long as one process is.

Named network namespaces outlive their makers and must be cleaned away; these cannot be left behind. The holder is
``unshare``, started by the control plane's supervisor and killed by the kernel when that dies; its child is process 1
of the new process namespace, whose end ends every process in there, and with the last one the interfaces and rules go.
"""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.controlplane.processes import Supervisor
from tools.dataplane import DataPlaneError

HOME = Path("/media")
"""The folder that every namespace covers with an empty tmpfs of its own: readable by all users, gone at the end."""
READY = "space ready"
WAIT_SECONDS = 20.0
POLL_SECONDS = 0.005
RUN_SECONDS = 60
TAIL_LINES = 25

_INIT = f"""\
set -e
mount -t tmpfs -o mode=755 tmpfs {HOME}
mkdir {HOME}/bin
{{mounts}}
ip link set lo up
echo {READY}
exec sleep infinity
"""


@dataclass(frozen=True)
class Space:
    """One set of namespaces.

    Attributes:
        supervisor: kills the holder at the end.
        name: of the holder among the supervisor's processes, and of its log.
        pid: of the holder, in our own process namespace; its network and mounts are the new ones.
    """

    supervisor: Supervisor
    name: str
    pid: int
    _spawned: list[str] = field(default_factory=list)

    @classmethod
    def start(cls, supervisor: Supervisor, name: str, files: Mapping[str, Path], resolv_conf: str) -> "Space":
        """New namespaces with loopback up.

        Args:
            supervisor: of the run.
            name: a new one.
            files: what ``HOME/bin`` shows, by name: binaries whose own folders may be closed to other users.
            resolv_conf: content of /etc/resolv.conf in there.

        Raises:
            DataPlaneError: the kernel or the tools refuse.
        """
        resolver = supervisor.folder / f"{name}.resolv.conf"
        resolver.write_text(resolv_conf)
        resolver.chmod(0o644)
        mounts = [f"mount --bind {shlex.quote(str(resolver))} /etc/resolv.conf"]
        for label, path in files.items():
            target = HOME / "bin" / label
            mounts += [f"touch {target}", f"mount --bind {shlex.quote(str(path))} {target}"]
        flags = ("--net", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child")
        script = _INIT.format(mounts="\n".join(mounts))
        space = cls(supervisor, name, supervisor.spawn(name, ["unshare", *flags, "sh", "-c", script]))
        space._until_ready()
        return space

    def entering(self, argv: Sequence[str | Path], user: int | None = None) -> list[str]:
        """The command line that runs ``argv`` in there, as root unless a user id is given, in the folder ``HOME``."""
        proc = f"/proc/{self.pid}/ns"
        inside = ["nsenter", f"--net={proc}/net", f"--mount={proc}/mnt", f"--ipc={proc}/ipc", f"--uts={proc}/uts"]
        become = [] if user is None else ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
        command = [*inside, f"--pid={proc}/pid_for_children", "--", "env", f"--chdir={HOME}", *become]
        return [*command, *(str(part) for part in argv)]

    def run(self, argv: Sequence[str | Path], stdin: str | None = None, user: int | None = None) -> str:
        """Run a command in there to its end and return its standard output.

        Raises:
            DataPlaneError: it failed; the message has what it said.
        """
        return self._checked(self.call(argv, stdin=stdin, user=user), argv)

    def call(
        self, argv: Sequence[str | Path], stdin: str | None = None, user: int | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in there to its end, whatever that is."""
        return _run(self.entering(argv, user), stdin)

    def sh(self, script: str, stdin: str | None = None) -> str:
        """Run a shell script in there, to its first failing command, and return its standard output."""
        return self.run(["sh", "-ec", script], stdin=stdin)

    def connect(self, script: str) -> str:
        """Run a shell script in this network only, as a process of ours: it may speak of other spaces by pid."""
        command = ["nsenter", f"--net=/proc/{self.pid}/ns/net", "sh", "-ec", script]
        return self._checked(_run(command, None), command)

    def python(self, code: str, *arguments: str) -> str:
        """Run Python code in there, standard library only, and return what it printed."""
        return self.run([sys.executable, "-I", "-S", "-c", code, *arguments])

    def spawn(
        self,
        name: str,
        argv: Sequence[str | Path],
        environment: Mapping[str, str] | None = None,
        user: int | None = None,
    ) -> None:
        """Start a program in there that lives as long as the space; it is ``<space>.<name>`` to the supervisor."""
        self.supervisor.spawn(self.part(name), self.entering(argv, user), environment)
        self._spawned.append(name)

    def kill(self, name: str) -> None:
        """Kill a program that ``spawn`` started."""
        self._spawned.remove(name)
        self.supervisor.kill(self.part(name))

    def part(self, name: str) -> str:
        """The supervisor's name for a program in there."""
        return f"{self.name}.{name}"

    def log(self, name: str) -> str:
        """What a program in there has written so far."""
        return self.supervisor.log(self.part(name))

    def fail_if_dead(self) -> None:
        """Raise DataPlaneError, with the end of its log, where a program in there has ended by itself."""
        status = self.supervisor.status()
        for name in self._spawned:
            if (code := status[self.part(name)]) is not None:
                raise DataPlaneError(f"{self.part(name)} ended with {code}\n{self.tail()}")

    def tail(self) -> str:
        """The end of the log of every program in there, for an error message."""
        parts = []
        for name in self._spawned:
            # a sidecar repeats at every question that it is not ready, and buries the reason under that
            lines = [line for line in self.log(name).splitlines() if "NOT ready" not in line]
            parts += [f"--- {self.part(name)}", *lines[-TAIL_LINES:]]
        return "\n".join(parts)

    def stop(self) -> None:
        """End everything in there. The namespaces go with their last process."""
        for name in tuple(self._spawned):
            self.kill(name)
        self.supervisor.kill(self.name)

    def _checked(self, result: subprocess.CompletedProcess[str], argv: Sequence[str | Path]) -> str:
        if result.returncode != 0:
            shown = " ".join(map(str, argv))
            raise DataPlaneError(f"{self.name}: {shown}: exit {result.returncode}\n{result.stderr}{result.stdout}")
        return result.stdout

    def _until_ready(self) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while READY not in (log := self.supervisor.log(self.name)):
            if self.supervisor.status()[self.name] is not None or time.monotonic() > deadline:
                raise DataPlaneError(f"Namespaces for {self.name} could not be made:\n{log}")
            time.sleep(POLL_SECONDS)


def _run(command: list[str], stdin: str | None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        input=stdin or "",
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=RUN_SECONDS,
    )


def why_not() -> str | None:
    """Why this machine cannot make such namespaces, in one line; None where it can."""
    if os.geteuid() != 0:
        return "the data plane needs root, to make network namespaces"
    result = subprocess.run(
        ["unshare", "--net", "--mount", "--pid", "--fork", "sh", "-c", "ip link set lo up && iptables -t nat -S"],
        capture_output=True,
        text=True,
        check=False,
    )
    return None if result.returncode == 0 else f"no network namespaces with iptables here: {result.stderr.strip()}"
