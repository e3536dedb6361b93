"""What is still to be rendered: Helm templates, Jinja templates, and variables that Flux or envsubst replace."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from dnsalias_operator.cli.reading.problems import Document, Fault

_ACTION = re.compile(r"(?:^[ \t]*|[:,\[{-][ \t]*)\{\{", re.MULTILINE)
"""An action where YAML has a line or a value: in quotes or in the middle of a text it is anybody's braces."""
_ARGUMENT = re.compile(r"\{\{-?\s*[.$(\"`A-Za-z_/]")
"""The beginning of an action in Go's templates; {{ 7*7 }} is none."""
_STATEMENT = re.compile(r"^[ \t]*\{%", re.MULTILINE)
_VARIABLE = re.compile(r"\$\{[A-Za-z_][^}]*\}")
JINJA = "a Jinja template: render it first"


def template(path: str, text: str, documents: Iterable[Document | Fault]) -> str:
    """Why a file is a template and what to do; "" for other files, and where nothing but quoted texts has braces.

    A file of a chart's templates is one by its place; any other by an action that YAML cannot read.
    """
    if "{{" not in text and "{%" not in text:
        return ""
    faulty = [document.source for document in documents if isinstance(document, Fault)]
    if any(map(_STATEMENT.search, faulty)):
        return JINJA
    by_place = "{{" in text and _in_templates(path)
    return helm(path) if by_place or any(map(_ACTION.search, faulty)) else ""


def _in_templates(path: str) -> bool:
    chart = _chart_of(path)
    return chart is not None and "templates" in Path(path).absolute().relative_to(chart.absolute()).parts[:-1]


def helm(path: str) -> str:
    """What is said of a Helm template, with the command for its own chart where there is one."""
    return f"a Helm template: render it first (helm template {_chart_of(path) or 'CHART'} | dnsalias lint -f -)"


def _chart_of(path: str) -> Path | None:
    """The nearest folder above with a Chart.yaml, in the user's own words where it can be."""
    above = (*Path(path).parents, *Path(path).absolute().parents)
    return next((folder for folder in above if (folder / "Chart.yaml").is_file()), None)


def braces(fields: Mapping[str, str]) -> bool:
    """Whether a field that is read has an action of a template in it."""
    return any(map(_ARGUMENT.search, fields.values()))


def variable(fields: Mapping[str, str]) -> str:
    """What is said of the first field that has a variable in it; "" where none has."""
    for field, value in fields.items():
        if found := _VARIABLE.search(value):
            return f"{field}: {found[0]} is still to be replaced (flux build kustomization, or envsubst)"
    return ""
