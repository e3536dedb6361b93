"""`dnsalias admission`: the host rules of the settings, for the API server to enforce."""

import click

from dnsalias_operator.cli.options import OK, with_mesh
from dnsalias_operator.cli.printing.yamlwrite import dump_all
from dnsalias_operator.core.hosts.admission import admission as policy
from dnsalias_operator.model.rules import Rules

HELP = """Print a ValidatingAdmissionPolicy that refuses hosts as the operator would.

It contains the reserved names, and host_rules, host_default and internationalized_hosts of the settings: applying a
DnsAlias with such a host fails at once. Print it again when the settings change.

\b
Example:
  dnsalias admission --config settings.yaml | kubectl apply -f -

\b
Exit codes:
  0  printed
  2  bad usage
"""


@click.command(help=HELP)
@with_mesh
def admission(rules: Rules) -> int:
    """Print the policy and its binding; the exit code."""
    click.echo("".join(dump_all(policy(rules))), nl=False)
    return OK
