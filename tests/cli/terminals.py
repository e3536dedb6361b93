"""Running a command with its standard error, and if so asked its standard output, on a terminal."""

import os
import pty
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple


class Shown(NamedTuple):
    """What came out: on the terminal, on standard output where that is a pipe, and the exit code."""

    terminal: str
    stdout: str
    code: int


def on_terminal(command: list[str | Path], environment: Mapping[str, str], *, stdout_too: bool = True) -> Shown:
    """Run a command to its end, with nothing on its standard input."""
    ours, theirs = pty.openpty()
    shown = b""
    piped = theirs if stdout_too else subprocess.PIPE
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=piped, stderr=theirs, env=dict(environment)
    ) as process:
        os.close(theirs)
        try:
            while chunk := os.read(ours, 65536):
                shown += chunk
        except OSError:  # Linux: the other end was closed
            pass
        out = process.stdout.read() if process.stdout else b""
    os.close(ours)
    return Shown(shown.decode(), out.decode(), process.returncode)
