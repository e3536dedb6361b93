"""Pages of the documentation that the program carries: sections of docs/, which is the one source.

A built distribution has them in ``docs`` of the package (pyproject.toml says so); a checkout has them where they are
written.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).parents[2]
DOCUMENTATION = "https://git.example.com/dnsalias-operator/blob/main/docs"
"""Where a browser finds docs/. Whoever publishes this repository says here, and nowhere else, at which address."""
FILES = ("findings.md", "conditions.md", "adopt.md")
_REASON = 3
"""Level of the headings of reasons."""
_CODE = re.compile(r"DA\d{3}")
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")


class PagesMissingError(Exception):
    """The program was installed without its pages."""


@dataclass(frozen=True, slots=True)
class Page:
    """One section, its body as Markdown.

    ``level`` is how many hashes its heading has, ``part`` the heading of the first level above it.
    """

    title: str
    level: int
    file: str
    part: str
    body: str

    @property
    def text(self) -> str:
        """The body for a terminal: a link is its words, and the file where it leads to another one."""
        return _LINK.sub(_words, self.body)


def pages(word: str) -> tuple[Page, ...]:
    """The page of a finding's code (in any case), or those of a reason, which may stand in several places.

    Raises:
        PagesMissingError: there are no pages.
    """
    code = word.upper()
    if _CODE.fullmatch(code):
        return tuple(p for p in _every() if p.title.startswith(f"{code}:"))
    return tuple(p for p in _every() if p.level == _REASON and p.title == word)


def address(code: str, title: str) -> str:
    """Where a browser finds the page of a finding's code."""
    anchor = re.sub(r"[^\w -]", "", f"{code}: {title}".lower()).replace(" ", "-")
    return f"{DOCUMENTATION}/findings.md#{anchor}"


def codes() -> tuple[str, ...]:
    """The codes that have a page, in order."""
    return tuple(p.title.partition(":")[0] for p in _every() if _CODE.match(p.title))


def reasons() -> tuple[str, ...]:
    """The reasons that have a page, sorted."""
    return tuple(sorted({p.title for p in _every() if p.level == _REASON}))


def _every() -> Iterator[Page]:
    for name in FILES:
        part, title, level, lines = "", "", 0, list[str]()
        fenced = False
        for line in [*_read(name).splitlines(), "# "]:
            fenced ^= line.startswith("```")
            heading = None if fenced else re.match(r"(#{1,3}) (.*)", line)
            if heading is None:
                lines.append(line)
                continue
            if title:
                yield Page(title, level, name, part, "\n".join(lines).strip())
            level = len(heading[1])
            part, title, lines = (heading[2], "", []) if level == 1 else (part, heading[2], [])


def _read(name: str) -> str:
    for folder in (PACKAGE / "docs", PACKAGE.parents[1] / "docs"):
        if (folder / name).is_file():
            return (folder / name).read_text(encoding="utf-8")
    raise PagesMissingError(f"docs/{name} is not part of this installation; install dnsalias-operator anew")


def _words(link: re.Match[str]) -> str:
    words, target = link.groups()
    file = target.partition("#")[0]
    return f"{words} (docs/{file})" if file and file != words else str(words)
