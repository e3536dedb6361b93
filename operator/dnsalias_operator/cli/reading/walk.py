"""The files that `-f` and `--overlay` name, and those in the folders that they name."""

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dnsalias_operator.cli.reading.ignored import Ignored
from dnsalias_operator.cli.reading.kustomize import NAMES as KUSTOMIZATIONS
from dnsalias_operator.cli.reading.problems import Problem, Skipped

SUFFIXES = (".yaml", ".yml", ".json")
_OWN = ("/dev/stdin", "/dev/fd/", "/proc/self/fd/")
"""Files that this process has open already, such as a shell's <(…): reading them never waits for a writer."""


@dataclass(frozen=True, slots=True)
class File:
    """One file to read. ``real`` is its path without links, "-" for standard input; ``named`` as in `Problem`."""

    path: str
    real: str
    named: bool


@dataclass(slots=True)
class Walk:
    """Finds files; what cannot be opened becomes a problem, what is left out on purpose is counted.

    Links to folders are not followed, so there are no endless loops.
    """

    ignored: Ignored
    problems: list[Problem] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    def files(self, paths: Iterable[str]) -> Iterator[File]:
        """The files of ``paths`` in order, those of a folder sorted; a file that several lead to comes for each."""
        for path in paths:
            if path == "-" or not Path(path).is_dir():
                yield File(path, path if path == "-" else os.path.realpath(path), named=True)
            else:
                yield from self._folder(path)

    def _folder(self, path: str) -> Iterator[File]:
        def unreadable(error: OSError) -> None:
            named = error.filename == path
            self.problems.append(Problem(str(error.filename), 0, 0, error.strerror or str(error), named))

        rules = {os.path.realpath(path): self.ignored.starting_at(path)}
        for folder, below, names in os.walk(path, onerror=unreadable):
            real = os.path.realpath(folder)
            here = rules.pop(real).entering(folder)
            below[:] = sorted(name for name in below if not name.startswith(".") and self._enters(folder, name, here))
            rules |= {os.path.join(real, name): here for name in below}  # noqa: PTH118 (one for each folder)
            yield from self._of(folder, names, here)

    def _enters(self, folder: str, name: str, here: Ignored) -> bool:
        path = Path(folder, name)
        if path.is_symlink():
            return False
        left_out = here.leaves_out(os.path.realpath(path), is_folder=True)
        self.skipped += [Skipped.IGNORED] * left_out
        return not left_out

    def _of(self, folder: str, names: Sequence[str], here: Ignored) -> Iterator[File]:
        within = os.path.realpath(folder)
        for name in sorted(names):
            if name.startswith(".") or not (name.endswith(SUFFIXES) or name in KUSTOMIZATIONS):
                continue
            path = str(Path(folder, name))
            # By the path of a link, not of its target: patterns are written for that.
            if here.leaves_out(str(Path(within, name)), is_folder=False):
                self.skipped.append(Skipped.IGNORED)
                continue
            try:
                regular = stat.S_ISREG(os.stat(path).st_mode)  # noqa: PTH116 (one for each file)
            except OSError as error:
                self.problems.append(Problem(path, 0, 0, error.strerror or str(error), named=False))
                continue
            if regular:
                yield File(path, os.path.realpath(path), named=False)
            else:
                self.skipped.append(Skipped.SPECIAL)


def unreadable(path: str) -> str:
    """Why a file that was named is not read: it is a FIFO, socket or device; "" if it is a file."""
    mode = os.stat(path).st_mode  # noqa: PTH116
    if stat.S_ISREG(mode) or (stat.S_ISFIFO(mode) and path.startswith(_OWN)):
        return ""
    kinds = {stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"}
    return f"{kinds.get(stat.S_IFMT(mode), 'no file')}, which is not read; pipe its content into -f -"
