"""`python -m tools.release WHEEL BILL FOLDER` writes a release and checks it; with FOLDER alone it only checks."""

import shutil
import subprocess
import sys
from pathlib import Path

from tools.release.artefacts import REPOSITORY, artefacts
from tools.release.check import faults


def main(arguments: list[str]) -> int:
    """The exit code: 1 where something is wrong with the release."""
    *inputs, folder = map(Path, arguments)
    if inputs:
        wheel, bill = inputs
        write(folder, wheel, bill)
    wrong = list(faults(folder))
    for line in wrong:
        print(f"error: {line}", file=sys.stderr)  # noqa: T201 (what this command is for)
    if not wrong:
        print(f"{folder}: {sum(p.is_file() for p in folder.rglob('*'))} files, all as {folder}/SHA256SUMS says")  # noqa: T201
    return int(bool(wrong))


def write(folder: Path, wheel: Path, bill: Path) -> None:
    """Write every file anew."""
    git = ["git", "rev-parse", "HEAD"]
    commit = subprocess.run(git, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.strip()
    shutil.rmtree(folder, ignore_errors=True)
    for path, content in artefacts(wheel, bill, commit).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
