"""The page as commands with their output: blocks marked `console`, in which `$ ` begins a command.

A line that ends in a backslash goes on in the next. Everything outside of such blocks is prose and stays as it is.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "quickstart.md"
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHAPES = (
    (re.compile(r"\b\d{4}-\d\d-\d\dT[\d:.]+Z?\b"), "TIME"),
    (re.compile(r"\b[A-Z][a-z]{2} [A-Z][a-z]{2} +\d+ [\d:]{8} \d{4}\b"), "TIME"),
    (re.compile(r"\b\d+\.\d+\.\d+\.\d+\b"), "ADDRESS"),
    (re.compile(r"\b\d+[smh](\d+s)?\b"), "AGE"),
    (re.compile(r"\bin \d+ objects\b"), "in N objects"),
    (re.compile(r"[ \t]+"), " "),
)
"""What differs from run to run. Columns are as wide as what stands in them."""


@dataclass(frozen=True)
class Step:
    """A command, and what it printed."""

    command: str
    output: str


def steps(text: str) -> list[Step]:
    """Every command of the page, in order."""
    return [step for block in BLOCK.findall(text) for step in _steps(block)]


def _steps(block: str) -> list[Step]:
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)
    if parts[0].strip():
        raise ValueError(f"a console block begins with output: {parts[0]!r}")
    return [_step(part) for part in parts[1:]]


def _step(part: str) -> Step:
    command = re.match(r"(?:.*\\\n)*.*\n", part)
    if command is None:
        raise ValueError(f"a command without an end: {part!r}")
    return Step(command[0].strip(), part[command.end() :].strip("\n"))


def rewritten(text: str, outputs: Callable[[str], str]) -> str:
    """The page with each command's output as ``outputs`` gives it; the page itself where all are of the same shape.

    All of it is of one run: an address that stands in two places is the same one.
    """
    typed = [(step, outputs(step.command)) for step in steps(text)]
    if all(shape(new) == shape(step.output) for step, new in typed):
        return text
    printed = iter(new for _, new in typed)

    def block(match: re.Match[str]) -> str:
        told = (f"$ {step.command}\n{next(printed)}".rstrip("\n") for step in _steps(match[1]))
        return "```console\n" + "\n".join(told) + "\n```"

    return BLOCK.sub(block, text)


def shape(output: str) -> str:
    """The output without what differs from run to run: addresses, ages, times, widths of columns."""
    for pattern, word in SHAPES:
        output = pattern.sub(word, output)
    return "\n".join(line.strip() for line in output.strip().splitlines())
