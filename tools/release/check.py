"""Whether a folder is a whole release: every file has its sum, and whatever names a digest names the right one."""

import json
from collections.abc import Iterator
from pathlib import Path

import yaml

from tools.release.archives import digest
from tools.release.artefacts import BILL, KREW, PROVENANCE, SUMS


def faults(folder: Path) -> Iterator[str]:
    """One sentence for each fault; none where all is well."""
    there = {p.relative_to(folder).as_posix(): digest(p.read_bytes()) for p in folder.rglob("*") if p.is_file()}
    for name in (SUMS, PROVENANCE, KREW, BILL, "chart.oci/index.json"):
        if name not in there:
            yield f"{name} is missing"
            return
    named = dict(line.split("  ", 1)[::-1] for line in _read(folder, SUMS).splitlines())
    yield from _differences(SUMS, named, {k: v for k, v in there.items() if k != SUMS})
    subjects = {s["name"]: s["digest"]["sha256"] for s in json.loads(_read(folder, PROVENANCE))["subject"]}
    yield from _differences(PROVENANCE, subjects, {k: v for k, v in there.items() if k not in (SUMS, PROVENANCE)})
    for platform in yaml.safe_load(_read(folder, KREW))["spec"]["platforms"]:
        archive = platform["uri"].rpartition("/")[2]
        if there.get(archive) != platform["sha256"]:
            yield f"{KREW}: {archive} has another digest"
    yield from _blobs(folder / "chart.oci")


def _differences(where: str, named: dict[str, str], there: dict[str, str]) -> Iterator[str]:
    for path in sorted(named.keys() | there.keys()):
        if path not in there:
            yield f"{path} is named by {where} and is missing"
        elif path not in named:
            yield f"{path} is not named by {where}"
        elif named[path] != there[path]:
            yield f"{path} has another digest than {where} says"


def _blobs(layout: Path) -> Iterator[str]:
    """What the index leads to is there, and is what it is called."""
    wanted = [m["digest"] for m in json.loads(_read(layout, "index.json"))["manifests"]]
    while wanted:
        name = wanted.pop()
        path = layout / "blobs" / Path(*name.split(":"))
        if not path.is_file() or f"sha256:{digest(path.read_bytes())}" != name:
            yield f"chart.oci: blob {name} is missing or another one"
        elif path.read_bytes().startswith(b"{"):
            document = json.loads(path.read_text(encoding="utf-8"))
            wanted += [part["digest"] for part in (*document.get("layers", ()), document.get("config", {})) if part]


def _read(folder: Path, name: str) -> str:
    return (folder / name).read_text(encoding="utf-8")
