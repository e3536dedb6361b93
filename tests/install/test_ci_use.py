"""What docs/ci.md promises: the hook runs as pre-commit runs it, the example workflow is one, its commands work."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from dnsalias_operator.cli.printing import baseline
from tests.schemas import conforms

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[2]
HOOKS = REPOSITORY / ".pre-commit-hooks.yaml"
WORKFLOW = REPOSITORY / "examples" / "ci" / "github-actions.yaml"
BIN = Path(sys.executable).parent


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git repository with the incident's manifests; commands of this environment are on the PATH."""
    monkeypatch.setenv("PATH", f"{BIN}:{os.environ['PATH']}")
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "pre-commit"))
    for name in [name for name in os.environ if name.startswith(("GIT_", "DNSALIAS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    folder = tmp_path / "checkout"
    shutil.copytree(REPOSITORY / "examples" / "incident", folder / "manifests")
    run("git", "init", "--quiet", folder=folder)
    run("git", "add", ".", folder=folder)
    return folder


def run(*command: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder."""
    environment = {**os.environ, **environment}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def test_the_hook_is_one_for_pre_commit() -> None:
    """pre-commit's own check of the manifest accepts it."""
    done = run(str(BIN / "pre-commit"), "validate-manifest", str(HOOKS), folder=REPOSITORY)
    assert (done.returncode, done.stdout) == (0, "")


def test_pre_commit_runs_the_hook(checkout: Path) -> None:
    """A change that makes things worse is stopped, one to another kind of file is not looked at, a baseline helps."""
    stopped = pre_commit(checkout, args=["-f", "manifests/"])
    assert stopped.returncode == 1
    assert "critical DA001 port 443" in stopped.stdout
    lint = ("dnsalias", "lint", "-f", "manifests/", "--baseline", "accepted.json")
    assert run(*lint, "--write-baseline", folder=checkout).returncode == 0
    accepted = pre_commit(checkout, args=[*lint[2:]])
    assert (accepted.returncode, "Passed" in accepted.stdout) == (0, True), accepted.stdout
    (checkout / "notes.txt").touch()
    other = pre_commit(checkout, "notes.txt", args=["-f", "manifests/"])
    assert (other.returncode, "Skipped" in other.stdout) == (0, True), other.stdout


def pre_commit(checkout: Path, *files: str, args: list[str]) -> subprocess.CompletedProcess[str]:
    """Run the hook by pre-commit itself on some files, or all; as it is installed here, not anew from a registry."""
    (hook,) = yaml.safe_load(HOOKS.read_text())
    here = {**hook, "language": "unsupported", "args": args}
    config = {"repos": [{"repo": "local", "hooks": [here]}]}
    (checkout / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    run("git", "add", ".", folder=checkout)
    chosen = ("--files", *files) if files else ("--all-files",)
    return run("pre-commit", "run", "--color=never", *chosen, folder=checkout)


def test_the_hooks_default_reads_the_repository(checkout: Path) -> None:
    """Without arguments of the user's own, the entry and arguments of the manifest lint the folder they run in."""
    (hook,) = yaml.safe_load(HOOKS.read_text())
    done = run(*hook["entry"].split(), *hook["args"], folder=checkout)
    assert done.returncode == 1
    assert "manifests/10-dns-controller.yaml:2: ServiceEntry abc/traefik-cutom-name" in done.stdout


def test_the_workflow_is_one() -> None:
    """GitHub's published schema accepts it."""
    workflow = yaml.safe_load(WORKFLOW.read_text())
    # YAML 1.1 reads the key `on` as true.
    conforms({"on" if key is True else key: value for key, value in workflow.items()}, "github-workflow")


def test_the_workflows_commands_do_what_they_say(checkout: Path) -> None:
    """Linting is red without the baseline and green with it; the report's steps leave the files that are uploaded."""
    workflow = yaml.safe_load(WORKFLOW.read_text())
    environment = {"MANIFESTS": workflow["env"]["MANIFESTS"]}
    (lint,) = commands(workflow, "lint")
    red = run("bash", "-ec", lint, folder=checkout, **environment)
    assert red.returncode == 2
    assert "--write-baseline creates it" in red.stderr
    assert run("bash", "-ec", f"{lint} --write-baseline", folder=checkout, **environment).returncode == 0
    assert run("bash", "-ec", lint, folder=checkout, **environment).returncode == 0
    for command in commands(workflow, "report"):
        assert run("bash", "-ec", command, folder=checkout, **environment).returncode == 0
    uploads = [s["with"] for s in workflow["jobs"]["report"]["steps"] if "upload" in s.get("uses", "")]
    kept = {
        upload.get("sarif_file") or upload["path"]: checkout / (upload.get("sarif_file") or upload["path"])
        for upload in uploads
    }
    log = json.loads(kept["dnsalias.sarif"].read_text())
    conforms(log, "sarif-2.1.0")
    (first, *_) = log["runs"][0]["results"]
    assert first["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "manifests/10-dns-controller.yaml"
    assert kept["dnsalias.html"].read_text().startswith("<!doctype html>")


def commands(workflow: dict[str, Any], job: str) -> list[str]:
    """The lines of a job that run this program."""
    lines = [step["run"] for step in workflow["jobs"][job]["steps"] if "run" in step]
    return [line for line in lines if line.startswith("dnsalias ")]


def test_the_documented_baseline_is_one(tmp_path: Path) -> None:
    """The example in docs/ci.md is read as it stands there."""
    text = (REPOSITORY / "docs" / "ci.md").read_text(encoding="utf-8")
    (example,) = [block.partition("```")[0] for block in text.split("```json\n")[1:]]
    path = tmp_path / "baseline.json"
    path.write_text(example)
    (row,) = baseline.read(str(path))
    assert row.note == "team-edge, until May"
