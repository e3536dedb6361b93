"""``python -m tools.controlplane build|up|env|down``: the test control plane, by hand."""

import argparse
import sys

from tools.controlplane import ControlPlaneError, build, hand
from tools.controlplane.progress import say

EXAMPLE = """\
example:
  python -m tools.controlplane up
  eval "$(python -m tools.controlplane env)"
  kubectl get crds
  python -m tools.controlplane down
"""


def main() -> int:
    """Run the command of the command line; 0 done, 1 it failed, 2 bad usage, 130 interrupted."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.controlplane",
        description="The real etcd, kube-apiserver and kube-controller-manager of the tests, by hand.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    building = commands.add_parser("build", help="build what is missing, and print where each binary is")
    building.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(build.BINARIES)}; all by default")
    commands.add_parser("up", help="start a control plane that stays until `down`, with Istio's CRDs")
    commands.add_parser("env", help="print the shell lines that point kubectl at it")
    commands.add_parser("down", help="stop it and remove what it kept")
    arguments = parser.parse_args()
    try:
        _run(arguments.command, getattr(arguments, "names", []))
    except ControlPlaneError as error:
        say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    return 0


def _run(command: str, names: list[str]) -> None:
    match command:
        case "build":
            for name, path in build.ensure(*(names or build.BINARIES)).items():
                sys.stdout.write(f"{name}\t{path}\n")
            if not names:
                sys.stdout.write(f"istio-crds\t{build.istio_crds()}\n")
        case "up":
            hand.up()
            say('To use it here:  eval "$(python -m tools.controlplane env)"')
            sys.stdout.write("\n".join(hand.exports()) + "\n")
        case "env":
            sys.stdout.write("\n".join(hand.exports()) + "\n")
        case _:
            hand.down()


if __name__ == "__main__":
    sys.exit(main())
