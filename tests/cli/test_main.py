"""The command as a whole: help, errors, signals, pipes, terminals, names, start-up."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from dnsalias_operator import __version__
from dnsalias_operator.cli.commands import lint
from dnsalias_operator.cli.main import COMMANDS, program
from dnsalias_operator.cli.options import rules
from dnsalias_operator.model.crd import crd
from dnsalias_operator.settings import load_settings
from tests.cli.conftest import Execute, Invoke, executable
from tests.cli.terminals import on_terminal


def test_help_fits_one_screen_and_tells_every_command(invoke: Invoke) -> None:
    """A newcomer sees what it is for, the commands in the order of use, and examples."""
    result = invoke("--help")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert len(lines) <= 40
    listed = [line.split()[0] for line in lines[lines.index("Commands:") + 1 :] if re.match(r"  \w", line)]
    assert listed[: len(COMMANDS)] == [*COMMANDS]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_an_example_and_exit_codes(invoke: Invoke, command: str) -> None:
    """And its help is reached by -h, too."""
    result = invoke(command, "-h")
    assert result.exit_code == 0
    assert re.search(rf"Example:\n    .*dnsalias {command}\b", result.stdout)
    assert re.search(r"Exit codes:\n    0 ", result.stdout)


@pytest.mark.parametrize(
    "arguments",
    [
        ("unknown",),
        ("lint", "--unknown"),
        ("lint", "-f", "x", "--context", "y"),
        ("lint", "-f", "-", "--fail-on", "x"),
        ("listeners", "-f", "-"),
        ("listeners", "-f", "-", "--from", "a", "--port", "0"),
        ("run", "--http-port", "x"),
        ("run", "--resync-seconds", "-1"),
        ("lint", "-f", "-", "--repair-selector", "a=b=c"),
        ("lint", "-f", "-", "--config", "/nowhere.yaml"),
        ("lint", "--kubeconfig", "/nowhere.yaml"),
        ("lint", "-f", "/nowhere.yaml"),
        (),
    ],
)
def test_bad_usage_exits_with_2_and_no_traceback(invoke: Invoke, arguments: tuple[str, ...]) -> None:
    """Whatever is wrong is said on standard error."""
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert result.stderr.strip()


def test_a_bug_is_one_line(invoke: Invoke, incident: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that nobody expected names the command and exits with 2."""

    def broken(*_: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr(lint, "findings_in", broken)
    result = invoke("lint", "-f", incident)
    assert result.exit_code == 2
    assert result.output == "dnsalias lint: this is a bug: KeyError: 'x' (--debug shows where)\n"


@pytest.mark.parametrize("arguments", [("--debug", "lint"), ("lint", "--debug")])
def test_debug_shows_where_a_bug_is(
    incident: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    """The flag is taken before and after the name of the command."""
    monkeypatch.setattr(lint, "findings_in", None)
    result = CliRunner().invoke(program, [*arguments, "-f", str(incident)])
    assert result.exit_code == 2
    assert result.output.startswith("Traceback")
    assert "this is a bug: TypeError" in result.output


def test_crd_is_the_definition(invoke: Invoke) -> None:
    """As YAML that says exactly what the model says."""
    result = invoke("crd")
    assert result.exit_code == 0
    assert yaml.safe_load(result.stdout) == crd()


def test_version(invoke: Invoke) -> None:
    """The version of the installed package."""
    assert invoke("version").stdout == f"dnsalias {__version__}\n"


def test_version_as_most_programs_have_it(invoke: Invoke) -> None:
    """People try the flag first."""
    assert invoke("--version").stdout == invoke("version").stdout


def test_it_is_a_plugin_of_kubectl(execute: Execute) -> None:
    """Installed as kubectl-dnsalias too, and calls itself what the user typed."""
    done = execute("lint", "--help", script="kubectl-dnsalias")
    assert done.stdout.startswith("Usage: kubectl dnsalias lint [OPTIONS]")
    assert execute("lint", "--help").stdout.startswith("Usage: dnsalias lint [OPTIONS]")


def test_run_hands_its_flags_to_the_operator(execute: Execute, tmp_path: Path) -> None:
    """Without a cluster it says so in one line of the chosen format, and exits with 1."""
    flags = ("--kubeconfig", tmp_path / "none", "--metrics-port", "0", "--log-format", "json", "--log-level", "error")
    done = execute("run", *flags)
    (line,) = (done.stdout + done.stderr).splitlines()
    assert json.loads(line)["level"] == "error"
    assert str(tmp_path / "none") in line
    assert done.returncode == 1


def test_render_pipes_into_plan(incident: Path) -> None:
    """Through a real pipe: what was rendered needs nothing more."""
    with subprocess.Popen([executable("dnsalias"), "render", "-f", incident], stdout=subprocess.PIPE) as render:
        plan = subprocess.run(
            [executable("dnsalias"), "plan", "-f", "-"],
            stdin=render.stdout,
            capture_output=True,
            timeout=60,
            check=False,
        )
    assert render.returncode == 0
    assert plan.returncode == 0
    assert plan.stdout.endswith(b"Nothing to do.\n")
    assert b"\x1b" not in plan.stdout


def test_a_reader_that_goes_away_is_no_error() -> None:
    """As under `| head -1`: nothing on standard error, and the exit code a shell gives to SIGPIPE."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [executable("dnsalias"), "crd"], stdout=write, stderr=subprocess.PIPE, timeout=60, check=False
    )
    os.close(write)
    assert done.stderr == b""
    assert done.returncode == 141


@pytest.mark.parametrize(
    ("redirected", "said"),
    [
        ("version > /dev/full", "dnsalias: No space left on device"),
        ("version >&-", "dnsalias: standard output is closed"),
        ("lint -f - <&-", "<stdin>: it is closed"),
    ],
)
def test_a_stream_that_does_not_work_is_no_bug(redirected: str, said: str) -> None:
    """It is told in one line, with 2."""
    done = subprocess.run(
        ["sh", "-c", f'"$0" {redirected}', executable("dnsalias")],
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
        text=True,
    )
    assert done.stderr.startswith(said)
    assert done.returncode == 2


def test_interrupting_it_is_no_error() -> None:
    """Ctrl-C while it waits for standard input: 130 and no traceback."""
    # A run in the background of a shell ignores SIGINT, and children inherit that.
    command = ["env", "--default-signal=INT", executable("dnsalias"), "lint", "-f", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stderr
        try:
            _wait_until_reading(process.pid)
            process.send_signal(signal.SIGINT)
            process.wait(60)
        finally:
            process.kill()
        errors = process.stderr.read()
    assert process.returncode == 130
    assert b"Traceback" not in errors


def _wait_until_reading(pid: int) -> None:
    # Blocked in a read of the pipe: the system call's number is 0 on x86-64 and 63 on arm64, its file descriptor 0.
    for _ in range(6000):
        call = Path(f"/proc/{pid}/syscall").read_text().split()
        if call[0] in ("0", "63") and call[1] == "0x0":
            return
        time.sleep(0.01)
    raise TimeoutError("it never read its standard input")


@pytest.mark.parametrize(
    ("arguments", "colour"),
    [
        (("lint", "--fail-on", "never"), "\x1b[31m"),
        (("plan", "--foreign-entries", "observe"), "\x1b[32m"),
        (("listeners", "--from", "default"), "\x1b[31m"),
    ],
)
@pytest.mark.parametrize("asked", [{}, {"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=["", "NO_COLOR", "dumb"])
def test_a_terminal_gets_colours(
    arguments: tuple[str, ...], colour: str, asked: dict[str, str], incident: Path
) -> None:
    """Unless NO_COLOR says otherwise, or the terminal knows none."""
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "200", **asked}
    plain = bool(asked)
    shown = on_terminal([executable("dnsalias"), *arguments, "-f", incident], environment)
    assert shown.code == (1 if arguments[0] == "plan" else 0)
    assert (colour in shown.terminal) is not plain
    assert "traefik-cutom-name" in shown.terminal


@pytest.mark.parametrize("arguments", ["['--help']", "['version']", "['lint', '-f', '-']", "['plan', '-f', '-']"])
def test_nothing_slow_is_imported_before_it_is_needed(arguments: str) -> None:
    """Neither Kopf nor the Kubernetes client, nor rich or Jinja, for work on files that is shown as text."""
    program = (
        "import sys\nfrom dnsalias_operator.cli.main import program\n"
        f"try:\n    program.main({arguments})\nexcept SystemExit:\n    pass\n"
        "print(sorted({'kopf', 'kubernetes', 'aiohttp', 'rich', 'jinja2', 'prometheus_client'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input="", capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_without_any_setting_the_rules_are_what_the_settings_default_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings are not even loaded then, which takes time; with one of them they are."""
    for name in [name for name in os.environ if name.upper().startswith("DNSALIAS_")]:
        monkeypatch.delenv(name)
    assumed = {"foreign_entries": "patch"}
    assert rules({"config": None, "istio_version": None}) == load_settings({}, None, assumed).rules
    monkeypatch.setenv("dnsalias_cluster_domain", "example.org")
    assert rules({"config": None}).mesh.cluster_domain == "example.org"
    assert rules({"config": None, "dns_capture": True}).mesh.dns_capture
