"""Just enough Markdown to hold the documents against the code."""

import re


def sections(text: str, level: int) -> dict[str, str]:
    """Title and text of each section whose heading has ``level`` hashes, in order; deeper headings stay in the text.

    A title in backticks loses them. Fenced code is not searched for headings.
    """
    found: dict[str, list[str]] = {}
    current: list[str] | None = None
    fenced = False
    for line in text.splitlines():
        fenced ^= line.startswith("```")
        heading = None if fenced else re.match(r"(#+) (.*)", line)
        if heading and len(heading[1]) <= level:
            current = found.setdefault(heading[2].strip("` "), []) if len(heading[1]) == level else None
        elif current is not None:
            current.append(line)
    return {title: "\n".join(lines) for title, lines in found.items()}


def headings(text: str) -> list[str]:
    """Every heading, as it is written."""
    bare = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"^#+ (.*)$", bare, flags=re.MULTILINE)


def anchor(title: str) -> str:
    """The fragment under which GitHub and most other readers find a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def links(text: str) -> list[str]:
    """Targets of every link; code is not searched for them."""
    bare = re.sub(r"^```.*?^```|`[^`\n]*`", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"\]\(([^)\s]+)\)", bare)
