"""`dnsalias coredns`: what a Corefile needs so that pods resolve the aliases."""

import click

from dnsalias_operator.cli.options import ERROR, OK, Source, with_rules, with_source
from dnsalias_operator.cli.reading.meshread import in_mesh
from dnsalias_operator.core.advice.coredns import rewrites
from dnsalias_operator.core.plan import plan as decide
from dnsalias_operator.model.rules import Rules

HELP = """Print a CoreDNS snippet that makes every accepted alias resolve.

Names are rewritten to the Service's own name, so nothing becomes stale when a clusterIP changes. Put the lines into
the server block of the Corefile that has the plugin `kubernetes`. Sidecars with DNS capture do not need them.

\b
Example:
  dnsalias coredns > aliases.corefile       then `import aliases.corefile`

\b
Exit codes:
  0  printed
  2  bad usage, or input that cannot be read
"""
HEADER = "# Aliases of Services inside the mesh. Made by `dnsalias coredns`; run it again when aliases change."


@click.command(help=HELP)
@with_source
@with_rules
def coredns(source: Source, rules: Rules) -> int:
    """Print the lines; the exit code."""
    inputs = source.read()
    world = inputs.snapshot()
    rules = in_mesh(inputs, rules, world)
    decided = decide(world, rules)
    click.echo("\n".join((HEADER, *rewrites(decided.after, decided.aliases, rules.mesh))))
    return ERROR if inputs.problems else OK
