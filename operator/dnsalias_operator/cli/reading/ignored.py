"""What is left out of folders: lines of .gitignore and .dnsaliasignore files, and of `--exclude`, in git's syntax.

Source: gitignore(5). A deeper file overrides one above it, a later line an earlier one, .dnsaliasignore the .gitignore
in the same folder, and `--exclude` all of them. Other settings of git (core.excludesFile) are not read.
"""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

FILES = (".gitignore", ".dnsaliasignore")
_ALL_WITHIN = re.compile(r"/\*\*(?=/?\s*\Z)")
_ROOT = ".git"
"""What the top folder of a repository has: a folder, or a file in a worktree."""


class PatternError(ValueError):
    """A pattern that is not valid in git's syntax."""


@dataclass(frozen=True, slots=True)
class _Lines:
    """Patterns, and the folder (a real path) that they are relative to."""

    folder: str
    spec: "GitIgnoreSpec"

    def verdict(self, path: str, *, is_folder: bool) -> bool | None:
        """Whether the last matching pattern leaves ``path`` out; None if no pattern matches.

        A pattern that matches a folder above it does not count: that folder is checked by itself.
        """
        below = os.path.relpath(path, self.folder) + "/" * is_folder
        fitting = (pattern.include for pattern in reversed(self.spec.patterns) if _fits(pattern.regex, below))
        return next(fitting, None)


@dataclass(frozen=True, slots=True)
class Ignored:
    """The lines that apply in one folder, those that override others first."""

    excluded: tuple[_Lines, ...] = ()
    written: tuple[_Lines, ...] = ()

    @classmethod
    def excluding(cls, patterns: Iterable[str]) -> "Ignored":
        """The patterns of `--exclude`, for paths relative to the working folder.

        Raises:
            PatternError: one of them is not valid.
        """
        given = [*patterns]
        if wrong := [pattern for pattern in given if not (_is_content(pattern) and _is_pattern(pattern))]:
            raise PatternError(f"{wrong[0]!r} is not a valid pattern of .gitignore")
        lines = _lines(os.path.realpath(os.curdir), given)
        return cls((lines,) if lines else ())

    def starting_at(self, folder: str) -> "Ignored":
        """With the files of the folders above ``folder``, up to the top of its repository.

        A file that would leave out the folder itself is not used: the folder was named.
        """
        real = Path(os.path.realpath(folder))
        above = [*real.parents]
        top = next((n for n, each in enumerate(above) if (each / _ROOT).exists()), None)
        if top is None or (real / _ROOT).exists():
            return self
        found = self
        for each in reversed(above[: top + 1]):
            inside = found.entering(str(each))
            if inside is not found and not inside.written[0].verdict(str(real), is_folder=True):
                found = inside
        return found

    def entering(self, folder: str) -> "Ignored":
        """With the files in ``folder`` itself."""
        texts = [_text(os.path.join(folder, name)) for name in FILES]  # noqa: PTH118 (asked for every folder)
        if not any(texts):
            return self
        lines = _lines(os.path.realpath(folder), "\n".join(texts).splitlines())
        return replace(self, written=(lines, *self.written)) if lines else self

    def leaves_out(self, path: str, *, is_folder: bool) -> bool:
        """Whether a file or folder, by its real path, is left out. It is not asked for what is in such a folder."""
        for lines in (*self.excluded, *self.written):
            verdict = lines.verdict(path, is_folder=is_folder)
            if verdict is not None:
                return verdict
        return False


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8-sig", errors="replace") as file:  # noqa: PTH123
            return file.read()
    except OSError:
        return ""


def _fits(regex: "re.Pattern[str] | None", path: str) -> bool:
    """Whether it matches the whole path. For a lone * and */ pathspec has patterns of only the last character."""
    found = (regex.search(path, start) for start in (0, len(path) - 1)) if regex else ()
    return any(match is not None and match.end() == len(path) for match in found)


def _lines(folder: str, patterns: Iterable[str]) -> _Lines | None:
    written = [pattern for pattern in patterns if _is_content(pattern)]
    return _Lines(folder, _spec(filter(_is_pattern, written))) if written else None


def _is_content(line: str) -> bool:
    return bool(line.strip()) and not line.startswith("#")


def _is_pattern(line: str) -> bool:
    """Whether git would use the line; it skips a lone backslash, for example."""
    try:
        _spec([line])
    except ValueError:
        return False
    return True


def _spec(patterns: Iterable[str]) -> "GitIgnoreSpec":
    from pathspec import GitIgnoreSpec  # noqa: PLC0415 (start-up time)

    # For git, a/** matches what is in a but not a itself; for pathspec it matches both, and a/**/* only the former.
    return GitIgnoreSpec.from_lines(_ALL_WITHIN.sub("/**/*", pattern) for pattern in patterns)
