"""Completion: in a real bash, and the answers that zsh, fish and kubectl ask for."""

import contextlib
import os
import pty
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Execute, executable
from tools.controlplane.waiting import eventually

BESIDE = {**os.environ, "PATH": f"{Path(executable('dnsalias')).parent}:{os.environ['PATH']}"}


class Bash:
    """An interactive bash on a terminal of its own that has loaded the completion script."""

    def __init__(self, terminal: int, folder: Path) -> None:
        """Type into ``terminal``."""
        self._terminal, self._seen = terminal, ""
        self.types(f"cd {folder}; source <(dnsalias completion bash); PS1='rea''dy> '\n")
        self.shows("ready> ")

    def types(self, text: str) -> None:
        """Press these keys."""
        self._seen = ""
        os.write(self._terminal, text.encode())

    def shows(self, text: str) -> None:
        """Wait until this has been shown since the last key."""
        eventually(lambda: text in self._read(), f"bash shows {text!r}")

    def _read(self) -> str:
        with contextlib.suppress(BlockingIOError):
            self._seen += os.read(self._terminal, 65536).decode(errors="replace")
        return self._seen


@pytest.fixture
def bash(tmp_path: Path) -> Iterator[Bash]:
    """A bash in an empty folder."""
    ours, theirs = pty.openpty()
    os.set_blocking(ours, False)
    environment = {**BESIDE, "TERM": "dumb", "HISTFILE": "", "INPUTRC": os.devnull, "COLUMNS": "200"}
    command = ["bash", "--norc", "--noprofile", "-i"]
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
    ) as process:
        os.close(theirs)
        try:
            yield Bash(ours, tmp_path)
        finally:
            process.kill()
            process.wait()
            os.close(ours)


def test_bash_completes_commands_options_and_values(bash: Bash) -> None:
    """With the tab key, as a person does."""
    bash.types("dnsalias li\t")
    bash.shows("dnsalias li")
    bash.types("n\t--write-b\t")
    bash.shows("--write-baseline ")
    bash.types("--fail-on w\t")
    bash.shows("--fail-on warning ")
    bash.types("-o s\t")
    bash.shows("-o sarif ")


def test_bash_completes_files(bash: Bash, tmp_path: Path) -> None:
    """Where a path is meant."""
    (tmp_path / "manifests-of-ours.yaml").touch()
    bash.types("dnsalias plan -f man\t")
    bash.shows("-f manifests-of-ours.yaml")


@pytest.mark.parametrize(("shell", "marks"), [("zsh", "#compdef dnsalias"), ("fish", "complete --no-files --command")])
def test_the_other_shells_have_scripts(execute: Execute, shell: str, marks: str) -> None:
    """Each in its own language, asking this program by the same variable."""
    done = execute("completion", shell)
    assert done.returncode == 0
    assert marks in done.stdout
    assert f"_DNSALIAS_COMPLETE={shell}_complete" in done.stdout
    environment = {**BESIDE, "COMP_WORDS": "dnsalias li", "COMP_CWORD": "1" if shell == "zsh" else "li"}
    environment["_DNSALIAS_COMPLETE"] = f"{shell}_complete"
    answer = subprocess.run(["dnsalias"], env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert "listeners" in answer.stdout
    assert "lint" in answer.stdout
    assert "plan" not in answer.stdout


def test_an_unknown_shell_is_bad_usage(execute: Execute) -> None:
    """With the ones that there are."""
    done = execute("completion", "powershell")
    assert done.returncode == 2
    assert "'bash', 'zsh', 'fish'" in done.stderr


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("li",), ["lint\tFind entries", "listeners\tPredict", ":4"]),
        (("lint", "--fail-on", "c"), ["critical", ":4"]),
        (("lint", "-f", ""), [":0"]),
        ((), ["lint\t", "plan\t"]),
    ],
)
def test_kubectl_gets_its_answers(execute: Execute, words: tuple[str, ...], answer: list[str]) -> None:
    """`kubectl dnsalias` is completed by kubectl itself: words with their meaning, then whether files may follow."""
    done = execute(*words, script="kubectl_complete-dnsalias")
    lines = done.stdout.splitlines()
    assert done.returncode == 0
    assert len(lines) >= len(answer)
    assert all(line.startswith(wanted) for line, wanted in zip(lines, answer, strict=False))
    assert lines[-1] in (":0", ":4")
