"""Another Python that has started something: tests look at what is left of it when it ends, however it ends."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]


@contextmanager
def started_elsewhere(program: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """Run ``program``, which prints a line of JSON and then waits for its input to end: its process, and that line."""
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        yield process, json.loads(process.stdout.readline())
