"""Types docs/quickstart.md on a real API server and writes what it printed into the page."""

import sys

from tools.controlplane import ControlPlaneError, build
from tools.controlplane.cluster import ControlPlane
from tools.quickstart.page import PAGE, rewritten
from tools.quickstart.session import CommandError, Session


def main() -> int:
    """Rewrite the page; 0 done, 1 a command failed."""
    text = PAGE.read_text(encoding="utf-8")
    with ControlPlane.start(crds=[build.istio_crds()]) as plane, Session(plane) as session:

        def output(command: str) -> str:
            printed = session.run(command)
            sys.stdout.write(f"$ {command}\n{printed}\n")
            return printed

        PAGE.write_text(rewritten(text, output), encoding="utf-8")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ControlPlaneError, CommandError) as error:
        sys.exit(f"quickstart: {error}")
