"""`make lab`, or `python -m tools.lab [--write FILE.md]`: tell the story; exit 0 where it ends with "0 differences"."""

import argparse
import subprocess
import sys
import time
from pathlib import Path

from tools.controlplane import ControlPlaneError, build
from tools.controlplane.cluster import ControlPlane
from tools.controlplane.hand import project_crds
from tools.dataplane.mesh import BINARIES, Mesh
from tools.dataplane.spaces import why_not
from tools.lab import telling
from tools.lab.scene import set_up
from tools.lab.story import Story
from tools.lab.telling import out, say, step


def main(arguments: list[str] | None = None) -> int:
    """Tell it; 1 where anything came out otherwise than predicted or claimed."""
    parser = argparse.ArgumentParser(prog="python -m tools.lab", description=__doc__)
    parser.add_argument("--write", type=Path, metavar="FILE", help="also write a transcript")
    options = parser.parse_args(arguments)
    if reason := why_not():
        sys.exit(f"lab: {reason}")
    build.ensure(*build.CONTROL_PLANE, *BINARIES)
    started = time.monotonic()
    step("A control plane, istiod, CoreDNS and kube-proxy; public servers outside; the incident's pods with sidecars")
    crds = [build.istio_crds(), *project_crds()]
    with ControlPlane.start(crds=crds) as plane, Mesh.start(plane) as mesh, set_up(mesh) as scene:
        say(f"pods that ask: {', '.join(map(str, scene.clients))}")
        story = Story(scene)
        story.tell()
    step("The end")
    sys.stderr.write(f"told in {time.monotonic() - started:.0f} s\n")
    for line in story.wrong:
        out.print(line, style="red", markup=False)
    count = len(story.wrong)
    out.print(f"{count} {'difference' if count == 1 else 'differences'}", style="red" if count else "green")
    if options.write:
        telling.write(options.write)
    return 1 if story.wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ControlPlaneError, AssertionError, TimeoutError, subprocess.CalledProcessError) as error:
        sys.exit(f"lab: {error}")
