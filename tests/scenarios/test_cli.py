"""Scenario files through the command line: the world as `kubectl get -o yaml` prints it in, the same answers out."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from dnsalias_operator.cli.main import program
from dnsalias_operator.model.dnsalias import DnsAlias
from dnsalias_operator.model.names import KIND
from tests.scenarios.scenario import Raw, Scenario, load, names, shown, spec_holds
from tests.scenarios.simulated import Cluster

NOTHING_TO_DO, CHANGES, BAD_INPUT = 0, 1, 2
CONDITIONS = ("Accepted", "ResolvedRefs", "Programmed")


@pytest.fixture(params=names())
def scenario(request: pytest.FixtureRequest, tmp_path: Path) -> Scenario:
    """A scenario, with its objects in world.yaml and its settings in settings.yaml of ``tmp_path``."""
    loaded = load(request.param)
    (tmp_path / "world.yaml").write_text(dumped(Cluster(loaded).dump()))
    (tmp_path / "settings.yaml").write_text(json.dumps(loaded.settings))
    return loaded


def dumped(objects: Iterable[Raw]) -> str:
    """The objects as YAML documents."""
    return str(yaml.dump_all(objects, Dumper=yaml.CSafeDumper))


def invoke(folder: Path, command: str, *arguments: str, stdin: str | None = None) -> tuple[int, str]:
    """Exit code and standard output of a command over the folder's world, or over what is piped in."""
    source = str(folder / "world.yaml") if stdin is None else "-"
    options = ["--config", str(folder / "settings.yaml"), "-f", source, *arguments]
    result = CliRunner().invoke(program, [command, *options], input=stdin)
    assert result.stdout, result.stderr
    return result.exit_code, result.stdout


def faulty(scenario: Scenario) -> bool:
    """Whether a DnsAlias is not what the schema asks for: bad input, of which the rest is still answered for."""
    return any(raw["kind"] == KIND and DnsAlias.parse(raw).spec is None for raw in scenario.objects)


def key(found: dict[str, Any]) -> str:
    """`namespace/name` of an object in the output."""
    return f"{found['namespace']}/{found['name']}"


def name(found: dict[str, Any]) -> str:
    """`Kind namespace/name` of an object in the output."""
    return f"{found['kind']} {key(found)}"


def test_plan(scenario: Scenario, tmp_path: Path) -> None:
    """`dnsalias plan` prints the expected changes, what stays unfixed and which aliases are not served."""
    code, out = invoke(tmp_path, "plan", "-o", "json")
    told = json.loads(out)
    assert [f"{c['verb']} {name(c)} {c['reason']}" for c in told["changes"]] == shown(scenario.expect.changes)
    assert code == (BAD_INPUT if faulty(scenario) else CHANGES if told["changes"] else NOTHING_TO_DO)
    for wanted, change in zip(scenario.expect.changes, told["changes"], strict=True):
        after = (change["after"] or {}).get("spec", {})
        sent = {field: after[field] for field in wanted.spec or {} if field in after}
        assert spec_holds(wanted, sent, scenario.rules), name(change)
    if scenario.expect.entries is not None:
        unfixed = {
            f"{e['namespace']}/{e['name']}": f"{e['state']} {e['reason']} {e['severity']}" for e in told["unfixed"]
        }
        assert unfixed == {e: state for e, state in scenario.expect.entries.items() if state != "fixed"}
    if scenario.expect.conditions is not None:
        refused = {key(a): f"{a['condition']} False/{a['reason']}" for a in told["refused"]}
        # Where an entry that is told as unfixed keeps an alias from being served, the alias is not told besides.
        by_entry = {(e["namespace"], f"Programmed False/{e['reason']}") for e in told["unfixed"]}
        expected = _not_served(scenario.expect.conditions)
        assert refused == {a: why for a, why in expected.items() if (a.split("/")[0], why) not in by_entry}


def _not_served(conditions: dict[str, dict[str, str]]) -> dict[str, str]:
    """The first condition of each alias that is False, and its reason."""
    wrong = {
        alias: [k for k in CONDITIONS if of.get(k, "True").startswith("False")] for alias, of in conditions.items()
    }
    return {alias: f"{kinds[0]} {conditions[alias][kinds[0]]}" for alias, kinds in wrong.items() if kinds}


def test_lint(scenario: Scenario, tmp_path: Path) -> None:
    """`dnsalias lint` prints the expected findings, each with the place of its object."""
    _, out = invoke(tmp_path, "lint", "-o", "json", "--fail-on", "never")
    told = json.loads(out)["findings"]
    if scenario.expect.findings is not None:
        found = [" ".join((f["code"], f["severity"], name(f), str(f["port"] or ""))).strip() for f in told]
        assert sorted(found) == sorted(scenario.expect.findings)
    assert all(f["line"] for f in told)


@pytest.mark.usefixtures("scenario")
def test_rendered_world_needs_no_change(tmp_path: Path) -> None:
    """What `dnsalias render` prints is a world in which `dnsalias plan` has nothing to do."""
    assert planned(tmp_path) == []


def test_rendered_files_need_no_change(scenario: Scenario, tmp_path: Path) -> None:
    """The same holds of files that were never applied: without uids, ages and managedFields."""
    (tmp_path / "world.yaml").write_text(dumped(map(_unapplied, scenario.objects)))
    assert planned(tmp_path) == []


def _unapplied(raw: Raw) -> Raw:
    meta = {field: value for field, value in raw["metadata"].items() if field != "creationTimestamp"}
    return {**raw, "metadata": meta}


def planned(folder: Path) -> list[str]:
    """What `dnsalias plan` would still write in the folder's world once it is rendered."""
    _, rendered = invoke(folder, "render")
    _, out = invoke(folder, "plan", "-o", "json", stdin=rendered)
    return [f"{c['verb']} {name(c)} {c['reason']}" for c in json.loads(out)["changes"]]
