"""Applications in a space, and calls of them from a pod: ``answers`` and ``ask``, run where they belong."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tools.controlplane.waiting import eventually
from tools.dataplane.pods import Pod
from tools.dataplane.spaces import Space

HERE = Path(__file__).parent


def certificate(folder: Path) -> dict[str, str]:
    """A certificate of the applications' own, in that folder: what ``serve`` takes as ``config``."""
    key, made = folder / "app.key", folder / "app.pem"
    names = ["-subj", "/CN=equal", "-days", "2", "-keyout", str(key), "-out", str(made)]
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", *names]
    subprocess.run(command, check=True, capture_output=True)
    return {"certificate": str(made), "key": str(key)}


def serve(folder: Path, space: Space, called: str, config: dict[str, str], ports: Sequence[tuple[int, str]]) -> None:
    """Start the applications in there and wait until they listen.

    Args:
        folder: for the file that tells them what to serve.
        space: where.
        called: how the answers name them.
        config: from ``certificate``.
        ports: number and kind of each; see ``answers``.
    """
    file = folder / f"{called.replace('/', '-')}.json"
    file.write_text(json.dumps({**config, "name": called, "ports": list(ports)}))
    space.spawn("answers", [sys.executable, "-I", HERE / "answers.py", file])

    def serving() -> bool:
        space.fail_if_dead()
        return "serving" in space.log("answers")

    eventually(serving, f"the applications of {called}")


def ask(client: Pod, asks: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What came of each of the asks (see ``ask``), made from that pod."""
    command = client.space.entering([sys.executable, "-I", HERE / "ask.py"])
    result = subprocess.run(command, input=json.dumps(asks), capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    answers: list[dict[str, Any]] = json.loads(result.stdout)
    return answers
