"""Every file of a release, made from the source, the wheel and the bill of materials."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tools.release.archives import below, digest, oci_layout, packed, plain

REPOSITORY = Path(__file__).parents[2]
HOME = "https://git.example.com/dnsalias-operator"
"""Where the repository is published, as in cli/printing/pages.py."""
SUMS, PROVENANCE, BILL, KREW = "SHA256SUMS", "provenance.intoto.json", "sbom.cdx.json", "krew/dnsalias.yaml"
SHELLS = ("bash", "zsh", "fish")
PLUGIN = "kubectl-dnsalias"
LAUNCHER = """\
#!/bin/sh
# kubectl dnsalias: runs the wheel beside it, with uv or pipx, which keep its dependencies in a cache of their own.
set -eu
here=$(dirname -- "$(readlink -f -- "$0")")
wheel=$here/{wheel}
if command -v uv >/dev/null; then
  exec uv tool run --quiet --from "$wheel" {plugin} "$@"
elif command -v pipx >/dev/null; then
  exec pipx run --quiet --spec "$wheel" {plugin} "$@"
fi
echo 'error: neither uv nor pipx is there; install one of them, or the wheel with pip' >&2
exit 2
"""


def artefacts(wheel: Path, bill: Path, commit: str) -> dict[str, bytes]:
    """Path within the release and content of each file; the same for the same input."""
    about = yaml.safe_load((REPOSITORY / "chart" / "Chart.yaml").read_text(encoding="utf-8"))
    version = str(about["version"])
    chart = packed(below(REPOSITORY / "chart", about["name"]))
    launcher = LAUNCHER.format(wheel=wheel.name, plugin=PLUGIN).encode()
    license_ = (REPOSITORY / "LICENSE").read_bytes()
    plugin = packed({PLUGIN: launcher, wheel.name: wheel.read_bytes(), "LICENSE": license_}, frozenset({PLUGIN}))
    archive = f"{PLUGIN}-{version}.tar.gz"
    files = {
        wheel.name: wheel.read_bytes(),
        f"{about['name']}-{version}.tgz": chart,
        **{f"chart.oci/{path}": content for path, content in oci_layout(chart, about).items()},
        BILL: bill_of(bill),
        archive: plugin,
        KREW: yaml.safe_dump(krew(version, archive, digest(plugin), wheel.name), sort_keys=False).encode(),
        **{f"completion/dnsalias.{shell}": completion(shell) for shell in SHELLS},
    }
    files[PROVENANCE] = plain(provenance(files, version, commit))
    files[SUMS] = "".join(f"{digest(content)}  {path}\n" for path, content in sorted(files.items())).encode()
    return files


def bill_of(path: Path) -> bytes:
    """The bill of materials without what is of the moment: uv gives it a time and a random number."""
    bill = json.loads(path.read_text(encoding="utf-8"))
    bill.pop("serialNumber", None)
    bill["metadata"].pop("timestamp", None)
    return plain(bill)


def completion(shell: str) -> bytes:
    """What `dnsalias completion SHELL` prints."""
    command = [str(Path(sys.executable).parent / "dnsalias"), "completion", shell]
    return subprocess.run(command, check=True, capture_output=True, timeout=60).stdout


def krew(version: str, archive: str, sha256: str, wheel: str) -> dict[str, Any]:
    """The manifest of the plugin for krew. Source: krew, "Plugin manifest", v1alpha2."""
    return {
        "apiVersion": "krew.googlecontainertools.github.com/v1alpha2",
        "kind": "Plugin",
        "metadata": {"name": "dnsalias"},
        "spec": {
            "version": f"v{version}",
            "homepage": HOME,
            "shortDescription": "Find ServiceEntries that take traffic of others",
            "description": "Lints, explains and plans fixes of ServiceEntries and DnsAliases in an Istio mesh.\n",
            "caveats": "Needs uv or pipx, and Python 3.11 or newer.\n",
            "platforms": [
                {
                    "selector": {"matchExpressions": [{"key": "os", "operator": "In", "values": ["darwin", "linux"]}]},
                    "uri": f"{HOME}/releases/download/v{version}/{archive}",
                    "sha256": sha256,
                    "bin": PLUGIN,
                    "files": [{"from": name, "to": "."} for name in (PLUGIN, wheel, "LICENSE")],
                }
            ],
        },
    }


def provenance(files: Mapping[str, bytes], version: str, commit: str) -> dict[str, Any]:
    """What the files were made from: an in-toto statement, unsigned. Source: SLSA, "Provenance" v1."""
    made_from = ("uv.lock", "requirements/build.txt", "chart/Chart.yaml")
    dependencies = [{"uri": name, "digest": {"sha256": digest((REPOSITORY / name).read_bytes())}} for name in made_from]
    source = {"uri": f"git+{HOME}", "digest": {"gitCommit": commit}}
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": path, "digest": {"sha256": digest(content)}} for path, content in sorted(files.items())],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": f"{HOME}/blob/main/CONTRIBUTING.md#making-a-release",
                "externalParameters": {"version": version},
                "resolvedDependencies": [source, *dependencies],
            },
            "runDetails": {"builder": {"id": f"{HOME}/blob/main/Makefile#release"}},
        },
    }
