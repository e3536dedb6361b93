"""`dnsalias lint` on repositories of every shape: quiet if nothing is wrong, exit code 1 if something is."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dnsalias_operator.cli.main import program
from tests.repositories.shape import Shape, document, shapes

SHAPES = {shape.name: shape for shape in shapes()}
LEAST = 60
"""Shapes."""
LEFT_OUT = ("ignored", "kustomizationParts", "noFile")


@pytest.fixture(params=SHAPES)
def shape(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shape:
    """Each shape in turn, built, with its folder as the working folder."""
    made = SHAPES[request.param]
    made.build(tmp_path)
    monkeypatch.chdir(tmp_path)
    return made


def run(shape: Shape, *arguments: str) -> Result:
    """Lint on the shape."""
    reads = ("-f", shape.reads) if shape.reads else ()
    result = CliRunner().invoke(program, ["lint", *shape.arguments, *arguments, *reads])
    assert "this is a bug" not in result.output
    return result


def test_there_are_enough_shapes_each_with_its_own_sentence() -> None:
    """No two have the same name or the same words."""
    assert len(SHAPES) == len(shapes()) >= LEAST
    sentences = Counter(shape.about for shape in SHAPES.values())
    assert set(sentences.values()) == {1}
    assert all(about.endswith(".") for about in sentences)


def test_lint_finds_what_is_wrong_and_nothing_else(shape: Shape) -> None:
    """Findings with their worlds, exit code, words of standard error, and counts of what was skipped."""
    result = run(shape, "-o", "json")
    report = json.loads(result.stdout)
    assert sorted(map(shown, failing(report))) == sorted(shape.finds)
    assert result.exit_code == shape.exits
    assert bool(shape.reports) == bool(result.stderr), result.stderr
    for words in shape.reports:
        assert words in result.stderr
    # Only shapes that are about values files and Deployments say how many there are.
    counted = {name: n for name, n in report["skipped"].items() if name in {*shape.skipped, *LEFT_OUT}}
    assert counted == {**dict.fromkeys(LEFT_OUT, 0), **shape.skipped}


def failing(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Findings that fail a run."""
    return [finding for finding in report["findings"] if finding["severity"] != "info"]


def shown(finding: dict[str, Any]) -> str:
    """A finding as a shape has it."""
    worlds = f" [{', '.join(finding['worlds'])}]" if finding["worlds"] else ""
    return f"{finding['code']} {finding['kind']} {finding['namespace']}/{finding['name']}{worlds}"


def test_a_baseline_can_be_written_in_every_repository(shape: Shape) -> None:
    """And makes the next run green."""
    written = run(shape, "--baseline", "accepted.json", "--write-baseline")
    assert written.exit_code == 0, written.stderr
    after = run(shape, "--baseline", "accepted.json")
    assert after.exit_code == 0, after.stdout
    assert "No findings" in after.stdout or "info" in after.stdout


@pytest.mark.parametrize("form", ["text", "sarif", "junit", "html"])
def test_every_form_has_the_exit_code(shape: Shape, form: str) -> None:
    """The output form does not change it, and with --fail-on never it is 0."""
    assert run(shape, "-o", form).exit_code == shape.exits
    assert run(shape, "-o", form, "--fail-on", "never").exit_code == 0


def test_a_finding_of_a_port_has_the_line_of_that_port(shape: Shape) -> None:
    """The line in the file is one that has the port's number, in it or right below it."""
    for finding in json.loads(run(shape, "-o", "json").stdout)["findings"]:
        if finding["port"] is not None:
            lines = Path(finding["file"]).read_text(encoding="utf-8-sig").splitlines()
            assert str(finding["port"]) in " ".join(lines[finding["line"] - 1 : finding["line"] + 1])


def test_strict_counts_every_problem(shape: Shape) -> None:
    """A problem that is only reported otherwise fails the run then."""
    problems = json.loads(run(shape, "-o", "json").stdout)["problems"]
    assert run(shape, "--strict").exit_code == (2 if problems else shape.exits)


@pytest.mark.parametrize("command", ["plan", "render", "coredns"])
def test_other_commands_answer_or_refuse(shape: Shape, command: str) -> None:
    """They answer for one world; if that is not possible, exit code 2 comes with a message."""
    result = CliRunner().invoke(program, [command, "-f", shape.reads or "."])
    assert "this is a bug" not in result.output
    assert result.exit_code in (0, 1, 2)
    assert bool(result.stderr) or result.exit_code != 2


def test_a_big_list_is_read_in_one_go(tmp_path: Path) -> None:
    """A thousand entries in one list: each finding has the line of its own port."""
    entries = [json.loads(AS_JSON.replace("NAME", f"e{number:04}")) for number in range(1000)]
    path = tmp_path / "all.json"
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": entries}, indent=1))
    result = CliRunner().invoke(program, ["lint", "-o", "json", "--code", "DA001", "-f", str(tmp_path)])
    assert result.exit_code == 1
    lines = path.read_text().splitlines()
    found = json.loads(result.stdout)["findings"]
    assert found
    assert all('"number": 443' in lines[finding["line"]] for finding in found)


AS_JSON = """{"apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry",
"metadata": {"name": "NAME", "namespace": "a"}, "spec": {"hosts": ["NAME.hello"], "resolution": "DNS",
"ports": [{"number": 80, "name": "h", "protocol": "HTTP"}, {"number": 443, "name": "t", "protocol": "TCP"}]}}"""


@pytest.mark.parametrize("name", ["chart", "template-that-is-yaml", "template-outside-of-a-chart", "jinja-templates"])
def test_a_template_that_is_named_alone_is_an_error(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same message as in a folder, and exit code 2: that file was named."""
    made = SHAPES[name]
    made.build(tmp_path)
    monkeypatch.chdir(tmp_path)
    template = next(p for p in made.files if p.endswith(("entries.yaml", "entry.yaml", "service.yaml")))
    result = CliRunner().invoke(program, ["lint", "-f", template])
    assert result.exit_code == 2
    assert result.stderr.startswith(f"{template}: a ")
    assert "template: render it first" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("kind", ["fifo", "socket", "device"])
def test_a_named_path_that_is_no_file_is_not_read(kind: str, tmp_path: Path) -> None:
    """It gets an error at once, instead of waiting for a writer."""
    made = Shape("x", "x", fifos=["fifo"], sockets=["socket"], links={"device": "/dev/zero"})
    made.build(tmp_path)
    result = CliRunner().invoke(program, ["lint", "-f", str(tmp_path / kind)])
    assert result.exit_code == 2
    assert f"a {kind if kind != 'fifo' else 'FIFO'}, which is not read" in result.stderr


@pytest.mark.parametrize("words", ["values: 1\n", "a: b: c\n", "", "# nothing\n"])
def test_a_file_that_is_named_must_be_a_manifest(words: str, tmp_path: Path) -> None:
    """In a folder it would be skipped."""
    path = tmp_path / "values.yaml"
    path.write_text(words)
    assert CliRunner().invoke(program, ["lint", "-f", str(path)]).exit_code == 2
    (tmp_path / "calm.yaml").write_text(document("calm a"))
    assert CliRunner().invoke(program, ["lint", "-f", str(tmp_path)]).exit_code == 0


def test_a_pattern_that_is_not_valid_is_bad_usage(tmp_path: Path) -> None:
    """The message names it."""
    result = CliRunner().invoke(program, ["lint", "-f", str(tmp_path), "--exclude", "!"])
    assert result.exit_code == 2
    assert "--exclude: '!' is not a valid pattern" in result.stderr
