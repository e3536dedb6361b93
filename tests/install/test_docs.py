"""The documents are complete and true as far as a machine can tell: codes, reasons, settings, links."""

import re
import tomllib
from pathlib import Path

import pytest

from dnsalias_operator.core.findings.catalog import FAULTS
from dnsalias_operator.core.reasons import Part, Reason
from dnsalias_operator.settings import Settings
from dnsalias_operator.shell.reporting.series import SPECS
from tests.install.markdown import anchor, headings, links, sections
from tools.documents import crd, support
from tools.documents.settings import document

REPOSITORY = Path(__file__).parents[2]
DOCS = REPOSITORY / "docs"
FOLDERS = ("docs", "examples", "chart")
PAGES = sorted([*REPOSITORY.glob("*.md"), *(page for name in FOLDERS for page in (REPOSITORY / name).rglob("*.md"))])
PARTS = ("**What it means.**", "**Example.**", "**How to see it.**", "**What to do.**")
REGISTRIES = re.compile(r"\b(?:docker\.io|gcr\.io|ghcr\.io|quay\.io|pypi\.org|pythonhosted|registry\.k8s\.io|npmjs)\b")


def read(name: str) -> str:
    """A document."""
    return (DOCS / name).read_text(encoding="utf-8")


def part(name: str, title: str) -> set[str]:
    """Titles of the third level under one of the first level."""
    return set(sections(sections(read(name), 1)[title], 3))


def test_every_folder_is_told_to_contributors() -> None:
    """CONTRIBUTING.md names each folder of tests/, tools/ and manifests/: a new one cannot be forgotten."""
    text = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
    layout = sections(text, 2)["Layout"]
    for room in ("tests", "tools"):
        folders = {path.parent.name for path in (REPOSITORY / room).glob("*/*.py")}
        named = set(re.findall(rf"`{room}/(\w+)`", layout))
        assert named == folders
    (kustomize,) = (line for line in layout.splitlines() if line.startswith("| `manifests/`"))
    for folder in (path for path in (REPOSITORY / "manifests").iterdir() if path.is_dir()):
        assert f"`{folder.name}`" in kustomize


def test_every_finding_has_its_section() -> None:
    """docs/findings.md has the codes of the catalog, in order, each with its title and the same four parts."""
    told = {t: body for t, body in sections(read("findings.md"), 2).items() if t.startswith("DA")}
    assert list(told) == [f"{fault.code}: {fault.title}" for fault in FAULTS]
    for title, body in told.items():
        places = [body.find(part) for part in PARTS]
        assert -1 not in places, title
        assert places == sorted(places), title


@pytest.mark.parametrize("where", sorted({one for reason in Reason for one in reason.parts}), ids=": ".join)
def test_every_reason_is_explained_where_it_says_and_no_other(where: Part) -> None:
    """The sections of a part of docs/ are the reasons that name it, so a reason is where one looks for it."""
    assert part(where.file, where.title) == {reason.value for reason in Reason if where in reason.parts}


def test_no_section_of_a_reason_stands_elsewhere() -> None:
    """The pages that explain reasons have sections of that level in the parts that reasons name, and nowhere else."""
    named = {one for reason in Reason for one in reason.parts}
    told = {Part(page, title) for page in {one.file for one in named} for title in sections(read(page), 1)}
    assert {one for one in told if part(one.file, one.title)} == named


def test_the_picture_shows_every_level() -> None:
    """docs/architecture.md draws each folder and module that the import contracts give a level."""
    contracts = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    levels = [level for c in contracts["contracts"] if c.get("exhaustive") for level in c["layers"]]
    picture = sections(read("architecture.md"), 2)["Rooms and levels"].split("```")[1]
    rooms = {room for level in levels for room in level.split(" | ")}
    assert {room for room in rooms if not re.search(rf"\b{room}\b", picture)} == set()


def test_settings_are_documented_from_their_source() -> None:
    """docs/settings.md is what the settings print; a setting cannot be added without it."""
    assert read("settings.md") == document()
    assert all(f"| `{name}` |" in read("settings.md") for name in Settings.model_fields)


def test_releases_are_documented_from_the_recordings() -> None:
    """docs/support.md is what the recordings print: no release can be left out, nor one added that was not run."""
    assert read("support.md") == support.document()


def test_fields_are_documented_from_the_crd() -> None:
    """docs/dnsalias.md is what the CRD prints: no field, bound or rule can be added without it."""
    assert read("dnsalias.md") == crd.document()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_lead_somewhere(page: Path) -> None:
    """A link within the repository names a file that is there, and a heading that is in it."""
    for link in links(page.read_text(encoding="utf-8")):
        path, _, fragment = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if fragment:
            assert fragment in {anchor(h) for h in headings(target.read_text(encoding="utf-8"))}, link


def test_no_page_is_left_alone() -> None:
    """The README leads to every page of docs/ and every page beside it, so that one who reads on finds all of them."""
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    reached = {(REPOSITORY / link.partition("#")[0]).resolve() for link in links(text)}
    wanted = {*DOCS.glob("*.md"), *REPOSITORY.glob("*.md")} - {REPOSITORY / "README.md"}
    assert {page.name for page in wanted - reached} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_metrics_and_settings_that_are_named_exist(page: Path) -> None:
    """No page tells of a metric or an environment variable that the operator does not have; none names a registry."""
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"\bdnsalias_[a-z_]+[a-z]\b", text)) - {"dnsalias_operator"}
    assert named <= set(SPECS)
    variables = {v.lower() for v in re.findall(r"\bDNSALIAS_([A-Z_]+[A-Z])\b", text)} - {"cache"}
    assert variables <= set(Settings.model_fields)
    assert not REGISTRIES.search(text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_no_upgrade_drops_defaults(page: Path) -> None:
    """No page shows `helm upgrade --reuse-values`, which goes on with the defaults of the older chart."""
    assert not re.search(r"helm upgrade[^\n]*--reuse-values", page.read_text(encoding="utf-8"))
