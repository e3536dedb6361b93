"""What docstrings, comments and pages cite is there: pages of docs/ and their headings, files, folders and modules.

One form everywhere: a page by its path, then the titles of its headings in quotes, as in `docs/istio.md, "Catch-alls"`.
"""

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.install.markdown import anchor, headings

REPOSITORY = Path(__file__).parents[2]
PACKAGE = REPOSITORY / "operator" / "dnsalias_operator"
FOLDERS = ("benchmarks", "chart", "crds", "docs", "examples", "manifests", "operator", "tests", "tools")
KINDS = frozenset({".py", ".md", ".yaml", ".go", ".toml", ".txt", ".html", ".tpl"})
CITATION = re.compile(r'(?<!/)\bdocs/([\w/-]+)\.md(#[\w-]+)?((?:(?:,| and|, and) "[^"]+"(?: \([^()]*\))?)*)')
OF_RULES = frozenset({"istio", "kopf"})
"""Pages of rules: in the package they are cited by heading."""
AREAS = "|".join((*(path.name for path in PACKAGE.iterdir() if path.is_dir()), *FOLDERS))
PATH = re.compile(rf"(?<![\w/.:$}}<-])(?:{AREAS})/[\w./-]*[\w/]")
"""In a page, whatever looks like a path of ours. In code: modules and decisions, other paths there are often data."""
IN_CODE = re.compile(r".*\.py|docs/decisions/\d.*")
READERS_OWN = re.compile(r"manifests/overlays/our.*")
"""Folders that pages tell readers to make."""
GO = re.compile(r"[\w/.-]+\.go\b")
MODULE = re.compile(r"python -m ((?:benchmarks|dnsalias_operator|tests|tools)[\w.]*)")


def _texts() -> Iterator[tuple[str, str]]:
    """Path and text of every file that people read, without line breaks and the signs that begin a comment."""
    found = [path for name in FOLDERS for path in (REPOSITORY / name).rglob("*") if path.suffix in KINDS]
    for path in sorted([*found, *REPOSITORY.glob("*.md"), REPOSITORY / "Makefile", REPOSITORY / "pyproject.toml"]):
        text = re.sub(r"\s*\n[ \t]*(?:#:? )?", " ", path.read_text(encoding="utf-8"))
        yield str(path.relative_to(REPOSITORY)), text


TEXTS = dict(_texts())


def _cited() -> Iterator[tuple[str, re.Match[str]]]:
    for name, text in TEXTS.items():
        for found in CITATION.finditer(text):
            yield name, found


def test_every_cited_page_and_heading_exists() -> None:
    """A page of docs/ that is cited is there, and so are the headings and anchors that are cited of it."""
    wrong = []
    for name, cited in _cited():
        page = REPOSITORY / "docs" / f"{cited[1]}.md"
        if not page.exists():
            wrong.append(f"{name}: {cited[0]}")
            continue
        titles = headings(page.read_text(encoding="utf-8"))
        missing = {*re.findall(r'"([^"]+)"', re.sub(r"\([^()]*\)", "", cited[3]))} - {*titles}
        if missing or (cited[2] and cited[2][1:] not in {anchor(title) for title in titles}):
            wrong.append(f"{name}: {cited[0]}")
    assert not wrong, "\n".join(wrong)


def test_rules_are_cited_by_heading() -> None:
    """In the package, a page of rules is never cited as a whole: the reader would have to search it."""
    whole = [name for name, c in _cited() if name.startswith("operator/") and c[1] in OF_RULES and not c[3]]
    assert whole == []


def test_every_named_path_exists() -> None:
    """A file or folder of the repository or of the package that a text names is there."""
    wrong = []
    for name, text in TEXTS.items():
        for path in PATH.findall(text):
            if READERS_OWN.fullmatch(path) or not (name.endswith(".md") or IN_CODE.fullmatch(path)):
                continue
            if not any((base / path).exists() for base in (REPOSITORY, PACKAGE)):
                wrong.append(f"{name}: {path}")
    assert not wrong, "\n".join(wrong)


def test_files_of_istio_are_cited_by_their_whole_path() -> None:
    """The core cites a file of Istio by its path in Istio's repository: many there have the same name."""
    core = "operator/dnsalias_operator/core/"
    cited = (path for name, text in TEXTS.items() if name.startswith(core) for path in GO.findall(text))
    assert [path for path in cited if not path.startswith(("pilot/pkg/", "pkg/"))] == []


@pytest.mark.parametrize("module", sorted({m for text in TEXTS.values() for m in MODULE.findall(text)}))
def test_every_named_program_exists(module: str) -> None:
    """What a text says to start with `python -m` can be imported."""
    assert importlib.util.find_spec(module.rstrip(".")) is not None
