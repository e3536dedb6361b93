"""The command line on files of any shape: an answer or a sentence, no traceback, and nothing that moves a cursor."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings

from dnsalias_operator.cli.main import program
from dnsalias_operator.cli.printing.yamlwrite import dump
from tests.policy.mutations import Raw, hostile_worlds, texts

pytestmark = pytest.mark.slow

COMMANDS = (
    ("lint",),
    ("lint", "-o", "json"),
    ("lint", "-o", "sarif"),
    ("lint", "-o", "junit"),
    ("lint", "-o", "html"),
    ("plan",),
    ("plan", "-o", "json"),
    ("render",),
    ("listeners", "--from", "abc"),
    ("ambient", "--from", "abc"),
    ("coredns",),
    ("adopt",),
    ("explain", "abc/api"),
    ("explain", "db.hello"),
)
DATA = ("json", "sarif", "junit", "html", "coredns")
"""Output for programs: what is in it is what was in the input."""


def written(raws: list[Raw], path: Path) -> Path:
    """The objects in a file of the form that its suffix names."""
    if path.suffix == ".json":
        path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": raws}))
    else:
        path.write_text(yaml.safe_dump_all(raws), encoding="utf-8", errors="replace")
    return path


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(value=texts, key=texts)
def test_text_of_any_kind_is_written_in_print_and_reads_back(value: str, key: str) -> None:
    """YAML for kubectl holds no character that moves a cursor or turns the line, and means the same."""
    out = dump({key: value})
    assert all(line.isprintable() for line in out.split("\n"))
    whole = [t.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for t in (key, value)]
    assert yaml.safe_load(out) == {whole[0]: whole[1]}


@pytest.mark.parametrize("suffix", [".json", ".yaml"])
def test_every_command_answers(tmp_path: Path, suffix: str) -> None:
    """Exit codes are those that are documented, text for people is printable, JSON for programs is JSON."""

    @settings(
        max_examples=60,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(raws=hostile_worlds)
    def answers(raws: list[Raw]) -> None:
        path = written(raws, tmp_path / f"world{suffix}")
        for command, *options in COMMANDS:
            result = CliRunner().invoke(program, [command, "-f", str(path), *options])
            told = f"{command} {options}: {result.stdout}{result.stderr}"
            assert result.exit_code in (0, 1, 2), told
            assert "bug" not in result.stderr, told
            assert "Traceback" not in result.stderr, told
            if {"json", "sarif"} & set(options):
                json.loads(result.stdout or "{}")
            if "junit" in options and result.stdout:
                ET.fromstring(result.stdout)  # noqa: S314 (written a line above, by us)
            assert "html" not in options or "<script>alert" not in result.stdout
            lines = result.stderr.split("\n") + ([] if {command, *options} & set(DATA) else result.stdout.split("\n"))
            assert all(line.isprintable() for line in lines), told

    answers()
