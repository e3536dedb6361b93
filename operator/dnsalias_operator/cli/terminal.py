"""How text is printed: in colour on a terminal, plain on a pipe, and never with control characters of the input."""

import os
import sys
from collections.abc import Iterable

import click

from dnsalias_operator.core.outcome import Severity

COLOURS = {Severity.CRITICAL: "red", Severity.WARNING: "yellow", Severity.INFO: "blue"}


def colours() -> bool | None:
    """What the environment asks for: NO_COLOR (no-color.org), FORCE_COLOR, or TERM=dumb; None: click decides."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return False if os.environ.get("TERM") == "dumb" else None


def clean(text: object) -> str:
    """``text`` on one line without control characters: names and messages come from untrusted files."""
    shown = str(text).replace("\n", " ")
    if shown.isprintable():
        return shown
    return "".join(char if char.isprintable() or char == "\t" else f"\\x{ord(char):02x}" for char in shown)


def note(text: str) -> None:
    """Print something that is not part of the result, on standard error."""
    click.echo(clean(text), err=True)


def severity(value: Severity) -> str:
    """The severity in its colour, padded to the longest."""
    return click.style(f"{value:<8}", fg=COLOURS[value], bold=value is Severity.CRITICAL)


def count(number: int, singular: str, plural: str = "") -> str:
    """``1 change``, ``2 changes``."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"


def tally(numbers: Iterable[tuple[int, str]]) -> str:
    """``2 to create, 1 to repair``, without zeros."""
    return ", ".join(f"{number} {what}" for number, what in numbers if number)


def on_terminal() -> bool:
    """Whether standard output is a terminal."""
    return sys.stdout.isatty()


def rendered(markdown: str) -> str:
    """Markdown as a terminal shows it: of its width, with headings, tables and code set off."""
    from rich.console import Console  # noqa: PLC0415 (start-up time)
    from rich.markdown import Markdown  # noqa: PLC0415

    asked = colours()
    console = Console(no_color=asked is False, highlight=False)
    with console.capture() as shown:
        console.print(Markdown(markdown))
    return click.unstyle(shown.get()) if asked is False else shown.get()
