"""Pages of the documentation that the program carries: sections of docs/, which is the one source.

A built distribution has them in ``docs`` of the package (see pyproject.toml), a checkout in docs/.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dnsalias_operator.core.reasons import Reason

PACKAGE = Path(__file__).parents[2]
DOCUMENTATION = "https://git.example.com/dnsalias-operator/blob/main/docs"
"""The address of docs/ for a browser. Set it here, and only here, where this repository is published."""
FILES = ("findings.md", "conditions.md", "adopt.md")
_CODE = re.compile(r"DA\d{3}")
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")


class PagesMissingError(Exception):
    """The program was installed without its pages."""


@dataclass(frozen=True, slots=True)
class Page:
    """One section, its body as Markdown; ``part`` is the heading of the first level above it."""

    title: str
    file: str
    part: str
    body: str

    @property
    def text(self) -> str:
        """The body for a terminal: a link becomes its words, with the file if it leads to another one."""
        return _LINK.sub(_words, self.body)


def pages(word: str) -> tuple[Page, ...]:
    """The page of a finding's code, or those of a reason, which may have several, in any case; () for another word.

    Raises:
        PagesMissingError: there are no pages.
    """
    code = word.upper()
    if _CODE.fullmatch(code):
        return tuple(p for p in _every() if p.title.startswith(f"{code}:"))
    reason = next((reason for reason in Reason if reason.lower() == word.lower()), None)
    return tuple(p for p in _every() if reason and p.title == reason and (p.file, p.part) in reason.parts)


def address(code: str, title: str) -> str:
    """The address of the section of a finding's code."""
    anchor = re.sub(r"[^\w -]", "", f"{code}: {title}".lower()).replace(" ", "-")
    return f"{DOCUMENTATION}/findings.md#{anchor}"


def codes() -> tuple[str, ...]:
    """The codes that have a page, in order."""
    return tuple(p.title.partition(":")[0] for p in _every() if _CODE.match(p.title))


def _every() -> Iterator[Page]:
    for name in FILES:
        part, title, lines = "", "", list[str]()
        fenced = False
        for line in [*_read(name).splitlines(), "# "]:
            fenced ^= line.startswith("```")
            heading = None if fenced else re.match(r"(#{1,3}) (.*)", line)
            if heading is None:
                lines.append(line)
                continue
            if title:
                yield Page(title, name, part, "\n".join(lines).strip())
            part, title, lines = (heading[2], "", []) if heading[1] == "#" else (part, heading[2], [])


def _read(name: str) -> str:
    for folder in (PACKAGE / "docs", PACKAGE.parents[1] / "docs"):
        if (folder / name).is_file():
            return (folder / name).read_text(encoding="utf-8")
    raise PagesMissingError(f"docs/{name} is not part of this installation; install dnsalias-operator again")


def _words(link: re.Match[str]) -> str:
    words, target = link.groups()
    file = target.partition("#")[0]
    return f"{words} (docs/{file})" if file and file != words else str(words)
