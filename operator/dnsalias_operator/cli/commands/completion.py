"""`dnsalias completion`: the completion script of a shell, and completion for kubectl."""

import sys

import click
from click.shell_completion import CompletionItem, ShellComplete, get_completion_class

HELP = """Print the completion script of a shell. The script calls this program for each word.

\b
Example:
  source <(dnsalias completion bash)                                      # for this shell; in ~/.bashrc, for all
  dnsalias completion zsh > "${fpath[1]}/_dnsalias"                       # zsh
  dnsalias completion fish > ~/.config/fish/completions/dnsalias.fish     # fish

kubectl completes `kubectl dnsalias` by calling kubectl_complete-dnsalias, which is installed with this program.

\b
Exit codes:
  0  always
"""
_NAME, _VARIABLE = "dnsalias", "_DNSALIAS_COMPLETE"
_FILES, _NO_FILES = 0, 4
"""Directives of kubectl's protocol: complete files as well, or nothing else."""


@click.command(help=HELP)
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
@click.pass_context
def completion(context: click.Context, shell: str) -> int:
    """Print the script."""
    made = get_completion_class(shell)
    if made is None:
        raise click.UsageError(f"no completion for {shell}")
    click.echo(made(context.find_root().command, {}, _NAME, _VARIABLE).source(), nl=False)
    return 0


class _Kubectl(ShellComplete):
    """Answers in the form of Cobra's `__complete`: a line each, then a directive (source: kubectl's plugin.go)."""

    name = "kubectl"

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the one that is being typed, and that word."""
        words = sys.argv[1:] or [""]
        return words[:-1], words[-1]

    def format_completion(self, item: CompletionItem) -> str:
        """The word, and after a tab what it means."""
        return f"{item.value}\t{item.help}" if item.help else str(item.value)


def for_kubectl() -> None:
    """Entry point of `kubectl_complete-dnsalias`."""
    from dnsalias_operator.cli.main import program  # noqa: PLC0415 (it imports the commands)

    asked = _Kubectl(program, {}, _NAME, _VARIABLE)
    found = asked.get_completions(*asked.get_completion_args())
    files = any(item.type in ("file", "dir") for item in found)
    for item in found:
        if item.type == "plain":
            click.echo(asked.format_completion(item))
    click.echo(f":{_FILES if files else _NO_FILES}")
