"""`dnsalias crd` and `dnsalias version`."""

import click

from dnsalias_operator import __version__

CRD_HELP = """Print the CustomResourceDefinition of DnsAlias as YAML.

\b
Example:
  dnsalias crd | kubectl apply -f -

\b
Exit codes:
  0  always
"""
VERSION_HELP = """Print the version.

\b
Example:
  dnsalias version

\b
Exit codes:
  0  always
"""


@click.command(help=CRD_HELP)
def crd() -> int:
    """Print the CRD."""
    from dnsalias_operator.cli.printing.yamlwrite import dump  # noqa: PLC0415 (start-up time)
    from dnsalias_operator.model.crd import crd as definition  # noqa: PLC0415

    click.echo(dump(definition()), nl=False)
    return 0


@click.command(help=VERSION_HELP)
def version() -> int:
    """Print the version."""
    click.echo(f"dnsalias {__version__}")
    return 0
