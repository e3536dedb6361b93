"""What has to be rendered first: Helm templates, Jinja templates, and variables that Flux or envsubst replace."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from dnsalias_operator.cli.reading.problems import Document, Fault

_ACTION = re.compile(r"(?:^[ \t]*|[:,\[{-][ \t]*)\{\{", re.MULTILINE)
"""An action in place of a line or a value of YAML. Inside quotes or a text, braces can be anything."""
_ARGUMENT = re.compile(r"\{\{-?\s*[.$(\"`A-Za-z_/]")
"""The start of an action in Go's templates; {{ 7*7 }} is not one."""
_STATEMENT = re.compile(r"^[ \t]*\{%", re.MULTILINE)
_VARIABLE = re.compile(r"\$\{[A-Za-z_][^}]*\}")
JINJA = "a Jinja template: render it first"


def template(path: str, text: str, documents: Iterable[Document | Fault]) -> str:
    """Why a file is a template and what to do; "" for other files, and if only quoted texts have braces.

    A file with braces in a chart's templates is one; any other only if YAML cannot read an action in it.
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
    """The message for a Helm template, with the command for its own chart if there is one."""
    return f"a Helm template: render it first (helm template {_chart_of(path) or 'CHART'} | dnsalias lint -f -)"


def _chart_of(path: str) -> Path | None:
    """The nearest folder above with a Chart.yaml, as a path like the user's if possible."""
    above = (*Path(path).parents, *Path(path).absolute().parents)
    return next((folder for folder in above if (folder / "Chart.yaml").is_file()), None)


def braces(fields: Mapping[str, str]) -> bool:
    """Whether one of the fields has an action of a template in it."""
    return any(map(_ARGUMENT.search, fields.values()))


def variable(fields: Mapping[str, str]) -> str:
    """The message for the first field that has a variable in it; "" if none has."""
    for field, value in fields.items():
        if found := _VARIABLE.search(value):
            return f"{field}: {found[0]} has to be replaced first (flux build kustomization, or envsubst)"
    return ""
