"""Printing the story: to a terminal, and kept for a transcript."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

out = Console(highlight=False, soft_wrap=True, record=True)
HEADING = "\n== "


def step(text: str) -> None:
    """A heading."""
    out.print(f"{HEADING}{text}", style="bold cyan", markup=False)


def say(text: str = "") -> None:
    """Plain words."""
    out.print(text, markup=False)


def command(text: str) -> None:
    """A command line whose output follows."""
    out.print(f"$ {text}", style="bold", markup=False)


def table(rows: Sequence[Sequence[str]], good: Sequence[str]) -> None:
    """Columns of text.

    Args:
        rows: the first one is the header.
        good: what may stand in the cells of a line that is as people want it; () where no line is better than others.
    """
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for number, cells in enumerate(rows):
        padded = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
        style = "bold" if number == 0 else "red" if good and not {*cells[1:]} <= {*good} else None
        out.print(padded, style=style, markup=False)
    say()


def write(path: Path) -> None:
    """Keep all that was printed as a page of Markdown, without what builds said."""
    _, _, story = out.export_text().partition(HEADING)
    parts = ["# The incident and its fix, with real traffic", INTRODUCTION]
    for chapter in story.rstrip().split(HEADING):
        title, _, text = chapter.partition("\n")
        parts += [f"## {title}", f"```text\n{text.strip()}\n```"]
    path.write_text("\n\n".join(parts) + "\n")


INTRODUCTION = """\
This is a transcript of `make lab ARGS="--write docs/lab.md"`; run that again instead of editing it. It ran on a real
kube-apiserver, istiod, pilot-agent, Envoy, kube-proxy and CoreDNS, in the versions that `tools/controlplane` and
`uv.lock` pin. It needs root (pods are network namespaces) and leaves nothing behind.

Each listener table shows the listeners of the Envoys, on the ports of the story, beside the prediction of this
project's listener model for the same objects. Every difference, on any port, is counted. The answers that clients got
are compared with the model in the same way."""
