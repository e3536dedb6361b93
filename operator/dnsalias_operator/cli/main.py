"""The command `dnsalias`, also installed as `kubectl-dnsalias`: its subcommands, and the form of errors.

Subcommands are imported when they are used, so that `dnsalias --help` and shell completion answer at once.
"""

import importlib
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, cast

import click
from click.shell_completion import CompletionItem

from dnsalias_operator import __version__

HELP = """Extra DNS names for Kubernetes Services in an Istio mesh, without taking anybody else's traffic.

\b
A DnsAlias gives a Service an additional name. ServiceEntries that were written
for such names without addresses take connections that are not meant for them:
this program finds them, and shows what they do and how to fix them. It reads
files (-f) or the current cluster; only `run` and `revert --yes` write to one.
"""
EXAMPLES = """\b
Examples:
  dnsalias lint -f manifests/               what is wrong?
  dnsalias plan -f manifests/               what would the operator do about it?
  dnsalias listeners --from shop --port 443 where does port 443 go, seen from shop?

\b
Every command has --help with an example and its exit codes.
"""
COMMANDS: Mapping[str, tuple[str, str]] = {
    "lint": ("lint", "Find entries that take traffic not meant for them."),
    "plan": ("plan", "Show what the operator would write, and why."),
    "render": ("render", "Print the input with the plan applied, for kubectl."),
    "listeners": ("listeners", "Predict the outbound listeners of a sidecar."),
    "ambient": ("ambient", "Predict what ztunnel makes of calls in ambient mode."),
    "mesh": ("mesh", "Show what is known of the mesh, and from where."),
    "verify": ("verify", "Hold a real sidecar's listeners against the prediction."),
    "explain": ("explain", "Show everything about one alias or entry, or explain a finding."),
    "history": ("history", "Show what the operator did, and when."),
    "adopt": ("adopt", "Turn other people's ServiceEntries into DnsAliases."),
    "revert": ("revert", "Revert the operator's repairs of entries."),
    "coredns": ("coredns", "Print a CoreDNS snippet for the aliases."),
    "run": ("run", "Run the operator."),
    "completion": ("completion", "Print a completion script for bash, zsh or fish."),
    "crd": ("about", "Print the CustomResourceDefinition of DnsAlias."),
    "admission": ("admission", "Print the host rules as a ValidatingAdmissionPolicy."),
    "version": ("about", "Print the version."),
}
BUG, INTERRUPTED, PIPE_CLOSED = 2, 130, 141
"""Exit codes; the last two are what a shell reports for SIGINT and SIGPIPE."""


class Program(click.Group):
    """Imports subcommands on demand and turns every error into a line and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """Names in the order of use, not in alphabetical order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import one subcommand."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"dnsalias_operator.cli.commands.{COMMANDS[cmd_name][0]}")
        command = cast("click.Command", getattr(module, cmd_name))
        if not any(parameter.name == "debug" for parameter in command.params):
            command.params.append(_debug())
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the subcommands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the names of the subcommands without importing them."""
        words = [CompletionItem(name, help=text) for name, (_, text) in COMMANDS.items() if name.startswith(incomplete)]
        return [*words, *click.Command.shell_complete(self, ctx, incomplete)]

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 (click's signature)
        """Run the subcommand; a pipe that is closed early (`| head`) is no error."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            # Python flushes again at exit: give it a file to write to.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return PIPE_CLOSED
        return result

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any) -> NoReturn:  # type: ignore[override]  # noqa: ANN401
        """Run and exit; users see a traceback only with --debug."""
        arguments = list(sys.argv[1:] if args is None else args)
        extra["standalone_mode"] = False
        try:
            code = super().main(arguments, prog_name or _name(), **extra)
        except click.ClickException as error:
            error.show()
            code = BUG
        except (click.Abort, KeyboardInterrupt):
            code = INTERRUPTED
        except Exception as error:  # noqa: BLE001 (the last handler there is)
            if "--debug" in arguments:
                traceback.print_exc()
            click.echo(_unforeseen(error, arguments), err=True)
            code = BUG
        sys.exit(code if isinstance(code, int) else 0)


def _unforeseen(error: Exception, arguments: Sequence[str]) -> str:
    """One line about an unexpected error: the message of the operating system, or that it is a bug."""
    if isinstance(error, OSError):
        return f"{_name()}: {f'{error.filename}: ' if error.filename else ''}{error.strerror or error}"
    command = next((argument for argument in arguments if argument in COMMANDS), "")
    what = " ".join(f"{type(error).__name__}: {error}".split())
    return f"{_name()} {command}: this is a bug: {what} (--debug shows where)"


def _debug() -> click.Option:
    return click.Option(["--debug"], is_flag=True, expose_value=False, hidden=True, help="Show tracebacks.")


def _name() -> str:
    return "kubectl dnsalias" if Path(sys.argv[0]).stem == "kubectl-dnsalias" else "dnsalias"


@click.group(
    cls=Program,
    help=HELP,
    epilog=EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.option("--debug", is_flag=True, expose_value=False, help="Show tracebacks.")
@click.version_option(__version__, message="dnsalias %(version)s")
@click.pass_context
def program(context: click.Context) -> None:
    """Set what applies to every subcommand."""
    from dnsalias_operator.cli.terminal import colours  # noqa: PLC0415 (start-up time)

    context.color = colours()


def main() -> NoReturn:
    """Entry point of the console scripts."""
    if sys.stdout is None or sys.stderr is None:
        # Closed by the caller (`>&-`): without output nothing is done.
        if sys.stderr is not None:
            click.echo("dnsalias: standard output is closed; redirect it to /dev/null if you do not need it", err=True)
        sys.exit(BUG)
    for stream in (sys.stdout, sys.stderr):
        # Characters that the terminal's encoding lacks are shown escaped.
        getattr(stream, "reconfigure", lambda **_: None)(errors="backslashreplace")
    program.main()
