"""The corpus: kinds of faults, each with manifests that have it, where it is in them, and manifests that do not.

A file is one kind:

    kind: Its name
    goes_wrong: What happens, in one sentence
    kiali: KIA1201               # the checks of Kiali's documentation that cover it; empty where there is none
    cases:
      - wrong: What is special about these manifests
        at: [ServiceEntry shop/x]  # the objects at fault: who names one of them has found it
        objects: []
      - fine: What is right about these
        objects: []
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "corpus"


@dataclass(frozen=True)
class Case:
    """Some manifests. ``at`` are the objects at fault, () where nothing is wrong."""

    about: str
    at: tuple[str, ...]
    objects: tuple[dict[str, Any], ...]

    @property
    def wrong(self) -> bool:
        """Whether something is."""
        return bool(self.at)


@dataclass(frozen=True)
class Kind:
    """One file."""

    name: str
    goes_wrong: str
    kiali: str
    cases: tuple[Case, ...]


def kinds() -> tuple[Kind, ...]:
    """The whole corpus, sorted by file."""
    return tuple(_kind(yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)) for path in files())


def files() -> list[Path]:
    """Its files."""
    return sorted(FOLDER.glob("*.yaml"))


def digest() -> str:
    """What tells one corpus from another."""
    found = hashlib.sha256()
    for path in files():
        found.update(path.name.encode() + b"\0" + path.read_bytes())
    return found.hexdigest()[:16]


def _kind(raw: dict[str, Any]) -> Kind:
    cases = tuple(
        Case(str(each.get("wrong") or each["fine"]), tuple(each.get("at", ())), tuple(each["objects"]))
        for each in raw["cases"]
    )
    assert all(case.wrong == ("wrong" in each) for case, each in zip(cases, raw["cases"], strict=True)), raw["kind"]
    return Kind(raw["kind"], raw["goes_wrong"], raw.get("kiali", ""), cases)
