"""Run the comparison and write it into docs/comparison.md."""

import sys
import tempfile
from pathlib import Path

from tools.compare.page import PAGE, measured, written
from tools.controlplane.progress import step


def main() -> None:
    """Write the page."""
    with step("comparing"), tempfile.TemporaryDirectory() as folder:
        rows = measured(Path(folder))
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), rows), encoding="utf-8")
    sys.stdout.write(f"{len(rows)} manifests compared, {PAGE.name} written\n")


if __name__ == "__main__":
    main()
