"""Runs the programs on manifests: what each reports, by object. What is only an info is not counted, of any of them."""

import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import yaml

from tools.compare.corpus import Case
from tools.controlplane import build

Reported = Mapping[str, frozenset[str]]
"""Codes by object, `Kind namespace/name`; an object with an error that has no code has the word for it."""
Ask = Callable[[Sequence[Path]], list[Reported]]

_OURS = Path(sys.executable).parent / "dnsalias"
_BY_VALIDATE = re.compile(r"^\s*\* (?P<kind>[A-Za-z]+)/(?P<namespace>[^/\s]*)/(?P<name>[^/\s]+?): ", re.MULTILINE)


def files_of(cases: Sequence[Case], folder: Path) -> list[Path]:
    """A file for the manifests of each case."""
    made = [folder / f"case-{number:03}.yaml" for number, _ in enumerate(cases)]
    for path, case in zip(made, cases, strict=True):
        path.write_text(yaml.safe_dump_all(case.objects), encoding="utf-8")
    return made


def analyze(paths: Sequence[Path]) -> list[Reported]:
    """`istioctl analyze` of each file alone, without a cluster: warnings and errors."""
    return [_analyzed(path) for path in paths]


def _analyzed(path: Path) -> Reported:
    ran = _run(str(build.ensure("istioctl")["istioctl"]), "analyze", "--use-kube=false", "-A", "-o", "json", str(path))
    found = defaultdict(set)
    begin = ran.stdout.find("[")
    for message in json.loads(ran.stdout[begin:]) if begin >= 0 else ():
        if message["level"] != "Info":
            found[message["origin"]].add(message["code"])
    documents = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
    for number in re.findall(rf"{re.escape(str(path))}\[(\d+)\]: failed", ran.stdout + ran.stderr):
        found[label(documents[int(number)])].add("cannot parse")
    return _frozen(found)


def validate(paths: Sequence[Path]) -> list[Reported]:
    """`istioctl validate` of each file: errors, and warnings, which it lists in the same form."""
    return [_validated(path) for path in paths]


def _validated(path: Path) -> Reported:
    ran = _run(str(build.ensure("istioctl")["istioctl"]), "validate", "-f", str(path))
    found = defaultdict(set)
    head, _, errors = (ran.stdout + ran.stderr).partition("Error: ")
    for text, word in ((head, "warning"), (errors, "error")):
        for match in _BY_VALIDATE.finditer(text):
            found[f"{match['kind']} {match['namespace']}/{match['name']}"].add(word)
    return _frozen(found)


def lint(paths: Sequence[Path]) -> list[Reported]:
    """`dnsalias lint` of the files, each a world of its own: warnings and what is critical."""
    overlays = (argument for path in paths for argument in ("--overlay", str(path)))
    ran = _run(str(_OURS), "lint", *overlays, "-o", "json", "--fail-on", "never")
    found: dict[str, dict[str, set[str]]] = {str(path): defaultdict(set) for path in paths}
    for one in json.loads(ran.stdout)["findings"]:
        if one["severity"] != "info":
            found[one["file"]][f"{one['kind']} {one['namespace']}/{one['name']}"].add(one["code"])
    return [_frozen(found[str(path)]) for path in paths]


PROGRAMS: Mapping[str, Ask] = {"istioctl analyze": analyze, "istioctl validate": validate, "dnsalias lint": lint}


def label(raw: Mapping[str, object]) -> str:
    """`Kind namespace/name`."""
    meta = raw["metadata"]
    assert isinstance(meta, Mapping)
    return f"{raw['kind']} {meta['namespace']}/{meta['name']}"


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def _frozen(found: Mapping[str, set[str]]) -> Reported:
    return {key: frozenset(codes) for key, codes in found.items()}
