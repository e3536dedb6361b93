"""`dnsalias admission`: the host rules of the settings, for the API server to enforce."""

import click

from dnsalias_operator.cli.options import OK, with_mesh
from dnsalias_operator.cli.printing.yamlwrite import dump_all
from dnsalias_operator.cli.reading.inputs import Inputs
from dnsalias_operator.cli.reading.meshread import MeshConfigError, in_mesh, read_mesh_file
from dnsalias_operator.core.hosts.admission import admission as policy
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.snapshot import Snapshot

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
def admission(rules: Rules, mesh_config: str) -> int:
    """Print the policy and its binding; the exit code."""
    if mesh_config:
        try:
            rules = in_mesh(Inputs((), mesh=read_mesh_file(mesh_config)), rules, Snapshot())
        except MeshConfigError as error:
            raise click.ClickException(str(error)) from error
    click.echo("".join(dump_all(policy(rules))), nl=False)
    return OK
